#!/bin/bash
# SPDX-License-Identifier: ISC
# access_keys.sh: access.json looked at, keys made, listed, given to, replaced, ended; each refusal; and what the log says of it.
. tests/lib.sh
. tests/world.sh
WORLD_INSIDE='"access": "access.json"'

key() { run inside key "$@"; }
access() { # DATASETS [VIEWS]
	cat >"$T/in/access.json" <<-JSON
	{"format": "clapet access 1", "default": {"access": "open"},
	 "licences": [{"name": "lov", "text": "lov.txt", "sha256": "$(sha256sum <"$T/in/lov.txt" | cut -c1-64)"}],
	 "datasets": [$1], "views": [${2:-}]}
	JSON
}

mkdir -p "$T/in"
echo "Licence ouverte 2.0" >"$T/in/lov.txt"
access '{"name": "villes", "access": "private"}, {"name": "sirene", "access": "licence", "licence": "lov"}' \
	'{"name": "ain", "title": "Ain", "access": "private", "datasets": ["villes"], "rows": [{"dataset": "villes", "resource": "villes", "column": "code", "value": "01001"}]}'
world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01001,Abergement 01002,Ambérieu
world_sync
inside import "$bundle" >/dev/null

# check
run inside check
is "$status" 0 "access.json is checked"
like "$output" '^ok +access +open by default; 2 datasets, 1 view, 1 licence' "with what it holds"
like "$output" '^ok +licence +lov' "and the text of each licence"
like "$output" '^warning +access +dataset sirene: nothing of it is in force' "a dataset that is not here is a warning"
unlike "$output" 'view ain' "a column that is there is none"
sed -i 's/"column": "code"/"column": "codes"/' "$T/in/access.json"
run inside check
like "$output" '^warning +access +view ain: villes/villes has no column "codes"' "a column that is not in the schema in force is"
is "$status" 0 "and no refusal"
sed -i 's/"codes"/"code"/; s/"format"/"fromat"/' "$T/in/access.json"
run inside check
is "$status" 2 "an access.json out of form is trouble"
like "$output" '^not ok +access +E8101 .*format' "which says where"
run inside check --import
is "$status" 0 "but for who asks what an import needs"
unlike "$output" access "(the service does)"
run inside import
is "$status" 0 "an import goes on all the same"
sed -i 's/"fromat"/"format"/' "$T/in/access.json"

# add
key add --owner paie --dataset villes --until 30d
is "$status" 0 "a key is made"
paie=$(tail -n 1 <<<"$output")
like "$paie" '^clapet_k1_[0-9a-f]{72}$' "and shown, in the form that scanners for secrets find"
is "$(sed 's/........$//' <<<"$paie" | tr -d '\n' | sha256sum | cut -c1-8)" "${paie: -8}" "its sum is that of what stands before it"
secret=${paie#clapet_k1_}
secret=${secret:0:64}
is "$(python3 -c 'import hashlib, sys; print(hashlib.sha256(bytes.fromhex(sys.argv[1])).hexdigest())' "$secret")" \
	"$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["keys"][0]["sha256"])' "$T/in/store/decisions/keys.json")" \
	"kept is its digest"
not_ok "and no copy of it anywhere" grep -rqF "$secret" "$T/in"
is "$(inside key add --owner cadastre 2>/dev/null | wc -l)" 1 "standard output is the key alone"
run sh -c "'$BIN/clapet-inside' --config '$T/in/inside.json' --json key add --owner 'Mairie de Bourg' --view ain --application mairie | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"id\"])'"
is "$output" k3 "as JSON too"
key add --owner paie --dataset villes
is "$status" 1 "a second one for the same is refused"
like "$output" 'E8120 REFUSED key k1 of paie reads the same' "and says which there is"
key add --owner x --dataset nothing
is "$status" 2 "an unknown dataset"
like "$output" 'E6004.*there is no dataset nothing' "is refused"
key add --owner x --view nothing
like "$output" 'E6004.*no view nothing' "and an unknown view"
key add --owner x --accept-licence other --accepted-by M
like "$output" 'E6004.*no licence "other"' "and an unknown licence"
key add --owner x --dataset sirene
is "$status" 1 "a dataset under a licence that was not accepted"
like "$output" 'E8116.*licence lov, which the owner' "is refused"
key add --owner x --until 2020-01-01
is "$status" 2 "an end that is past"
like "$output" 'is past' "is refused"
key add --owner x --until soon
is "$status" 2 "and one that is no date"
key add
like "$output" '--owner is needed' "an owner is needed"
key add --owner x --accept-licence lov
like "$output" 'go together' "and who accepted"
key add --owner x --dataset villes --dataset villes
like "$output" 'villes twice' "a dataset named twice is refused"
key add --owner x --dataset 'No Name'
like "$output" 'is no name' "and what is no name"
key frobnicate
is "$status" 2 "an unknown verb is refused"
key add --owner insee --dataset sirene --accept-licence lov --accepted-by 'Mme Martin'
is "$status" 0 "with an acceptance it is made"

# a licence that changes
echo "and a new clause" >>"$T/in/lov.txt"
run inside check
is "$status" 2 "a text that is not the one named"
like "$output" 'not ok +licence +E8102' "is told by check"
key accept k4 --accept-licence lov --accepted-by 'Mme Martin'
like "$output" 'E8102' "and cannot be accepted"
access '{"name": "villes", "access": "private"}, {"name": "sirene", "access": "licence", "licence": "lov"}'
run inside check
like "$output" 'warning +access +key k4 of insee: licence lov changed since it was accepted' "the new text asks for a new acceptance"
like "$output" 'warning +access +key k3 of Mairie de Bourg: there is no view ain' "a view that went is told"
key accept k4 --accept-licence lov --accepted-by 'M. Durand'
is "$status" 0 "which is recorded"
run inside check
unlike "$output" 'lov changed' "then nothing is told of it"

# list, rotate, revoke
key list
like "$output" '^k1 +live +paie +paie +datasets villes +- ' "the list shows whose they are and what they read"
like "$output" '^k3 +live +Mairie de Bourg +mairie +views ain' "and how contracts name them"
key list --json
unlike "$output" 'sha256": "[0-9a-f]{64}", "owner|secret' "no digest of a secret is listed"
like "$output" '"by": "M. Durand"' "who accepted is"
key rotate k1 --overlap 1d
is "$status" 0 "a key is replaced"
like "$output" 'clapet_k5_' "by one with another number"
like "$(inside key list --json)" '"replaces": "k1"' "that says which"
key rotate k9
like "$output" 'E6004.*no key k9' "an unknown one cannot be"
key revoke k3
is "$status" 2 "to revoke one a reason is needed"
key revoke k3 --reason "the contract ended"
is "$status" 0 "it is revoked"
key revoke k3 --reason again
is "$status" 1 "once"
like "$output" 'E8114' "the second time is refused"
key accept k3 --accept-licence lov --accepted-by M
like "$output" 'E8114' "a revoked key accepts nothing"
unlike "$(inside key list)" '^k3' "the list leaves it out"
like "$(inside key list --all)" '^k3 +revoked .*the contract ended' "but for --all"

# what is logged
log=$(inside log)
like "$log" 'key-add.* k1: datasets villes, until ' "each key is in the log"
like "$log" 'key-add.* k5: .*replaces k1' "and what it replaces"
like "$log" 'key-accept.* k4: licence lov accepted' "each acceptance"
like "$log" 'key-revoke.* k3: the contract ended' "each end"
like "$log" 'access.* access\.json is [0-9a-f]{16}, it was' "and each change of access.json"
not_ok "no name of a person or owner is in its tree" grep -rqE 'Mairie|Martin|Durand' "$T/in/store/log/tile"
ok "where keys are" grep -rqE 'k4: licence lov' "$T/in/store/log/tile"
run inside verify
is "$status" 0 "the store is whole with them"

chmod u+w "$T/in/store/decisions" "$T/in/store/decisions/keys.json"
echo '{"format": "clapet keys 1", "keys": [1]}' >"$T/in/store/decisions/keys.json"
key list
is "$status" 1 "a damaged document is refused"
like "$output" 'E6002 REFUSED decisions/keys.json: a key is not an object' "and named"
done_testing
