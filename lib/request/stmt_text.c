/*
 * The text of a statement is looked at word by word. See stmt_text.h.
 *
 * Words in strings count, since set_config() names its setting in one.
 */
#include "request/stmt_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct word {
        const char *start;
        size_t length; /* 0: there is none any more */
};

static bool
is_word_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || (unsigned char)c >= 0x80;
}

static const char *
skip_line(const char *at)
{
        return at + strcspn(at, "\n");
}

/* Returns what follows a comment, in which others may be nested. */
static const char *
skip_block(const char *at)
{
        int depth = 0;

        while (*at != '\0') {
                if (at[0] == '/' && at[1] == '*') {
                        depth++;
                        at += 2;
                } else if (at[0] == '*' && at[1] == '/') {
                        at += 2;
                        if (--depth == 0)
                                return at;
                } else {
                        at++;
                }
        }
        return at;
}

/* Returns the first word after blanks, comments and what else stands in front of it. */
static struct word
next_word(const char *at)
{
        struct word word = {at, 0};

        while (*at != '\0' && !is_word_char(*at)) {
                if (at[0] == '-' && at[1] == '-')
                        at = skip_line(at);
                else if (at[0] == '/' && at[1] == '*')
                        at = skip_block(at);
                else
                        at++;
        }
        word.start = at;
        while (is_word_char(at[word.length]))
                word.length++;
        return word;
}

static bool
word_is(struct word word, const char *other)
{
        return word.length == strlen(other) && strncasecmp(word.start, other, word.length) == 0;
}

static bool
word_is_one_of(struct word word, const char *const *others)
{
        for (; *others != NULL; others++) {
                if (word_is(word, *others))
                        return true;
        }
        return false;
}

/* Whether set_config() is called with a setting that is no constant. */
static bool
sets_any(struct word set_config)
{
        const char *at = set_config.start + set_config.length;

        at += strspn(at, " \t\r\n(");
        return *at != '\'';
}

/* Returns what the words of a statement that sets something, from the first on, say of what. */
static unsigned
traits_of_settings(struct word word)
{
        static const char *const names[] = {
                "search_path",           "schema", "role", "authorization",
                "session_authorization", "all",    NULL};
        static const char *const styles[] = {"timezone",     "zone", "datestyle", "intervalstyle",
                                             "bytea_output", "all",  NULL};
        unsigned traits = 0;

        for (; word.length > 0; word = next_word(word.start + word.length)) {
                if (word_is_one_of(word, names))
                        traits |= STMT_CHANGES_NAMES;
                if (word_is_one_of(word, styles))
                        traits |= STMT_CHANGES_STYLE;
                if (word_is(word, "extra_float_digits") || word_is(word, "all"))
                        traits |= STMT_CHANGES_STYLE | STMT_CHANGES_DIGITS;
        }
        return traits;
}

/* Returns what the first word says. */
static unsigned
traits_of_command(struct word word)
{
        static const char *const calls[] = {"call", "do", NULL};
        static const char *const changes[] = {"create", "alter", "drop", "discard", "import", NULL};
        static const char *const sets[] = {"set", "reset", "discard", NULL};
        static const char *const ends[] = {"commit", "end", "rollback", "abort", NULL};
        unsigned traits = 0;

        if (word_is_one_of(word, calls))
                traits |= STMT_CALLS;
        if (word_is_one_of(word, changes))
                traits |= STMT_CHANGES_SCHEMA;
        if (word_is_one_of(word, ends))
                traits |= STMT_ENDS_TRANSACTION;
        if (word_is_one_of(word, sets))
                traits |= STMT_SETS | traits_of_settings(word);
        return traits;
}

unsigned
pipit__stmt_text_traits(const char *sql)
{
        static const char *const temporary[] = {"temp", "temporary", "pg_temp", NULL};
        struct word first = next_word(sql);
        unsigned traits = traits_of_command(first);

        for (struct word word = first; word.length > 0;
             word = next_word(word.start + word.length)) {
                if (word_is(word, "set_config")) {
                        traits |= STMT_SETS | traits_of_settings(word);
                        if (sets_any(word))
                                traits |= STMT_CHANGES_NAMES | STMT_CHANGES_STYLE |
                                          STMT_CHANGES_DIGITS;
                }
                if (word_is_one_of(word, temporary))
                        traits |= STMT_IS_TEMPORARY;
        }
        return traits;
}

bool
pipit__stmt_text_sets_locally(const char *sql)
{
        static const char *const locals[] = {"local", "transaction", "constraints", NULL};
        struct word set = next_word(sql);
        struct word second = next_word(set.start + set.length);
        const char *end = second.start + second.length;
        struct word third = next_word(end);

        if (!word_is(set, "set") || !word_is_one_of(second, locals) || second.start[-1] == '"')
                return false;
        /* A setting may have such a name: SET local = 1, SET local.x TO 1. */
        end += strspn(end, " \t\r\n\f\v");
        return *end != '=' && *end != '.' && third.length > 0 && !word_is(third, "to");
}

bool
pipit__stmt_text_listens(const char *sql)
{
        return word_is(next_word(sql), "listen");
}
