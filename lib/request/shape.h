/*
 * Shapes: what is known of one SQL text, for all connections of a scope: the name it is prepared
 * under, the types of its parameters, how fast it is answered.
 *
 * The table of shapes is bounded, by count and bytes; the one that was used longest ago makes room.
 * A shape that statements refer to lives on without the table.
 */
#ifndef PIPIT_SHAPE_INTERNAL_H
#define PIPIT_SHAPE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "base/list.h"
#include "request/pace.h"

/* Room for the name of a prepared statement. */
#define SHAPE_NAME_SIZE 48

/* Parameters of which the types are kept at most. */
#define SHAPE_MAX_TYPES 64

/* Texts that are known again by where they are. */
#define SHAPES_HINTS 16

struct shape_node;

struct shape {
        struct pace pace;
        int refs;
        int slot;        /* its place in what connections have prepared; -1: it never is prepared */
        uint64_t serial; /* no other shape of the table has it; from 1 */
        int n_types;     /* of parameters; -1: not known yet. What is known never changes */
        uint32_t *types;
        bool is_binary; /* its results are asked for in binary form */
        bool is_plain;  /* it was a SELECT, INSERT, UPDATE or DELETE when it ran */
        size_t length;
        const char *sql;
        char name[SHAPE_NAME_SIZE]; /* that it is prepared under */
};

struct shapes {
        struct shape_node *nodes;               /* a hash table, by text */
        struct list used;                       /* the latest used first */
        struct shape_node *hints[SHAPES_HINTS]; /* by the address of a text; each may be NULL */
        struct pace_scale scale;
        int n;
        int max;
        size_t bytes; /* of the texts */
        int *free_slots;
        int n_free_slots;
        uint64_t random;
        uint64_t serial; /* the last one given */
};

/* At most n_slots of them are ever prepared at once, 0 for none. 0 or PIPIT_ENOMEM. */
int pipit__shapes_init(struct shapes *shapes, int n_slots);
/* None is referred to any more but by those who only give it back. */
void pipit__shapes_fini(struct shapes *shapes);

/* The shape of a text, with a reference for the caller; NULL when memory ran out. */
struct shape *pipit__shapes_get(struct shapes *shapes, const char *sql);

struct shape *pipit__shape_ref(struct shape *shape);
/* NULL does nothing. */
void pipit__shape_unref(struct shape *shape);

/*
 * The name that the shape of a serial is prepared under. A part of it is random, so that through a
 * pooler nobody can run another program's statement by it.
 */
void pipit__shapes_name(const struct shapes *shapes, uint64_t serial, char out[SHAPE_NAME_SIZE]);

/* Whether the table knows it: it is not out of date. */
bool pipit__shape_is_known(const struct shape *shape);

/* What the server says of its parameters and its columns; without memory that stays unknown. */
COLD void
pipit__shape_learn(struct shape *shape, int n_types, const uint32_t *types, bool is_binary);

/* The shape, in the same table, that is to be used instead from now on: what was known of this one
 * is not so any more. A reference for the caller; NULL when memory ran out. */
COLD struct shape *pipit__shape_renew(struct shape *shape);

#endif
