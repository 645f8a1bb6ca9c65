/*
 * The inside of coalesced statements, for the files coalesce*.c.
 */
#ifndef PIPIT_COALESCE_INT_H
#define PIPIT_COALESCE_INT_H

#include <stdbool.h>
#include <stdint.h>

struct coalesce_rule;
struct pipit_result;
struct request;

/* A member's row is the number of a row of the answer, or one of these. */
enum { ROW_NONE = -1, ROW_DOUBTFUL = -2 };

/* A key is a number or a text, as its rule says. */
struct key {
        int64_t number;
        const char *text;
};

/* A member: a request and its answer. */
struct member {
        struct request *req; /* NULL: it has left */
        struct coalesced *coalesced;
        struct key key; /* its text is the coalesced statement's */
        int row;
};

/* A coalesced statement lives in the block of its shared request, in front of the bound statement.
 */
struct coalesced {
        struct request *shared;
        struct coalesce_rule *rule;
        bool is_unclear; /* the server told of a row, but not whose it is */
        int n;
        struct member members[]; /* in the order of their keys; the texts of the keys follow */
};

/* The callback of the shared request: deals the answer to the members. arg is the coalesced
 * statement. */
void pipit__coalesced_on_done(struct pipit_result *res, void *arg);

#endif
