#!/bin/sh
# Builds libpq 17, and the PostgreSQL 17 server, from Debian's source package, and prints the
# folder they are in. Debian 12 has neither, and the library has code for what libpq 17 adds.
#
#       libpq17.sh [--no-server]
#
# The folder is outside the tree and is kept: PIPIT_CACHE, or /var/cache/pipit for root (the
# server runs as another user, who cannot look into root's home), or pipit in the user's cache.
# The source comes from the Debian archive that apt is configured for, and apt checks its
# signatures. An archive may name a version before it has it, or has no more: then it is one that is
# known here, by its checksum. Nothing is taken for finished that is not: PREFIX appears by one rename when libpq
# is complete, PREFIX/bin by another when the server is.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/support/common.sh disable=SC1091
. "$here/common.sh"

release=trixie
package=postgresql-17
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# What the signed .dsc of that version says.
known=postgresql-17_17.11.orig.tar.bz2
known_sha256=dd27f2b3c59e73ed14aa3324901242bf69a032a6347805f274e6260322d42979

cache_folder() {
        if [ -n "${PIPIT_CACHE-}" ]; then
                echo "$PIPIT_CACHE"
        elif [ "$(id -u)" -eq 0 ]; then
                echo /var/cache/pipit
        else
                echo "${XDG_CACHE_HOME:-$HOME/.cache}/pipit"
        fi
}

finished() {
        [ -e "$prefix/lib/pkgconfig/libpq.pc" ] || return 1
        [ -z "$server" ] || [ -x "$prefix/bin/postgres" ]
}

# The folders of the configured archives, the likeliest first; what is signed by Debian in one of
# them is good, whatever its address.
archives() {
        # apt-get replaces the names, not the shell.
        # shellcheck disable=SC2016
        apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
                grep -v -e '^[^ ]*-security ' -e '^[^ ]*-backports' | cut -d ' ' -f 2 | sort -u
}

# apt-get with a configuration of our own, so that the machine's stays as it is.
private_apt() {
        child_run apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
                -o Dir::State="$work/state" -o Dir::State::status=/var/lib/dpkg/status \
                -o Dir::Cache="$work/cache" -o APT::Get::List-Cleanup=false \
                -o Acquire::Languages=none -o Dpkg::Use-Pty=0 "$@" >&2
}

download_from() {
        say "looking for $package in $release"
        mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
        printf 'deb-src [signed-by=%s] %s %s main\n' "$keyring" "$1" "$release" >"$work/sources.list"
        private_apt update && cd "$work/download" && private_apt source --download-only "$package"
}

download_known_from() {
        say "looking for $known"
        child_run /usr/lib/apt/apt-helper download-file "${1%/}/pool/main/p/$package/$known" \
                "$work/download/$known" "SHA256:$known_sha256" >&2
}

download() {
        mkdir "$work/download"
        # apt downloads as a user of its own when it is root.
        [ "$(id -u)" -ne 0 ] || ! id _apt >/dev/null 2>&1 || chown _apt "$work" "$work/download"
        for archive in $(archives); do
                ! download_from "$archive" || return 0
        done
        for archive in $(archives); do
                ! download_known_from "$archive" || return 0
        done
        die "no configured archive has the source of $package (Debian $release)"
}

# Debian's patches are about its own folders; the plain source is what is wanted here.
unpack() {
        mkdir "$work/source"
        child_run tar -x -f "$work"/download/postgresql-17_*.orig.tar.* -C "$work/source" --strip-components=1
        cd "$work/source"
        rm -rf "$work/download" "$work/state" "$work/cache"
}

configure() {
        say 'configuring PostgreSQL 17'
        child_run ./configure --quiet --prefix="$prefix" --without-icu --without-readline \
                --with-openssl CFLAGS=-O2
        # Everything includes these; made at once with it, they come too late for some of it.
        child_run make -s -C src/backend generated-headers
}

# build FOLDER...: makes and installs these folders of the source into the staging folder.
build() {
        for folder in "$@"; do
                say "building $folder"
                child_run make -s -C "$work/source/$folder" -j "$(getconf _NPROCESSORS_ONLN)" all
                child_run make -s -C "$work/source/$folder" DESTDIR="$work/stage" install
        done
}

build_libpq() {
        build src/include src/interfaces/libpq
        mkdir -p "$(dirname "$prefix")"
        mv -T "$work/stage$prefix" "$prefix"
}

# Its bin is moved last: that is what says that the server is there. The folders of the source are
# those that initdb, pg_ctl and a server without extensions need.
build_server() {
        build src/backend src/timezone src/backend/utils/mb/conversion_procs src/backend/snowball \
                src/backend/replication/libpqwalreceiver src/backend/replication/pgoutput \
                src/pl/plpgsql/src src/bin/initdb src/bin/pg_ctl src/bin/psql \
                src/bin/pg_basebackup
        stage=$work/stage$prefix
        cp -a "$stage/share" "$stage/lib" "$prefix/"
        mv -T "$stage/bin" "$prefix/bin"
}

build_missing() {
        unpack
        configure
        [ -e "$prefix/lib/pkgconfig/libpq.pc" ] || build_libpq
        [ -z "$server" ] || build_server
}

finish() {
        child_end 10
        cd /
        [ -z "$work" ] || rm -rf "$work"
}

# With a little less right to the processor than whoever is working here.
build_all() {
        sh "$here/setup.sh" libpq17
        work=''
        at_end finish
        work=$(mktemp -d "$cache/build.XXXXXX")
        chmod 755 "$work"
        download
        renice -n 10 -p $$ >/dev/null
        build_missing
}

server=yes
case ${1-} in
'') ;;
--no-server) server='' ;;
*) die 'usage: libpq17.sh [--no-server]' ;;
esac
cache=$(cache_folder)
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
prefix=$cache/$package
if ! finished; then
        exec 9>"$cache/lock"
        flock 9
        finished || build_all >&2
fi
echo "$prefix"
