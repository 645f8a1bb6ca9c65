#!/bin/sh
# programs.sh ROOT: every test is built. A test_NAME.c under test/ is named in the meson.build of
# its folder, as 'test_NAME.c' or as 'NAME'; a comment does not count.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
root=$1

# all_are_built FOLDER: prints those that are not.
all_are_built() {
        find "$1" -name 'test_*.c' >"$tap_dir/tests"
        [ -s "$tap_dir/tests" ] || return 1
        while read -r path; do
                name=$(basename "$path" .c)
                folder=$(dirname "$path")
                inside=''
                # A folder without one is built by the one above it, by names with the folder.
                if [ ! -e "$folder/meson.build" ]; then
                        inside=$(basename "$folder")/
                        folder=$(dirname "$folder")
                fi
                [ -e "$folder/meson.build" ] && sed 's/#.*//' "$folder/meson.build" |
                        grep -qE "['/]$name\.c'|'$inside${name#test_}'" || echo "$path is not built"
        done <"$tap_dir/tests" >"$tap_dir/unbuilt"
        cat "$tap_dir/unbuilt"
        [ ! -s "$tap_dir/unbuilt" ]
}

# example TEXT: a folder with test_some.c and this meson.build.
example() {
        rm -rf "$tap_dir/example"
        mkdir "$tap_dir/example"
        : >"$tap_dir/example/test_some.c"
        [ -z "$1" ] || echo "$1" >"$tap_dir/example/meson.build"
}

tap_ok "every test is built" all_are_built "$root/test"

example "executable('x', 'test_some.c')"
tap_ok "a test that is named by its file passes" all_are_built "$tap_dir/example"
example "tests = ['some']"
tap_ok "a test of a list passes" all_are_built "$tap_dir/example"
example "tests = ['some_more', 'awesome']"
tap_fails "a test that is not named is noticed" all_are_built "$tap_dir/example"
example "# 'test_some.c' is not built"
tap_fails "a test that only a comment names is noticed" all_are_built "$tap_dir/example"
example ""
tap_fails "a test in a folder without meson.build is noticed" all_are_built "$tap_dir/example"
example "tests = ['inner/some', 'other']"
mkdir "$tap_dir/example/inner"
mv "$tap_dir/example/test_some.c" "$tap_dir/example/inner"
tap_ok "a test of a folder inside passes" all_are_built "$tap_dir/example"
mv "$tap_dir/example/inner/test_some.c" "$tap_dir/example/inner/test_other_one.c"
tap_fails "a test of a folder inside that is not named is noticed" all_are_built "$tap_dir/example"
example ""
rm "$tap_dir/example/test_some.c"
tap_fails "a folder without tests is noticed" all_are_built "$tap_dir/example"
tap_end
