#!/bin/sh
# Makes sure that what the project needs is on this machine, and installs what is missing.
#
#       setup.sh [GROUP...]
#
#       build      compiler, meson, libevent, libpq: what the library and the examples need
#       server     the PostgreSQL server, for a throw-away cluster
#       test       build, server, and what the tests need besides
#       valgrind   valgrind
#       clang      clang with its sanitizers
#       static     clang-tidy and cppcheck, for test/static.sh
#       coverage   gcovr, for test/coverage.sh
#       docs       Doxygen, for the documentation and its test
#       fuzz       clang with libFuzzer, for test/fuzz.sh
#       pooler     PgBouncer, for test/chaos.sh and live tests
#       libpq17    what test/support/libpq17.sh needs
#       bench      what bench/run.sh needs besides build and server
#       bench-more what it does without, too: plots, counted instructions
#
# Says nothing and changes nothing when all is there. Installs with apt-get, as root or through
# sudo; where that cannot be, prints what to install and exits 1.
#
# Most functions here are called by name, through `need` and `look`.
# shellcheck disable=SC2317
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/support/common.sh disable=SC1091
. "$here/common.sh"

compiles() {
        printf '%s\n' "$1" | ${CC:-cc} -E -x c - >/dev/null 2>&1
}

any_of() {
        for program in "$@"; do
                ! has "$program" || return 0
        done
        return 1
}

# Asking meson itself takes half a second; the package's version is known at once.
meson_version() {
        if [ "$(command -v meson)" = /usr/bin/meson ] && has dpkg-query; then
                dpkg-query -W -f '${Version}' meson 2>/dev/null && return
        fi
        meson --version
}

meson_is_new() {
        has meson && [ "$(meson_version | cut -d . -f 1)" -ge 1 ]
}

ctags_is_universal() {
        has ctags && ctags --version 2>/dev/null | grep -q Universal
}

clang_sanitizes() {
        has clang || return 1
        builtins=$(clang --rtlib=compiler-rt -print-libgcc-file-name)
        [ -e "$builtins" ]
}

clang_runtime() {
        has clang || { echo libclang-rt-dev; return; }
        echo "libclang-rt-$(clang -dumpversion | cut -d . -f 1)-dev"
}

# need WHAT PACKAGES TEST...: notes WHAT and its Debian packages as missing unless TEST succeeds.
need() {
        what=$1
        debian=$2
        shift 2
        "$@" >/dev/null 2>&1 && return
        packages="$packages $debian"
        missing="$missing
        $what (Debian: $debian)"
}

need_build() {
        need 'a C compiler and the C library headers' 'gcc libc6-dev' compiles '#include <stdlib.h>'
        need 'meson 1.0 or newer' meson meson_is_new
        need 'ninja' ninja-build any_of ninja ninja-build samu
        need 'pkg-config' pkg-config any_of pkg-config pkgconf
        need 'libevent 2.1 with headers' libevent-dev \
                pkg-config --exists 'libevent_core >= 2.1' libevent_extra
        need 'libpq 14.5 or newer with headers' libpq-dev pkg-config --atleast-version=14.5 libpq
        need 'uthash (headers)' uthash-dev compiles '#include <uthash.h>'
}

need_server() {
        need 'a PostgreSQL server (initdb, pg_ctl, postgres)' postgresql sh "$here/cluster.sh" bindir
}

need_test() {
        need_build
        need_server
        need 'Check' check pkg-config --exists check
        need 'a C++ compiler' g++ any_of c++ g++ clang++
        need 'universal-ctags' universal-ctags ctags_is_universal
        need 'clang-format' clang-format has clang-format
        need 'python3' python3 has python3
        need 'patch' patch has patch
}

need_valgrind() {
        need 'valgrind' 'valgrind libc6-dbg' has valgrind
}

need_clang() {
        need 'clang with its sanitizer runtime' "clang $(clang_runtime)" clang_sanitizes
}

need_static() {
        need 'gcc' gcc has gcc
        need 'clang' clang has clang
        need 'clang-tidy' clang-tidy has clang-tidy
        need 'cppcheck' cppcheck has cppcheck
        need 'python3' python3 has python3
}

need_coverage() {
        need_test
        need 'gcc' gcc has gcc
        need 'gcovr' gcovr has gcovr
}

need_docs() {
        need 'Doxygen' doxygen has doxygen
        need 'python3' python3 has python3
        need 'awk' mawk has awk
}

# libFuzzer is a part of clang's runtime.
need_fuzz() {
        need_build
        need_clang
}

# Debian keeps it out of the PATH of users.
bouncer_is_here() {
        has pgbouncer || [ -x /usr/sbin/pgbouncer ]
}

need_pooler() {
        need 'PgBouncer' pgbouncer bouncer_is_here
}

need_libpq17() {
        need 'a C compiler and the C library headers' 'gcc libc6-dev' compiles '#include <stdlib.h>'
        need 'make' make has make
        need 'bison' bison has bison
        need 'flex' flex has flex
        need 'perl' perl perl -MFindBin -MData::Dumper -e 1
        need 'bzip2' bzip2 has bzip2
        need 'xz' xz-utils has xz
        need 'OpenSSL headers' libssl-dev compiles '#include <openssl/ssl.h>'
        need 'zlib headers' zlib1g-dev compiles '#include <zlib.h>'
        need 'the Debian archive keyring' debian-archive-keyring \
                test -e /usr/share/keyrings/debian-archive-keyring.gpg
}

need_bench() {
        need 'python3' python3 has python3
        need 'psql' postgresql-client has psql
}

need_bench_more() {
        need 'gnuplot' gnuplot-nox has gnuplot
        need 'valgrind' 'valgrind libc6-dbg' has valgrind
}

# Fills in $packages and $missing for the groups named.
look() {
        packages=''
        missing=''
        for group in "$@"; do
                case $group in
                build | server | test | valgrind | clang) "need_$group" ;;
                static | coverage | docs | fuzz | pooler | libpq17 | bench) "need_$group" ;;
                bench-more) need_bench_more ;;
                *) die "unknown group: $group" ;;
                esac
        done
}

as_root() {
        if [ "$(id -u)" -eq 0 ]; then
                "$@"
        else
                sudo "$@"
        fi
}

# sudo may ask for a password only where there is somebody to type it.
may_install() {
        has apt-get || return 1
        [ "$(id -u)" -eq 0 ] || { has sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

# Debian's server package creates a cluster and starts it on the usual port, at each boot too.
# Nobody asked for that one: this makes the package create it with "start by hand". Read from the
# environment by postgresql-common, so nothing is written to the machine's configuration.
quiet_server() {
        scratch=$(mktemp -d)
        trap 'rm -rf "$scratch"' EXIT
        trap 'exit 1' HUP INT TERM
        chmod 755 "$scratch"
        echo "start_conf = 'manual'" >"$scratch/createcluster.conf"
}

# Debian's package starts a PgBouncer, at each boot too. Nobody asked for that one either.
quiet_pooler() {
        case $packages in
        *pgbouncer*)
                ! has systemctl || as_root systemctl disable --now pgbouncer >/dev/null 2>&1 || :
                ;;
        esac
}

install_packages() {
        say "installing:$packages"
        quiet_server
        as_root apt-get -q update >&2 || say 'apt-get update failed; trying with the lists as they are'
        # The names are words of one list.
        # shellcheck disable=SC2086
        as_root env DEBIAN_FRONTEND=noninteractive PGSYSCONFDIR="$scratch" \
                apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
                install --no-install-recommends $packages >&2 || say 'apt-get install failed'
        quiet_pooler
}

[ $# -gt 0 ] || set -- build
look "$@"
[ -n "$missing" ] || exit 0
if may_install; then
        install_packages
        look "$@"
        [ -n "$missing" ] || exit 0
fi
die "please install:$missing"
