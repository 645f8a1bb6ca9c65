#!/bin/sh
# names.sh ROOT ARCHIVE: names of the library that a linker sees are pipit_, when they are public,
# or pipit__.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

# shellcheck source=test/abi/tap.sh disable=SC1091
. "$(dirname "$0")/../abi/tap.sh"
root=$1
archive=$2

# Sanitizers add names of their own.
defined() {
        nm --defined-only --extern-only "$1" | awk 'NF == 3 { print $3 }' |
                grep -vE '^(__|asan\.|ubsan\.)' | sort
}

foreign_names() {
        defined "$1" | grep -vE '^pipit_[a-z_]' || true
}

# Names with one underscore that no public header has.
undeclared_names() {
        defined "$1" | grep -E '^pipit_[a-z]' | while read -r name; do
                grep -qw "$name" "$root"/include/pipit/*.h || echo "$name"
        done
}

quiet() {
        quiet_output=$("$@")
        [ -z "$quiet_output" ] || {
                echo "$quiet_output"
                return 1
        }
}

# object LINE: an object file of it.
object() {
        echo "$1" | ${CC:-cc} -x c -c -o "$tap_dir/a.o" -
}

defines_something() {
        [ "$(defined "$archive" | wc -l)" -gt 50 ]
}

tap_ok "the library defines names" defines_something
tap_ok "every name begins with pipit_" quiet foreign_names "$archive"
tap_ok "every name with one underscore is public" quiet undeclared_names "$archive"

object 'static int x; int pipit__x(void); int pipit__x(void) { return x; }'
tap_ok "a name of the library passes" quiet foreign_names "$tap_dir/a.o"
tap_ok "a name inside of the library passes" quiet undeclared_names "$tap_dir/a.o"
object 'int list_helper(void); int list_helper(void) { return 0; }'
tap_fails "another name is noticed" quiet foreign_names "$tap_dir/a.o"
object 'int pipit_x_y_z; '
tap_fails "a public name that is not declared is noticed" quiet undeclared_names "$tap_dir/a.o"
tap_end
