#!/bin/sh
# Measures pipit beside floors, which are libpq by hand, and pgbench: installs what is missing,
# builds, starts a throw-away PostgreSQL, and runs them in turn, A B A B.
#
#       run.sh [OPTION...]
#
#       --quick           3 pairs of short runs, and fewer points, under 3 minutes; the default
#                         is 9, under 15
#       --pairs N         so many
#       --workload NAME   only what NAME needs: select, get, get-single, insert, insert-grouped,
#                         create-grouped, rows, update, transaction, mixed, chain, connect
#       --json FILE       puts the lines there; the default is in the report's folder
#       --report DIR      where the report goes; the default is build/bench-report
#       --peers           also runs those clients of bench/peers that are installed
#       --tcp             over TCP on this machine instead of a Unix socket
#       --rtt MS          puts a relay in between, which makes a round trip so many milliseconds
#                         longer: the server is as far away as that
#       --data DIR        puts the server's data into a new folder in DIR; the default is memory,
#                         where there is plenty
#       --libpq 17        with libpq 17 and its server, built by test/support/libpq17.sh
#
# The table goes to standard output, what is going on to standard error. The server has its default
# settings, fsync and synchronous_commit on, but for autovacuum, which is off: it would fall into
# some runs and not into others.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
support=$root/test/support
cluster=$support/cluster.sh
# shellcheck source=test/support/common.sh disable=SC1091
. "$support/common.sh"

# shellcheck disable=SC2317 # called by a trap
finish() {
        child_end 10
        [ -z "$relay" ] || kill "$relay" 2>/dev/null || :
        [ -z "$scratch" ] || {
                sh "$cluster" remove "$scratch/data" >&2 || :
                rm -rf "$scratch"
        }
}

# Plots and instructions are left out where there is nothing to make them with.
set_up() {
        sh "$support/setup.sh" build server bench
        sh "$support/setup.sh" bench-more || say 'going on without what is missing'
        [ -z "$libpq" ] || use_libpq17
}

use_libpq17() {
        child_run sh "$support/libpq17.sh" ||
                say 'no PostgreSQL 17 server; measuring libpq 17 with the one of the system'
        prefix=$(sh "$support/libpq17.sh" --no-server)
        export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
        export LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
        [ ! -d "$prefix/bin" ] || export PIPIT_PG_BINDIR="$prefix/bin"
}

compile() {
        [ -e "$build/build.ninja" ] ||
                child_run meson setup --buildtype=release -Db_lto=true -Dtests=disabled "$build" "$root"
        child_run meson compile -C "$build" pipit-bench pipit-bench-count ${rtt:+pipit-relay}
}

data_parent() {
        free=$(df -P -k /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
        if [ -n "$data" ]; then
                echo "$data"
        elif [ "${free:-0}" -gt 4000000 ] && [ -w /dev/shm ]; then
                echo /dev/shm
        else
                echo /tmp
        fi
}

free_port() {
        python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

start_server() {
        scratch=$(mktemp -d "$(data_parent)/pipit-XXXXXX")
        chmod 755 "$scratch"
        sh "$cluster" create "$scratch/data"
        set -- -c fsync=on -c full_page_writes=on -c autovacuum=off
        DATABASE_URL=$(sh "$cluster" url "$scratch/data")
        if [ -n "$tcp" ]; then
                port=$(free_port)
                set -- "$@" -c listen_addresses=127.0.0.1 -c "port=$port"
                DATABASE_URL=postgresql://postgres@127.0.0.1:$port/postgres
        fi
        sh "$cluster" start "$scratch/data" "$@"
        export DATABASE_URL
}

# Where the server listens, as pipit-relay wants it: a path, or a port of this machine.
server_address() {
        if [ -n "$tcp" ]; then
                echo "$port"
        else
                echo "$scratch/data/.s.PGSQL.5432"
        fi
}

# Puts the relay between all subjects and the server. It delays each direction by half.
start_relay() {
        mkdir "$scratch/relay"
        listen=$scratch/relay/.s.PGSQL.5432
        [ -z "$tcp" ] || listen=$(free_port)
        "$build/bench/pipit-relay" --listen "$listen" --server "$(server_address)" \
                --delay "$(awk "BEGIN { print $rtt * 500 }")" >"$scratch/relay/said" &
        relay=$!
        until [ -s "$scratch/relay/said" ]; do
                kill -0 "$relay" || die 'the relay did not start'
        done
        if [ -n "$tcp" ]; then
                DATABASE_URL=postgresql://postgres@127.0.0.1:$listen/postgres
        else
                DATABASE_URL="postgresql:///postgres?host=$scratch/relay&user=postgres"
        fi
}

# What the report says about where it was made.
describe() {
        BENCH_LIBPQ=$(pkg-config --modversion libpq)
        BENCH_DATA=$(stat -f -c %T "$scratch")
        BENCH_BINDIR=$(sh "$cluster" bindir)
        BENCH_PEERS=$root/bench/peers
        export BENCH_LIBPQ BENCH_DATA BENCH_BINDIR BENCH_PEERS
}

# Where npm puts what was installed for all.
find_modules() {
        ! has npm || export NODE_PATH="${NODE_PATH:-$(npm root -g)}"
}

quick='' pairs='' workload='' json='' peers='' tcp='' data='' libpq='' rtt='' relay=''
report=$root/build/bench-report
while [ $# -gt 0 ]; do
        case $1 in
        --quick) quick=yes ;;
        --peers) peers=yes ;;
        --tcp) tcp=yes ;;
        --pairs | --workload | --json | --report | --data | --libpq | --rtt)
                [ $# -gt 1 ] || die "$1: nothing follows"
                case $1 in
                --pairs) pairs=$2 ;;
                --workload) workload=$2 ;;
                --json) json=$2 ;;
                --report) report=$2 ;;
                --data) data=$2 ;;
                --libpq) libpq=$2 ;;
                --rtt) rtt=$2 ;;
                esac
                shift
                ;;
        *) die "unknown option: $1" ;;
        esac
        shift
done
case $libpq in
'' | 17) ;;
*) die "no such libpq: $libpq" ;;
esac

build=$root/build-bench${libpq:+-libpq$libpq}
scratch=''
at_end finish
set_up >&2
compile >&2
start_server >&2
[ -z "$rtt" ] || start_relay >&2
describe
export PYTHONDONTWRITEBYTECODE=1
[ -z "$peers" ] || find_modules
child_run python3 "$root/bench/compare.py" "$build/bench" "$report" ${json:+--json "$json"} \
        ${quick:+--quick} ${pairs:+--pairs "$pairs"} ${workload:+--workload "$workload"} \
        ${peers:+--peers}
