#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for Java, as it is written.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

needs javac "a Java 17 compiler"
[ -e /usr/share/java/jackson-databind.jar ] || skip_all "Jackson is not installed (tools/deps.sh readers)"
ok "a store with a dataset, and a server" readers_serve
recipe java
ok "the server ends well" serve_stop
done_testing
