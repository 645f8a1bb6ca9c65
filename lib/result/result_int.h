/*
 * The struct of a result is for the files of this folder: result.c frees what is in it,
 * result_error.c and rows.c fill and read it.
 */
#ifndef PIPIT_RESULT_INT_H
#define PIPIT_RESULT_INT_H

#include <pipit/error.h>
#include <pipit/result.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "base/list.h"

struct made_text;
struct pg_result;
struct pipit_arena;
struct result_owner;

/* So many columns have their types remembered at once. */
#define RESULT_COLUMNS 8

/* A column is known by its type and form, so that libpq is asked once and not for each value. */
struct column {
        uint32_t type;
        uint16_t number; /* of the column, from 1; 0 while the place is free */
        bool binary;
};

/* Rows are the content of a success, with what was made of them. */
struct rows {
        struct pipit_result *whole; /* a reference: its rows are shown in part; NULL: pg is own */
        int first;                  /* row of pg that is row 0 here */
        int n;
        int n_columns;
        const char *tag; /* of a part, borrowed; NULL when pg is own */
        struct column columns[RESULT_COLUMNS];
        void *attached;            /* of a part: in the arena of whole; else a block of its own */
        const void *owner;         /* whom attached is marked for */
        size_t text_bytes_left;    /* for the texts that are made from now on, in sum */
        struct pipit_arena *arena; /* NULL until something was allocated */
        struct made_text **texts;  /* in arena, NULL until one was made: for each column NULL, or a
                                      text for each row */
};

struct pipit_result {
        _Alignas(max_align_t) struct list link; /* in owner->results once somebody keeps it */
        struct result_owner *owner;             /* NULL for a constant, and once the scope went */
        int refs;                               /* 0 for a constant: never written, never freed */
        bool failed : 1;                        /* the union holds error, else rows */
        bool owns_message : 1;                  /* error.message is a block of its own */
        bool is_rounded : 1;                    /* texts of floating numbers may lack digits */
        uint16_t attempts;                      /* of a transaction's body; 0 for other results */
        struct pg_result *pg;                   /* answer of the server; NULL: none */
        union {
                struct rows rows;
                struct pipit_error error; /* its host is a block of its own, or NULL; other texts
                                             are constants, or in pg */
        };
};

/* Frees a text of an error that is a block of its own; NULL does nothing. */
COLD void pipit__result_free_text(const char *text);

#endif
