/*
 * Chaos of the schema: tables whose types change under load, and what may be seen of them
 * meanwhile.
 *
 * A process of its own changes the schema over a plain connection (schema.c) and tells of each
 * change before it and after it. So the program that has the load knows between which moments a
 * table can have had which types (history.c): what was stored, and why a request failed, is judged
 * by that.
 */
#ifndef TEST_SCHEMA_H
#define TEST_SCHEMA_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stdint.h>

/* Columns; each has one of two types, and what the narrow one loses shows. */
enum subject {
        SUBJECT_REAL, /* real, double precision */
        SUBJECT_INT,  /* integer, bigint */
        SUBJECT_DATE, /* date, timestamptz */
        SUBJECT_ENUM, /* an enum, text */
        SUBJECT_UUID  /* uuid, text */
};
#define N_SUBJECTS 5

enum table {
        TABLE_ALTERED, /* shape: its columns are altered, its rows stay */
        TABLE_ANEW     /* again.shape: the table or its schema is dropped and made anew */
};
#define N_TABLES 2

/* What a table is like. */
struct shape {
        unsigned wide; /* a bit for each subject that has the second of its types */
        bool missing;
        bool anew; /* dropped and made anew in one transaction, by what made it so */
};

/* ---- schema.c: changes, by plain libpq, which blocks */

enum step { STEP_BEGINS, STEP_DONE, STEP_FAILED, STEP_KILLED };

/* What the process writes into its pipe, each with one write(). */
struct change {
        enum step step;
        enum table table;
        struct shape shape; /* as it becomes */
        int64_t ms;         /* of clock_ms() */
};

/* Makes both tables, with the narrow types. */
bool schema_create(const char *url);
/* Has the ledger know of rows that were written to the altered table alone. */
bool schema_close(const char *url);
/* Changes the schema until the other end of stop_fd is closed; returns the exit status. */
int schema_run(const char *url, uint64_t seed, int out_fd, int stop_fd);

/* ---- history.c */

/* The values of one row, which come from the number of its operation. */
struct values {
        double real;
        int64_t number;
        struct pipit_timestamp at;
        char label[32];
        struct pipit_uuid id;
        char at_text[40];
        char id_text[40];
};
void values_of(struct values *values, int64_t nonce);
/* Writes the server's text of the moment beside it. */
void values_at_text(struct values *values);

/* A table was like that from its first moment to its last at most. */
struct era {
        int64_t from_ms;
        int64_t until_ms;
        struct shape shape;
};

struct history {
        int fd; /* where the changes come from */
        struct {
                struct era *eras;
                int n;
                int capacity;
        } tables[N_TABLES];
        int64_t n_changes;
        int64_t n_kills;
};

/* Begins with narrow tables. */
bool history_init(struct history *history, int fd);
void history_fini(struct history *history);
/* Takes in what the process has told. */
void history_read(struct history *history);
/* Whether the table can have stored the values as these texts since then; a NULL is not looked at.
 */
bool history_allows(const struct history *history, enum table table, int64_t since_ms,
                    const struct values *values, const char *const texts[N_SUBJECTS]);
/* Whether the table can have had a type since then that one of the values does not fit. */
bool history_is_unfit(const struct history *history, enum table table, int64_t since_ms,
                      const struct values *values);
/* Whether the table can have been missing since then. While a schema is made anew it can be, though
 * that is one transaction: the server sees the new rows of its catalog a moment before it hears
 * that the schema it knows is gone, and finds the table in neither. */
bool history_is_missing(const struct history *history, enum table table, int64_t since_ms);

#endif
