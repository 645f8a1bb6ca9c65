#!/bin/sh
# Takes what programs are built against now for what they may rely on: rewrites test/abi/accepted/,
# which the tests compare the headers and the library with. What changed is printed, and is a
# decision: see doc/stability.md for what may change, and what breaks programs.
#
#       accept.sh [BUILD]
#
# BUILD is a build folder with a library that is up to date, by default build in the checkout.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
library=${1:-$root/build}/lib/libpipit.so
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

[ -e "$library" ] || {
        echo "accept.sh: there is no $library; build it first" >&2
        exit 1
}
python3 "$here/describe.py" declarations "$root/include" >"$fresh/declarations.txt"
python3 "$here/describe.py" layout "$fresh/declarations.txt" "$library" >"$fresh/layout.txt"
mkdir -p "$here/accepted"
touch "$here/accepted/layout.txt"
diff -U 0 "$here/accepted/layout.txt" "$fresh/layout.txt" | sed '/^---\|^+++\|^@@/d' || true
cp "$fresh/declarations.txt" "$fresh/layout.txt" "$here/accepted"
