#!/bin/sh
# symbols.sh INCLUDE LIBRARY: the library exports what its headers declare, and nothing else.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

# shellcheck source=test/abi/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"
include=$1
library=$2

# Sanitizers export helpers of their own.
nm -D --defined-only "$library" | awk '{ print $3 }' | grep -v '^__' | sort >"$tap_dir/exported"

# The last word in front of the first parenthesis behind PIPIT_API.
cat "$include"/pipit/*.h | grep -v '^#define' | tr '\n' ' ' | grep -o 'PIPIT_API [^;(]*(' |
        sed 's/($//; s/.*[ *]//' | sort >"$tap_dir/declared"

names_are_public() {
        ! grep -v '^pipit_[a-z]' "$tap_dir/exported"
}

tap_ok "something is exported" test -s "$tap_dir/exported"
tap_ok "exported names begin with pipit_" names_are_public
tap_ok "what is declared is what is exported" diff "$tap_dir/declared" "$tap_dir/exported"
tap_end
