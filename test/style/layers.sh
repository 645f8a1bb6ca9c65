#!/bin/sh
# layers.sh LIB: the files of lib/ keep to its LAYERS; and each rule, broken, is noticed.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
lib=$1

layers() {
        python3 "$here/layers.py" "$1"
}

# notices TEXT FILE LINE: with the line at the end of a file of a copy, the check fails and says so.
notices() {
        copy=$tap_dir/copy
        rm -rf "$copy"
        cp -R "$tap_dir/clean" "$copy"
        printf '%s\n' "$3" >>"$copy/$2"
        if layers "$copy" >"$tap_dir/notices" 2>&1; then
                echo "$3 in $2 was not noticed"
                return 1
        fi
        cat "$tap_dir/notices"
        grep -qF "$1" "$tap_dir/notices"
}

# A folder that keeps every rule, to break them in whatever state the real one is.
mkdir "$tap_dir/clean"
cat >"$tap_dir/clean/LAYERS" <<END
# bottom first
base (): low
        mid

loop (base): reactor

pq (base): pq pq_settings pq_cancel

connect (base): resolver

result (base pq): rows

high (base pq): first second
END
for path in base/low base/mid loop/reactor pq/pq pq/pq_settings pq/pq_cancel connect/resolver \
        result/rows high/first high/second; do
        mkdir -p "$tap_dir/clean/${path%/*}"
        printf '#include "%s.h"\n\n#include <string.h>\n' "$path" >"$tap_dir/clean/$path.c"
        echo '#include <stdbool.h>' >"$tap_dir/clean/$path.h"
done
echo '#include <stdbool.h>' >"$tap_dir/clean/pq/pq_int.h"
echo '#include "pq/pq_int.h"' >>"$tap_dir/clean/pq/pq_cancel.c"
printf '#include "base/low.h"\n#include "high/first.h"\n/* PQfinish() does it. */\n' \
        >>"$tap_dir/clean/high/second.c"
echo '#include <libpq-fe.h>' | tee -a "$tap_dir/clean/pq/pq.c" >>"$tap_dir/clean/result/rows.c"
echo '#include <event2/event.h>' >>"$tap_dir/clean/loop/reactor.c"

tap_ok "every file keeps to LAYERS" layers "$lib"

tap_ok "the copy that is broken below is right" layers "$tap_dir/clean"
tap_ok "an include of a module above is noticed" \
        notices 'base/low.c: "base/mid.h" is above it' base/low.c '#include "base/mid.h"'
tap_ok "an include of a module above in a header is noticed" \
        notices 'high/first.h: "high/second.h" is above it' high/first.h '# include "high/second.h"'
tap_ok "an include of a folder that is not on the line is noticed" \
        notices 'high/first.c: "loop/reactor.h" is of loop' high/first.c '#include "loop/reactor.h"'
tap_ok "an include of a folder above is noticed" \
        notices 'base/low.h: "pq/pq.h" is of pq' base/low.h '#include "pq/pq.h"'
tap_ok "an include of no module is noticed" \
        notices '"elsewhere.h" is of no module' high/first.c '#include "elsewhere.h"'
tap_ok "an include without its folder is noticed" \
        notices '"low.h" is of no module' base/mid.c '#include "low.h"'
tap_ok "the inside of another folder is noticed" \
        notices '"pq/pq_int.h" is for its own folder' high/first.c '#include "pq/pq_int.h"'
tap_ok "a file that is not listed is noticed" \
        notices 'base/stray is not in LAYERS' base/stray.c 'int stray;'
tap_ok "a file outside of the folders is noticed" \
        notices 'stray is not in LAYERS' stray.h 'int stray;'
tap_ok "the inside of no module is noticed" \
        notices 'base/stray_int is not in LAYERS' base/stray_int.h 'int stray;'
tap_ok "a module without file is noticed" \
        notices 'high/ghost has no file' LAYERS '        ghost'
tap_ok "a module that is listed twice is noticed" \
        notices 'high/first is listed twice' LAYERS '        first'
tap_ok "a folder that is listed twice is noticed" \
        notices 'base is listed twice' LAYERS '
base (): low'
tap_ok "a folder that uses one above it is noticed" \
        notices 'top uses roof, which is not below it' LAYERS '
top (roof): top'
tap_ok "a line that cannot be read is noticed" notices 'cannot be read' LAYERS '
top roof'
tap_ok "libpq in another file is noticed" \
        notices 'high/first.c: includes libpq' high/first.c '#include <libpq-fe.h>'
tap_ok "libpq in a header is noticed" \
        notices 'pq/pq.h: includes libpq' pq/pq.h '#include <libpq-fe.h>'
tap_ok "libpq by another path is noticed" \
        notices 'high/first.c: includes libpq' high/first.c '#include <postgresql/libpq-fe.h>'
tap_ok "a call of libpq in another file is noticed" \
        notices 'high/first.c: uses libpq' high/first.c 'void first(void) { PQfinish(0); }'
tap_ok "libevent in another file is noticed" \
        notices 'high/first.c: includes libevent' high/first.c '#include <event2/util.h>'
tap_ok "libevent in a header is noticed" \
        notices 'reactor.h: includes libevent' loop/reactor.h '#include <event2/event.h>'
tap_end
