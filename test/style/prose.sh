#!/bin/sh
# prose.sh ROOT: public declarations are documented, links in Markdown lead somewhere, what a page
# names exists; and what is not so is noticed.
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

tap_ok "the names exist that the pages about the code mention" \
        python3 "$here/mentions.py" "$root" "$root"/doc/internals/*.md "$root/doc/style.md"

# A tree with one function, one macro, one test and one mutant.
mkdir -p "$tap_dir/lib/room" "$tap_dir/include/pipit" "$tap_dir/test/mutants"
cat >"$tap_dir/lib/room/noun.c" <<END
#define NOUN_MOST 5
struct noun {
        int n_parts;
};
/* Once there was noun_go_away(). */
static void
noun_go(struct noun *noun)
{
        noun_start(noun, "SET noun_size = 1");
}
END
echo 'START_TEST(a_noun_goes)' >"$tap_dir/test/test_noun.c"
: >"$tap_dir/test/mutants/05-noun-stays.patch"

mentions() {
        python3 "$here/mentions.py" "$tap_dir" "$@"
}

tap_ok "names that exist pass" passes mentions a.md <<'END'
`noun_go` and `noun_go()` in `room/noun.c`, `noun.c` and `room/*.c`: `struct noun`,
`noun->n_parts`, `NOUN_MOST`, `SET noun_size`, `a_noun_goes`, `05-noun-stays`.
`<noun>_<verb>`, `_new`, `<stdio.h>`, `42 + x` and no_code_mark are no names.

```
other_things_in_code();
```
END
tap_ok "a name that does not exist is noticed" \
        says 'there is no name noun_come' mentions a.md <<'END'
`noun_come`
END
tap_ok "a name that only a comment has is noticed" \
        says 'there is no name noun_go_away' mentions a.md <<'END'
See `noun_go_away`.
END
tap_ok "a function that is only called is noticed" \
        says 'there is no function noun_start' mentions a.md <<'END'
`noun_start()`
END
tap_ok "a name of pipit's is noticed wherever it stands" \
        says 'there is no name pipit__noun_go' mentions a.md <<'END'
```
  pipit__noun_go
```
END
tap_ok "a struct that does not exist is noticed" says 'no type struct verb' mentions a.md <<'END'
`struct verb`
END
tap_ok "a file that does not exist is noticed" says 'no file room/verb.c' mentions a.md <<'END'
`room/verb.c`
END
tap_ok "a pattern for no file is noticed" says 'no file room/verb_*.c' mentions a.md <<'END'
`room/verb_*.c`
END
tap_ok "a mutant that does not exist is noticed" says 'no mutant 06-noun' mentions a.md <<'END'
`06-noun-stays`
END
tap_ok "what an example is about need not exist" passes mentions a.md <<'END'
<!-- example: verb -->
`pipit_verb`, `verb_go()`, `struct verb_list`, `room/verb.c`, `NEW_VERB`
END
tap_ok "an example that exists is noticed" says 'noun_go, which is to be an' mentions a.md <<'END'
<!-- example: noun -->
`noun_go`
END
tap_ok "a name that is not the example's is noticed" \
        says 'there is no name adverb_go' mentions a.md <<'END'
<!-- example: verb -->
`adverb_go`
END
tap_end
