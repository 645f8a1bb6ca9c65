/*
 * The client's side of a run: one database at a time, and what a program does with it. Everything
 * goes into the ledger.
 */
#ifndef SCHEDULE_CLIENT_H
#define SCHEDULE_CLIENT_H

#include "ledger.h"

/* What a run may do besides the harmless; each run has a half of it. */
enum feature {
        MAY_TRAP,
        MAY_TALK, /* notices and the like */
        MAY_HARM, /* words that end a session */
        MAY_CUT,
        MAY_RESET,
        MAY_STALL,
        MAY_REFUSE,
        MAY_WELCOME,
        MAY_SLICE,
        MAY_FAIL_MEMORY,
        MAY_FAIL_EVENT,
        MAY_MOVE_TIME,
        MAY_CANCEL,
        MAY_TIMEOUT,
        MAY_CLOSE,
        MAY_DRAIN,
        MAY_ERR, /* statements that fail */
        MAY_BE_WIDE,
        MAY_BE_LONG,
        MAY_DISTURB, /* statements that cost their connection */
        MAY_NEST,
        MAY_BATCH,
        MUST_WORK,     /* the server works off everything at once */
        MUST_TURN,     /* the loop turns after each step */
        MAY_DECLARE,   /* reads are declared so */
        MAY_LIE,       /* so are writes */
        MAY_KNOW,      /* statements are known to be fast from the start */
        MAY_GROUP,     /* writes may be committed together */
        MAY_FORGET,    /* the server forgets what was prepared */
        MAY_BE_STRICT, /* transactions are serializable */
        MAY_TRANSACT,
        FEATURES
};

/* Draws the features of a run. */
void client_start(void);
bool may(enum feature feature);

/* Opens a database when none is open. */
void client_open(void);
void client_close(void);
void client_drain(void);
/* Starts something; the last is a read that nothing may disturb. NULL when there is no room. */
void client_submit(void);
void client_submit_many(void);
struct op *client_submit_read(void);
/* To a request that is chosen. */
void client_cancel(void);
void client_set_timeout(void);
void client_then(void);

/* 0 when none is open. */
int client_generation(void);
/* Whether a database is open and takes requests. */
bool client_is_open(void);
/* No more connections than were allowed. */
void client_check(void);

#endif
