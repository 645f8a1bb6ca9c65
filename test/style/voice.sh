#!/bin/sh
# voice.sh ROOT: comments of lib name what they are about; and those that do not are noticed.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
root=$1

voice() {
        python3 "$here/voice.py" "$@"
}

# plant FILE: a tree of its own with one room, and what is on stdin in a file of it.
plant() {
        rm -rf "$tap_dir/tree"
        mkdir -p "$tap_dir/tree/lib/room"
        cat >"$tap_dir/tree/lib/room/$1"
}

# says TEXT: a file with what is on stdin is refused, with the text.
says() {
        plant a.c
        if voice "$tap_dir/tree" room >"$tap_dir/said"; then
                echo "it passed"
                return 1
        fi
        cat "$tap_dir/said"
        grep -qF -- "$1" "$tap_dir/said"
}

# passes: it is not.
passes() {
        plant a.h
        voice "$tap_dir/tree" room
}

no_room() {
        plant a.txt
        status=0
        voice "$tap_dir/tree" room 2>"$tap_dir/said" || status=$?
        [ "$status" -eq 2 ] && grep -q 'lib/room has no file' "$tap_dir/said"
}

tap_ok "comments of the rooms that are done name what they are about" voice "$root"

tap_ok "comments that name what they are about pass" passes <<'END'
/*
 * A thing is what it is. It has a rule:
 * 1. Its items are sorted.
 *
 * The caller owns it.
 */
struct thing {
        int n;     /* items, at least 1 */
        char *end; /* has a NUL behind it */
};
/* Whether a thing is whole. */
bool whole(struct thing *thing, const char *of); /* see "/* It" */
const char *text = "/* It is no comment */"; // NOLINT
END
tap_ok "a comment that begins with It is noticed" says 'lib/room/a.c:2: "It does so. ..." does not' <<'END'
int x;
/* It does so. */
END
tap_ok "a comment that begins with What is noticed" says '"What it does. ..." does' <<'END'
/* What it does. */
END
tap_ok "a comment that begins with The same is noticed" says '"The same as text. ..." does' <<'END'
/** The same
 * as text. */
END
tap_ok "a comment that begins with Those is noticed" says '"those that wait, first ..."' <<'END'
struct list waiting; /* those that wait, first come */
END
tap_ok "a comment that begins with These is noticed" says '"These do so. ..." does' <<'END'
// These do so.
END
tap_ok "a paragraph that names nothing is noticed" says 'lib/room/a.c:4: "It is so. ..." does' <<'END'
/*
 * A thing is done.
 *
 * It is so.
 */
END
tap_ok "an item that names nothing is noticed" says 'lib/room/a.c:3: "What is so. ..." does' <<'END'
/*
 * A thing has a rule:
 * 1. What is so.
 */
END
tap_ok "a place where a time is meant is noticed" says 'lib/room/a.c:1: "behind" is' <<'END'
/* Frees the thing. The call comes
 * behind the last callback. */
END
tap_ok "a room without files is noticed" no_room
tap_end
