#!/bin/sh
# text.sh ROOT: what no file of the project may contain.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
root=$1

# without PATTERN SUFFIXES FOLDER...: no file of these suffixes has the pattern.
without() {
        pattern=$1
        suffixes=$2
        shift 2
        for folder in "$@"; do
                [ -e "$folder" ] || continue
                find "$folder" -type f | grep -E "\.($suffixes)\$" >"$tap_dir/files" || continue
                while read -r path; do
                        grep -HnE "$pattern" "$path" || true
                done <"$tap_dir/files"
        done >"$tap_dir/found"
        cat "$tap_dir/found"
        [ ! -s "$tap_dir/found" ]
}

# notices PATTERN LINE: without() fails for the line.
notices() {
        mkdir -p "$tap_dir/c"
        printf 'int x;\n%s\n' "$2" >"$tap_dir/c/a.c"
        tap_not without "$1" 'c|h' "$tap_dir/c"
}

# allows PATTERN LINE: it does not.
allows() {
        tap_not notices "$@"
}

# A function's name, and not the end of a longer one, with a parenthesis behind it. In comments it
# is followed by "()": that is allowed.
call='(^|[^A-Za-z0-9_.>])'
behind='[[:space:]]*\(($|[^)])'
prints="$call(v?printf|v?fprintf|v?dprintf|puts|putchar|fputs|perror|v?warnx?|v?errx?)$behind"
ends="$call(abort|_?exit|_Exit|quick_exit)[[:space:]]*\((;|[^)]|\);|$)"
sleeps="$call(u|nano|clock_nano)?sleep$behind"
naps="${call}u?sleep$behind"
# Put together, for this file is checked too.
marks="(^|[^A-Za-z])(TO""DO|FIX""ME|X""XX)([^A-Za-z]|\$)"

tap_ok "nothing in lib prints" without "$prints" 'c|h' "$root/lib"
tap_ok "nothing in lib ends the program" without "$ends" 'c|h' "$root/lib"
for folder in unit wire live abi; do
        tap_ok "no test in test/$folder sleeps" without "$sleeps" 'c|h' "$root/test/$folder"
done
tap_ok "nothing in test/support sleeps, but for a process that looks for something" \
        without "$naps" 'c|h' "$root/test/support"
tap_ok "no file has a mark for later" without "$marks" 'c|h|py|sh|md|build|txt' \
        "$root/include" "$root/lib" "$root/test" "$root/example" "$root/bench" "$root/doc" \
        "$root/README.md" "$root/NEWS.md" "$root/meson.build"
tap_ok "no line ends in a space" without '[[:space:]]$' 'c|h|py|sh|md|build|txt' \
        "$root/include" "$root/lib" "$root/test" "$root/example" "$root/bench" "$root/doc"

tap_ok "printf() is noticed" notices "$prints" '        printf("%d", x);'
tap_ok "fprintf(stderr) is noticed" notices "$prints" '        if (x) fprintf(stderr, "x");'
tap_ok "snprintf() is allowed" allows "$prints" '        snprintf(text, 5, "x");'
tap_ok "printf() in a sentence is allowed" allows "$prints" ' * printf() knows locales.'
tap_ok "abort() is noticed" notices "$ends" '        abort();'
tap_ok "exit() is noticed" notices "$ends" '        _exit(1);'
tap_ok "a name that ends in exit is allowed" allows "$ends" '        at_exit(1);'
tap_ok "sleep() is noticed" notices "$sleeps" '        sleep(1);'
tap_ok "usleep() is noticed" notices "$sleeps" '        usleep(1000);'
tap_ok "pg_sleep() is allowed" allows "$sleeps" '        query("SELECT pg_sleep(1)");'
tap_ok "a mark for later is noticed" notices "$marks" "/* TO""DO: more */"
tap_ok "a pattern for mktemp is allowed" allows "$marks" "pipit-XX""XX""XX"
tap_ok "a space at the end is noticed" notices '[[:space:]]$' 'int y; '

# No build product is in the tree, nor anything else that nobody wrote.
in_git() {
        git -C "$root" rev-parse --is-inside-work-tree 2>/dev/null | grep -qx true
}

no_product() {
        git -C "$root" ls-files >"$tap_dir/tracked"
        ! grep -E '\.(o|a|so|so\..*|pyc|gcda|gcno|log|orig|rej|swp|tar|gz)$|^build|/core$|~$' \
                "$tap_dir/tracked"
}

# The inputs of the fuzz targets are what a server may send: bytes.
no_binary() {
        git -C "$root" ls-files -- . ':!test/fuzz/corpus' >"$tap_dir/tracked"
        git -C "$root" grep -Il '' >"$tap_dir/text"
        sort "$tap_dir/text" >"$tap_dir/text.sorted"
        sort "$tap_dir/tracked" | comm -23 - "$tap_dir/text.sorted" |
                while read -r path; do
                        [ ! -s "$root/$path" ] || echo "$path is binary"
                done >"$tap_dir/found"
        cat "$tap_dir/found"
        [ ! -s "$tap_dir/found" ]
}

if has git && in_git; then
        tap_ok "no build product is in the tree" no_product
        tap_ok "no binary file is in the tree" no_binary
else
        tap_skip "no build product is in the tree" "no git checkout"
        tap_skip "no binary file is in the tree" "no git checkout"
fi
tap_end
