#!/bin/sh
# Builds pipit and runs its tests, from nothing: installs what is missing, and starts a throw-away
# PostgreSQL unless PIPIT_TEST_URL names one.
#
#       run.sh [OPTION...] [-- ARGUMENT...]
#
#       --sanitize              with the address and undefined behaviour sanitizers
#       --valgrind              under valgrind
#       --compiler clang|gcc    with this compiler instead of the system's
#       --libpq 17              with libpq 17 and its server, built by test/support/libpq17.sh
#       --suite NAME            only this suite: unit, wire, live, abi or style; may be repeated
#
# Arguments go to `meson test`. Each combination has a build folder of its own, build... in the
# checkout. With CI set in the environment, warnings are errors. All goes to standard error but the
# last line, "N passed, N failed"; the exit status is 0 if tests ran and none failed. What failed is
# told by the file that PIPIT_TEST_FAILURES names, too: lines are added to it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
support=$root/test/support
# shellcheck source=test/support/common.sh disable=SC1091
. "$support/common.sh"

finish() {
        child_end 60
}

# A step before the tests went wrong, and said so.
give_up() {
        echo '0 passed, 1 failed'
        exit 1
}

check_options() {
        case $compiler in
        '' | clang | gcc) ;;
        *) die "no such compiler: $compiler" ;;
        esac
        case $libpq in
        '' | 17) ;;
        *) die "no such libpq: $libpq" ;;
        esac
        [ -z "$sanitize" ] || [ -z "$valgrind" ] || die 'valgrind cannot run a sanitized program'
}

set_up() {
        sh "$support/setup.sh" test ${valgrind:+valgrind} || return 1
        [ "$compiler" != clang ] || sh "$support/setup.sh" clang || return 1
        [ -z "$libpq" ] || use_libpq17
}

# The library is what counts: without a server of its version, the system's has to do.
use_libpq17() {
        child_run sh "$support/libpq17.sh" ||
                say 'no PostgreSQL 17 server; testing libpq 17 with the one of the system'
        prefix=$(sh "$support/libpq17.sh" --no-server) || return 1
        export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
        export LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
        [ ! -d "$prefix/bin" ] || export PIPIT_PG_BINDIR="$prefix/bin"
}

choose_compiler() {
        case $compiler in
        clang) export CC=clang CXX=clang++ ;;
        gcc) export CC=gcc CXX=g++ ;;
        esac
}

# clang leaves the sanitizers' symbols undefined in a shared library; the program brings them.
configure() {
        [ ! -e "$build/build.ninja" ] || return 0
        set -- -Dtests=enabled
        [ -z "${CI-}" ] || set -- "$@" -Dwerror=true
        [ -z "$sanitize" ] || set -- "$@" -Db_sanitize=address,undefined -Db_lundef=false
        child_run meson setup "$@" "$build" "$root"
}

compile() {
        configure && child_run meson compile -C "$build"
}

set_sanitizers() {
        export ASAN_OPTIONS="detect_leaks=1:${ASAN_OPTIONS-}"
        export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS-}"
}

run_tests() {
        rm -f "$build"/meson-logs/testlog*.json
        [ -z "$sanitize" ] || set -- --timeout-multiplier 3 "$@"
        [ -z "$valgrind" ] || set -- --setup valgrind "$@"
        # The suites are words of one list.
        # shellcheck disable=SC2086
        set -- meson test -C "$build" --no-rebuild --print-errorlogs $suites "$@"
        [ -n "${PIPIT_TEST_URL-}" ] || set -- sh "$support/cluster.sh" run -- "$@"
        child_run "$@"
}

sanitize='' valgrind='' compiler='' libpq='' suites=''
while [ $# -gt 0 ]; do
        case $1 in
        --sanitize) sanitize=yes ;;
        --valgrind) valgrind=yes ;;
        --compiler | --libpq | --suite)
                [ $# -gt 1 ] || die "$1: nothing follows"
                case $1 in
                --compiler) compiler=$2 ;;
                --libpq) libpq=$2 ;;
                --suite) suites="$suites --suite $2" ;;
                esac
                shift
                ;;
        --) break ;;
        *) die "unknown option: $1" ;;
        esac
        shift
done
[ $# -eq 0 ] || shift
check_options

build=$root/build${compiler:+-$compiler}${sanitize:+-sanitize}${valgrind:+-valgrind}
build=$build${libpq:+-libpq$libpq}

at_end finish
set_up >&2 || give_up
choose_compiler
compile >&2 || give_up
[ -z "$sanitize" ] || set_sanitizers
status=0
run_tests "$@" >&2 || status=$?
python3 "$support/count.py" "$build/meson-logs" "$status" "${PIPIT_TEST_FAILURES-}"
