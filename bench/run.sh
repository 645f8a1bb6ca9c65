#!/bin/sh
# Runs pipit and its libpq floor in turn, A B A B, on a throw-away server, and prints the ratio of
# each pair: min, median, max. Usage: sh bench/run.sh [PAIRS]
set -eu

pairs=${1:-5}
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

if [ -z "${PIPIT_BENCH_INSIDE:-}" ]; then
        sh "$root/test/support/setup.sh" build >&2
        build=$(mktemp -d)
        trap 'rm -rf "$build"' EXIT
        meson setup "$build" "$root" --buildtype=release -Dtests=disabled >&2
        meson compile -C "$build" pipit-bench >&2
        PIPIT_BENCH_INSIDE=$build sh "$root/test/support/cluster.sh" run -- sh "$0" "$pairs"
        exit
fi

bench=$PIPIT_BENCH_INSIDE/bench/pipit-bench
psql -q "$DATABASE_URL" -c 'CREATE TABLE bench (id int PRIMARY KEY, value int NOT NULL)' \
        -c 'INSERT INTO bench SELECT i, i * 7 FROM generate_series(0, 999) AS i' \
        -c 'VACUUM ANALYZE bench' >&2

# The value of a key in a JSON line of pipit-bench.
value() {
        printf '%s\n' "$2" | sed "s/.*\"$1\": \([0-9.]*\).*/\1/"
}

# One point: so many connections, requests in flight, requests in all.
point() {
        i=0
        ratios=''
        while [ "$i" -lt "$pairs" ]; do
                pipit=$("$bench" pipit "$1" "$2" "$3")
                floor=$("$bench" floor "$1" "$2" "$3")
                printf '%s\n%s\n' "$pipit" "$floor" >&2
                ratios="$ratios $(value per_second "$pipit")/$(value per_second "$floor")"
                cpu="${cpu:-} $(value cpu_us_per_query "$pipit")/$(value cpu_us_per_query "$floor")"
                i=$((i + 1))
        done
        printf 'select, %s connections, %s in flight: ' "$1" "$2"
        spread "queries a second, pipit/floor" $ratios
        printf 'select, %s connections, %s in flight: ' "$1" "$2"
        spread "client CPU a query, pipit/floor" $cpu
        cpu=''
}

spread() {
        what=$1
        shift
        printf '%s\n' "$@" | awk -F/ '{ print $1 / $2 }' | sort -n | awk -v what="$what" '
                { r[NR] = $1 }
                END { printf "%s: min %.2f, median %.2f, max %.2f\n", what, r[1],
                      r[int((NR + 1) / 2)], r[NR] }'
}

point 1 1 20000
point 8 64 100000
