# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# portal.sh: what tests of the outside share: a real web server on a free loopback port, a folder tree, keys. After lib.sh.
#
#   portal_start              nginx serves $T/www at http://127.0.0.1:$port/ and, with a CA of its own, https://localhost:$tls_port/
#   outside_init DIR          sources/ state/ outbox/ repository/ keys/ and outside.json in DIR
#   outside DIR COMMAND…      -> $status $output
#   zip_of FILE MEMBER=PATH…  a zip, always the same bytes for the same content
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

portal_start() {
	local user=
	command -v nginx >/dev/null || skip_all "nginx is not installed"
	[ "$(id -u)" != 0 ] || user='user root;'
	port=$(free_port) tls_port=$(free_port)
	mkdir -p "$T/www" "$T/nginx"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Test CA" -keyout "$T/ca.key" -out "$T/ca.pem" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout "$T/tls.key" -out "$T/tls.csr" 2>/dev/null
	openssl x509 -req -in "$T/tls.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 2 -out "$T/tls.pem" \
		-extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") 2>/dev/null
	cat >"$T/nginx.conf" <<-CONF
	$user
	daemon off;
	worker_processes 1;
	pid $T/nginx/pid;
	error_log $T/nginx/error.log;
	events { worker_connections 64; }
	http {
	  default_type application/octet-stream;
	  types { text/csv csv; text/html html; application/zip zip; }
	  log_format t '\$request_method \$uri \$status \$body_bytes_sent "\$http_if_none_match" "\$http_authorization" "\$http_user_agent"';
	  access_log $T/nginx/access.log t;
	  client_body_temp_path $T/nginx/b; proxy_temp_path $T/nginx/p; fastcgi_temp_path $T/nginx/f;
	  uwsgi_temp_path $T/nginx/u; scgi_temp_path $T/nginx/s;
	  server {
	    listen 127.0.0.1:$port;
	    listen 127.0.0.1:$tls_port ssl;
	    server_name localhost;
	    ssl_certificate $T/tls.pem;
	    ssl_certificate_key $T/tls.key;
	    root $T/www;
	    location /slow/ { limit_rate 100; alias $T/www/; }
	    location /loop { return 302 /loop; }
	    location /moved/ { rewrite ^/moved/(.*) /\$1 redirect; }
	    location /elsewhere/ { return 302 http://localhost:$port/; }
	    location /plain/ { rewrite ^/plain/(.*) http://127.0.0.1:$port/\$1 redirect; }
	    location /to-file { return 302 file:///etc/passwd; }
	    location /busy { return 503; }
	    location /noetag/ { etag off; if_modified_since off; add_header Last-Modified ""; alias $T/www/; }
	  }
	}
	CONF
	nginx -p "$T/nginx" -c "$T/nginx.conf" 2>/dev/null &
	portal_pid=$!
	on_exit "kill $portal_pid 2>/dev/null"
	for _ in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
		sleep 0.1
	done
	echo "nginx did not start" >&2
	exit 1
}

outside_init() {
	mkdir -p "$1"/{sources,state,outbox}
	"$BIN/clapet-keys" init --repository "$1/repository" --keys "$1/keys" --root-key "$1/root.key" --no-passphrase >/dev/null
	outside_config "$1" ""
}

outside_config() { # DIR MORE-MEMBERS
	cat >"$1/outside.json" <<-JSON
	{"format": "clapet outside configuration 1", "sources": "sources", "state": "state", "keys": "keys", "repository": "repository",
	 "outbox": "outbox", "testBench": "this machine is a test bench", ${2:-"\"allowHttp\": true,"}
	 "limits": {"retries": 0, "timeout": "20s", "maxBytes": 10000000}}
	JSON
}

outside() {
	local dir=$1
	shift
	run "$BIN/clapet-outside" --config "$dir/outside.json" "$@"
}

source_put() { # DIR NAME PATH [MORE-RESOURCE-MEMBERS] [MORE-PACKAGE-MEMBERS]
	mkdir -p "$1/sources/$2"
	cat >"$1/sources/$2/datapackage.json" <<-JSON
	{"name": "$2", "title": "Test", "licenses": [{"name": "LOV2"}], ${5:-}
	 "resources": [{"name": "towns", "path": "$3", "format": "csv", ${4:-}
	   "schema": {"fields": [{"name": "code", "type": "string", "constraints": {"required": true, "unique": true}},
	                         {"name": "people", "type": "integer"}]}}]}
	JSON
}

newest_bundle() { find "$1/outbox" -name '*.tar' | sort | tail -n 1; }
requests() { grep -c "$1" "$T/nginx/access.log"; }

zip_of() {
	python3 - "$@" <<-'PYTHON'
	import sys, zipfile
	with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
	    for pair in sys.argv[2:]:
	        name, path = pair.split("=", 1)
	        z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), open(path, "rb").read(), zipfile.ZIP_DEFLATED)
	PYTHON
}
