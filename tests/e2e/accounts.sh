#!/bin/bash
# SPDX-License-Identifier: ISC
# Separate accounts, both ways: "users" (the supervisor is root and gives them away) and "sockets" (nobody is root; the folders are
# those of image/tmpfiles.d, the accounts and groups those of image/sysusers.d). Accounts that every Debian has stand in for
# Clapet's: nothing is made on this machine.
. tests/lib.sh
. tests/world.sh
. tests/portal.sh
[ "$(id -u)" = 0 ] || skip_all "not root"
for tool in setpriv systemd-socket-activate systemd-tmpfiles strace; do
	command -v "$tool" >/dev/null || skip_all "no $tool"
done

#   Clapet's account   stands in   its groups
accounts="
clapet-outside         www-data    www-data
clapet-fetch           games       games
clapet-unarchive       lp          lp
clapet-validate        mail        mail
clapet-pack            news        news
clapet-sign            backup      backup
clapet-outlog          sys         sys
clapet-inside          irc         irc,users
clapet-unpack          list        list
clapet-verify          man         man
clapet-check           proxy       proxy
clapet-commit          uucp        irc
clapet-log             bin         bin
clapet-receive         sync        nogroup
clapet-rows            _apt        nogroup
clapet-serve           nobody      users,irc
reader                 daemon      users
"
# clapet-readers is the group `users`.
for account in $(awk '{ print $2 }' <<<"$accounts"); do
	getent passwd "$account" >/dev/null || skip_all "no account $account"
done
stand_in() { awk -v name="$1" '$1 == name { print $2 }' <<<"$accounts"; }
as() { # ACCOUNT COMMAND…
	local user groups
	user=$(stand_in "$1") groups=$(awk -v name="$1" '$1 == name { print $3 }' <<<"$accounts")
	shift
	setpriv --reuid "$user" --regid "${groups%%,*}" --groups "$(getent group ${groups//,/ } | cut -d: -f3 | paste -sd,)" "$@"
}
owner() { stat -c '%U:%G %a' "$1"; }

# Everybody must reach programs and data, wherever this tree lies.
chmod 0711 "$T"
umask 022
mkdir -p "$T/prog/libexec" "$T/data" "$T/out/sources" "$T/run"
cp -r "$BIN" "$T/prog/bin"
cp -r "$LIBEXEC" "$T/prog/libexec/clapet"
BIN=$T/prog/bin LIBEXEC=$T/prog/libexec/clapet
world_source villes "code:string nom:string"
# One dataset that every worker has a hand in: fetched, out of an archive.
portal_start
world_source rues "id:integer nom:string"
world_data rues id,nom 1,Haute
zip_of "$T/www/rues.zip" "rues.csv=$T/data/rues.csv"
sed -i "s|file://.*/rues.csv|http://127.0.0.1:$port/rues.zip|" "$T/out/sources/rues/datapackage.json"

configure() { # ETC OUT IN OUTSIDE-MEMBERS INSIDE-MEMBERS
	mkdir -p "$1/contracts"
	echo '{"format": "clapet policy 1", "datasets": [{"name": "villes", "threshold": 1, "opaque": false}]}' >"$1/policy.json"
	cat >"$1/outside.json" <<-JSON
	{"format": "clapet outside configuration 1", "sources": "$T/out/sources", "state": "$2/state", "keys": "$2/keys",
	 "repository": "$2/repository", "outbox": "$2/outbox", "allowFile": true, "allowHttp": true, $4}
	JSON
	cat >"$1/inside.json" <<-JSON
	{"format": "clapet inside configuration 1", "store": "$3/store", "incoming": "$3/incoming", "spool": "$3/spool",
	 "contracts": "contracts", "policy": "policy.json", $5}
	JSON
}

#   the whole story; outside and inside are the commands with their accounts
story() { # OUT IN
	local out=$1 in=$2 first
	world_data villes code,nom 01,Bourg 02,Laon
	run outside check
	is "$status" 0 "outside check is content" || echo "$output" | sed 's/^/# /'
	like "$output" 'good +owner of keys: backup:backup 0700' "and says whose the keys are"
	run outside sync
	is "$status" 0 "sync" || echo "$output" | sed 's/^/# /'
	first=$(find "$out/outbox" -name '*.tar')
	run inside init --root "$out/repository/metadata/1.root.json"
	is "$status" 0 "init" || echo "$output" | sed 's/^/# /'
	run inside check
	is "$status" 0 "inside check is content" || echo "$output" | sed 's/^/# /'
	like "$output" 'ok +log +bin:' "and says whose the log is"
	cat "$first" >"$T/bundle.tar"
	run inside import "$T/bundle.tar"
	is "$status" 3 "import: one in force, one held" || { echo "$output"; cat "$T/activate.log"; } | sed 's/^/# /'
	run inside status
	is "$status" 3 "status: something waits"
	run inside approve rues --reason "streets are welcome"
	is "$status" 0 "approve" || echo "$output" | sed 's/^/# /'
	world_data villes code,nom 01,Bourg 02,Laon 03,Vichy
	sleep 1
	run outside sync --force
	is "$status" 0 "a second sync" || echo "$output" | sed 's/^/# /'
	cat "$(find "$out/outbox" -name '*.tar' | sort | tail -n 1)" >"$T/bundle.tar"
	run inside import "$T/bundle.tar"
	is "$status" 0 "a second import" || echo "$output" | sed 's/^/# /'
	is "$(wc -l <"$in/store/current/villes/villes.csv")" 4 "is in force"
	run inside rollback villes --reason "three is too many"
	is "$status" 0 "rollback" || echo "$output" | sed 's/^/# /'
	is "$(wc -l <"$in/store/current/villes/villes.csv")" 3 "is in force"
	run inside verify
	is "$status" 0 "verify" || echo "$output" | sed 's/^/# /'
	run "$BIN/clapet-audit" store --root "$out/repository/metadata/1.root.json" "$in/store"
	is "$status" 0 "clapet-audit: everything holds" || echo "$output" | sed 's/^/# /'
	like "$output" 'Everything holds' "and says so"
	run inside log
	like "$output" 'approve +rues' "the log tells it"
	run outside log
	like "$output" "send .*$(basename "$first")" "so does the outside's"
	like "$(owner "$out/log/key")" '^sys:[a-z-]+ 400$' "whose key is outside-log's alone"
	run inside checkpoint --operator guard
	is "$status" 0 "checkpoint" || echo "$output" | sed 's/^/# /'
	like "$(owner "$in/store/log/key")" '^bin:[a-z]+ 400$' "the log's key is inside-log's alone"
}

writable() { # ACCOUNT FOLDER: what of it the account can write, itself and through groups
	as "$1" find "$2" -writable ! -type l 2>/dev/null
}

#   who may do what, in either way
walls() { # OUT IN SUPERVISOR-OWNED
	local out=$1 in=$2 account folder
	is "$(find "$in/store" ! -user uucp ! -path "$in/store/log*")" "" "all of the store but log/ is inside-commit's"
	is "$(find "$in/store/log" ! -user bin)" "" "log/ is inside-log's"
	for account in clapet-inside clapet-commit clapet-verify reader; do
		not_ok "$account cannot read the log's key" as "$account" cat "$in/store/log/key"
	done
	is "$(find "$in/store" -perm /027 ! -type l ! -path "$in/store/log/*")" "" "nobody else writes it, and nobody at all reads it by being anybody"
	for account in clapet-inside clapet-unpack clapet-verify clapet-check clapet-log reader; do
		[ "$account" = clapet-inside ] && [ "$3" = root ] && continue
		is "$(writable $account "$in/store" | grep -v '/log\(/\|$\)')" "" "$account cannot write the store"
	done
	like "$(writable clapet-commit "$in/store")" "store/trust" "clapet-commit can"
	for account in clapet-unpack clapet-verify clapet-check; do
		for folder in trust mirror quarantine log decisions; do
			not_ok "$account cannot look into store/$folder" as "$account" ls "$in/store/$folder"
		done
		not_ok "$account cannot look into the spool" as "$account" ls "$in/spool/"
		not_ok "$account finds nothing by its name there" as "$account" stat "$in/spool/."
	done
	for account in clapet-fetch clapet-unarchive clapet-validate clapet-pack clapet-check; do
		not_ok "$account cannot look at the keys" as "$account" ls "$out/keys"
		is "$(writable $account "$out")" "" "$account cannot write anything outside"
	done
	not_ok "nor can the account of a reader" as reader ls "$out/keys"
	is "$(find "$out/keys" "$out/repository/metadata" ! -user backup)" "" "keys and metadata are outside-sign's"
	is "$(find "$in/spool" "$out/state" -mindepth 1 -user root ! -user "$3")" "" "nothing was left by root"
	is "$(find "$in/spool" -mindepth 1)" "" "the spool is empty"
}

reads() { # COMMAND… : a reader's prefix, then the store
	local store=${*: -1} folder
	set -- "${@:1:$#-1}"
	ok "a reader reads what is in force" "$@" cat "$store/current/villes/villes.csv" "$store/current/clapet.json"
	ok "and status.json" "$@" cat "$store/status.json"
	ok "and lists datasets/ and generations/" "$@" ls "$store/datasets/villes/v" "$store/generations/1"
	for folder in trust mirror quarantine log decisions; do
		not_ok "a reader cannot look into $folder/" "$@" ls "$store/$folder"
		not_ok "nor through it" "$@" stat "$store/$folder/."
	done
	not_ok "an account that is no reader reads nothing" as clapet-fetch cat "$store/current/villes/villes.csv"
}

# --- "users": the supervisor is root ----------------------------------------------------------------------------------------------
mkdir -p "$T/a/out/state" "$T/a/out/outbox"
chmod 0750 "$T/a/out/state" "$T/a/out/outbox"
: >"$T/activate.log"
configure "$T/a" "$T/a/out" "$T/a" \
	'"users": {"fetch": "games", "unpack": "lp", "check": "mail", "pack": "news", "sign": "backup", "log": "sys"}' \
	'"users": {"unpack": "list", "verify": "man", "check": "proxy", "commit": "uucp", "log": "bin"}'
outside() { strace -f -qq -A -e trace=setresuid,execve -o "$T/trace" "$BIN/clapet-outside" --config "$T/a/outside.json" "$@"; }
inside() { strace -f -qq -A -e trace=setresuid,execve -o "$T/trace" "$BIN/clapet-inside" --config "$T/a/inside.json" "$@"; }
run "$BIN/clapet-keys" init --repository "$T/a/out/repository" --keys "$T/a/out/keys" --root-key "$T/root.key" --no-passphrase
is "$status" 0 "keys init as root"
world_data villes code,nom 01,Bourg
# shellcheck disable=SC2218 # each part has its own
run outside check
is "$status" 2 "outside check sees that the keys are root's"
like "$output" 'owner of keys: .*outside-sign runs as backup' "and says whose they should be"
chown -R backup: "$T/a/out/keys" "$T/a/out/repository/metadata"
story "$T/a/out" "$T/a"
walls "$T/a/out" "$T/a" root
reads setpriv --reuid daemon --regid uucp --clear-groups "$T/a/store"
# Each worker's process: first setresuid to an account, then execve of the worker.
awk '
	/setresuid\(/ { uid[$1] = $2; sub(/.*\(/, "", uid[$1]); sub(/,.*/, "", uid[$1]) }
	/execve\(/ && index($0, "/libexec/clapet/") { path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path); sub(/.*\//, "", path); print path, uid[$1] + 0 }
' "$T/trace" | sort -u >"$T/ran"
is "$(cut -d' ' -f1 "$T/ran" | paste -sd' ')" \
	"inside-check inside-commit inside-log inside-unpack inside-verify outside-check outside-fetch outside-log outside-pack outside-sign outside-unpack" \
	"the workers that were at work"
is "$(awk '$2 == 0' "$T/ran")" "" "none of them as root"
is "$(cut -d' ' -f2 "$T/ran" | sort | uniq -d)" "" "no two as the same account"

# --- "sockets": nobody is root -----------------------------------------------------------------------------------------------------
mkdir -m 0755 "$T/b"
B=$T/b
script="s|/etc/clapet|$B/etc|; s|/var/lib/clapet-outside|$B/out|; s|/var/lib/clapet-inside|$B/in|; s|/var/log/clapet-serve|$B/readers|; s/clapet-readers/users/"
for account in $(awk '{ print $1 }' <<<"$accounts"); do
	script="$script; s/\\b$account\\b/$(stand_in "$account")/g"
done
sed "$script" image/tmpfiles.d/clapet.conf >"$T/tmpfiles.conf"
unlike "$(cat "$T/tmpfiles.conf")" '[[:space:]]clapet-|[[:space:]]/(var|etc)' "tmpfiles.d names no account and no place that this test does not know"
for round in first second; do
	run systemd-tmpfiles --create "$T/tmpfiles.conf"
	is "$status $output" "0 " "systemd-tmpfiles makes the folders, the $round time"
done
is "$(awk '/^m/ { print $2, $3 }' image/sysusers.d/clapet.conf | paste -sd,)" "clapet-inside clapet-readers,clapet-serve clapet-readers,clapet-serve clapet-inside" \
	"the supervisor reads the store through a group; who answers readers reads it too, and what was decided"
is "$(awk '/^u/ && $3 ~ /:/ { print $2, $3 }' image/sysusers.d/clapet.conf | tr -s ' ' | paste -sd,)" \
	"clapet-inside -:clapet-inside,clapet-commit -:clapet-inside" "no other worker shares a group"

while read -r side name account _; do
	socket=$T/run/$name
	systemd-socket-activate --seqpacket --accept -E LC_ALL=C -E ASAN_OPTIONS="${ASAN_OPTIONS:-}" -l "$socket" \
		setpriv --reuid "$(stand_in "$account")" --regid "$(awk -v name="$account" '$1 == name { print $3 }' <<<"$accounts")" --clear-groups \
		sh -c "echo $name \$(id -u) \$(id -G) >>$T/ran; umask 077; exec $LIBEXEC/$name socket" 2>>"$T/activate.log" &
	on_exit "kill $! 2>/dev/null"
	for _ in $(seq 100); do
		[ -S "$socket" ] && break
		sleep 0.1
	done
	# SocketUser and SocketMode of the units.
	chown "$(stand_in "clapet-$side")" "$socket"
	chmod 0600 "$socket"
done < <(grep -v '^#' image/systemd/workers)
: >"$T/ran"
chmod 0666 "$T/ran"

configure "$B/etc" "$B/out" "$B/in" "\"sockets\": \"$T/run\"" "\"sockets\": \"$T/run\""
outside() { as clapet-outside sh -c 'umask 077; exec "$@"' - "$BIN/clapet-outside" --config "$B/etc/outside.json" "$@"; }
inside() { as clapet-inside sh -c 'umask 077; exec "$@"' - "$BIN/clapet-inside" --config "$B/etc/inside.json" "$@"; }
run "$BIN/clapet-keys" init --repository "$B/out/repository" --keys "$B/out/keys" --root-key "$T/root2.key" --no-passphrase
is "$status" 0 "keys init in the folders that are there"
chown -R backup: "$B/out/keys" "$B/out/repository/metadata"
story "$B/out" "$B/in"
walls "$B/out" "$B/in" irc
reads as reader "$B/in/store"
is "$(owner "$B/in/store") $(owner "$B/in/store/trust") $(owner "$B/in/store/mirror/blobs")" \
	"uucp:users 2750 uucp:irc 2750 uucp:irc 2750" "the groups were handed down"
is "$(find "$B/in/store/datasets" "$B/in/store/generations" ! -group users)" "" "to all that readers may see"
is "$(cut -d' ' -f1 "$T/ran" | sort -u | paste -sd' ')" \
	"inside-check inside-commit inside-log inside-unpack inside-verify outside-check outside-fetch outside-log outside-pack outside-sign outside-unpack" \
	"the workers that were at work"
is "$(awk '$2 == 0 || $3 == 0 || NF > 3' "$T/ran")" "" "none of them as root, or in a second group"
unlike "$(cat "$T/activate.log")" 'test bench|EPERM|denied' "and none missed anything"
not_ok "another worker's account cannot start inside-commit" as clapet-check "$BIN/clapet-inside" --config "$B/etc/inside.json" import

# --- in a user namespace that maps nobody but itself, as the units' PrivateUsers= --------------------------------------------------
if as clapet-inside unshare --user --map-current-user true 2>/dev/null; then
	inside_mapped() { as clapet-inside unshare --user --map-current-user "$BIN/clapet-inside" --config "$B/etc/inside.json" "$@"; }
	run inside_mapped check
	is "$status" 0 "check is content where other accounts have no number" || echo "$output" | sed 's/^/# /'
	world_data villes code,nom 01,Bourg
	sleep 1
	run outside sync --force
	cat "$(find "$B/out/outbox" -name '*.tar' | sort | tail -n 1)" >"$T/bundle.tar"
	run inside_mapped import "$T/bundle.tar"
	is "$status" 3 "import works there; the pin holds" || echo "$output" | sed 's/^/# /'
	like "$output" 'bundle [0-9a-z]+.*: accepted' "and the bundle is accepted"
	run inside_mapped release villes --reason "enough"
	is "$(wc -l <"$B/in/store/current/villes/villes.csv")" 2 "release works there" || echo "$output" | sed 's/^/# /'
fi

# --- check sees what is wrong -------------------------------------------------------------------------------------------------------
wrong() { # WHAT REGEX COMMAND UNDO
	eval "$3"
	run inside check
	is "$status" 2 "check: $1"
	like "$output" "$2" "is said"
	eval "$4"
}
wrong "trust/ open to readers" "not ok +trust .*readers' group" "chgrp users '$B/in/store/trust'" "chgrp irc '$B/in/store/trust'"
wrong "the store writable by a group" "not ok +owner of store .*2770" "chmod 2770 '$B/in/store'" "chmod 2750 '$B/in/store'"
wrong "the store our own" "not ok +owner of store .*our own" "chown irc '$B/in/store'" "chown uucp '$B/in/store'"
wrong "log/ the writer's" "not ok +log .*inside-log cannot" "chown uucp '$B/in/store/log'" "chown bin '$B/in/store/log'"
wrong "trust/ closed to the supervisor" "not ok +trust .*we must read it" "chmod 2700 '$B/in/store/trust'" "chmod 2750 '$B/in/store/trust'"
wrong "the spool open" "not ok +owner of spool .*open" "chmod 0711 '$B/in/spool'" "chmod 0700 '$B/in/spool'"
run "$BIN/clapet-inside" --config "$B/etc/inside.json" check
is "$status" 2 "check: asked as root where nothing is root's"
run inside check
is "$status" 0 "and is content again"
chown www-data "$B/out/repository/metadata"
run outside check
is "$status" 2 "outside check: metadata that are not outside-sign's"
chown backup "$B/out/repository/metadata"
chmod 0777 "$B/out/outbox"
run outside check
like "$output" 'BAD .*outbox.*others can write' "outside check: an outbox that all can write"
done_testing
