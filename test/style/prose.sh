#!/bin/sh
# prose.sh ROOT: public declarations are documented, links in Markdown lead somewhere, tests that a
# page names exist; and what is not so is noticed.
# shellcheck disable=SC2154 # tap_dir is of tap.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/abi/tap.sh disable=SC1091
. "$here/../abi/tap.sh"
root=$1

comments() {
        python3 "$here/comments.py" "$@"
}

links() {
        python3 "$here/links.py" "$@"
}

proofs() {
        python3 "$here/proofs.py" "$@"
}

# says TEXT COMMAND FILE: the command fails for what is on stdin, as that file, and says the text.
says() {
        cat >"$tap_dir/$3"
        if "$2" "$tap_dir/$3" >"$tap_dir/said" 2>&1; then
                echo "it passed"
                return 1
        fi
        cat "$tap_dir/said"
        grep -qF "$1" "$tap_dir/said"
}

# passes COMMAND FILE: it does not.
passes() {
        cat >"$tap_dir/$2"
        "$1" "$tap_dir/$2"
}

tap_ok "every public declaration is documented" comments "$root"/include/pipit/*.h

tap_ok "a documented declaration passes" passes comments a.h <<END
/**
 * Does it.
 *
 * @param x   what
 * @param cb  called
 * @return 0
 */
PIPIT_API int pipit_do(int x,
                       void (*cb)(int, void *));
/** See pipit_do(). */
PIPIT_API int pipit_do_too(int x) PIPIT_MUST_CHECK;
END
tap_ok "a parameter that the head of the file names passes" passes comments a.h <<END
/*
 * @param x  what
 */
/** Does it. */
PIPIT_API int pipit_do(const struct pipit *x);
END
tap_ok "a declaration without comment is noticed" says 'no comment' comments a.h <<END
/** A type. */
struct pipit_x;
PIPIT_API void pipit_do(void);
END
tap_ok "a comment that is not right in front is noticed" says 'no comment' comments a.h <<END
/** Does it. */

PIPIT_API void pipit_do(void);
END
tap_ok "a comment for nobody is noticed" says 'no comment' comments a.h <<END
/* Does it. */
PIPIT_API void pipit_do(void);
END
tap_ok "a parameter without @param is noticed" says 'no @param y' comments a.h <<END
/**
 * Does it.
 * @param x  what
 */
PIPIT_API void pipit_do(int x, const char *const *y);
END
tap_ok "a @param without parameter is noticed" says '@param y is no' comments a.h <<END
/**
 * Does it.
 * @param x  what
 * @param y  what
 */
PIPIT_API void pipit_do(int x);
END
tap_ok "a sentence that names nothing is noticed" says 'bare What' comments a.h <<END
/** What it does. */
PIPIT_API void pipit_do(void);
END
tap_ok "a later sentence that names nothing is noticed" says 'a bare It' comments a.h <<END
/**
 * Does one thing, as pipit_do() does: there it is the same, and what is done is done.
 *
 * @param x  what. It is so.
 */
PIPIT_API void pipit_do(int x);
END
tap_ok "a paragraph that names nothing is noticed" says 'bare The same' comments a.h <<END
/**
 * Does one thing
 *
 * - The same thing
 */
PIPIT_API void pipit_do(void);
END
tap_ok "a place where a time is meant is noticed" says 'say "after"' comments a.h <<END
/** Comes behind the other. */
PIPIT_API void pipit_do(void);
END
tap_ok "a missing @return is noticed" says 'no @return' comments a.h <<END
/**
 * Does it.
 * @param x  what
 */
PIPIT_API int pipit_do(int x);
END

if has git && git -C "$root" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        (cd "$root" && git ls-files --cached --others --exclude-standard '*.md') |
                sed "s|^|$root/|" >"$tap_dir/pages"
else
        find "$root" -name '*.md' >"$tap_dir/pages"
fi
# File names in this tree have no spaces.
# shellcheck disable=SC2046
tap_ok "links in Markdown lead somewhere" links $(cat "$tap_dir/pages")

tap_ok "links that lead somewhere pass" passes links a.md <<END
# One or two

[here](#one-or-two), [there](a.h), [far](https://example.org/x), \`[code](nowhere)\`
END
tap_ok "a link to no file is noticed" says 'nowhere.md' links a.md <<END
[there](nowhere.md)
END
tap_ok "a reference to no file is noticed" says 'nowhere.md' links a.md <<END
[there][1]

[1]: nowhere.md
END
tap_ok "a link to no heading is noticed" says '#three' links a.md <<END
# One or two

[here](#three)
END

tap_ok "the tests exist that show what is done about facts" proofs "$root/doc/libpq-facts.md"

cat >"$tap_dir/a.c" <<END
START_TEST(it_is_so)
END
tap_ok "a test that exists passes" passes proofs a.md <<END
| fact | so | shown by |
|---|---|---|
| This. | Thus. | [a.c](a.c) \`it_is_so\` |
| That. | not yet: those | |
END
tap_ok "a test that does not exist is noticed" says 'a.c has no test it_was_so' proofs a.md <<END
| This. | Thus. | [a.c](a.c) \`it_is_so\`, \`it_was_so\` |
END
tap_ok "a test in a file that does not exist is noticed" says 'b.c has no test' proofs a.md <<END
| This. | Thus. | [b.c](b.c) \`it_is_so\` |
END
tap_ok "a test without a file is noticed" says 'it_is_so has no file' proofs a.md <<END
| This. | Thus. | \`it_is_so\` |
END
tap_ok "a fact without a test is noticed" says 'no test shows that This.' proofs a.md <<END
| This. | Thus. | |
END
tap_ok "a page without facts is noticed" says 'no table' proofs a.md <<END
This.
END
tap_end
