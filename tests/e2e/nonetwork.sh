#!/bin/bash
# SPDX-License-Identifier: ISC
# From incoming/ to current no process opens a network socket: socket pairs between our own processes are all there is.
. tests/lib.sh
. tests/world.sh
command -v strace >/dev/null || skip_all "no strace"
world_new
world_source villes "code:string nom:string n:integer"
world_data villes code,nom,n 01,Bourg,1 02,Laon,2
world_sync
cp "$bundle" "$T/in/incoming/"

run strace -f -qq -e trace=%network -o "$T/trace" "$BIN/clapet-inside" --config "$T/in/inside.json" import
is "$status" 0 "the import under strace is done"
like "$(readlink "$T/in/store/current")" 'generations/1' "a generation is in force"
ok "socket pairs were seen, so the trace is not empty" grep -q 'socketpair(AF_UNIX' "$T/trace"
unlike "$(cat "$T/trace")" '[0-9] socket\(' "no process calls socket()"
unlike "$(cat "$T/trace")" ' (connect|bind|listen|accept4?)\(' "none connects, binds or listens"
unlike "$(cat "$T/trace")" 'AF_(INET|INET6|NETLINK|PACKET)' "no address family of a network appears"
done_testing
