#!/bin/sh
# How much of lib/ the tests run: builds, runs the unit, wire and live suites, and asks gcovr.
#
#       coverage.sh [FOLDER]
#
# With FOLDER, the build stays there, with a report of each line in FOLDER/coverage.html. The lines
# that no test runs go to standard error; the last line is "lines: X %; branches: Y %; functions:
# Z %". Exit status 0 when the tests pass and at least 95 % of the lines are run.
#
# assert() is left out: nothing can be said about the branch that ends the program.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
support=$root/test/support
# shellcheck source=test/support/common.sh disable=SC1091
. "$support/common.sh"

least=95

# shellcheck disable=SC2317
finish() {
        child_end 60
        [ -z "$scratch" ] || rm -rf "$scratch"
}

build() {
        [ -e "$folder/build.ninja" ] ||
                child_run env CC=gcc meson setup -Dtests=enabled -Db_coverage=true \
                        -Doptimization=0 -Ddebug=true "$folder" "$root" || return 1
        child_run meson compile -C "$folder"
}

# A run adds to the counts of the one before.
run_tests() {
        find "$folder" -name '*.gcda' -exec rm -f {} +
        set -- meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 3 \
                --suite unit --suite wire --suite live
        [ -n "${PIPIT_TEST_URL-}" ] || set -- sh "$support/cluster.sh" run -- "$@"
        child_run "$@"
}

# gcovr is asked for the summary in JSON, and for the lines that were missed.
report() {
        set -- -r "$root" --object-directory "$folder" --filter "$root/lib/" \
                --exclude-throw-branches --exclude-branches-by-pattern '.*\bassert\(.*' \
                --json-summary "$folder/coverage.json" --json-summary-pretty
        [ -n "$scratch" ] || set -- "$@" --html-details "$folder/coverage.html"
        gcovr "$@" --txt >&2 || return 1
        python3 - "$folder/coverage.json" "$least" <<'END'
import json
import sys

summary = json.load(open(sys.argv[1]))
parts = ('line', 'branch', 'function')
percent = {part: 100 * summary[f'{part}_covered'] / summary[f'{part}_total'] for part in parts}
print(f'lines: {percent["line"]:.1f} %; branches: {percent["branch"]:.1f} %; '
      f'functions: {percent["function"]:.1f} %')
sys.exit(percent['line'] < float(sys.argv[2]))
END
}

scratch=''
at_end finish
sh "$support/setup.sh" coverage >&2
folder=${1-}
case $folder in
-*) die "unknown option: $folder" ;;
esac
if [ -z "$folder" ]; then
        scratch=$(mktemp -d)
        folder=$scratch/build
fi

build >&2 || die 'the build failed'
status=0
run_tests >&2 || status=1
report || status=1
exit "$status"
