#!/bin/sh
# Looks at lib/ and include/ without running them: clang-tidy, cppcheck and gcc's -fanalyzer.
#
#       static.sh
#
# What they say and is wrong is in test/static.txt, one line for each with the reason. Findings go
# to standard error; the last line is of the form "clang-tidy: N; cppcheck: N; gcc: N; exceptions:
# N". Exit status 0 when there is no finding.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=test/support/common.sh disable=SC1091
. "$root/test/support/common.sh"

# shellcheck disable=SC2317
finish() {
        child_end 10
        rm -rf "$scratch"
}

# Each tool's findings come as FILE:LINE:COLUMN: KIND: TEXT [CHECK], from inside $root.
tidy() {
        # clang's flags: it says no to those that are gcc's only.
        CC=clang meson setup -Dtests=disabled -Db_lundef=false "$scratch/build" "$root" \
                >"$scratch/setup" 2>&1 || {
                cat "$scratch/setup" >&2
                return 1
        }
        # One file at a time: clang-tidy 14 forgets va_start() behind its first one. The inner shell
        # expands what stands between the quotes.
        # shellcheck disable=SC2016
        for file in lib/*/*.c; do
                echo "$file"
        done | xargs -P "$jobs" -I '{}' sh -c \
                'clang-tidy --quiet -p "$1" "$2" >"$1.${2##*/}" 2>"$1.${2##*/}.log" || {
                        cat "$1.${2##*/}.log" >&2; exit 1; }' - "$scratch/build" '{}' || return 1
        cat "$scratch"/build.*.c
}

cppcheck_all() {
        cppcheck --enable=warning,style,performance,portability --inconclusive --std=c11 --quiet \
                -j "$jobs" -Iinclude -Ilib -D__GNUC__ -D_GNU_SOURCE \
                --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
                --template='{file}:{line}:{column}: warning: {message} [{id}]' --template-location='' \
                lib/*/*.c 2>&1
}

# Not optimized: it then sees what is written. The macros of models need a user to be looked at.
gcc_all() {
        flags=$(pkg-config --cflags libevent_core libpq)
        # The flags are words of one list.
        # shellcheck disable=SC2086
        for file in lib/*/*.c example/*.c; do
                gcc -std=c11 -D_GNU_SOURCE -O0 -Wall -Wextra -fanalyzer -fdiagnostics-plain-output \
                        -Iinclude -Ilib $flags -c "$file" -o "$scratch/object.o" 2>&1
        done
}

# findings NAME FOLDER: what a tool that names files as they are from there has said of ours, each
# once, but for the exceptions. Sets n.
findings() {
        python3 "$root/test/support/findings.py" "$root" "$2" "$scratch/$1" "$scratch/used" \
                >"$scratch/$1.found"
        cat "$scratch/$1.found" >&2
        n=$(wc -l <"$scratch/$1.found")
}

# The exceptions that nothing needs any more; another version of a tool may need them.
tell_unused() {
        grep -v -e '^#' -e '^$' "$root/test/static.txt" | sort >"$scratch/all"
        sort -u "$scratch/used" | comm -23 "$scratch/all" - | while read -r line; do
                say "not needed: $line"
        done
}

sh "$root/test/support/setup.sh" build static >&2
cd "$root"
scratch=$(mktemp -d)
at_end finish
jobs=$(nproc)
: >"$scratch/used"

tidy >"$scratch/clang-tidy" || die 'clang-tidy did not run'
cppcheck_all >"$scratch/cppcheck" || die 'cppcheck did not run'
gcc_all >"$scratch/gcc" || { cat "$scratch/gcc" >&2; die 'gcc did not run'; }

sum=0
line=''
for tool in clang-tidy cppcheck gcc; do
        base=$root
        [ "$tool" != clang-tidy ] || base=$scratch/build
        findings "$tool" "$base"
        sum=$((sum + n))
        line="$line$tool: $n; "
done
tell_unused
echo "${line}exceptions: $(sort -u "$scratch/used" | wc -l)"
[ "$sum" -eq 0 ]
