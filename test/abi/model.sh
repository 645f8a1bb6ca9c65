#!/bin/sh
# model.sh INCLUDE LIBRARY SANITIZERS: a header with models serves two files, without a warning;
# what is misspelt does not compile.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/tap.sh"
include=$1
library=$2
sanitizers=$3

compiles() {
        "$1" -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-qual -Werror \
                "-I$include" "-I$here" -c -o "$tap_dir/$3.o" "$2"
}

# links COMPILER OUTPUT: the two objects and the library.
links() {
        "$1" -o "$tap_dir/program" "$tap_dir/one.o" "$tap_dir/two.o" "$library" \
                "-Wl,-rpath,$(dirname "$library")"
}

# refuses COMPILER LINE: the line, inside of a function behind the header.
refuses() {
        cat >"$tap_dir/wrong.c" <<END
#include "model.h"
void wrong(struct pipit *db, struct blot *row);
void wrong(struct pipit *db, struct blot *row) { (void)db; (void)row; $2; }
END
        ! compiles "$1" "$tap_dir/wrong.c" wrong
}

# refuses_first COMPILER LINE TEXT: likewise, and the first error says the text.
refuses_first() {
        refuses "$1" "$2" 2>"$tap_dir/errors" && grep -m 1 'error:' "$tap_dir/errors" | grep -qF "$3"
}

# The frame of refuses() is right, or it would prove nothing.
accepts() {
        ! refuses "$@"
}

ones='1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1'
ones="$ones, $ones"
for compiler in gcc clang; do
        if ! has "$compiler"; then
                tap_skip "models for $compiler" "no $compiler"
                continue
        fi
        tap_ok "the defining file compiles with $compiler" compiles "$compiler" "$here/one.c" one
        tap_ok "the other file compiles with $compiler" compiles "$compiler" "$here/two.c" two
        tap_ok "all forms of conditions compile with $compiler" \
                compiles "$compiler" "$here/three.c" three
        if [ "$sanitizers" = none ]; then
                tap_ok "both link with $compiler" links "$compiler"
                tap_ok "both see the same object with $compiler" "$tap_dir/program"
        else
                tap_skip "both link with $compiler" "the library wants $sanitizers"
        fi
        tap_ok "what is right compiles with $compiler" \
                accepts "$compiler" 'blot_get(db, pipit_eq(blot_model.colour, 1), NULL, NULL)'
        tap_ok "a misspelt field of a condition does not compile with $compiler" \
                refuses "$compiler" 'blot_get(db, pipit_eq(blot_model.color, 1), NULL, NULL)'
        tap_ok "a misspelt member does not compile with $compiler" \
                refuses "$compiler" 'row->color = 1'
        tap_ok "a row of another model does not compile with $compiler" \
                refuses "$compiler" 'struct stain s = {0}; blot_save(db, &s, NULL, NULL)'
        tap_ok "a value without SQL type does not compile with $compiler" \
                refuses "$compiler" 'blot_get(db, pipit_eq(blot_model.id, *row), NULL, NULL)'
        tap_ok "a value without SQL type on the left does not compile with $compiler" \
                refuses "$compiler" 'blot_get(db, pipit_eq(*row, blot_model.id), NULL, NULL)'
        tap_ok "a value in place of a condition does not compile with $compiler" \
                refuses "$compiler" 'blot_get(db, pipit_not(blot_model.id), NULL, NULL)'
        tap_ok "a list of values without any is told so by $compiler" \
                refuses_first "$compiler" 'pipit_query(db, "", PIPIT_PARAMS(), NULL, NULL)' \
                'write PIPIT_NO_PARAMS'
        tap_ok "a list of 32 values compiles with $compiler" \
                accepts "$compiler" "pipit_query(db, \"\", PIPIT_PARAMS($ones), NULL, NULL)"
        tap_ok "a 33rd value is told by $compiler" \
                refuses_first "$compiler" "pipit_query(db, \"\", PIPIT_PARAMS($ones, 1), NULL, NULL)" \
                'at most 32 values'
        tap_ok "a misspelt clause does not compile with $compiler" \
                refuses "$compiler" 'pipit_select(db, blot_model, NULL, NULL, .limits = 1)'
        tap_ok "a condition as an order does not compile with $compiler" \
                refuses "$compiler" 'PIPIT_ORDER(pipit_is_null(blot_model.id))'
done
tap_end
