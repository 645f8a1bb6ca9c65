#!/bin/sh
# The seed's own tests, and what of pipit covers each.
#
#       seed-tests.sh [TABLE]
#
# TABLE is seed-tests.txt, where its form is described, unless another is given. Prints a line for
# each test of the seed. What is wrong goes to standard error: a test without a counterpart in a
# file that is required, a counterpart that is not in the sources. The last line is of the form
# "tests: N; covered: N; not for PostgreSQL: N; missing: N" and counts the required files. Exit
# status 0 when nothing is wrong.
set -euf

root=$(cd "$(dirname "$0")/.." && pwd)
table=${1:-$root/test/seed-tests.txt}
file='' count=0 required='' rows=0 seen=' '
n_tests=0 n_covered=0 n_none=0 n_missing=0 n_wrong=0

complain() {
        echo "seed-tests.sh: $*" >&2
        n_wrong=$((n_wrong + 1))
}

# The file before this one had as many tests as it should.
end_file() {
        [ "$rows" -eq "$count" ] || complain "$file has $count tests, and $rows are listed"
        if [ "$file" = defects ]; then
                summary="defects: $rows; missing: $defects_missing"
        fi
}

# exists FILE TEST: it is there, and is run.
exists() {
        [ -f "$root/$1" ] && grep -qx "START_TEST($2)" "$root/$1" &&
                [ "$(grep -cw "$2" "$root/$1")" -gt 1 ]
}

# covered TEST FILE TEST [FILE TEST]...: whether all of these exist.
covered() {
        name=$1 result=0
        shift
        if [ -n "$required" ] && [ "$file" != defects ] && [ "${2:-}" != "$name" ]; then
                complain "$name of $file is not covered by a test of its name"
                result=1
        fi
        while [ $# -gt 0 ]; do
                exists "$1" "${2:-}" || {
                        complain "$name of $file: $1 has no test ${2:-}"
                        result=1
                }
                shift $(($# > 1 ? 2 : 1))
        done
        return $result
}

# count_one NAME: one of the figures, if the file counts.
count_one() {
        [ -n "$required" ] || return 0
        if [ "$file" = defects ]; then
                [ "$1" != missing ] || defects_missing=$((defects_missing + 1))
                return 0
        fi
        n_tests=$((n_tests + 1))
        case $1 in
        covered) n_covered=$((n_covered + 1)) ;;
        none) n_none=$((n_none + 1)) ;;
        missing) n_missing=$((n_missing + 1)) ;;
        esac
}

# one TEST WHAT...: a line of the table.
one() {
        name=$1
        rows=$((rows + 1))
        case $seen in
        *" $file:$name "*) complain "$name of $file stands there twice" ;;
        esac
        seen="$seen$file:$name "
        case ${2:-} in
        '') complain "$name of $file has nothing behind it" ;;
        none) count_one none ;;
        -)
                [ -z "$required" ] || complain "$name of $file is not covered"
                count_one missing
                ;;
        *)
                if covered "$@"; then
                        count_one covered
                else
                        count_one missing
                fi
                ;;
        esac
        shift
        echo "$file $name: $*"
}

defects_missing=0 summary='defects: 0; missing: 0'
while read -r first rest; do
        # The words of a line have no spaces and no wildcards.
        case $first in
        '' | '#'*) ;;
        file)
                end_file
                rows=0
                # shellcheck disable=SC2086
                set -- $rest
                file=$1 count=$2 required=${3:-}
                ;;
        *)
                # shellcheck disable=SC2086
                one "$first" $rest
                ;;
        esac
done <"$table"
end_file

echo "$summary"
echo "tests: $n_tests; covered: $n_covered; not for PostgreSQL: $n_none; missing: $n_missing"
[ "$n_wrong" -eq 0 ]
