#!/bin/sh
# format.sh ROOT: the C files are as clang-format writes them.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

# shellcheck source=test/abi/tap.sh disable=SC1091
. "$(dirname "$0")/../abi/tap.sh"
root=$1

major() {
        clang-format --version | sed -n 's/.*version \([0-9][0-9]*\).*/\1/p'
}

formatted() {
        clang-format -n --Werror "$@"
}

if ! has clang-format || [ "$(major)" -lt 14 ]; then
        tap_skip "C files are formatted" "no clang-format 14 or newer"
        tap_end
        exit 0
fi
for folder in include lib test bench example; do
        find "$root/$folder" -name '*.[ch]' >"$tap_dir/files" 2>/dev/null || true
        [ -s "$tap_dir/files" ] || continue
        # File names in this tree have no spaces.
        # shellcheck disable=SC2046
        tap_ok "C files in $folder are formatted" formatted $(cat "$tap_dir/files")
done

cp "$root/.clang-format" "$tap_dir"
printf 'int x;\n' >"$tap_dir/a.c"
tap_ok "a file in good form passes" formatted "$tap_dir/a.c"
printf 'int  x ;\n' >"$tap_dir/a.c"
tap_fails "a file in bad form is noticed" formatted "$tap_dir/a.c"
tap_end
