#!/bin/bash
# SPDX-License-Identifier: ISC
# What somebody gets who owns a worker, the medium or what stands in incoming/: each test is one attack.
. tests/lib.sh
. tests/world.sh

# The inside's programs in a folder of their own, where a worker can be replaced by one that somebody else wrote.
own() { # WORKER: its program comes from stdin
	mkdir -p "$T/owned/bin" "$T/owned/libexec/clapet"
	cp "$BIN/clapet-inside" "$T/owned/bin/"
	cp "$LIBEXEC"/inside-* "$T/owned/libexec/clapet/"
	rm "$T/owned/libexec/clapet/$1"
	cat >"$T/owned/libexec/clapet/$1"
	chmod 0755 "$T/owned/libexec/clapet/$1"
}
owned() { "$T/owned/bin/clapet-inside" --config "$T/in/inside.json" "$@"; }

WORLD_INSIDE='"workerTime": "2s"'
world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg
world_sync
first=$bundle

# --- a worker that never ends ----------------------------------------------------------------------------------------
for worker in inside-unpack inside-verify; do
	own "$worker" <<-'SH'
	#!/bin/sh
	exec sleep 60
	SH
	SECONDS=0
	run owned import "$first"
	is "$status" 2 "$worker never ends: trouble"
	like "$output" "E9003 .*$worker took longer than" "it is named"
	ok "and was not waited for" test "$SECONDS" -lt 20
done
own inside-check <<'SH'
#!/bin/sh
exec 3>&-
exec sleep 60
SH
SECONDS=0
run owned import "$first"
is "$status" 2 "a worker that closes its socket and stays is trouble"
ok "and was not waited for" test "$SECONDS" -lt 20
run inside import "$first"
is "$status" 0 "the same bundle goes in once the workers are ours again"

# --- few bytes that decode to many ---------------------------------------------------------------------------------------
inside import >/dev/null
before=$(store_digest)
{ echo code,nom; yes 01,Bourg-en-Bresse | head -n 400000; } >"$T/data/villes.csv"
world_sync
sed -i 's/"workerTime": "2s"/"workerTime": "1m", "quota": {"spool": 1000000}/' "$T/in/inside.json"
ok "a bundle of few bytes" test "$(stat -c %s "$bundle")" -lt 1000000
run inside import "$bundle"
is "$status" 2 "it would decode past the spool's quota: trouble"
like "$output" "E6003 .*the spool's quota is" "with the quota named"
is "$(store_digest)" "$before" "and nothing changed for readers"
sed -i 's/, "quota": {"spool": 1000000}//' "$T/in/inside.json"
run inside import
is "$status" 0 "with room enough it goes in, without being sent again"
like "$output" "villes: version .* in force" "as a version"

done_testing
