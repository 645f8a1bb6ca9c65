#!/bin/sh
# Builds the quickstart and runs it, from nothing: installs what is missing, and starts a throw-away
# PostgreSQL unless DATABASE_URL names one. Leaves no process and no file behind.
#
# PIPIT_BUILD names a build folder to use and keep. Standard output has only the program's lines,
# and the exit status is the program's.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
support=$root/test/support
# shellcheck source=test/support/common.sh disable=SC1091
. "$support/common.sh"

finish() {
        child_end 60
        [ -z "$scratch" ] || rm -rf "$scratch"
}

set_up() {
        if [ -n "${DATABASE_URL-}" ]; then
                sh "$support/setup.sh" build
        else
                sh "$support/setup.sh" build server
        fi
}

choose_folder() {
        build=${PIPIT_BUILD-}
        [ -z "$build" ] || return 0
        scratch=$(mktemp -d "${TMPDIR:-/tmp}/pipit-quickstart-XXXXXX")
        build=$scratch/build
}

build() {
        [ -e "$build/build.ninja" ] || child_run meson setup -Dtests=disabled "$build" "$root"
        child_run meson compile -C "$build" quickstart
}

run() {
        if [ -n "${DATABASE_URL-}" ]; then
                child_run "$build/example/quickstart"
        else
                child_run sh "$support/cluster.sh" run -- "$build/example/quickstart"
        fi
}

scratch=''
at_end finish
set_up
choose_folder
build >&2
run
