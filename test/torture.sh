#!/bin/sh
# The whole of the torture, of which `sh test/run.sh` runs a part: memory that runs out at every
# allocation of pipit, libevent, libpq and the C library, once and from then on; and the link to a
# real server cut after every byte, in both directions, by FIN and by RST.
#
#       torture.sh [--build DIR]        DIR: a build folder that is there, instead of build/
#
# All goes to standard error but the last line, the figures; the exit status is 0 only when there
# are no failures.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
support=$root/test/support
# shellcheck source=test/support/common.sh disable=SC1091
. "$support/common.sh"

build=''
if [ "${1-}" = --build ] && [ $# -eq 2 ]; then
        build=$2
elif [ $# -gt 0 ]; then
        die 'usage: torture.sh [--build DIR]'
fi

scratch=$(mktemp -d)
finish() {
        child_end 60
        rm -rf "$scratch"
}
at_end finish

compile() {
        if [ -z "$build" ]; then
                build=$root/build
                sh "$support/setup.sh" test || return 1
                [ -e "$build/build.ninja" ] || meson setup -Dtests=enabled "$build" "$root" || return 1
        fi
        ninja -C "$build" test/torture/torture_alloc test/torture/torture_cut
}

# A program's output is kept for the figures; its status counts as one failure at least.
program() {
        name=$1
        shift
        env "$@" >"$scratch/$name" 2>&1 || echo "# failed: $name" >>"$scratch/$name"
}

# The number of the program's own timers on the loop decides which event_add() takes memory: with 8
# the first, with 7 the second and so on.
allocations() {
        for timers in "$@"; do
                program "alloc-$timers" PIPIT_TORTURE_TIMERS="$timers" CK_VERBOSITY=normal \
                        "$build/test/torture/torture_alloc"
        done
}

allocations_by_name() {
        for timers in 0 8; do
                program "alloc-name-$timers" PIPIT_TORTURE_TIMERS=$timers PIPIT_TORTURE_NAME=1 \
                        CK_VERBOSITY=normal "$build/test/torture/torture_alloc"
        done
}

cuts() {
        for end in fin reset; do
                program "cut-$end" PIPIT_TORTURE_FULL=1 CK_VERBOSITY=normal CK_RUN_CASE=$end \
                        PIPIT_TEST_URL=own "$build/test/torture/torture_cut" &
        done
        wait
}

# The sum of the numbers behind a label.
total() {
        cat "$scratch"/* | sed -n "s/^# $1[^:]*: \\([0-9]*\\).*/\\1/p" | awk '{ n += $1 } END { print n + 0 }'
}

failures() {
        cat "$scratch"/* | awk '/^# .*failures: /{ sub(/.*failures: /, ""); n += $0 }
                /^# failed: /{ n++ } END { print n + 0 }'
}

compile >&2 || {
        echo 'allocation points: 0; modes: 2; cut points: 0; failures: 1'
        exit 1
}
# They wait more than they compute.
allocations 0 8 7 &
allocations 6 5 &
allocations_by_name &
cuts
wait
cat "$scratch"/* >&2
points=$(total 'allocation points (once)')
cut_points=$(total 'cut points')
failed=$(failures)
echo "allocation points: $points; modes: 2; cut points: $cut_points; failures: $failed"
[ "$failed" -eq 0 ] && [ "$points" -gt 0 ] && [ "$cut_points" -gt 0 ]
