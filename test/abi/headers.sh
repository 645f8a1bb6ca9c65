#!/bin/sh
# headers.sh INCLUDE: every public header stands alone, in strict C11, C++17 and C++20.
set -eu

# shellcheck source=test/abi/tap.sh disable=SC1091
. "$(dirname "$0")/tap.sh"
include=$1

compiles() {
        compiler=$1
        language=$2
        standard=$3
        header=$4
        # Twice, for the guard; with a declaration, for a header that has only macros.
        printf '#include <pipit/%s>\n#include <pipit/%s>\nextern int something;\n' \
                "$header" "$header" |
                "$compiler" -x "$language" "-std=$standard" -pedantic -Wall -Wextra -Werror \
                        "-I$include" -fsyntax-only -
}

for path in "$include"/pipit/*.h; do
        header=$(basename "$path")
        for compiler in gcc clang; do
                if has "$compiler"; then
                        tap_ok "$header is C11 for $compiler" compiles "$compiler" c c11 "$header"
                else
                        tap_skip "$header is C11 for $compiler" "no $compiler"
                fi
        done
        for compiler in g++ clang++; do
                for standard in 17 20; do
                        if has "$compiler"; then
                                tap_ok "$header is C++$standard for $compiler" \
                                        compiles "$compiler" c++ "c++$standard" "$header"
                        else
                                tap_skip "$header is C++$standard for $compiler" "no $compiler"
                        fi
                done
        done
done
tap_ok "every header is installed" sh -c "
        for path in '$include'/pipit/*.h; do
                grep -q \"'\${path##*/}'\" '$include/pipit/meson.build' || {
                        echo \"\$path is not in meson.build\"
                        exit 1
                }
        done"
tap_end
