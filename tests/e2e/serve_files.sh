#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_files.sh: files over HTTP as the standard has them (RFC 9110): validators, conditions, ranges, codings; and what is refused.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

serve_config '"title": "Test"' '"publisher": "Mairie"'
world_new
world_source villes "code:string nom:string"
{ echo code,nom; seq -f '%06g,Ville' 1 3000; } >"$T/data/villes.csv"
world_sync && inside import "$bundle" >/dev/null
file=$T/in/store/current/villes/villes.csv
version=$(inside --json list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["version"])')
sha=$(sha256sum "$file" | cut -c1-64)
serve_start || { _result 1 "the server starts"; done_testing; }

get /datasets/villes/villes.csv
is "$status_code" 200 "a file"
ok "its bytes" cmp "$file" "$body"
is "$(header etag)" "\"$sha\"" "ETag is the digest of its bytes"
is "$(header content-type)" "text/csv; charset=utf-8" "its type"
is "$(header content-length)" "$(stat -c %s "$file")" "its length"
is "$(header clapet-generation) $(header clapet-version)" "1 $version" "which generation and version it is of"
is "$(header cache-control)" "no-cache" "ask again each time"
is "$(header accept-ranges)" "bytes" "ranges are possible"
like "$(header last-modified)" '^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} GMT$' "Last-Modified"
is "$(header x-content-type-options) $(header referrer-policy)" "nosniff no-referrer" "security headers"
like "$(header content-security-policy)" "default-src 'none'" "and a policy"
modified=$(header last-modified)

get /datasets/villes/villes.csv -I
is "$status_code $(header content-length) $(header etag)" "200 $(stat -c %s "$file") \"$sha\"" "HEAD says the same"
ok "and has no body" cmp "$body" "$T/serve.head"

# Conditions.
get /datasets/villes/villes.csv -H "If-None-Match: \"$sha\""
is "$status_code $(header etag) $(header clapet-version)" "304 \"$sha\" $version" "If-None-Match: it is there already"
ok "nothing is sent" test ! -s "$body"
get /datasets/villes/villes.csv -H "If-None-Match: \"x\", W/\"$sha\""
is "$status_code" 304 "in a list, weak"
get /datasets/villes/villes.csv -H 'If-None-Match: *'
is "$status_code" 304 "any"
get /datasets/villes/villes.csv -H 'If-None-Match: "x"' -H "If-Modified-Since: $modified"
is "$status_code" 200 "another tag counts more than the date"
get /datasets/villes/villes.csv -H "If-Modified-Since: $modified"
is "$status_code" 304 "If-Modified-Since"
get /datasets/villes/villes.csv -H "If-Modified-Since: Wed, 01 Jan 2031 00:00:00 GMT"
is "$status_code" 200 "no other date counts: after a rollback the older file is the new one"

# Ranges.
get /datasets/villes/villes.csv -H 'Range: bytes=0-7'
is "$status_code $(header content-range)" "206 bytes 0-7/$(stat -c %s "$file")" "a range"
is "$(cat "$body")" "code,nom" "its bytes"
get /datasets/villes/villes.csv -H 'Range: bytes=-7'
is "$status_code $(tail -c 7 "$file" | sha256sum)" "206 $(sha256sum <"$body")" "the last bytes"
get /datasets/villes/villes.csv -H 'Range: bytes=30000-'
is "$status_code $(tail -c +30001 "$file" | sha256sum)" "206 $(sha256sum <"$body")" "from there on"
get /datasets/villes/villes.csv -H 'Range: bytes=99999999-'
is "$status_code $(header content-range)" "416 bytes */$(stat -c %s "$file")" "past the end"
for range in 'bytes=0-1,4-5' 'bytes=5-2' 'bytes=a-b' 'lines=1-2' 'bytes=' 'bytes=-'; do
	get /datasets/villes/villes.csv -H "Range: $range"
	is "$status_code" 200 "the whole for \"$range\""
done
get /datasets/villes/villes.csv -H 'Range: bytes=0-7' -H "If-Range: \"$sha\""
is "$status_code" 206 "If-Range: still the same"
get /datasets/villes/villes.csv -H 'Range: bytes=0-7' -H "If-Range: W/\"$sha\""
is "$status_code" 200 "a weak tag does not hold"
get /datasets/villes/villes.csv -H 'Range: bytes=0-7' -H 'If-Range: "old"'
is "$status_code" 200 "it changed: the whole"
get /datasets/villes/villes.csv -H 'Range: bytes=0-7' -H "If-Range: $modified"
is "$status_code" 206 "by date"

# Codings.
get /datasets/villes/villes.csv -H 'Accept-Encoding: gzip'
is "$(header content-encoding) $(header etag) $(header vary)" "gzip \"$sha-gzip\" Accept-Encoding" "gzip"
is "$(gzip -dc "$body" | sha256sum | cut -c1-64)" "$sha" "the same bytes"
is "$(header accept-ranges)" "" "no ranges of it"
get /datasets/villes/villes.csv -H 'Accept-Encoding: gzip;q=0.5, zstd;q=0.8, br'
is "$(header content-encoding) $(zstd -dc "$body" | sha256sum | cut -c1-64)" "zstd $sha" "zstd, which is wanted more"
get /datasets/villes/villes.csv -H 'Accept-Encoding: zstd, gzip' -H "If-None-Match: \"$sha-gzip\""
is "$status_code" 304 "another coding's tag is one of the same file"
for coding in 'identity' 'zstd;q=0' 'identity, gzip;q=0.1' 'gzip;q=x' 'br'; do
	get /datasets/villes/villes.csv -H "Accept-Encoding: $coding"
	is "$(header content-encoding)$(header vary)" "Accept-Encoding" "none for \"$coding\""
done
get /datasets/villes/villes.csv -H 'Accept-Encoding: zstd' -H 'Range: bytes=0-7'
is "$status_code $(header content-encoding)$(cat "$body")" "206 code,nom" "a range is of the plain bytes"
get /datasets/villes/villes.csv -H 'Accept-Encoding: zstd' -I
is "$(header content-encoding)" "zstd" "HEAD names the coding, too"

# Large ones: encoded while they are sent, or as they lie in the mirror.
world_source gros "code:string nom:string"
{ echo code,nom; seq -f '%07g,Une ville' 1 60000; } >"$T/data/gros.csv"
world_policy villes gros
world_sync gros && inside import "$bundle" >/dev/null
ok "a large file comes in" serve_current 2
large=$(sha256sum "$T/in/store/current/gros/gros.csv" | cut -c1-64)
get /datasets/gros/gros.csv
is "$(sha256sum <"$body" | cut -c1-64) $(header etag)" "$large \"$large\"" "as it is"
get /datasets/gros/gros.csv -H 'Range: bytes=500000-500008'
is "$(cat "$body")" "$(tail -c +500001 "$T/in/store/current/gros/gros.csv" | head -c 9)" "in part"
get /datasets/gros/gros.csv -H 'Accept-Encoding: gzip'
is "$(header content-encoding) $(gzip -dc "$body" | sha256sum | cut -c1-64)" "gzip $large" "gzip"
get /datasets/gros/gros.csv -H 'Accept-Encoding: zstd'
is "$(header content-encoding) $(zstd -dc "$body" | sha256sum | cut -c1-64)" "zstd $large" "zstd"
ok "which is the blob that came in" test -e "$T/in/store/mirror/blobs/$(sha256sum <"$body" | cut -c1-64)"
chmod 0 "$T/in/store/mirror/blobs"/*
if [ "$(id -u)" != 0 ]; then
	get /datasets/gros/gros.csv -H 'Accept-Encoding: zstd'
	is "$(header content-encoding) $(zstd -dc "$body" | sha256sum | cut -c1-64)" "zstd $large" "where the mirror is closed it is made"
fi
rm -f "$T/in/store/mirror/blobs"/*
get /datasets/gros/gros.csv -H 'Accept-Encoding: zstd'
is "$(header content-encoding) $(header content-length)$(zstd -dc "$body" | sha256sum | cut -c1-64)" "zstd $large" "where there is no blob it is made"
get /datasets/gros/gros.csv -H 'Accept-Encoding: zstd' -I
is "$status_code $(header content-encoding)" "200 zstd" "HEAD of it"

# Other files, and what is not there.
get /datasets/villes/datapackage.json
is "$status_code $(body_json 'd["name"]')" "200 villes" "the description"
is "$(header etag)" "\"$(sha256sum "$T/in/store/current/villes/datapackage.json" | cut -c1-64)\"" "with its digest"
for path in /datasets/villes/rien.csv /datasets/rien/rien.csv /rien /datasets/villes/ /datasets//villes.csv /datasets/villes/..%2fvilles.csv \
	/datasets/villes/../../../format /datasets/villes/%2e%2e/villes.csv /datasets/villes/villes.csv/x /datasets/villes%2Fvilles.csv \
	/datasets/VILLES/villes.csv /datasets/root/x.csv /datasets/villes/.x.csv '/datasets/villes/villes.csv%2500' /views/ain /generations/x; do
	get "$path"
	is "$status_code $(body_json 'd["status"]')" "404 404" "404: $path"
done
get /datasets/villes/villes.csv%00
is "$status_code" 400 "a NUL"
get '/datasets/villes/%ff.csv'
is "$status_code" 400 "no UTF-8"
get '/datasets/villes/villes.csv?versoin=1'
is "$status_code $(body_json 'd["code"]')" "400 E8004" "a parameter that nobody knows"
is "$(header content-type)" "application/problem+json" "problems are JSON (RFC 9457)"
get /rien -H 'Accept: text/html,*/*;q=0.8'
is "$status_code $(header content-type)" "404 text/html; charset=utf-8" "or a page, for who prefers pages"
for method in POST PUT DELETE OPTIONS; do
	get /catalog -X $method
	is "$status_code $(header allow)" "405 GET, HEAD" "$method"
done
get /catalog -X GET -d x=1
is "$status_code $(header connection)" "413 close" "a body"
get "/catalog?$(head -c 5000 /dev/zero | tr '\0' a)"
is "$status_code" 414 "a long address"
get /catalog -H "User-Agent: $(head -c 3000 /dev/zero | tr '\0' a)"
is "$status_code" 400 "a long header"
get /catalog -H "X-Any: $(head -c 40000 /dev/zero | tr '\0' a)"
like "$status_code" '^(431|413|400)$' "a long head"
get /healthz
is "$status_code $(cat "$body") $(header cache-control)" "200 ok no-store" "it is well after all that"
get /healthz --unix-socket "$SERVE_UNIX"
is "$status_code" 200 "over the Unix socket, too"
is "$(stat -c %a "$SERVE_UNIX")" 660 "which its group may use"

ok "it ends well" serve_stop
unlike "$(cat "$T/serve.log")" 'AddressSanitizer|runtime error|SIGSYS' "and broke nothing"
done_testing
