#!/bin/sh
# seed.sh ROOT: the seed's tests have their counterparts, and what is not so is noticed.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

# shellcheck source=test/abi/tap.sh disable=SC1091
. "$(dirname "$0")/../abi/tap.sh"
root=$1

# Of test_common.py, test_database.py, test_testing.py and test_transaction.py.
figures='tests: 36; covered: 35; not for PostgreSQL: 1; missing: 0'

seed_tests() {
        sh "$root/test/seed-tests.sh" "$@"
}

# ends_in LINE [TABLE]: it passes, and that is its last line.
ends_in() {
        line=$1
        shift
        seed_tests "$@" >"$tap_dir/said" || return 1
        tail -n 1 "$tap_dir/said"
        [ "$(tail -n 1 "$tap_dir/said")" = "$line" ]
}

# passes LINE: the table on stdin does, with that last line.
passes() {
        cat >"$tap_dir/table"
        ends_in "$1" "$tap_dir/table"
}

# says TEXT: the table on stdin does not, and that is why.
says() {
        cat >"$tap_dir/table"
        if seed_tests "$tap_dir/table" >"$tap_dir/said" 2>&1; then
                echo "it passed"
                return 1
        fi
        cat "$tap_dir/said"
        grep -qF "$1" "$tap_dir/said"
}

common=test/live/test_seed_common.c
tap_ok "the seed's tests of transactions, connections and testing have counterparts" \
        ends_in "$figures"
tap_ok "the defects of the seed that are named have tests" \
        grep -qx 'defects: 9; missing: 0' "$tap_dir/said"

tap_ok "a test that exists passes" \
        passes 'tests: 1; covered: 1; not for PostgreSQL: 0; missing: 0' <<END
file a.py 1 required
test_logging $common test_logging
END
tap_ok "what is not required may be missing" \
        passes 'tests: 0; covered: 0; not for PostgreSQL: 0; missing: 0' <<END
file a.py 1
test_logging - not yet
END
tap_ok "a test that is missing is noticed" says 'test_a of a.py is not covered' <<END
file a.py 1 required
test_a - not yet
END
tap_ok "a test that does not exist is noticed" says 'has no test test_a' <<END
file a.py 1 required
test_a $common test_a
END
tap_ok "a second test that does not exist is noticed" says 'has no test test_a' <<END
file a.py 1
test_logging $common test_logging $common test_a
END
tap_ok "a test in a file that does not exist is noticed" says 'nowhere.c has no test' <<END
file a.py 1
test_a nowhere.c test_a
END
tap_ok "a counterpart of another name is noticed" says 'by a test of its name' <<END
file a.py 1 required
test_a $common test_logging
END
tap_ok "a test that was left out is noticed" says 'a.py has 2 tests, and 1 are listed' <<END
file a.py 2 required
test_logging $common test_logging
END
tap_ok "a test that stands there twice is noticed" says 'stands there twice' <<END
file a.py 2 required
test_logging $common test_logging
test_logging $common test_logging
END
tap_ok "a defect without a test is noticed" says 'D9 of defects is not covered' <<END
file defects 1 required
D9 - not yet
END
tap_end
