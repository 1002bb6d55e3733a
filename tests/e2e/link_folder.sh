#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-receive has a folder of its own: the inside moves what is whole from there to incoming/, and nothing else; who owns the receiver puts no file
# in the place of another, and writes nothing of the inside's.
. tests/lib.sh
. tests/world.sh
WORLD_INSIDE='"link": {"bind": "127.0.0.1:1", "key": "link.key", "folder": "link"}'
world_new
mkdir "$T/in/link"
world_source villes "code:string nom:string"
rows() { wc -l <"$T/in/store/current/villes/villes.csv"; }
version() { # N: a version of N rows; $bundle
	world_data villes code,nom $(seq -f '%02g,Ville' "$1")
	world_sync
}
digits=$(printf '%064d' 7)

# --- what is whole is taken ---------------------------------------------------------------------------------------------------------
version 2
cp "$bundle" "$T/in/link/"
run inside import
is "$status" 0 "a bundle in the receiver's folder is imported"
is "$(rows)" 3 "and in force"
is "$(find "$T/in/link" "$T/in/incoming" -type f ! -name '.*')" "" "and gone from both folders"
run inside check
is "$status" 0 "check is content"
like "$output" "link +$T/in/link$" "and names the folder"

# --- nothing else is ------------------------------------------------------------------------------------------------------------------
echo hello >"$T/in/link/refused"
echo hello >"$T/in/link/0000000009-$digits.tar.new"
echo hello >"$T/in/link/.hidden"
ln -s /etc/passwd "$T/in/link/$digits"
mkfifo "$T/in/link/0000000009-$digits.tar"
mkdir "$T/in/link/${digits/7/8}"
before=$(ls -A "$T/in/link")
run timeout 20 "$BIN/clapet-inside" --config "$T/in/inside.json" import
is "$status" 0 "other names, links, pipes and folders are none of it"
is "$(ls -A "$T/in/link")" "$before" "they are left alone"
is "$(find "$T/in/incoming" -mindepth 1 ! -name '.*' ! -name refused)" "" "and none comes to incoming"
find "$T/in/link" -mindepth 1 -delete
echo hello >"$T/in/link/$digits"
run inside import
is "$status" 1 "a file that is no bundle is refused"
ok "and set aside" test -f "$T/in/incoming/refused/$digits"

# --- no file takes the place of another -------------------------------------------------------------------------------------------------
version 3
name=${bundle##*/}
head -c 5000 "$bundle" >"$T/in/incoming/$name"
cp "$bundle" "$T/in/link/"
run inside import
is "$(rows)" 4 "a whole bundle whose name is taken by a part of it is imported nevertheless"
is "$(stat -c %s "$T/in/incoming/$name")" 5000 "and what a person brought is still there"
like "$output" "E3001 MISSING bundle" "and still said to be incomplete"
rm "$T/in/incoming/$name"

# --- watch, and what is missing ---------------------------------------------------------------------------------------------------------
"$BIN/clapet-inside" --config "$T/in/inside.json" watch --interval 1h >"$T/watch.log" 2>&1 &
watcher=$!
on_exit 'kill $watcher 2>/dev/null'
eventually() {
	for _ in $(seq 400); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	"$@"
}
version 5
listens() { grep -q "inotify wd" /proc/$watcher/fdinfo/*; }
ok "watch begins" eventually listens
cp "$bundle" "$T/in/link/.new" && mv "$T/in/link/.new" "$T/in/link/${bundle##*/}"
is_there() { [ "$(rows)" = 6 ]; }
ok "watch wakes up for the receiver's folder" eventually is_there
kill $watcher
wait $watcher
mkdir "$T/in/link/.link"
printf 'clapet link missing 1\n%s:4\n' "$digits" >"$T/in/link/.link/missing.txt"
run inside missing
is "$status" 4 "missing: what crossed in part is read from there"
like "$output" '^part 0{10} 4$' "and asked for"
rm -r "$T/in/link/.link"

# --- where it cannot work -----------------------------------------------------------------------------------------------------------------
if [ -w /dev/shm ] && [ "$(stat -c %d /dev/shm)" != "$(stat -c %d "$T")" ]; then
	elsewhere=$(mktemp -d /dev/shm/clapet-test.XXXXXX)
	on_exit 'rm -rf "$elsewhere"'
	sed "s|\"folder\": \"link\"|\"folder\": \"$elsewhere\"|" "$T/in/inside.json" >"$T/in/elsewhere.json"
	run "$BIN/clapet-inside" --config "$T/in/elsewhere.json" check
	is "$status" 2 "check: on another file system"
	like "$output" "$elsewhere: not on the file system of incoming" "is said"
fi
sed 's|"folder": "link"|"folder": "nowhere"|' "$T/in/inside.json" >"$T/in/nowhere.json"
run "$BIN/clapet-inside" --config "$T/in/nowhere.json" check
is "$status" 2 "check: no such folder"
run "$BIN/clapet-inside" --config "$T/in/nowhere.json" import
is "$status" 0 "import goes on without it"
like "$output" "$T/in/nowhere: No such file" "and says so"
run "$BIN/clapet-inside" --config "$T/in/nowhere.json" watch --once
is "$status" 2 "watch does not begin"

# --- accounts: `games` stands in for clapet-receive, which is in no group of ours; `irc` for clapet-inside ---------------------------------------
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && getent passwd games irc >/dev/null || done_testing
as() { # ACCOUNT COMMAND…
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}
chmod 0711 "$T"
mkdir -p "$T/prog/libexec"
cp -r "$BIN" "$T/prog/bin"
cp -r "$LIBEXEC" "$T/prog/libexec/clapet"
BIN=$T/prog/bin
port=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$BIN/clapet-keys" link --output "$T/link.key" >/dev/null
sed -i "s/127.0.0.1:1\"/127.0.0.1:$port\"/" "$T/in/inside.json"
cp -p "$T/link.key" "$T/in/link.key"
chown -R irc:irc "$T/in"
chmod 0750 "$T/in/incoming"
chown games:irc "$T/in/link" && chmod 2770 "$T/in/link"
chown games "$T/in/link.key"
as games "$BIN/clapet-receive" --config "$T/in/inside.json" --count 1 --timeout 20 2>"$T/receive.log" &
receiver=$!
on_exit 'kill $receiver 2>/dev/null'
eventually test -e "$T/in/link/.link/status.json"
version 7
"$BIN/clapet-send" --to "127.0.0.1:$port" --key "$T/link.key" --rate 100M "$bundle" >"$T/send.log" 2>&1
wait $receiver
is $? 0 "the receiver, under its account, takes a bundle" || cat "$T/receive.log" "$T/send.log"
is "$(stat -c '%U:%G %a' "$T/in/link/${bundle##*/}")" "games:irc 640" "which is its own, and readable to the inside's group"
not_ok "it cannot look into incoming" as games ls "$T/in/incoming"
not_ok "nor write there" as games touch "$T/in/incoming/x"
run as irc "$BIN/clapet-receive" status --config "$T/in/inside.json"
like "$output" '^files +1 delivered' "the inside's account reads its status"
run as irc "$BIN/clapet-inside" --config "$T/in/inside.json" import
is "$status" 0 "the inside takes it from there"
is "$(rows)" 8 "and it is in force"
is "$(find "$T/in/link" -maxdepth 1 -type f)" "" "and gone from the receiver's folder"
sed 's/"testBench"/"sockets": "run", &/' "$T/in/inside.json" >"$T/in/sockets.json"
run as irc "$BIN/clapet-inside" --config "$T/in/sockets.json" check
like "$output" '^[a-z]+ +owner of link +games:irc 2770$' "check says whose the folder is"
chmod 2777 "$T/in/link"
run as irc "$BIN/clapet-inside" --config "$T/in/sockets.json" check
like "$output" 'owner of link .*2777: open to other accounts' "open to others it is refused"
chown irc:irc "$T/in/link" && chmod 0750 "$T/in/link"
run as irc "$BIN/clapet-inside" --config "$T/in/sockets.json" check
like "$output" "owner of link .*is our own: it belongs to clapet-receive's account" "as is the supervisor's own"
chmod 0770 "$T/in/incoming"
run as irc "$BIN/clapet-inside" --config "$T/in/sockets.json" check
like "$output" 'owner of incoming .*0770: open to other accounts' "and an incoming that a group may write"
done_testing
