/*
 * Coalesced statements: statements of one sort that wait in the same batch become one: gets by the
 * same field, creates that give the same fields. The answer is dealt back by key, or by the place
 * of what was written, each request with a result of its own.
 *
 * A request that is a member can end otherwise at any time, and is then none of the coalesced
 * statement's. When the statement fails and is surely undone, each is run by itself.
 */
#ifndef PIPIT_COALESCE_INTERNAL_H
#define PIPIT_COALESCE_INTERNAL_H

struct batch;

/* Puts coalesced statements in the place of those requests of a batch that can be coalesced.
 * Without memory they stay. */
void pipit__coalesce_pack(struct batch *batch);

#endif
