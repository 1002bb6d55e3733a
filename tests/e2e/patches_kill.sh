#!/bin/bash
# SPDX-License-Identifier: ISC
# kill -9 while keyframes, patches and their bundles are made: of clapet-outside at its every mutating call, and of the worker that packs at any
# write. The next run goes on, all that the newest metadata name was sent in some bundle, and the inside has the steward's rows.
. tests/lib.sh
. tests/world.sh
command -v strace >/dev/null || skip_all "strace is not installed"

# 3,000 rows of noise; N of them are today's own.
table() { # DAY N
	awk -v day="$1" -v n="$2" 'BEGIN {
		print "code,nom"; x = 12345; y = 1000 * day + 7
		for (i = 1; i <= 3000; i++) { x = (x * 16807) % 2147483647; y = (y * 16807) % 2147483647; printf "%05d,nom-%d\n", i, i <= n ? y : x }
	}' >"$T/data/villes.csv"
}
world_new
world_source villes "code:string nom:string"
table 0 0
world_sync
inside import "$bundle" >/dev/null

# A worker that dies at the Nth CALL.
mkdir -p "$T/owned/bin" "$T/owned/libexec/clapet"
cp "$BIN/clapet-outside" "$T/owned/bin/"
cp "$LIBEXEC"/outside-* "$T/owned/libexec/clapet/"
mv "$T/owned/libexec/clapet/outside-pack" "$T/owned/libexec/clapet/real-pack"
dying() { # CALL N ARGUMENT…: the packing worker
	cat >"$T/owned/libexec/clapet/outside-pack" <<-SH
	#!/bin/sh
	exec strace -f -qq -o /dev/null -e inject=$1:signal=KILL:when=$2 "$T/owned/libexec/clapet/real-pack" "\$@"
	SH
	chmod 0755 "$T/owned/libexec/clapet/outside-pack"
	"$T/owned/bin/clapet-outside" --config "$T/out/outside.json" "${@:3}" >/dev/null 2>&1
}
killed_at() { # CALL N ARGUMENT…: the supervisor
	{ strace -qq -o /dev/null -e "inject=$1:signal=KILL:when=$2" "$BIN/clapet-outside" --config "$T/out/outside.json" "${@:3}" >/dev/null; } 2>/dev/null
}
# What the next run must make up for; what is wrong is printed.
wrong() {
	outside sync --force >"$T/sync.log" 2>&1 || echo again
	grep -q '"sent": false' "$T/out/state/villes/state.json" && echo unsent
	python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["pending"] is not None)' "$T/out/state/villes/state.json" || echo pending
	[ ! -e "$T/out/outbox/.bundle.tmp" ] || echo bundle
	[ ! -e "$T/out/state/villes/work" ] || echo work
	[ -z "$(find "$T/out/repository" -name '.part*')" ] || echo part
	outside check >"$T/check.log" 2>&1 || echo check
	inside import "$T"/out/outbox/*.tar >"$T/import.log" 2>&1 || echo import
	cmp -s "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv" || echo rows
	rm -f "$T"/out/outbox/*.tar
}
# One who comes late gets it all by an export: what was left half made would show.
late() {
	rm -rf "$T/late" "$T/medium" && mkdir -p "$T/late/"{store,incoming,spool,contracts} "$T/medium"
	cp "$T/in/inside.json" "$T/in/policy.json" "$T/late/"
	"$BIN/clapet-inside" --config "$T/late/inside.json" init --root "$T/out/repository/metadata/1.root.json" >/dev/null
	outside export --all --to "$T/medium" >/dev/null 2>&1
	"$BIN/clapet-inside" --config "$T/late/inside.json" import "$T/medium" >/dev/null 2>&1
	cmp -s "$T/data/villes.csv" "$T/late/store/current/villes/villes.csv"
}

day=0
# sweep NAME HOW ROWS CALL…: HOW is dying or killed_at; N grows by a third each time until nothing dies of it any more.
sweep() {
	local name=$1 how=$2 rows=$3 call n bad killed status
	shift 3
	for call; do
		bad= killed=0 n=1
		while [ $n -lt 400 ]; do
			day=$((day + 1))
			table $day "$rows"
			"$how" "$call" $n sync --force
			status=$?
			bad="$bad$(wrong | sed "s/^/ $n-/" | tr -d '\n')"
			[ "$status" = 137 ] || [ "$status" = 2 ] || break
			killed=$((killed + 1))
			n=$((n + 1 + n / 3))
		done
		is "$bad" "" "$name, $call: $killed times killed, and the next run makes up for it"
		ok "$name, $call: it met calls and came to its end" test "$killed" -ge 2 -a $n -lt 400
	done
	ok "$name: one who comes late gets it all" late
}
sweep "a patch, the agent" killed_at 3 renameat fsync unlinkat
type() { python3 -c 'import json, sys; print(["whole", "patch"][bool([f["base"] for f in json.load(open(sys.argv[1]))["published"]["files"] if f["name"] == "villes.csv"][0])])' "$T/out/state/villes/state.json"; }
is "$(type)" patch "these were patches"
sweep "a keyframe, the agent" killed_at 2000 renameat fsync
is "$(type)" whole "these were keyframes"
table $((day = day + 1)) 3
outside sync --force >/dev/null 2>&1
sweep "a patch, the worker" dying 2 write,pwrite64 read,pread64
sweep "a keyframe, the worker" dying 2000 write,pwrite64

# On request the same version travels whole: killed in between, it does so at the next request.
bad= killed=0 n=1
while [ $n -lt 200 ]; do
	table $((day = day + 1)) 3
	outside sync --force >/dev/null 2>&1
	killed_at renameat $n sync --keyframe villes
	[ $? = 137 ] || break
	killed=$((killed + 1))
	outside sync --keyframe villes >/dev/null 2>&1 || bad="$bad $n-again"
	[ "$(type)" = whole ] || bad="$bad $n-patch"
	bad="$bad$(wrong | sed "s/^/ $n-/" | tr -d '\n')"
	n=$((n + 2))
done
is "$bad" "" "a keyframe on request: $killed times killed, and the next request makes it"
ok "the sweep met calls and came to its end" test "$killed" -gt 2 -a $n -lt 200
ok "the store verifies" inside verify
done_testing
