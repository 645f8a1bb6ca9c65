#!/bin/sh
# stability.sh INCLUDE LIBRARY: programs that were built against what was accepted last run with
# this library, as far as sizes, places, types and versions of names can tell. A change is accepted
# with accept.sh. Then each sort of break is tried, and must be noticed.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/tap.sh"
include=$1
library=$2
cc=${CC:-cc}

describe() {
        python3 "$here/describe.py" "$@"
}

# laid_out DECLARATIONS LIBRARY: is as it was accepted.
laid_out() {
        describe layout "$1" "$2" >"$tap_dir/layout.txt"
        diff -U 0 "$here/accepted/layout.txt" "$tap_dir/layout.txt" && return
        echo 'If it is to be so: sh test/abi/accept.sh, and doc/stability.md'
        return 1
}

# compiled DECLARATIONS OUTPUT: as a library that has nothing but types and names.
compiled() {
        describe stub "$1" >"$tap_dir/stub.c"
        # The flags of a compiler are words of one list.
        # shellcheck disable=SC2086
        $cc -std=c11 -g -O0 -shared -fPIC -o "$2" "$tap_dir/stub.c"
}

# same_to_abidiff DECLARATIONS: has the types that were accepted.
same_to_abidiff() {
        compiled "$here/accepted/declarations.txt" "$tap_dir/accepted.so"
        compiled "$1" "$tap_dir/now.so"
        abidiff "$tap_dir/accepted.so" "$tap_dir/now.so"
}

# broken SED: writes declarations that were changed by a command of sed, and really changed.
broken() {
        sed "$1" "$tap_dir/declarations.txt" >"$tap_dir/broken.txt"
        ! cmp -s "$tap_dir/declarations.txt" "$tap_dir/broken.txt"
}

# notices SED LINE: such a change is noticed, in a line that was not accepted, or was and is gone.
notices() {
        broken "$1" && ! laid_out "$tap_dir/broken.txt" "$library" >"$tap_dir/noticed" &&
                grep -qxF -e "$2" "$tap_dir/noticed"
}

abidiff_notices() {
        broken "$1" && ! same_to_abidiff "$tap_dir/broken.txt" >"$tap_dir/noticed" &&
                grep -q 'Removed function\|type size changed' "$tap_dir/noticed"
}

# versions_are_noticed: a library without versions is another one.
versions_are_noticed() {
        compiled "$tap_dir/declarations.txt" "$tap_dir/bare.so" &&
                ! laid_out "$tap_dir/declarations.txt" "$tap_dir/bare.so" >"$tap_dir/bare" &&
                grep -q '^+function pipit_open: .*, no version$' "$tap_dir/bare"
}

# What breaks programs, as sed writes it; of things that never change.
bigger='/^struct pipit_bytes {/,/^}/s/size_t length;/& int more;/'
smaller='/^struct pipit_params {/,/^}/{/int n;/d;}'
moved='/^struct pipit_interval {/,/^}/{/int32_t months;/d;s/int32_t days;/& int32_t months;/;}'
in_a_union='s/double double_value;/struct pipit_uuid double_value;/'
retyped='s/int64_t timeout_ms, pipit_cb cb/int timeout_ms, pipit_cb cb/'
renumbered='/^        PIPIT_OP_NE,$/d'
gone='/^int pipit_attempt(/d'
callback='s/(\*pipit_cb)(struct/(*pipit_cb)(const struct/'

tap_ok "the headers are read" sh -c "
        python3 '$here/describe.py' declarations '$include' >'$tap_dir/declarations.txt' &&
                grep -q '^struct pipit_options {' '$tap_dir/declarations.txt'"
if [ "$(getconf LONG_BIT)" != 64 ]; then
        tap_skip "layouts are those that were accepted" "accepted for 64 bits"
        tap_end
        exit 0
fi
tap_ok "functions, versions and layouts are those that were accepted" \
        laid_out "$tap_dir/declarations.txt" "$library"
tap_ok "the declarations that were accepted have the layouts that were" \
        laid_out "$here/accepted/declarations.txt" "$library"
tap_ok "a library without versions is noticed" versions_are_noticed
tap_ok "a struct that grew is noticed" \
        notices "$bigger" '+struct pipit_bytes: 24 bytes, aligned to 8'
tap_ok "a struct that shrank is noticed" \
        notices "$smaller" '-struct pipit_params.n: at 8, 4 bytes, int'
tap_ok "a member that moved is noticed" \
        notices "$moved" '+struct pipit_interval.days: at 0, 4 bytes, int32_t'
tap_ok "another type in a union is noticed" \
        notices "$in_a_union" '+struct pipit_value.as.double_value: at 16, 16 bytes, struct pipit_uuid'
tap_ok "another type of a parameter is noticed" \
        notices "$retyped" '+function pipit_drain: pipit_request (struct pipit *, int, pipit_cb, void *), PIPIT_0.1'
tap_ok "another number of a constant is noticed" notices "$renumbered" '+enum pipit_op: PIPIT_OP_LT = 2'
tap_ok "a function that is gone is noticed" \
        notices "$gone" '-function pipit_attempt: int (const struct pipit *), PIPIT_0.1'
tap_ok "another callback is noticed" \
        notices "$callback" '+callback pipit_cb: void (const struct pipit_result *, void *)'
if has abidiff; then
        tap_ok "abidiff sees no difference" same_to_abidiff "$tap_dir/declarations.txt"
        tap_ok "abidiff sees a struct that grew" abidiff_notices "$bigger"
        tap_ok "abidiff sees a function that is gone" abidiff_notices "$gone"
else
        tap_skip "abidiff sees no difference" "no abidiff"
fi
tap_end
