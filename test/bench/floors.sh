#!/bin/sh
# floors.sh ROOT PROGRAM: pipit-bench does each workload by each subject, and a wrong answer ends
# it.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
root=$1
bench=$2

# Its tables are not made in a database that somebody else started.
if [ -z "${PIPIT_BENCH_CLUSTER-}" ]; then
        if ! sh "$root/test/support/cluster.sh" bindir >/dev/null 2>&1; then
                echo '1..0 # SKIP no PostgreSQL'
                exit 0
        fi
        PIPIT_BENCH_CLUSTER=yes exec sh "$root/test/support/cluster.sh" run -- sh "$0" "$@"
fi

schema() {
        psql -Xq "$DATABASE_URL" -v ON_ERROR_STOP=1 -f "$root/bench/schema.sql"
}

# A line of JSON with numbers in it: neither nothing nor a division by 0.
runs() {
        "$bench" --connections 2 --in-flight 8 --tasks 30 --workload "$1" --subject "$2" \
                >"$tap_dir/line"
        cat "$tap_dir/line"
        python3 -c 'import json, sys
line = json.load(sys.stdin)
assert line["per_second"] > 0 and line["p99_us"] >= line["p50_us"] > 0 and line["tasks"] == 30' \
                <"$tap_dir/line"
}

# complains WORKLOAD SUBJECT: it ends with an error that says why.
complains() {
        ! "$bench" --in-flight 8 --tasks 20000 --workload "$1" --subject "$2" 2>"$tap_dir/said" &&
                grep -q 'a wrong answer' "$tap_dir/said"
}

# warms_up SUBJECT: it counts only when each that was in flight at first has ended.
warms_up() {
        "$bench" --connections 2 --in-flight 8 --warm-up 1 --seconds 0.05 --subject "$1" \
                >"$tap_dir/line"
        cat "$tap_dir/line"
        python3 -c 'import json, sys
line = json.load(sys.stdin)
assert line["warm_up_tasks"] > line["in_flight"] and line["tasks"] > 0' <"$tap_dir/line"
}

# refuses WORKLOAD SUBJECT: it says how it is to be used.
refuses() {
        ! "$bench" --workload "$1" --subject "$2" 2>"$tap_dir/said" && grep -q usage "$tap_dir/said"
}

schema
floors='floor-single floor-sync-each floor-sync-shared'
for workload in select get insert create-grouped rows update mixed mixed-base chain; do
        for subject in pipit $floors; do
                tap_ok "$subject does $workload" runs "$workload" "$subject"
        done
done
tap_ok "floor-coalesced does get" runs get floor-coalesced
tap_ok "pipit does get-single" runs get-single pipit
tap_ok "pipit does insert-grouped" runs insert-grouped pipit
tap_ok "pipit does connect" runs connect pipit
tap_ok "floor-single does connect" runs connect floor-single
for subject in pipit floor-single floor-one-trip floor-sync-each; do
        tap_ok "$subject does transaction" runs transaction "$subject"
done
for subject in pipit floor-sync-shared; do
        tap_ok "$subject is warm before it counts" warms_up "$subject"
done
tap_ok "floor-coalesced does not do rows" refuses rows floor-coalesced
tap_ok "floor-one-trip does not do update" refuses update floor-one-trip
tap_ok "there is no workload of that name" refuses nothing pipit

psql -Xq "$DATABASE_URL" -c 'UPDATE bench_read SET value = value + 1 WHERE id % 100 = 0' \
        -c 'UPDATE bench_rows SET value = value + 1 WHERE id = 500'
for subject in pipit $floors floor-coalesced; do
        tap_ok "$subject notices a wrong row" complains get "$subject"
done
for subject in pipit $floors; do
        tap_ok "$subject notices a wrong row of many" complains rows "$subject"
done
psql -Xq "$DATABASE_URL" -c 'DELETE FROM bench_update WHERE id % 100 = 0'
for subject in pipit floor-single floor-one-trip floor-sync-each; do
        tap_ok "$subject notices a row that is gone" complains transaction "$subject"
done
tap_end
