#!/bin/bash
# SPDX-License-Identifier: ISC
# The example of docs/readers/nginx.conf, as it is written but for its addresses: nginx with a test certificate before the server's Unix socket. TLS, HTTP/2, the
# cache by ETag, what must not be cached, and that nothing passes which the server would refuse.
WORLD_INSIDE='"reserve": 0'
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

PATH=$PATH:/usr/sbin
command -v nginx >/dev/null || skip_all "nginx is not installed"
tls_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
https() { # PATH [CURL OPTIONS…] -> the status; $T/head, $T/body
	curl -sS -o "$T/body" -D "$T/head" -w '%{http_code}' --cacert "$T/ca.pem" --resolve "data.example.org:$tls_port:127.0.0.1" "${@:2}" "https://data.example.org:$tls_port$1"
}
head_of() { tr -d '\r' <"$T/head" | sed -n "s/^$1: //Ip"; }
same() { cmp "$T/body" "$T/in/store/current/cog/communes.csv"; }
certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Test CA" -keyout "$T/ca.key" -out "$T/ca.pem" &&
		openssl req -newkey rsa:2048 -nodes -subj "/CN=data.example.org" -keyout "$T/tls.key" -out "$T/tls.csr" &&
		openssl x509 -req -in "$T/tls.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 2 -out "$T/tls.pem" -extfile <(echo "subjectAltName=DNS:data.example.org")
}
configure() {
	local user=
	[ "$(id -u)" != 0 ] || user='user root;'
	mkdir -p "$T/nginx"
	sed "s,/run/clapet-serve/http,$SERVE_UNIX,; s,/var/cache/nginx/clapet,$T/nginx/cache,; s,listen 443 ,listen 127.0.0.1:$tls_port ,
		s,/etc/ssl/certs/data.example.org.pem,$T/tls.pem,; s,/etc/ssl/private/data.example.org.key,$T/tls.key," docs/readers/nginx.conf >"$T/nginx/clapet.conf"
	cat >"$T/nginx/nginx.conf" <<-CONF
	$user
	daemon off;
	worker_processes 1;
	pid $T/nginx/pid;
	error_log $T/nginx/error.log;
	events { worker_connections 128; }
	http {
	  access_log $T/nginx/access.log;
	  client_body_temp_path $T/nginx/b; proxy_temp_path $T/nginx/p; fastcgi_temp_path $T/nginx/f; uwsgi_temp_path $T/nginx/u; scgi_temp_path $T/nginx/s;
	  gzip on;
	  include $T/nginx/clapet.conf;
	}
	CONF
}

serve_config
ok "a store with a dataset" readers_world
ok "a certificate" certificate
configure
like "$(cat "$T/nginx/clapet.conf")" "unix:$SERVE_UNIX" "the example's addresses are replaced"
ok "a server" serve_start
nginx -c "$T/nginx/nginx.conf" -p "$T/nginx" >"$T/nginx/out" 2>&1 &
nginx_pid=$!
on_exit "kill $nginx_pid 2>/dev/null"
for _ in {1..50}; do
	[ "$(https /healthz 2>/dev/null)" != 200 ] || break
	sleep 0.1
done

is "$(https /datasets/cog/communes.csv --http2)" 200 "a file over TLS" || cat "$T/nginx/error.log" "$T/nginx/out"
like "$(head -n 1 "$T/head")" '^HTTP/2 200' "and HTTP/2"
ok "byte for byte" same
like "$(head_of ETag)" "$(sha256sum <"$T/in/store/current/cog/communes.csv" | cut -c1-64)" "its ETag is the digest, whatever nginx compresses"
is "$(head_of Clapet-Generation)" 1 "the generation is told"
like "$(head_of Content-Security-Policy)" "default-src" "and the server's headers pass"
etag=$(head_of ETag)

# --- a pinned generation ----------------------------------------------------------------------------------------------------
is "$(https /generations/1/datasets/cog/communes.csv) $(head_of X-Cache)" "200 MISS" "a pinned file comes from the server"
is "$(https /generations/1/datasets/cog/communes.csv) $(head_of X-Cache)" "200 HIT" "once"
ok "the cached one is the same" same
is "$(head_of Clapet-Generation) $(head_of ETag)" "1 $etag" "with its headers"
is "$(https /generations/1/datasets/cog/communes.csv -H "If-None-Match: $etag") $(head_of X-Cache)" "304 HIT" "who has it is told so by nginx"
is "$(https /generations/1/datasets/cog/communes.csv -r 0-3) $(cat "$T/body")" "206 code" "a part of it"
is "$(https /generations/1/datasets/cog/communes.csv -I) $(head_of X-Cache)" "200 HIT" "HEAD"
package=/generations/1/datasets/cog/datapackage.json
https $package -H 'Accept-Encoding: zstd' >/dev/null
is "$(head_of Content-Encoding)" zstd "compressed by the server"
ok "and whole" cmp <(zstd -dc <"$T/body") "$T/in/store/current/cog/datapackage.json"
https $package >/dev/null
ok "who asks for no coding gets another copy" cmp "$T/body" "$T/in/store/current/cog/datapackage.json"
https $package -H 'Accept-Encoding: zstd' >/dev/null
is "$(head_of Content-Encoding) $(head_of X-Cache)" "zstd HIT" "both are kept"

# --- what is in force --------------------------------------------------------------------------------------------------------
sleep 2.1
is "$(https /datasets/cog/communes.csv) $(head_of X-Cache)" "200 REVALIDATED" "after a second what is in force is asked for again, by its ETag"
ok "a new version" readers_second
for _ in {1..50}; do
	https /datasets/cog/communes.csv >/dev/null
	[ "$(head_of Clapet-Generation)" != 2 ] || break
	sleep 0.1
done
is "$(head_of Clapet-Generation)" 2 "a new version is there soon"
ok "whole" same
is "$(https /generations/1/datasets/cog/communes.csv) $(head_of Clapet-Generation)" "200 1" "the pinned one stays"

# --- what no cache may keep ----------------------------------------------------------------------------------------------------
for _ in 1 2; do https /datasets/cog/departements.csv -H 'Authorization: Bearer wrong' >/dev/null; done
is "$(head_of X-Cache)" BYPASS "an answer to a key is never from the cache"
sleep 2.1
https /datasets/cog/departements.csv >/dev/null
is "$(head_of X-Cache)" MISS "and never in it"
for path in /healthz /metrics /status; do
	is "$(https $path) $(head_of X-Cache)" "200 " "$path is not cached"
done
is "$(https /datasets/cog/nothere.csv) $(head_of X-Cache)" "404 MISS" "what is not there"
is "$(https /datasets/cog/nothere.csv) $(head_of X-Cache)" "404 MISS" "is asked for each time"

# --- what must not pass --------------------------------------------------------------------------------------------------------
for path in /../../etc/passwd /datasets/cog/../../trust/root.json /datasets/cog/..%2f..%2ftrust%2froot.json /datasets/cog/%2e%2e/%2e%2e/trust/root.json /generations/1/../../trust/root.json; do
	like "$(https "$path" --path-as-is)" '^4' "$path is refused"
done
like "$(https /datasets/cog/communes.csv -X POST -d x=1)" '^405|^413' "POST is refused"
like "$(https /datasets/cog/communes.csv -X DELETE)" '^405' "DELETE is refused"
like "$(head -c 5000 /dev/zero | https /datasets/cog/communes.csv -X PUT --data-binary @-)" '^413' "a body is not taken"
not_ok "TLS 1.1 is not spoken" curl -sS --tls-max 1.1 --cacert "$T/ca.pem" --resolve "data.example.org:$tls_port:127.0.0.1" "https://data.example.org:$tls_port/healthz"
kill "$nginx_pid"
wait "$nginx_pid" 2>/dev/null
ok "the server ends well" serve_stop
done_testing
