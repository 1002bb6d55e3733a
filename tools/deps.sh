#!/bin/bash
# SPDX-License-Identifier: ISC
# deps.sh [lint|fuzz|bench|readers]: installs the Debian packages that are missing here, and says which. Does nothing where all are there.
set -eu

# What it is found by -> the package that has it.
libraries="libarchive:libarchive-dev libsodium:libsodium-dev libcurl:libcurl4-openssl-dev jansson:libjansson-dev
libzstd:libzstd-dev libpcre2-8:libpcre2-dev libseccomp:libseccomp-dev libcrypto:libssl-dev libqrencode:libqrencode-dev libmicrohttpd:libmicrohttpd-dev sqlite3:libsqlite3-dev zlib:zlib1g-dev
cmocka:libcmocka-dev"
# Only some machines have it; the others use tables (bundle/fec_tables.c).
case $(dpkg --print-architecture 2>/dev/null) in amd64 | arm64) libraries="$libraries libisal:libisal-dev" ;; esac
programs="cc:gcc make:make pkg-config:pkg-config nginx:nginx-light curl:curl strace:strace zstd:zstd openssl:openssl prove:perl
systemd-analyze:systemd readelf:binutils python3:python3 git:git xz:xz-utils node:nodejs npm:npm go:golang-go
sqlite3:sqlite3 ip:iproute2 nft:nftables ethtool:ethtool unshare:util-linux mkfs.vfat:dosfstools mcopy:mtools"
case "${1:-}" in
lint) programs="clang-format:clang-format cppcheck:cppcheck shellcheck:shellcheck git:git" libraries= ;;
fuzz) programs="clang:clang" libraries= ;;
bench) programs="udp-sender:udpcast wrk:wrk" libraries= ;;
# The languages of docs/readers, 160 MB to fetch and 430 MB on the disk where none is there, and a browser for the console. A test of one that is missing is
# skipped.
readers) programs="chromium:chromium sqlite3:sqlite3 Rscript:r-base-core javac:openjdk-17-jdk-headless curl:curl" libraries=
	files="/usr/lib/R/site-library/jsonlite:r-cran-jsonlite /usr/lib/python3/dist-packages/pandas:python3-pandas
/usr/share/java/jackson-databind.jar:libjackson2-databind-java" ;;
esac

PATH=$PATH:/usr/sbin:/sbin
missing=
for pair in $programs; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
for pair in ${files:-}; do
	[ -e "${pair%%:*}" ] || missing="$missing ${pair#*:}"
done
for pair in $libraries; do
	pkg-config --exists "${pair%%:*}" 2>/dev/null || missing="$missing ${pair#*:}"
done
[ -n "$libraries" ] && [ ! -e /usr/include/csv.h ] && missing="$missing libcsv-dev"
# The tests' second opinion of the audit log.
[ -n "$libraries" ] && [ ! -e /usr/share/gocode/src/golang.org/x/mod/sumdb/note ] && missing="$missing golang-golang-x-mod-dev"
if [ "${1:-}" = fuzz ] && ! find /usr/lib -name 'libclang_rt.fuzzer-x86_64.a' 2>/dev/null | grep -q .; then
	missing="$missing libclang-rt-14-dev"
fi
[ -n "$missing" ] || exit 0

echo "Installing Debian packages that are missing:$missing"
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! $as_root apt-get install -y -qq --no-install-recommends $missing >/tmp/clapet-deps.$$ 2>&1; then
	$as_root apt-get update -qq
	$as_root apt-get install -y -qq --no-install-recommends $missing >/tmp/clapet-deps.$$ 2>&1 || {
		cat /tmp/clapet-deps.$$
		rm -f /tmp/clapet-deps.$$
		exit 1
	}
fi
rm -f /tmp/clapet-deps.$$
