#!/bin/sh
# layers.sh LIB: the files of a folder keep to its LAYERS; and each rule, broken, is noticed.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

# shellcheck source=test/abi/tap.sh disable=SC1091
. "$(dirname "$0")/../abi/tap.sh"
lib=$1

# modules FOLDER: the names in its LAYERS, bottom first.
modules() {
        sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$1/LAYERS"
}

# quiet COMMAND...: passes when the command prints nothing.
quiet() {
        quiet_output=$("$@")
        [ -z "$quiet_output" ] || {
                echo "$quiet_output"
                return 1
        }
}

# unlisted FOLDER: files that LAYERS does not name, and names that have no file or come twice.
unlisted() {
        for path in "$1"/*.c "$1"/*.h; do
                file=${path##*/}
                modules "$1" | grep -qx "${file%.*}" || echo "$file is not in LAYERS"
        done
        for module in $(modules "$1"); do
                [ -e "$1/$module.c" ] || [ -e "$1/$module.h" ] || echo "$module has no file"
        done
        modules "$1" | sort | uniq -d | sed 's/$/ is in LAYERS twice/'
}

# upwards FOLDER: includes of headers that are not below their file.
upwards() {
        modules "$1" >"$tap_dir/modules"
        awk '
                FNR == NR { place[$1] = FNR; next }
                /^[[:space:]]*#[[:space:]]*include[[:space:]]*"/ {
                        n = split(FILENAME, part, "/")
                        module = part[n]
                        sub(/\.[ch]$/, "", module)
                        header = $0
                        sub(/^[^"]*"/, "", header)
                        sub(/".*/, "", header)
                        used = header
                        sub(/\.h$/, "", used)
                        if (!(used in place))
                                print part[n] ": \"" header "\" is of no module"
                        else if (used != module && place[used] > place[module])
                                print part[n] ": \"" header "\" is above it"
                }' "$tap_dir/modules" "$1"/*.c "$1"/*.h
}

# foreign FOLDER PATTERN FILES: lines with the pattern in other files than those.
foreign() {
        for path in "$1"/*.c "$1"/*.h; do
                case " $3 " in
                *" ${path##*/} "*) ;;
                *) grep -nE "$2" "$path" | sed "s|^|${path##*/}:|" ;;
                esac
        done
}

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]'

libpq_includes() {
        foreign "$1" "$include(libpq|postgres|pg_config|pqexpbuffer|server/)" "pq.c pq_settings.c pq_cancel.c result.c"
}

# Calls and types; a comment that names one of them is a sentence and has no parenthesis or star.
libpq_uses() {
        foreign "$1" '(^|[^A-Za-z0-9_])(PQ[a-z][A-Za-z0-9]*[[:space:]]*\(|PG(conn|result|notify)[[:space:]]*\*)' \
                "pq.c pq_settings.c pq_cancel.c result.c"
}

libevent_includes() {
        foreign "$1" "$include(event2/|event\.h|evdns\.h|evutil\.h|evhttp\.h)" \
                "reactor.c resolver.c"
}

# checks FOLDER: all rules at once.
checks() {
        quiet unlisted "$1" && quiet upwards "$1" && quiet libpq_includes "$1" &&
                quiet libpq_uses "$1" && quiet libevent_includes "$1"
}

# notices TEXT FILE LINE: with the line at the end of a file of a copy, the checks fail and say so.
notices() {
        copy=$tap_dir/copy
        rm -rf "$copy"
        cp -R "$tap_dir/clean" "$copy"
        printf '%s\n' "$3" >>"$copy/$2"
        if checks "$copy" >"$tap_dir/notices" 2>&1; then
                echo "$3 in $2 was not noticed"
                return 1
        fi
        cat "$tap_dir/notices"
        grep -qF "$1" "$tap_dir/notices"
}

# A folder that keeps every rule, to break them in whatever state the real one is.
mkdir "$tap_dir/clean"
printf '# base\nlow\n\n# wire\nreactor\nresolver\npq\nresult\nhigh\n' >"$tap_dir/clean/LAYERS"
for module in $(modules "$tap_dir/clean"); do
        printf '#include "%s.h"\n\n#include <string.h>\n' "$module" >"$tap_dir/clean/$module.c"
        echo '#include <stdbool.h>' >"$tap_dir/clean/$module.h"
done
printf '#include "low.h"\n/* PQfinish does it. */\n' >>"$tap_dir/clean/high.c"
echo '#include <libpq-fe.h>' | tee -a "$tap_dir/clean/pq.c" >>"$tap_dir/clean/result.c"
echo '#include <event2/event.h>' |
        tee -a "$tap_dir/clean/reactor.c" >>"$tap_dir/clean/resolver.c"

tap_ok "every file is of a module in LAYERS" quiet unlisted "$lib"
tap_ok "no file includes a module above its own" quiet upwards "$lib"
tap_ok "only pq.c, pq_settings.c, pq_cancel.c and result.c include libpq" quiet libpq_includes "$lib"
tap_ok "only pq.c, pq_settings.c, pq_cancel.c and result.c use libpq" quiet libpq_uses "$lib"
tap_ok "only reactor.c and resolver.c include libevent" quiet libevent_includes "$lib"

tap_ok "the copy that is broken below is right" checks "$tap_dir/clean"
tap_ok "an include upwards is noticed" \
        notices 'low.c: "high.h" is above it' low.c '#include "high.h"'
tap_ok "an include upwards in a header is noticed" \
        notices 'low.h: "pq.h" is above it' low.h '# include "pq.h"'
tap_ok "an include of no module is noticed" \
        notices '"elsewhere.h" is of no module' high.c '#include "elsewhere.h"'
tap_ok "a file that is not listed is noticed" \
        notices 'stray.c is not in LAYERS' stray.c 'int stray;'
tap_ok "a header that is not listed is noticed" \
        notices 'stray.h is not in LAYERS' stray.h 'int stray;'
tap_ok "a module without file is noticed" notices 'ghost has no file' LAYERS 'ghost'
tap_ok "a module that is listed twice is noticed" notices 'low is in LAYERS twice' LAYERS 'low'
tap_ok "libpq in another file is noticed" \
        notices 'high.c:' high.c '#include <libpq-fe.h>'
tap_ok "libpq in a header is noticed" notices 'pq.h:' pq.h '#include <libpq-fe.h>'
tap_ok "libpq by another path is noticed" \
        notices 'high.c:' high.c '#include <postgresql/libpq-fe.h>'
tap_ok "a call of libpq in another file is noticed" \
        notices 'high.c:' high.c 'void high(void) { PQfinish(0); }'
tap_ok "libevent in another file is noticed" \
        notices 'high.c:' high.c '#include <event2/util.h>'
tap_ok "libevent in a header is noticed" notices 'reactor.h:' reactor.h '#include <event2/event.h>'
tap_end
