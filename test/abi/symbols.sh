#!/bin/sh
# symbols.sh INCLUDE LIBRARY MAP: the library exports what its headers declare, and nothing else; each
# name with the version that the map gives it.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

# shellcheck source=test/abi/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"
include=$1
library=$2
map=$3

# Names with their versions. Versions are symbols themselves, and sanitizers have helpers of their
# own.
readelf -W --dyn-syms "$library" |
        awk '$5 == "GLOBAL" && $7 != "UND" && $7 != "ABS" { print $8 }' |
        grep -v '^__' | sort >"$tap_dir/versions"
sed 's/@.*//' "$tap_dir/versions" >"$tap_dir/exported"

# The last word in front of the first parenthesis behind PIPIT_API.
cat "$include"/pipit/*.h | grep -v '^#define' | tr '\n' ' ' | grep -o 'PIPIT_API [^;(]*(' |
        sed 's/($//; s/.*[ *]//' | sort >"$tap_dir/declared"

# The names of the map, each with the node that it is in.
awk '
        $2 == "{" { node = $1 }
        /^ *pipit_[a-z_0-9]*;$/ { sub(";", ""); print $1 "@@" node }' "$map" |
        sort >"$tap_dir/mapped"

names_are_public() {
        ! grep -v '^pipit_[a-z]' "$tap_dir/exported"
}

tap_ok "something is exported" test -s "$tap_dir/exported"
tap_ok "exported names begin with pipit_" names_are_public
tap_ok "what is declared is what is exported" diff "$tap_dir/declared" "$tap_dir/exported"
tap_ok "names have the versions that the map gives them" diff "$tap_dir/mapped" "$tap_dir/versions"
tap_end
