/*
 * What the wire tests share: a loop, a scripted server on it, a database on that, and batches of
 * requests whose answers tell whose they are. The verbs of live.h work here as well.
 */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include "live.h"
#include "server.h"

#define BATCH_MAX 64

/* The kinds of the messages of all sessions that are set up, one letter each. What an older libpq
 * closes a statement with is one message of a newer one, and noted as that. */
struct tape {
        bool closes; /* until the next Execute */
        int n;
        char kinds[4096];
};

extern struct server *wire_server;

/* Fixtures: one connection, up to BATCH_MAX requests on it. */
void wire_setup(void);
/* The same over TCP. */
void wire_setup_tcp(void);
/* The last one to check: nothing is left on the loop, and no COMMIT was sent where ReadyForQuery
 * had said that the transaction has failed. */
void wire_teardown(void);
/* The options that the fixtures use, to change and give to live_reopen(). */
struct pipit_options wire_options(void);
/* Opens live_db again with these options. */
void wire_reopen(const struct pipit_options *options);

/* Requests that are out together. */
struct batch {
        int n;
        int n_calls;     /* of callbacks, over all */
        bool reads;      /* they are declared so */
        const char *sql; /* of each, with the text for its parameter; NULL: SELECT $1 */
        struct batch_entry {
                struct batch *batch;
                pipit_request number;
                char text[16]; /* what is asked for, and must come back */
                int n_calls;
                bool own;                 /* the answer is one row with the text */
                struct pipit_error error; /* code, executed and sqlstate only */
        } entries[BATCH_MAX];
        void (*then)(struct batch_entry *entry, void *arg); /* called in each callback */
        void *arg;
};

/* Starts n requests; no callback has run when it returns. */
void batch_start(struct batch *batch, int n);
/* Turns the loop until all have called back. */
void batch_wait(struct batch *batch);
/* Each has called back once: the entries from first to behind last with their own answers. */
void batch_expect_own(const struct batch *batch, int first, int last);
/* The same with this failure. */
void batch_expect_error(const struct batch *batch, int first, int last, int code,
                        enum pipit_executed executed);
/* Opens a connection and has it idle. */
void wire_connect(void);

/* Has a text be known to be fast: it is run three times. Connects if need be. */
void wire_know(const char *sql);

/* Runs a query and has it answered by its own text: the database works. */
void expect_service(void);

/* Notes the kind of a message; for the hook on messages. */
void tape_note(struct tape *tape, const struct session *session, const struct message *message);

/* A log hook that counts; arg is a struct log_lines. */
struct log_lines {
        int n;
        int n_left_out;  /* lines that say that lines were left out */
        int n_controls;  /* lines with control characters in them */
        char last[1100]; /* of level warning or above */
};
void on_log(enum pipit_log_level level, const char *line, void *arg);

#endif
