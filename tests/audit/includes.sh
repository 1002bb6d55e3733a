#!/bin/bash
# SPDX-License-Identifier: ISC
# Includes go one way: base <- bundle <- keys, schemas <- outside | inside; outside and inside never meet. Each header compiles
# alone, and each .c includes its own header first.
. tests/lib.sh

allowed() { # FOLDER -> what it may include
	case $1 in
	base) echo "base" ;;
	bundle) echo "base bundle" ;;
	keys) echo "base bundle keys" ;;
	schemas) echo "base bundle schemas" ;;
	outside) echo "base bundle keys schemas outside" ;;
	inside) echo "base bundle keys schemas inside" ;;
	esac
}

for folder in base bundle keys schemas outside inside; do
	bad=
	while IFS=: read -r file line; do
		target=$(sed 's/^#include "\([a-z]*\)\/.*/\1/' <<<"$line")
		case " $(allowed $folder) " in
		*" $target "*) ;;
		*) bad="$bad $file->$target" ;;
		esac
	done < <(grep -H '^#include "' $folder/*.[ch])
	is "$bad" "" "$folder/ includes nothing that it may not ($(allowed $folder))"
done

bad=
for header in */*.h; do
	case $header in tests/*) continue ;; esac
	${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -DCLAPET_VERSION='""' -Wall -Wextra -Werror -I. -x c -fsyntax-only "$header" 2>"$T/err" ||
		bad="$bad $header"
done
is "$bad" "" "every header compiles alone"

bad=
for source in base/*.c bundle/*.c keys/*.c schemas/*.c outside/*.c inside/*.c; do
	header=${source%.c}.h
	[ -e "$header" ] || continue
	[ "$(grep -m1 '^#include' "$source")" = "#include \"$header\"" ] || bad="$bad $source"
done
is "$bad" "" "every .c includes its own header first"

done_testing
