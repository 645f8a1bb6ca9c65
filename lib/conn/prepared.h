/*
 * The prepared statements of one connection: a place for each slot of the statement cache.
 *
 * 1. A place says what the server has, or will have when what was sent so far is answered.
 * 2. A statement that the server has and no place names is counted as lost: nobody can close it.
 */
#ifndef PIPIT_PREPARED_INTERNAL_H
#define PIPIT_PREPARED_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct stmt;

struct prepared_slot {
        uint64_t serial; /* of the statement that the server has, or had, here; 0: none */
        bool valid;      /* the statement can be run; false: it is closed before the next Prepare */
};

struct prepared {
        struct prepared_slot *slots; /* NULL where nothing is prepared */
        int n;
        int n_lost;
};

/* Makes places for n slots, 0 for none. 0 or PIPIT_ENOMEM. */
int pipit__prepared_init(struct prepared *prepared, int n);
void pipit__prepared_fini(struct prepared *prepared);

/* Notes that the server has nothing any more. */
void pipit__prepared_clear(struct prepared *prepared);

/* Whether there is a place for a statement. */
bool pipit__prepared_takes(const struct prepared *prepared, const struct stmt *stmt);
/* Whether the server has a statement, or will have it. */
bool pipit__prepared_has(const struct prepared *prepared, const struct stmt *stmt);

/* Notes that the Prepare of a statement goes out. Returns the serial of what is to be closed in
 * front of it; 0: nothing is. */
uint64_t pipit__prepared_add(struct prepared *prepared, const struct stmt *stmt);

/* Notes that the server does not have a statement: its Prepare failed or was skipped, or somebody
 * closed it. */
void pipit__prepared_drop(struct prepared *prepared, const struct stmt *stmt);

/* Notes that the server has a statement which is of no use any more: it is closed before it is
 * prepared again. */
void pipit__prepared_expire(struct prepared *prepared, const struct stmt *stmt);

/* Notes that the server has one more statement that nobody here knows. */
void pipit__prepared_lose(struct prepared *prepared);
/* How many these are. */
int pipit__prepared_n_lost(const struct prepared *prepared);

#endif
