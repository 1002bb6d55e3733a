#!/bin/bash
# SPDX-License-Identifier: ISC
# fetch.sh: outside-fetch and outside-unpack against a real web server: what is fetched, what is refused, and with which code.
. tests/lib.sh
. tests/portal.sh
portal_start
D=$T/out
outside_init "$D"
http=http://127.0.0.1:$port https=https://localhost:$tls_port
printf 'code,people\n1,10\n2,20\n' >"$T/www/towns.csv"

# A fresh dataset for each case, so that nothing is remembered of the one before.
try() { # PATH [MORE-RESOURCE-MEMBERS]
	rm -rf "$D/sources/t" "$D/state/t"
	source_put "$D" t "$1" "${2:-}"
	outside "$D" sync t
}
refused() { # CODE REGEX NAME
	is "$status" 1 "$3: exit status 1"
	like "$output" "E$1 REFUSED.*$2" "$3: said with its code"
}

try "$http/towns.csv"
is "$status" 0 "a file over http, where that is allowed"
like "$(tail -n 1 "$T/nginx/access.log")" '"Clapet/' "the user agent says who we are"
try "$http/missing.csv"
refused 1001 "$http/missing.csv: the server answers 404" "404"
try "$http/busy"
refused 1001 "answers 503" "503"
try "$http/moved/towns.csv"
is "$status" 0 "a redirect is followed"
try "$http/loop"
refused 1001 "more than 5 redirects" "an endless redirect"
try "$http/to-file"
refused 1006 "not http or https" "a redirect to file:"
printf '<!DOCTYPE html><html>maintenance</html>' >"$T/www/page.csv"
try "$http/page.csv"
refused 1004 "web page" "a web page under a csv address"
cp "$T/www/towns.csv" "$T/www/towns.html"
try "$http/towns.html"
refused 1004 "web page" "a content type of text/html"
head -c 200000 /dev/zero | tr '\0' 'x' >"$T/www/large.csv"
try "$http/large.csv" '"clapet": {"maxBytes": 1000},'
refused 1003 "1000 bytes" "a body past maxBytes"
try "http://127.0.0.1:1/towns.csv"
refused 1002 "connect" "a port where nobody listens"
try "$http/towns.csv" '"clapet": {"checksum": {"sha256": "'"$(printf %064d 0)"'"}},'
refused 1005 "SHA-256 is $(sha256sum <"$T/www/towns.csv" | cut -c 1-64)" "a checksum that does not match"
try "$http/towns.csv" '"clapet": {"checksum": {"sha256": "'"$(sha256sum <"$T/www/towns.csv" | cut -c 1-64)"'"}},'
is "$status" 0 "a checksum that matches"
# What Data Package itself announces: `bytes`, and `hash` by any of four algorithms, MD5 where none is named.
for sum in md5 sha1 sha256 sha512; do
	digits=$("${sum}sum" <"$T/www/towns.csv" | cut -d ' ' -f 1)
	try "$http/towns.csv" "\"hash\": \"$([ $sum = md5 ] || echo $sum:)${digits^^}\", \"bytes\": $(stat -c %s "$T/www/towns.csv"),"
	is "$status" 0 "a $sum in the descriptor that matches"
	try "$http/towns.csv" "\"hash\": \"$([ $sum = md5 ] || echo $sum:)${digits//[0-7]/8}\","
	refused 1005 "what came is $sum:$digits, the source announces $sum:${digits//[0-7]/8} \(hash\)" "a $sum in the descriptor that does not"
done
try "$http/towns.csv" '"bytes": 21,'
refused 1005 "resource towns: $(stat -c %s "$T/www/towns.csv") bytes came, the source announces 21" "bytes in the descriptor that do not match"
try "$http/towns.csv" '"hash": "crc32:0",'
refused 4101 "hash is no MD5" "a hash of another kind"
try "http://someone:secret@127.0.0.1:$port/missing.csv"
refused 1001 '\*\*\*@127' "a password in an address"
unlike "$output" secret "a password in an address is never shown"

# --- archives ---
printf 'code;people\n1;10\n2;20\n' | iconv -t windows-1252 >"$T/semicolon.csv"
cp "$T/www/towns.csv" "$T/plain.csv"
dialect='"encoding": "windows-1252", "dialect": {"delimiter": ";"},'
zip_of "$T/www/one.zip" "données/towns.csv=$T/semicolon.csv"
try "$http/one.zip" "$dialect"
is "$status" 0 "a zip with one file, in windows-1252 with semicolons"
is "$(cat "$D"/repository/targets/t/*.towns.csv | sort -u | head -n 3)" "$(sort -u "$T/plain.csv")" "it is stored in the plain form"
zip_of "$T/www/two.zip" "a.csv=$T/semicolon.csv" "b.csv=$T/plain.csv" "__MACOSX/._a.csv=$T/plain.csv"
try "$http/two.zip"
refused 1102 "holds 2 files; clapet.member must name one of: a.csv, b.csv" "a zip with two files and no member named"
try "$http/two.zip" '"clapet": {"member": "b.csv"},'
is "$status" 0 "a zip's member by name"
try "$http/two.zip" '"clapet": {"member": "c.csv"},'
refused 1102 'no "c.csv"; it holds: a.csv, b.csv' "a member that is not there"
gzip -nc "$T/plain.csv" >"$T/www/towns.csv.gz"
try "$http/towns.csv.gz"
is "$status" 0 "a .gz"
xz -c "$T/plain.csv" >"$T/www/towns.csv.xz"
try "$http/towns.csv.xz"
is "$status" 0 "a .xz"
mkdir "$T/tar" && cp "$T/plain.csv" "$T/tar/été.csv"
tar -C "$T/tar" -czf "$T/www/towns.tgz" été.csv
try "$http/towns.tgz" '"clapet": {"member": "été.csv"},'
is "$status" 0 "a .tar.gz, a member with an accent"
python3 - "$T/plain.csv" "$T/www/towns.7z" <<'PYTHON'
import ctypes, sys
a = ctypes.CDLL("libarchive.so.13")
for f in ("archive_write_new", "archive_entry_new"):
    getattr(a, f).restype = ctypes.c_void_p
w, e, data = ctypes.c_void_p(a.archive_write_new()), ctypes.c_void_p(a.archive_entry_new()), open(sys.argv[1], "rb").read()
a.archive_write_set_format_7zip(w)
a.archive_write_open_filename(w, sys.argv[2].encode())
a.archive_entry_set_pathname(e, b"towns.csv")
a.archive_entry_set_filetype(e, 0o100000)
a.archive_entry_set_size(e, ctypes.c_int64(len(data)))
a.archive_write_header(w, e)
a.archive_write_data(w, data, ctypes.c_size_t(len(data)))
a.archive_write_close(w)
PYTHON
is "$(head -c 2 "$T/www/towns.7z")" 7z "the test made a 7z"
try "$http/towns.7z"
is "$status" 0 "a .7z"
head -c $(($(stat -c %s "$T/www/one.zip") / 2)) "$T/www/one.zip" >"$T/www/cut.zip"
try "$http/cut.zip" "$dialect"
refused 1101 "one that was cut" "a zip that ends early"
head -c 3000000 /dev/zero | tr '\0' x | gzip -c >"$T/www/bomb.gz"
try "$http/bomb.gz" '"clapet": {"maxBytes": 100000},'
refused 1003 "unpacks to more than 100000 bytes" "an archive that grows past maxBytes"

# --- time ---
outside_config "$D" '"allowHttp": true,'
sed -i 's/"20s"/"2s"/' "$D/outside.json"
head -c 5000 /dev/zero | tr '\0' 'x' >"$T/www/crawl.csv"
before=$(date +%s)
try "$http/slow/crawl.csv"
refused 1002 "timed out" "a server that is too slow"
ok "it took no longer than the timeout and a little" test $(($(date +%s) - before)) -le 8

# --- schemes and TLS ---
outside_config "$D" '"allowHttp": false,'
try "$http/towns.csv"
refused 1006 "http is not allowed" "http where it is not allowed"
try "$https/towns.csv"
refused 1002 "certificate" "https with an authority that nobody vouched for"
outside_config "$D" '"caFile": "../ca.pem",'
try "$https/towns.csv"
is "$status" 0 "https with the authority that caFile names"
try "$https/plain/towns.csv"
refused 1006 "not https" "a redirect from https down to http"
try "https://127.0.0.2:$tls_port/towns.csv"
is "$status" 1 "https under another name than the certificate's"
try "ftp://127.0.0.1/towns.csv"
refused 1006 "only https" "another scheme"
try "towns.csv"
refused 1006 "allowFile" "a file where it is not allowed"
outside_config "$D" '"allowFile": true,'
rm -rf "$D/state/t" "$D/sources/t"
source_put "$D" t towns.csv
cp "$T/plain.csv" "$D/sources/t/towns.csv"
outside "$D" sync t
is "$status" 0 "a file in the source's folder"
try ../../outside.json
is "$status" 2 "a path that leads out of the source's folder"
cp "$T/plain.csv" "$T/private.csv" && chmod 600 "$T/private.csv"
try "file://$T/private.csv"
is "$status" 2 "a file that not everybody may read is not published"
chmod 644 "$T/private.csv"
try "file://$T/private.csv"
is "$status" 0 "the same once everybody may"

# --- credentials ---
mkdir "$T/credentials" && printf 'user:pass\n' >"$T/credentials/portal"
outside_config "$D" '"allowHttp": true, "credentials": {"127.0.0.1": "portal"},'
export CREDENTIALS_DIRECTORY=$T/credentials
try "$http/towns.csv"
like "$(tail -n 1 "$T/nginx/access.log")" "Basic $(printf 'user:pass' | base64)" "a credential goes to the host that it is for"
try "$http/elsewhere/"
like "$(tail -n 1 "$T/nginx/access.log")" '"-" "Clapet' "and is never sent to another on a redirect"
rm "$T/credentials/portal"
try "$http/towns.csv"
is "$status" 2 "a credential that is not there is trouble"
done_testing
