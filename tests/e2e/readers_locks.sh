#!/bin/bash
# SPDX-License-Identifier: ISC
# The lock protocol of docs/readers, with the code of its recipes: a set that a shell, Python, Java or `clapet-inside exec` holds stays whole while newer ones
# come in force and retention would have it gone; and goes when it is left.
WORLD_INSIDE='"reserve": 0, "keepGenerations": 1, "keepAtLeast": "1s"'
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

current() { readlink "$T/in/store/current" | sed 's,.*/,,'; }
ok "a store with a dataset" readers_world
for name in folder python java; do
	ok "the recipe $name" python3 tests/recipe.py "docs/readers/$name.md" "$T/recipe/$name" "${RECIPE_WORDS[@]}"
done
# A reader says that it holds a set, waits to be told, and then reads from it.
cat >"$T/recipe/python/hold.py" <<'PYTHON'
import os, sys, time
import clapet_set
with clapet_set.in_force(sys.argv[1]) as folder:
    open(sys.argv[2], "w").close()
    while not os.path.exists(sys.argv[3]):
        time.sleep(0.05)
    print(sum(1 for _ in open(os.path.join(folder, "cog", "communes.csv"), encoding="utf-8")))
PYTHON
cat >"$T/recipe/java/Hold.java" <<'JAVA'
import java.nio.file.*;
public class Hold {
    public static void main(String[] arguments) throws Exception {
        try (ClapetSet set = ClapetSet.inForce(Path.of(arguments[0]))) {
            Files.createFile(Path.of(arguments[1]));
            while (!Files.exists(Path.of(arguments[2])))
                Thread.sleep(50);
            System.out.println(Files.readAllLines(set.folder.resolve("cog/communes.csv")).size());
        }
    }
}
JAVA
wait_then_read='touch "$1"; until [ -e "$2" ]; do sleep 0.05; done; wc -l <cog/communes.csv'
hold() { # NAME SIGN GO
	case $1 in
	shell) (cd "$T/recipe/folder" && bash -c ". ./set.sh; $wait_then_read" hold "$2" "$3") ;;
	exec) inside exec -- bash -c "$wait_then_read" hold "$2" "$3" ;;
	python) python3 "$T/recipe/python/hold.py" "$T/in/store" "$2" "$3" ;;
	java) java -cp "$T/recipe/java" Hold "$T/in/store" "$2" "$3" ;;
	esac
}
readers="shell exec python"
if command -v javac >/dev/null && javac -d "$T/recipe/java" "$T/recipe/java/ClapetSet.java" "$T/recipe/java/Hold.java"; then
	readers="$readers java"
else
	echo "# no Java compiler: its lock is not tested"
fi

lines=$(wc -l <"$T/in/store/current/cog/communes.csv")
n=0
for reader in $readers; do
	held=$(current)
	n=$((n + 1))
	hold "$reader" "$T/sign.$reader" "$T/go.$reader" >"$T/read.$reader" &
	pid=$!
	until [ -e "$T/sign.$reader" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
	sleep 1.2 # past keepAtLeast
	echo "2A10$n,Nouvelle,2A,$n,,,non" >>"$T/data/communes.csv"
	world_sync && inside import "$bundle" >"$T/import.log" 2>&1
	is "$(current)" $((held + 1)) "$reader: a newer set comes in force"
	inside import >/dev/null 2>&1
	ok "$reader: the set that it holds stays" test -d "$T/in/store/generations/$held/cog"
	touch "$T/go.$reader"
	wait $pid
	is "$?" 0 "$reader: ends well"
	is "$(cat "$T/read.$reader")" $((lines + n - 1)) "$reader: read the set that it began with"
	inside import >/dev/null 2>&1
	not_ok "$reader: what is left goes" test -e "$T/in/store/generations/$held"
done
run inside verify
is "$status" 0 "the store verifies"
done_testing
