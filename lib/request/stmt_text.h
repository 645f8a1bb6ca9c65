/*
 * Traits say what a statement may do to its session, as far as the words of its text tell, for what
 * a connection knows of types. Each text is looked at once.
 *
 * A text can hide more, in a function that it calls, than can be seen here. What is known of types
 * is out of date after some seconds for that reason.
 */
#ifndef PIPIT_STMT_TEXT_INTERNAL_H
#define PIPIT_STMT_TEXT_INTERNAL_H

#include <stdbool.h>

enum stmt_trait {
        /* CALL and DO: a part of what they do can be committed before they fail. */
        STMT_CALLS = 1 << 0,
        /* The statement may change tables, types or functions. */
        STMT_CHANGES_SCHEMA = 1 << 1,
        /* The statement may set what decides which tables and types a name stands for. */
        STMT_CHANGES_NAMES = 1 << 2,
        /* The statement may set how the server writes values as text. */
        STMT_CHANGES_STYLE = 1 << 3,
        /* The statement may end a transaction, or undo a part of one, and with it what was set
           there. */
        STMT_ENDS_TRANSACTION = 1 << 4,
        /* The statement is about temporary tables or other objects that its session alone has. */
        STMT_IS_TEMPORARY = 1 << 5,
        /* The statement sets something in its session or transaction. */
        STMT_SETS = 1 << 6,
        /* The statement may set how many digits of floating numbers the server writes. */
        STMT_CHANGES_DIGITS = 1 << 7
};

/* Returns the traits of a text, of enum stmt_trait. */
unsigned pipit__stmt_text_traits(const char *sql);

/* Whether a text is that of SET LOCAL or the like, whose effect ends with its transaction. */
bool pipit__stmt_text_sets_locally(const char *sql);
/* Whether a text is a LISTEN. */
bool pipit__stmt_text_listens(const char *sql);

#endif
