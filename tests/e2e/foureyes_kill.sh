#!/bin/bash
# SPDX-License-Identifier: ISC
# foureyes_kill.sh: kill -9 of outside-sign at its every mutating call, while a version begins to wait and while its second signature
# publishes it: what waits is never lost or half, no signature must be given twice, and the next run goes on.
. tests/lib.sh
. tests/world.sh
command -v strace >/dev/null || skip_all "strace is not installed"

keys() { "$BIN/clapet-keys" --no-passphrase "$@"; }
world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg
world_sync
inside import "$bundle" >/dev/null
# The targets key goes away, a second person comes.
mkdir "$T/safe" "$T/carry" "$T/owned" "$T/owned/bin" "$T/owned/libexec" "$T/owned/libexec/clapet"
keys generate --output "$T/safe/second.key" --public "$T/carry/second.pub" >/dev/null
mv "$T/out/keys/targets.key" "$T/safe/"
keys delegate villes --repository "$T/out/repository" --keys "$T/out/keys" --key-public "$T/carry/second.pub" --threshold 2 \
	--request "$T/carry/targets.request" >/dev/null
keys sign "$T/carry/targets.request" --key "$T/safe/targets.key" --yes >/dev/null
keys assemble "$T/carry/targets.request" "$T"/carry/targets.*.signature --repository "$T/out/repository" >/dev/null
cosign() { # the second person's part, of what waits now
	rm -f "$T"/carry/*.villes.*
	outside cosign --to "$T/carry" >/dev/null && keys sign "$T"/carry/*.villes.request --key "$T/safe/second.key" --yes >/dev/null
}
outside heartbeat >/dev/null 2>&1
cosign
run outside cosign "$T"/carry/*.villes.*.signature
is "$status" 0 "villes is signed by two"

# A worker that dies at the Nth CALL.
cp "$BIN/clapet-outside" "$T/owned/bin/"
cp "$LIBEXEC"/outside-* "$T/owned/libexec/clapet/"
mv "$T/owned/libexec/clapet/outside-sign" "$T/owned/libexec/clapet/real-sign"
dying() { # CALL N ARGUMENT…
	cat >"$T/owned/libexec/clapet/outside-sign" <<-SH
	#!/bin/sh
	exec strace -qq -o /dev/null -e inject=$1:signal=KILL:when=$2 "$T/owned/libexec/clapet/real-sign" "\$@"
	SH
	chmod 0755 "$T/owned/libexec/clapet/outside-sign"
	shift 2
	run "$T/owned/bin/clapet-outside" --config "$T/out/outside.json" "$@"
}
import_all() { inside import "$T"/out/outbox/*.tar >"$T/import.log" 2>&1 && rm "$T"/out/outbox/*.tar; }
in_force() { sed -n 2p "$T/in/store/current/villes/villes.csv"; }
pending=$T/out/repository/metadata/pending/villes.json
is_whole() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(len(d["signatures"]) != int(sys.argv[2]))' "$pending" "$1"; }

row=0
for call in renameat fsync unlinkat; do
	for phase in waits goes; do
		killed=0 bad=
		for n in $(seq 1 40); do
			row=$((row + 1))
			world_data villes code,nom "$row,Bourg"
			if [ $phase = waits ]; then
				dying $call "$n" sync --force
			else
				outside sync --force >/dev/null 2>&1
				cosign || bad="$bad $n(request)"
				dying $call "$n" cosign "$T"/carry/*.villes.*.signature
			fi
			# Killed: outside-sign failed. Otherwise the sweep is at its end: 3 for what waits, 0 for what went.
			died=$status
			if [ $phase = waits ]; then
				outside sync --force >/dev/null 2>&1
				[ $? = 3 ] && is_whole 1 || bad="$bad $n(waits)"
				cosign || bad="$bad $n(request)"
			fi
			# The signature was taken, or it is there already, or the version went: one person signed once.
			run outside cosign "$T"/carry/*.villes.*.signature
			case $status:$output in
			0:* | 1:*E2165* | 1:*E2163*'was published since'*) ;;
			*) bad="$bad $n($status)" ;;
			esac
			outside heartbeat >/dev/null 2>&1
			[ ! -e "$pending" ] && import_all && [ "$(in_force)" = "$row,Bourg" ] || bad="$bad $n"
			[ "$died" = 2 ] || break
			killed=$((killed + 1))
		done
		is "$bad" "" "$phase: killed at each of $killed times $call, the version is published with one second signature"
		[ $call = unlinkat ] || ok "$phase, $call: the sweep met calls and came to its end" test "$killed" -gt 2 -a "$killed" -lt 40
	done
done
ok "the store verifies" inside verify
done_testing
