#!/bin/sh
# Runs a throw-away PostgreSQL in a folder of its own, on a Unix socket in that folder.
#
#       cluster.sh create DIR                   a new cluster; DIR must not exist or be empty
#       cluster.sh standby DIR OF               a new cluster that follows the one in OF, which runs
#       cluster.sh start DIR [OPTION...]        starts it; options go to postgres
#       cluster.sh stop DIR [fast|immediate|smart]
#       cluster.sh kill DIR                     as if the server had crashed
#       cluster.sh url DIR                      its connection URL
#       cluster.sh remove DIR                   stops it and removes DIR
#       cluster.sh run [--] COMMAND...          runs COMMAND with DATABASE_URL and PIPIT_TEST_URL
#                                               naming a cluster that lives as long as it does
#       cluster.sh bindir                       where the server's programs are
#
# PIPIT_PG_BINDIR chooses the server's programs. PIPIT_CLUSTER_TEMPLATE names a folder: the first
# cluster is copied there, and later ones from there. `run` sets it for its COMMAND, and TMPDIR, and
# removes at its end what COMMAND left: clusters, and files in TMPDIR.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/support/common.sh disable=SC1091
. "$here/common.sh"

# ---- who and with what

newest_server() {
        for initdb in /usr/lib/postgresql/*/bin/initdb; do
                [ ! -x "$initdb" ] || dirname "$initdb"
        done | sort -V | tail -n 1
}

# Debian keeps the server's programs out of PATH, one folder a version.
find_bindir() {
        bindir=${PIPIT_PG_BINDIR:-$(newest_server)}
        if [ -z "$bindir" ] && has initdb; then
                bindir=$(dirname "$(command -v initdb)")
        fi
        [ -x "$bindir/initdb" ] || die 'no PostgreSQL server found'
}

# PostgreSQL refuses to run as root. The owner of the clusters is then postgres, or nobody.
find_owner() {
        owner=''
        [ "$(id -u)" -eq 0 ] || return 0
        for owner in postgres nobody; do
                ! id "$owner" >/dev/null 2>&1 || return 0
        done
        die 'running as root, and there is no user postgres or nobody to run the server as'
}

# setpriv first: it becomes the command, where the others stay around as its parent.
as_owner() {
        if [ -z "$owner" ]; then
                "$@"
        elif has setpriv; then
                setpriv --reuid="$owner" --regid="$(id -g "$owner")" --init-groups -- "$@"
        elif has runuser; then
                runuser -u "$owner" -- "$@"
        else
                # The inner shell takes the words apart.
                # shellcheck disable=SC2016
                su -s /bin/sh -c 'exec "$0" "$@"' "$owner" -- "$@"
        fi
}

# A signal meant for us must not end pg_ctl or initdb half-way: their server would be left behind.
# They are quick; the signal's trap runs when they are done.
undisturbed() {
        (
                trap '' HUP INT TERM
                "$@"
        )
}

# Runs one of the server's programs. pg_ctl takes Ctrl-C even if told to ignore it; in a session of
# its own it does not see it.
server_program() {
        program=$bindir/$1
        shift
        cd "$dir" || return 1
        if has setsid; then
                as_owner setsid -w "$program" "$@"
        else
                as_owner "$program" "$@"
        fi
}

# ---- create

# The name in a socket's address has room for some hundred bytes.
check_length() {
        socket=$dir/.s.PGSQL.5432
        [ "${#socket}" -lt 100 ] || die "the folder's name is too long for a socket: $dir"
}

initialise() {
        server_program initdb -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 \
                --no-sync --no-instructions >"$dir/initdb.log" 2>&1 || {
                cat "$dir/initdb.log" >&2
                die "initdb failed: $dir"
        }
        rm "$dir/initdb.log"
}

# The rename makes the template appear complete; of two who make it at once one is first, and the
# other's copy goes.
save_template() {
        draft=$(mktemp -d "$template/draft.XXXXXX")
        cp -a "$dir/data" "$draft/data"
        mv -T "$draft/data" "$template/data" 2>/dev/null || :
        rm -rf "$draft"
}

make_data() {
        template=${PIPIT_CLUSTER_TEMPLATE-}
        if [ -z "$template" ]; then
                initialise
        elif [ -d "$template/data" ]; then
                cp -a "$template/data" "$dir/data"
        else
                mkdir -p "$template"
                initialise
                save_template
        fi
}

# Copies a cluster that runs, so that the copy follows it once it is started.
follow() {
        server_program pg_basebackup -D "$dir/data" -R -X stream -c fast --no-sync \
                -d "host=$1 user=postgres" >"$dir/basebackup.log" 2>&1 || {
                cat "$dir/basebackup.log" >&2
                die "pg_basebackup failed: $dir"
        }
}

standby() {
        make_folder
        undisturbed follow "$1"
}

create() {
        make_folder
        undisturbed make_data
}

# The list is what `run` looks through at its end.
make_folder() {
        find_bindir
        check_length
        mkdir -p "$dir"
        [ -z "$(ls -A "$dir")" ] || die "not empty: $dir"
        : >"$dir/pipit-cluster"
        chmod 755 "$dir"
        [ -z "$owner" ] || chown "$owner" "$dir"
        [ -z "${PIPIT_CLUSTER_LIST-}" ] || echo "$dir" >>"$PIPIT_CLUSTER_LIST"
}

# ---- start, stop, kill

# The words as pg_ctl wants them: in one string, for a shell to take apart.
quoted() {
        for word in "$@"; do
                printf " '%s'" "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")"
        done
}

control() {
        undisturbed server_program pg_ctl -s -w -t 60 -D "$dir/data" "$@"
}

# Shared memory of the kind "mmap" is in files of the cluster's folder, so that a killed server
# leaves none of it elsewhere. Later options win over earlier ones.
start() {
        find_bindir
        options=$(quoted -p 5432 -k "$dir" -c listen_addresses= -c max_connections=100 -c fsync=off \
                -c full_page_writes=off -c dynamic_shared_memory_type=mmap "$@")
        control -l "$dir/log" -o "$options" start </dev/null >/dev/null && return
        [ ! -e "$dir/log" ] || tail -n 20 "$dir/log" >&2
        die "the server did not start: $dir"
}

# The process that its lock file names, if it is this cluster's: a crash leaves the file behind,
# and its number may be somebody else's by now.
find_postmaster() {
        [ -e "$dir/data/postmaster.pid" ] || return 1
        postmaster=$(head -n 1 "$dir/data/postmaster.pid")
        ! ended "$postmaster" || return 1
        [ ! -d "/proc/$postmaster/cwd" ] ||
                [ "$(readlink -f "/proc/$postmaster/cwd")" = "$(readlink -f "$dir/data")" ]
}

stop() {
        find_postmaster || return 0
        find_bindir
        control -m "${1:-fast}" stop >/dev/null
}

children() {
        cat "/proc/$1/task/$1/children" 2>/dev/null || pgrep -P "$1" || :
}

# A killed server leaves a small System V segment, its guard against being started twice. Line 7
# of its lock file has the key and the number; it goes if both still fit and nobody is attached.
remove_segment() {
        [ -r /proc/sysvipc/shm ] && has ipcrm || return 0
        segment=$(sed -n 7p "$dir/data/postmaster.pid" | awk '{ print $1, $2 }')
        number=$(awk -v segment="$segment" \
                '$1 " " $2 == segment && $7 == 0 { print $2 }' /proc/sysvipc/shm)
        [ -z "$number" ] || ipcrm -m "$number" || :
}

# What a dead server left, but for its socket: that refuses connections, as after a crash. The
# lock files would keep the next one from starting until init has reaped the dead one.
remove_locks() {
        [ -e "$dir/data/postmaster.pid" ] || return 0
        remove_segment
        rm -f "$dir/data/postmaster.pid" "$dir"/.s.PGSQL.*.lock
}

# The server's children see its death and end. One that is too busy to see it is killed too: the
# next start would fail while it holds on to the shared memory.
kill_postmaster() {
        left=$(children "$postmaster")
        kill -s KILL "$postmaster"
        for process in $postmaster $left; do
                wait_ended "$process" 1 || kill -s KILL "$process" 2>/dev/null || :
                wait_ended "$process" 10 || die "process $process does not end"
        done
        remove_locks
}

# ---- url, remove

# A folder's name may have characters that mean something in a URL.
url() {
        printf 'postgresql:///postgres?host=%s&user=postgres\n' "$(printf '%s' "$dir" |
                sed -e 's/%/%25/g' -e 's/ /%20/g' -e 's/&/%26/g' -e 's/#/%23/g' -e 's/+/%2B/g' \
                        -e 's/?/%3F/g' -e 's/=/%3D/g' -e 's/,/%2C/g')"
}

# Nothing is removed but what `create` made.
remove() {
        [ -e "$dir" ] || return 0
        [ -e "$dir/pipit-cluster" ] || die "not made by cluster.sh: $dir"
        if find_postmaster && ! stop immediate; then
                wait_ended "$postmaster" 5 || kill_postmaster
        fi
        remove_locks
        rm -rf "$dir"
}

# ---- run

# Memory, where there is plenty: many small files are made and removed several times faster there.
default_parent() {
        free=$(df -P -k /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
        if [ "${free:-0}" -gt 1000000 ] && [ -w /dev/shm ]; then
                echo /dev/shm
        else
                echo /tmp
        fi
}

# Where the cluster's owner can reach its folder, and the name is short.
scratch_folder() {
        parent=${TMPDIR:-$(default_parent)}
        if [ "${#parent}" -gt 50 ] || ! as_owner test -x "$parent"; then
                parent=$(default_parent)
        fi
        mktemp -d "$parent/pipit-XXXXXX"
}

# COMMAND must reach this server, whatever the caller's environment says about others. Its own
# temporary files go when the cluster goes, even if it crashed.
set_environment() {
        for name in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do
                unset "$name"
        done
        DATABASE_URL=$(url)
        PIPIT_TEST_URL=$DATABASE_URL
        TMPDIR=$scratch
        export DATABASE_URL PIPIT_TEST_URL TMPDIR
}

remove_listed() {
        while read -r dir; do
                [ ! -e "$dir/pipit-cluster" ] || remove
        done <"$PIPIT_CLUSTER_LIST"
}

finish_run() {
        child_end 10
        [ -n "$scratch" ] || return 0
        [ ! -e "$PIPIT_CLUSTER_LIST" ] || remove_listed
        rm -rf "$scratch"
}

run() {
        [ "${1-}" != -- ] || shift
        [ $# -gt 0 ] || die 'run: no command'
        scratch=''
        at_end finish_run
        scratch=$(scratch_folder)
        PIPIT_CLUSTER_LIST=$scratch/list
        PIPIT_CLUSTER_TEMPLATE=${PIPIT_CLUSTER_TEMPLATE:-$scratch/template}
        export PIPIT_CLUSTER_LIST PIPIT_CLUSTER_TEMPLATE
        chmod 755 "$scratch"
        dir=$scratch/main
        create
        start -c max_connections=100
        set_environment
        child_run "$@"
}

# ----

absolute() {
        case $1 in
        /*) echo "$1" ;;
        *) echo "$PWD/$1" ;;
        esac
}

command=${1-}
case $command in
run | bindir) shift ;;
create | standby | start | stop | kill | url | remove)
        [ -n "${2-}" ] || die "$command: no folder"
        dir=$(absolute "$2")
        shift 2
        ;;
*) die 'usage: cluster.sh create|standby|start|stop|kill|url|remove DIR, run COMMAND, or bindir' ;;
esac

find_owner
case $command in
bindir)
        find_bindir
        echo "$bindir"
        ;;
kill)
        find_postmaster || die "not running: $dir"
        kill_postmaster
        ;;
*) "$command" "$@" ;;
esac
