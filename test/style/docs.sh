#!/bin/sh
# docs.sh ROOT: the documentation builds without a warning, all of it is there, its links lead
# somewhere; and what is not so is noticed. Needs Doxygen.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
root=$1
html=$tap_dir/site/html

# builds ROOT: the documentation of that tree, into $tap_dir/site.
builds() {
        python3 "$1/doc/site.py" build "$1" "$tap_dir/site" 0
}

links() {
        python3 "$here/html.py" "$html"
}

# says TEXT COMMAND...: the command fails, and says the text.
says() {
        text=$1
        shift
        if "$@" >"$tap_dir/said" 2>&1; then
                echo "it passed"
                return 1
        fi
        cat "$tap_dir/said"
        grep -qF -- "$text" "$tap_dir/said"
}

# has_page LABEL: the site has it, and it is not empty.
has_page() {
        grep -q '<div class="textblock">\|<div class="contents">' "$html/$1.html"
}

# Every page of doc/ and every public header.
all_there() {
        for path in "$root"/doc/*.md "$root"/doc/internals/*.md; do
                [ -e "$path" ] || continue
                name=${path#"$root/doc/"}
                name=page-$(echo "${name%.md}" | tr '/A-Z' '-a-z')
                [ "$name" = page-guide ] || has_page "$name" || return 1
        done
        for path in "$root"/include/pipit/*.h; do
                name=$(basename "$path" .h)
                case $name in
                export | pipit) ;;
                *) has_page "group__pipit-$name" || return 1 ;;
                esac
        done
}

is_the_guide() {
        grep -q 'id="page-guide_opening-a-database"' "$html/index.html"
}

# Every public header stands in the index by noun.
indexed() {
        for path in "$root"/include/pipit/*.h; do
                name=$(basename "$path")
                case $name in
                export.h | pipit.h) ;;
                *) grep -q "^| \[$name\](../include/pipit/$name) | [^|]* | [^|]*\. |" "$1" || {
                        echo "$name is not in $1"
                        return 1
                } ;;
                esac
        done
}

# The head of a header begins with its noun, alone on a line: that becomes the title of its page.
titled() {
        for path in "$1"/include/pipit/*.h; do
                head -n 3 "$path" | tr '\n' '|' | grep -qx '/\*| \* [A-Za-z ]*| \*|' || {
                        echo "$path does not begin with its noun"
                        return 1
                }
        done
}

# copy: a tree of its own, to break something in.
copy() {
        rm -rf "$tap_dir/tree"
        mkdir "$tap_dir/tree"
        cp -r "$root/doc" "$root/include" "$root"/*.md "$tap_dir/tree"
}

tap_ok "the reference lists every public header" indexed "$root/doc/reference.md"
grep -v scope.h "$root/doc/reference.md" >"$tap_dir/reference.md"
tap_ok "a header that it does not list is noticed" \
        says 'scope.h is not in' indexed "$tap_dir/reference.md"

tap_ok "every public header begins with its noun" titled "$root"
copy
sed -i 2d "$tap_dir/tree/include/pipit/sync.h"
tap_ok "a header that does not is noticed" says 'sync.h does not begin' titled "$tap_dir/tree"

if ! has doxygen; then
        tap_skip "the documentation builds without a warning" "no Doxygen"
        tap_end
        exit 0
fi
tap_ok "the documentation builds without a warning" builds "$root"
tap_ok "its main page is the guide" is_the_guide
tap_ok "every page and every public header is in it" all_there
tap_ok "its links lead somewhere" links

copy
printf 'int pipit_nobody_knows(int x);\n' >>"$tap_dir/tree/include/pipit/sync.h"
tap_ok "a declaration without comment is noticed" \
        says 'pipit_nobody_knows' builds "$tap_dir/tree"
copy
printf '\nSee [there](performance.md#nowhere).\n' >>"$tap_dir/tree/doc/guide.md"
tap_ok "a link to no heading is noticed" \
        says 'page-performance_nowhere' builds "$tap_dir/tree"
copy
mkdir -p "$tap_dir/tree/doc/internals"
printf '# Inside\n\nSee [the guide](../guide.md#models), [one](../../lib/one.c).\n' \
        >"$tap_dir/tree/doc/internals/inside.md"
tap_ok "a new page is taken in, with its links" builds "$tap_dir/tree"
tap_ok "and they lead to pages of the site, or are none" \
        grep -q 'href="index.html#page-guide_models">the guide</a>, one\.' \
        "$html/page-internals-inside.html"
printf '<a href="page-nowhere.html">there</a>\n' >>"$html/page-internals-inside.html"
tap_ok "a link that leads nowhere is noticed" \
        says 'page-internals-inside.html: page-nowhere.html leads nowhere' links
tap_end
