/*
 * The prepared statements of one connection, and what is known of their types: a place for each
 * slot of the statement cache.
 *
 * Types can go out of date, and only some of what makes them so can be seen. A statement is
 * prepared anew, under another name, and described anew, in the flight in which it is used, when
 * it is older than PREPARED_MAX_AGE_MS, and when it was prepared
 * - before this session changed what names stand for, or a table of its own; or
 * - before the schema was changed, which is looked at once in PREPARED_MIN_AGE_MS at most.
 *
 * 1. A place says what the server has, or will have when what was sent so far is answered.
 * 2. A statement that the server has and no place names is to be closed; one that cannot be closed
 *    is counted as lost.
 * 3. A Close is never in front of anybody's statement in one segment: it can fail.
 */
#ifndef PIPIT_PREPARED_INTERNAL_H
#define PIPIT_PREPARED_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cold.h"

struct stmt;
struct stmt_types;

/* For as long at most a statement is used as it was prepared. */
#define PREPARED_MAX_AGE_MS 10000
/* So old a statement is at least before another change of the schema, or a value that does not fit
 * its types, has it prepared anew. */
#define PREPARED_MIN_AGE_MS 1000
/* So many statements are kept to be closed; more of them are lost. */
#define PREPARED_MAX_CLOSING 64

/* When a statement is used, and by which version of the schema. */
struct prepared_moment {
        int64_t now_ms;
        uint32_t schema;
};

struct prepared_slot {
        uint64_t serial;          /* of the statement whose place it was last; 0: none */
        struct stmt_types *types; /* a reference; NULL: not told yet */
        struct prepared_moment when;
        uint32_t session; /* the version of the session at that time */
        uint32_t name;    /* which of its names */
        uint16_t n_asked; /* Describes that are to be answered; the last is about this one */
        bool exists;      /* the server has it */
        bool valid;       /* false: it is prepared anew before it is used again */
};

struct prepared_close {
        uint64_t serial;
        uint32_t name;
};

struct prepared {
        struct prepared_slot *slots; /* NULL where nothing is prepared */
        struct prepared_close *closing;
        int n;
        int n_closing;
        int n_lost;
        uint32_t session;   /* the version of the session: it changes what names stand for */
        bool is_lent;       /* the session is a pooler's, and has nothing of it any more */
        bool touched;       /* whoever has the connection for itself has changed the session */
        bool styled;        /* likewise, and values may have another text since */
        bool rounded;       /* likewise, and that of floating numbers may lack digits */
        bool has_temporary; /* the session may have temporary tables */
        bool changes;       /* statements have changed the schema and may not be committed yet */
        bool changed;       /* the schema may be another from the next Sync on */
};

/* Makes places for n slots, 0 for none. 0 or PIPIT_ENOMEM. */
int pipit__prepared_init(struct prepared *prepared, int n);
void pipit__prepared_fini(struct prepared *prepared);

/* Notes that the server has nothing any more, and that its session is as new. */
void pipit__prepared_clear(struct prepared *prepared);

/* ---- use */

/* Whether there is a place for a statement. */
bool pipit__prepared_takes(const struct prepared *prepared, const struct stmt *stmt);
/* The place of a statement that can be used at that moment; NULL: it is to be prepared first. */
const struct prepared_slot *
pipit__prepared_find(const struct prepared *prepared, const struct stmt *stmt,
                     const struct prepared_moment *when);
/* Whether the statement of a place is so old that it may be prepared anew for a value's sake. */
bool pipit__prepared_is_aged(const struct prepared_slot *slot, const struct prepared_moment *when);

/* Notes that the Prepare of a statement goes out, with its Describe, and returns its place. */
COLD const struct prepared_slot *
pipit__prepared_add(struct prepared *prepared, const struct stmt *stmt,
                    const struct prepared_moment *when);
/* Notes what a Describe has told; NULL: nothing. */
COLD void pipit__prepared_describe(struct prepared *prepared, const struct stmt *stmt,
                                   struct stmt_types *types);

/* Notes that a Prepare has failed or was skipped. */
COLD void pipit__prepared_fail(struct prepared *prepared, const struct stmt *stmt);
/* Notes that the server does not have a statement any more: somebody closed it. */
COLD void pipit__prepared_drop(struct prepared *prepared, const struct stmt *stmt);
/* Notes that what the server has of a statement is out of date. */
COLD void pipit__prepared_expire(struct prepared *prepared, const struct stmt *stmt);

/* ---- what is of no use any more */

/* Takes the next statement that is to be closed; false: there is none. */
COLD bool pipit__prepared_next_close(struct prepared *prepared, struct prepared_close *ret_close);
/* Notes that the server has one more statement that nobody can close. */
void pipit__prepared_lose(struct prepared *prepared);
/* How many these are. */
int pipit__prepared_n_lost(const struct prepared *prepared);

/* ---- the session and the schema */

/* Notes that a statement goes out, whose text says something of the session. */
COLD void pipit__prepared_note_sent(struct prepared *prepared, const struct stmt *stmt);
/* Notes the tag of an answer that is no SELECT, INSERT, UPDATE or DELETE. */
COLD void
pipit__prepared_note_tag(struct prepared *prepared, const struct stmt *stmt, const char *tag);
/* Notes that a transaction, or a part of it, was undone, and that the session is everybody's. */
COLD void pipit__prepared_note_undone(struct prepared *prepared);
COLD void pipit__prepared_note_released(struct prepared *prepared);
/* Whether the schema may be another since the last call. */
static inline bool
pipit__prepared_take_changed(struct prepared *prepared)
{
        bool changed = prepared->changed;

        prepared->changed = false;
        return changed;
}

#endif
