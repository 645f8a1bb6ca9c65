#!/bin/sh
# functions.sh ROOT: functions and files are short; and a long one is noticed.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
root=$1

limits() {
        python3 "$here/functions.py" "$@"
}

# lines N: a function of that many lines, from its name to its last brace.
lines() {
        echo 'int'
        echo 'long_one(int x)'
        echo '{'
        i=4
        while [ "$i" -lt "$1" ]; do
                echo '        x += x;'
                i=$((i + 1))
        done
        echo '        return x;'
        echo '}'
}

# fails_with TEXT COMMAND...: the command fails, and says that.
fails_with() {
        text=$1
        shift
        if "$@" >"$tap_dir/said"; then
                echo "it passed"
                return 1
        fi
        cat "$tap_dir/said"
        grep -qF "$text" "$tap_dir/said"
}

universal_ctags() {
        has ctags && ctags --version | grep -q 'Universal Ctags' &&
                ctags --list-features | grep -q '^json'
}

if ! universal_ctags; then
        tap_skip "functions and files are short" "no universal-ctags"
        tap_end
        exit 0
fi
for folder in lib include test bench example; do
        [ -d "$root/$folder" ] || continue
        tap_ok "no function in $folder has over 60 lines, no file over 600" \
                limits "$root/$folder"
done
tap_ok "half of the functions in lib have at most 12 lines, no file over 450" \
        limits --median 12 --file 450 "$root/lib"

mkdir "$tap_dir/c"
lines 60 >"$tap_dir/c/a.c"
tap_ok "a function of 60 lines passes" limits "$tap_dir/c"
tap_ok "a median over the limit is noticed" fails_with 'half of' limits --median 12 "$tap_dir/c"
lines 61 >"$tap_dir/c/a.c"
tap_ok "a function of 61 lines is noticed" fails_with 'long_one has 61' limits "$tap_dir/c"
yes '' | head -600 >"$tap_dir/c/a.c"
tap_ok "a file of 600 lines passes" limits "$tap_dir/c"
mkdir "$tap_dir/c/deep"
yes '' | head -601 >"$tap_dir/c/deep/a.h"
tap_ok "a file of 601 lines is noticed" fails_with '601 lines' limits "$tap_dir/c"
tap_end
