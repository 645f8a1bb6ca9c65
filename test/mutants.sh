#!/bin/sh
# Do the tests see? Plants one bug after the other and has the tests find each.
#
#       mutants.sh [--quick] [NAME...]
#
#       --quick    only the tests that a bug's "# try:" line names
#       NAME       only the bugs whose names have NAME in them
#
# A bug is a patch against lib/, test/mutants/NN-name.patch, planted in a private copy of the tree,
# and not an #ifdef: so lib/ is free of bugs, and no build that ships can have one in it. Its head
# says what it plants, which promise it breaks, and which programs to try first, all or one of
# their cases: "# try: unit_pool live_reconnect:idle". When none of these finds it, all programs of
# the unit, wire and live suites are tried. A patch that does not apply any more, or does not
# build, is a failure: it is to be kept up to date, not removed.
#
# The tree as it is goes first: what finds a bug must be clean without it. Prints a line for each
# bug, with the test that failed and what it said, and last "planted: N; found: N; not found: N;
# seconds: T"; the exit status is 0 when all were found. What is built and run has the sanitizers
# in it; what is missing on this machine is installed first.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
# shellcheck source=test/support/common.sh disable=SC1091
. "$here/support/common.sh"

# Seconds for one program, for one test that does not say otherwise, and milliseconds for what a
# test waits for: a callback that never comes is a failure with words, and not a time-out.
program_limit=120
test_limit=20
patience_ms=8000

# shellcheck disable=SC2317 # at_end calls it
finish() {
        [ -z "$running" ] || kill -s TERM "$running" 2>/dev/null || :
        child_end 60
        [ -z "$work" ] || [ -n "$inside" ] || rm -rf "$work"
}

# ---- what there is

name_of() {
        basename "$1" .patch
}

# The bugs that were asked for.
patches() {
        for patch in "$here"/mutants/*.patch; do
                [ $# -gt 0 ] || echo "$patch"
                for wanted in "$@"; do
                        case $(name_of "$patch") in
                        *"$wanted"*) echo "$patch" ;;
                        esac
                done
        done
}

hints() {
        sed -n 's/^# try: //p' "$1"
}

# Every program, the quick ones first.
programs() {
        for suite in unit wire live; do
                ninja -C "$work/build" -t targets all |
                        sed -n "s|^test/$suite/\(${suite}_[a-z_]*\): .*|\1|p"
        done
}

target_of() {
        echo "test/${1%%_*}/${1%%:*}"
}

# What a program runs besides itself.
helper_of() {
        [ "${1%%:*}" != live_quickstart ] || echo example/quickstart example/transfer
}

# ---- build and run

build() {
        ninja -C "$work/build" "$@" >"$work/build.log" 2>&1
}

# failure_text LINE: the test of a line of TAP and what it said, or what a sanitizer said.
failure_text() {
        text=$(printf '%s' "$1" | sed 's/^not ok [0-9]* - [^:]*:[^:]*:\([^:]*\): */\1: /')
        case $text in
        *'Early exit with return value'*)
                said=$(sed -n -e 's/ on address .*//' \
                        -e 's/.*ERROR: \([A-Za-z]*Sanitizer: .*\)/\1/p' \
                        -e 's/.*runtime error: /UndefinedBehaviorSanitizer: /p' "$work/errors" |
                        head -n 1)
                text="${text%%: *}: ${said:-${text#*: }}"
                ;;
        esac
        printf '%s' "$text" | cut -c 1-240
}

# observe PROGRAM[:CASE]: runs it until a test fails, and sets `failure` to what failed.
observe() {
        set -- "${1%%:*}" "$1"
        export CK_RUN_CASE="${2#"$1"}"
        CK_RUN_CASE=${CK_RUN_CASE#:}
        [ -n "$CK_RUN_CASE" ] || unset CK_RUN_CASE
        timeout -k 5 "$program_limit" "$work/build/$(target_of "$1")" \
                >"$work/tap" 2>"$work/errors" </dev/null &
        running=$!
        failure=$(grep -m 1 '^not ok' "$work/tap") || failure=''
        [ -z "$failure" ] || kill -s TERM "$running" 2>/dev/null || :
        status=0
        wait "$running" 2>/dev/null || status=$? # not a word of the signal
        running=''
        if [ -n "$failure" ]; then
                failure=$(failure_text "$failure")
        elif [ "$status" -ne 0 ]; then
                failure="exit status $status"
        fi
}

# The tree as it is. What has passed is not run again.
check_clean() {
        ! grep -qxF "$1" "$work/clean" || return 0
        # shellcheck disable=SC2046 # nothing, or some
        build "$(target_of "$1")" $(helper_of "$1") ||
                die "the tree does not build: $(tail -n 20 "$work/build.log")"
        observe "$1"
        [ -z "$failure" ] || die "$1 fails without any bug: $failure"
        echo "$1" >>"$work/clean"
}

# The programs that are to find something; one that finds something all the same comes later.
check_all_clean() {
        for patch in $(patches "$@"); do
                hints "$patch" | sed 's/ .*//'
        done | sort -u >"$work/hinted"
        # shellcheck disable=SC2046
        build $(while read -r program; do target_of "$program"; done <"$work/hinted" | sort -u) ||
                die "the tree does not build: $(tail -n 20 "$work/build.log")"
        while read -r program; do
                check_clean "$program"
        done <"$work/hinted"
}

# ---- one bug

plant() {
        patch -d "$work/tree" -p1 -F 0 -s -f "$@" >"$work/patch.log" 2>&1
}

# try PROGRAM...: whether one of them fails; sets `finder` and `failure`.
try() {
        for finder in "$@"; do
                # shellcheck disable=SC2046
                build "$(target_of "$finder")" $(helper_of "$finder") || {
                        finder=''
                        return 1
                }
                observe "$finder"
                [ -z "$failure" ] || return 0
        done
        return 1
}

# hunt PATCH: plants it, and says who found it.
hunt() {
        since=$(date +%s)
        name=$(name_of "$1")
        if ! plant --dry-run <"$1" || ! plant <"$1"; then # all of it, or nothing
                echo "$name: DOES NOT APPLY"
                return 1
        fi
        verdict='NOT FOUND'
        # shellcheck disable=SC2046
        if try $(hints "$1") || { [ -z "$quick" ] && [ -n "$finder" ] && try $(programs); }; then
                verdict="found by ${finder%%_*}/$finder ($failure) in $(($(date +%s) - since)) s"
        elif [ -z "$finder" ]; then
                verdict='DOES NOT BUILD'
        fi
        plant -R <"$1"
        echo "$name: $verdict"
        [ "${verdict#found}" != "$verdict" ] || return 1
        # Maybe it fails without the bug, too.
        check_clean "$finder"
}

# ---- all of them

# In a cluster's environment: all that runs.
hunt_all() {
        started=$1
        shift
        check_all_clean "$@"
        n=0 found_n=0
        for patch in $(patches "$@"); do
                n=$((n + 1))
                ! hunt "$patch" || found_n=$((found_n + 1))
        done
        echo "planted: $n; found: $found_n; not found: $((n - found_n));" \
                "seconds: $(($(date +%s) - started))"
        [ "$n" -gt 0 ] && [ "$n" -eq "$found_n" ]
}

copy_tree() {
        mkdir "$work/tree"
        for part in meson.build meson_options.txt LICENSE README.md .clang-format \
                include lib example doc bench test; do
                [ ! -e "$root/$part" ] || cp -R "$root/$part" "$work/tree"
        done
        mkfifo "$work/tap"
        : >"$work/clean"
        meson setup -Dtests=enabled -Doptimization=1 -Db_sanitize=address,undefined \
                -Db_lundef=false "$work/build" "$work/tree" >"$work/build.log" 2>&1 ||
                die "the tree cannot be set up: $(tail -n 20 "$work/build.log")"
}

work='' running='' quick='' inside=''
started=$(date +%s)
case ${1-} in
--inside) # of a cluster: WORK, when it started, whether quickly
        inside=yes work=$2 started=$3 quick=$4
        shift 4
        ;;
--quick)
        quick=yes
        shift
        ;;
esac

at_end finish
if [ -n "$inside" ]; then
        hunt_all "$started" "$@"
        exit
fi
sh "$here/support/setup.sh" test >&2
work=$(mktemp -d)
chmod 755 "$work"
copy_tree
export CK_TAP_LOG_FILE_NAME=- CK_VERBOSITY=silent CK_DEFAULT_TIMEOUT=$test_limit
export PIPIT_TEST_PATIENCE_MS=$patience_ms
export ASAN_OPTIONS="detect_leaks=1:${ASAN_OPTIONS-}"
export UBSAN_OPTIONS="halt_on_error=1:${UBSAN_OPTIONS-}"
child_run sh "$here/support/cluster.sh" run -- \
        sh "$here/mutants.sh" --inside "$work" "$started" "$quick" "$@"
# shellcheck disable=SC2154 # of common.sh
exit "$child_status"
