#!/bin/bash
# SPDX-License-Identifier: ISC
# What each program links is what the design says that it may; the linker is the proof.
. tests/lib.sh

# Where Debian has no ISA-L for the machine, tables do its work (bundle/fec_tables.c).
# program: libraries beside libc (libseccomp builds the third wall and is in each sandboxed program)
while read -r program libraries; do
	[ -n "$program" ] || continue
	path=$BIN/$program
	[ -e "$path" ] || path=$LIBEXEC/$program
	found=$(readelf -d "$path" | sed -n 's/.*NEEDED.*\[\(lib[a-z0-9-]*\)\..*/\1/p' | grep -vx 'libc\|libm' | sort | tr '\n' ' ')
	is "${found% }" "$(tr ' ' '\n' <<<"$libraries" | sort | tr '\n' ' ' | sed 's/ $//')" "$program links $libraries and no more"
done <<'TABLE'
inside-unpack libarchive libcrypto libseccomp
inside-verify libsodium libjansson libcrypto libseccomp
inside-check libzstd libcsv libjansson libpcre2-8 libcrypto libseccomp
inside-commit libcrypto libseccomp
inside-log libsodium libseccomp
inside-rows libsqlite3 libcsv libjansson libpcre2-8 libcrypto libseccomp
inside-serve libmicrohttpd libsqlite3 libsodium libzstd libz libjansson libcrypto libseccomp
clapet-keys libsodium libjansson libcrypto libqrencode
clapet-receive libisal libsodium libjansson libcrypto libseccomp
outside-fetch libcurl libseccomp
outside-unpack libarchive libseccomp
outside-check libcsv libjansson libpcre2-8 libcrypto libseccomp
outside-pack libzstd libarchive libcrypto libseccomp
outside-sign libsodium libjansson libcrypto libseccomp
outside-log libsodium libseccomp
TABLE

# In a build with ECDSA=1 (build/ecdsa) those that verify metadata may link public keys of libcrypto; in no other do they. Both builds
# are looked at where they are there, so that this test cannot pass by looking at nothing: inside-verify of the other one has them.
ecdsa=$LIBEXEC/inside-verify
case $BUILD in */ecdsa) ;; *) ecdsa=$PWD/$BUILD/ecdsa/libexec/clapet/inside-verify ;; esac
if [ -e "$ecdsa" ]; then
	like "$(readelf -Ws --dyn-syms "$ecdsa")" 'UND EVP_DigestVerify' "inside-verify with ECDSA=1 verifies through libcrypto"
	unlike "$(readelf -Ws --dyn-syms "$ecdsa")" 'UND (EVP_DigestSign|EVP_PKEY_keygen|EVP_PKEY_sign|SSL_|BIO_|PEM_|OSSL_STORE)' \
		"and signs nothing, makes no key, and leaves files and PEM to us"
	is "$(readelf -d "$ecdsa" | sed -n 's/.*NEEDED.*\[\(lib[a-z0-9-]*\)\..*/\1/p' | grep -vx 'libc\|libm' | sort | tr '\n' ' ')" \
		"libcrypto libjansson libseccomp libsodium " "and links no other library for it"
fi

for path in "$BIN"/clapet-inside "$BIN"/clapet-audit "$BIN"/clapet-receive "$LIBEXEC"/inside-*; do
	name=${path##*/}
	case $BUILD:$name in
	# The one program that serves readers: its library can speak TLS, which it does not ask for.
	*:inside-serve)
		unlike "$(readelf -Ws --dyn-syms "$path")" 'UND (EVP_PKEY|EVP_DigestSign|EVP_DigestVerify|SSL_|BIO_s_connect|getaddrinfo|gethostby|connect@)' \
			"$name connects to nothing, resolves no name, and links no public-key call"
		continue
		;;
	*/ecdsa:clapet-inside | */ecdsa:clapet-audit | */ecdsa:inside-verify) continue ;;
	esac
	unlike "$(ldd "$path")" 'libcurl|libssl|libgnutls|libmicrohttpd' "$name has no library that speaks to a network, directly or not"
	unlike "$(readelf -Ws --dyn-syms "$path")" 'UND (EVP_PKEY|EVP_DigestSign|EVP_DigestVerify|SSL_|BIO_s_connect|getaddrinfo|gethostby)' \
		"$name links no public-key call of libcrypto and no name resolution"
done

for path in "$LIBEXEC"/inside-*; do
	case $path in */inside-serve) continue ;; esac
	unlike "$(readelf -Ws --dyn-syms "$path")" 'UND (bind|listen|accept|accept4|sendto|recvfrom)@' "${path##*/} has no call that serves or sends to an address"
done
# The receiver's only connect() is to systemd's socket, before its sandbox; what it says there it writes.
unlike "$(readelf -Ws --dyn-syms "$BIN/clapet-receive")" 'UND (send|sendto|sendmsg|sendmmsg|sendfile|splice|listen|accept|accept4|recvfrom)@' \
	"clapet-receive has no call that sends"
unlike "$(readelf -Ws --dyn-syms "$LIBEXEC/inside-commit")" 'UND (json_|ZSTD_|archive_|csv_|pcre2_|crypto_)' "inside-commit parses nothing"

done_testing
