#!/bin/sh
# Chaos: pipit under faults that come from a seed.
#
#       chaos.sh --live SECONDS [--transactions] [--seed S] [--sanitize]
#       chaos.sh --schedules N [--seed S]
#       chaos.sh --cancel N [--seed S] [--sanitize]
#       chaos.sh --ddl SECONDS [--fresh] [--seed S] [--sanitize]
#       chaos.sh --pooler SECONDS [--seed S] [--sanitize]
#
#       --schedules N      so many runs of the simulation in test/schedule, with sanitizers, on all
#                          cores; what fails is written to SEED.sched in the current folder
#       --cancel N         so many cancels and deadlines at random times, on a real PostgreSQL
#       --live SECONDS     a real PostgreSQL behind the fault proxy, under load for so long
#       --ddl SECONDS      a real PostgreSQL under load for so long, while another program changes the
#                          types of columns, makes enums, tables and schemas anew, and ends
#                          connections: figures are `wrong` values, `lost` and `doubled` requests,
#                          and those that `failed` though nothing in the server's state explains it
#                          (a value that does not fit its column is `unfit`, a table that is not
#                          there at that moment is `missing`, a connection that was ended is `ended`)
#       --fresh            with --ddl: each statement has a text of its own, so that nothing that was
#                          learned of one can be out of date; shows that the program judges rightly
#       --pooler SECONDS   a real PostgreSQL behind PgBouncer, in transaction and in session mode for so
#                          long each, while requests are cancelled, sessions end, and the pooler
#                          pauses, restarts and is killed; skipped where PgBouncer cannot be had
#       --sanitize         with the address and undefined behaviour sanitizers
#
# The last line has the figures, `name: value` pairs; the exit status is 0 if all is clean. The rest
# goes to standard error. The build is in build-chaos... of the checkout, or PIPIT_CHAOS_BUILD.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
support=$root/test/support
# shellcheck source=test/support/common.sh disable=SC1091
. "$support/common.sh"

# More than that many KiB a minute is growth; sanitizers keep what was freed.
slope_limit=512

finish() {
        child_end 60
}

configure() {
        [ ! -e "$build/build.ninja" ] || return 0
        set -- -Dtests=enabled -Dbuildtype=debugoptimized
        [ -z "$sanitize" ] || set -- "$@" -Db_sanitize=address,undefined -Db_lundef=false
        child_run meson setup "$@" "$build" "$root"
}

# compile TARGET
compile() {
        sh "$support/setup.sh" test && configure && child_run ninja -C "$build" "$1"
}

run_live() {
        build=${PIPIT_CHAOS_BUILD:-$root/build-chaos}${sanitize:+-sanitize}
        compile test/chaos/chaos-live >&2 || die 'it does not build'
        [ -z "$sanitize" ] || slope_limit=0
        child_run sh "$support/cluster.sh" run -- "$build/test/chaos/chaos-live" \
                --script "$support/cluster.sh" --seconds "$seconds" --seed "$seed" \
                --slope "$slope_limit" --transactions "$transactions"
}

run_cancel() {
        build=${PIPIT_CHAOS_BUILD:-$root/build-chaos}${sanitize:+-sanitize}
        compile test/chaos/chaos-cancel >&2 || die 'it does not build'
        child_run sh "$support/cluster.sh" run -- "$build/test/chaos/chaos-cancel" \
                --count "$count" --seed "$seed"
}

run_ddl() {
        build=${PIPIT_CHAOS_BUILD:-$root/build-chaos}${sanitize:+-sanitize}
        compile test/chaos/chaos-ddl >&2 || die 'it does not build'
        child_run sh "$support/cluster.sh" run -- "$build/test/chaos/chaos-ddl" \
                --seconds "$seconds" --seed "$seed" --fresh "$fresh"
}

# Once for each mode; both have their line of figures.
run_pooler() {
        sh "$support/setup.sh" pooler || {
                say 'skipped: PgBouncer is not here'
                return 0
        }
        build=${PIPIT_CHAOS_BUILD:-$root/build-chaos}${sanitize:+-sanitize}
        compile test/chaos/chaos-pooler >&2 || die 'it does not build'
        result=0
        for pool_mode in transaction session; do
                child_run sh "$support/cluster.sh" run -- "$build/test/chaos/chaos-pooler" \
                        --script "$support/cluster.sh" --seconds "$seconds" --seed "$seed" \
                        --mode "$pool_mode" || result=$?
        done
        return "$result"
}

run_schedules() {
        build=${PIPIT_CHAOS_BUILD:-$root/build-chaos}-sanitize
        sanitize=yes
        compile test/schedule/schedules >&2 || die 'it does not build'
        child_run "$build/test/schedule/schedules" --schedules "$count" --seed "$seed"
}

is_number() {
        case $1 in
        '' | *[!0-9]*) die "not a number: $1" ;;
        esac
}

mode='' seconds='' count='' seed=1 sanitize='' transactions=0 fresh=0
while [ $# -gt 0 ]; do
        case $1 in
        --sanitize) sanitize=yes ;;
        --transactions) transactions=1 ;;
        --fresh) fresh=1 ;;
        --live | --schedules | --cancel | --ddl | --pooler | --seed)
                [ $# -gt 1 ] || die "$1: nothing follows"
                is_number "$2"
                case $1 in
                --live) mode=live seconds=$2 ;;
                --schedules) mode=schedules count=$2 ;;
                --cancel) mode=cancel count=$2 ;;
                --ddl) mode=ddl seconds=$2 ;;
                --pooler) mode=pooler seconds=$2 ;;
                --seed) seed=$2 ;;
                esac
                shift
                ;;
        *) die "unknown option: $1" ;;
        esac
        shift
done

at_end finish
case $mode in
live) run_live ;;
schedules) run_schedules ;;
cancel) run_cancel ;;
ddl) run_ddl ;;
pooler) run_pooler ;;
*)
        die 'usage: chaos.sh --live SECONDS [--transactions] | --schedules N | --cancel N' \
                '| --ddl SECONDS [--fresh] | --pooler SECONDS [--seed S] [--sanitize]'
        ;;
esac
