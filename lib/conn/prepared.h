/*
 * What one connection has prepared: a place for each slot of the cache of statements.
 */
#ifndef PIPIT_PREPARED_INTERNAL_H
#define PIPIT_PREPARED_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct stmt;

struct prepared_slot {
        uint64_t serial; /* of the statement that the server has, or had, here; 0: none */
        bool valid;      /* what the server has, or will have when its Prepare is answered */
};

struct prepared {
        struct prepared_slot *slots;
        int n;
        int n_lost; /* statements that the server has and nobody here knows any more */
};

/* Places for n slots, 0 for none. 0 or PIPIT_ENOMEM. */
int pipit__prepared_init(struct prepared *prepared, int n);
void pipit__prepared_fini(struct prepared *prepared);

/* The server has nothing any more. */
void pipit__prepared_clear(struct prepared *prepared);

/* Whether the server knows it, or will when what was sent so far is answered. */
bool pipit__prepared_has(const struct prepared *prepared, const struct stmt *stmt);

/* Its Prepare goes out: the serial of what is to be closed in front of it, 0 for none. */
uint64_t pipit__prepared_add(struct prepared *prepared, const struct stmt *stmt);

/* The server does not have it: its Prepare failed or was skipped, or somebody closed it. */
void pipit__prepared_drop(struct prepared *prepared, const struct stmt *stmt);

/* The server has it, and it is of no use any more: it is closed before it is prepared again. */
void pipit__prepared_expire(struct prepared *prepared, const struct stmt *stmt);

#endif
