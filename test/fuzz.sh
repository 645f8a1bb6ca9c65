#!/bin/sh
# Builds the fuzz targets with clang's libFuzzer and its sanitizers, and runs each for some time,
# from its corpus in test/fuzz/corpus/. What only the server can know is test/chaos.sh's business.
#
#       fuzz.sh [SECONDS [TARGET...]]
#
# SECONDS are for each target, 60 unless given; all targets of test/fuzz/ unless some are named. An
# input that ends a target stays in the build folder, build-fuzz in the checkout, and its path is
# printed: mend the fault, and put the input into the corpus. What the fuzzer has found besides
# grows there from run to run. The last line is "targets: N; runs: N; faults: N"; exit status 0
# without faults.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=test/support/common.sh disable=SC1091
. "$root/test/support/common.sh"

build=$root/build-fuzz

# shellcheck disable=SC2317
finish() {
        child_end 10
}

compile() {
        [ -e "$build/build.ninja" ] ||
                child_run env CC=clang meson setup -Dtests=enabled -Dfuzz=enabled \
                        -Doptimization=1 -Ddebug=true "$build" "$root" || return 1
        programs=''
        for target in $targets; do
                programs="$programs fuzz_$target"
        done
        # The programs are words of one list.
        # shellcheck disable=SC2086
        child_run meson compile -C "$build" $programs
}

# Notes a target's runs in $runs; fails on a fault. Long inputs say nothing new here, and one that
# takes 20 seconds hangs.
run_target() {
        mkdir -p "$build/corpus/$1" "$build/faults"
        status=0
        child_run "$build/test/fuzz/fuzz_$1" -max_total_time="$seconds" -max_len=4096 -timeout=20 \
                -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1 \
                -artifact_prefix="$build/faults/$1-" \
                "$build/corpus/$1" "$root/test/fuzz/corpus/$1" >"$build/$1.log" 2>&1 || status=1
        n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$1.log")
        say "$1: ${n:-0} runs, $(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$build/$1.log" |
                tail -n 1) edges"
        runs=$((runs + ${n:-0}))
        [ "$status" -eq 0 ] || tail -n 40 "$build/$1.log" >&2
        return "$status"
}

seconds=60
if [ $# -gt 0 ]; then
        seconds=$1
        shift
fi
targets=${*:-startup pipeline decode binary conninfo sql log dns}

at_end finish
sh "$root/test/support/setup.sh" test fuzz >&2
compile >&2 || die 'the build failed'
export ASAN_OPTIONS="detect_leaks=1:${ASAN_OPTIONS-}"
runs=0
faults=0
n_targets=0
for name in $targets; do
        n_targets=$((n_targets + 1))
        run_target "$name" || faults=$((faults + 1))
done
echo "targets: $n_targets; runs: $runs; faults: $faults"
[ "$faults" -eq 0 ]
