/*
 * Chaos on the real thing: pipit under load, behind the fault proxy, on a real PostgreSQL that is
 * killed and restarted. What is shared by the parts of that program.
 */
#ifndef TEST_CHAOS_H
#define TEST_CHAOS_H

#include <event2/event.h>
#include <pipit/pipit.h>
#include <stdbool.h>
#include <stdint.h>

#include "proxy.h"

/* ---- dice.c */

/* Decisions come from the seed: the next number, and one from low to high. */
struct dice {
        uint64_t state;
};
uint64_t dice_next(struct dice *dice);
int64_t dice_between(struct dice *dice, int64_t low, int64_t high);
/* Whether something happens that does so n times in a hundred. */
bool dice_percent(struct dice *dice, int n);

/* Milliseconds of the clock that never jumps. */
int64_t clock_ms(void);

/* ---- ledger.c: how each write ended, and what the server's table says */

enum ledger_state {
        LEDGER_NONE,
        LEDGER_OPEN, /* its callback has not run */
        LEDGER_COMMITTED,
        LEDGER_REFUSED,
        LEDGER_UNKNOWN
};

/* Each has so much at first. */
#define N_ACCOUNTS 100
#define BALANCE    1000000

struct ledger {
        int64_t n;        /* operations, from 0 */
        int64_t n_states; /* room */
        unsigned char *states;
        uint64_t seed;
};

struct ledger_report {
        int64_t rows;
        int64_t lost;       /* acknowledged, and not there */
        int64_t duplicated; /* there more than once */
        int64_t refused;    /* refused, and there */
        int64_t foreign;    /* nobody wrote that */
        int64_t missing;    /* of the money, or too much of it */
        int64_t uneven;     /* accounts with another balance than the ledger says */
};

bool ledger_init(struct ledger *ledger, int64_t n_states, uint64_t seed);
void ledger_fini(struct ledger *ledger);
int64_t ledger_nonce(const struct ledger *ledger, int64_t op);
/* Makes the tables. By plain libpq, which blocks. */
bool ledger_create(const char *url);
/* Compares row by row; whether the server could be asked. */
bool ledger_compare(const struct ledger *ledger, const char *url, struct ledger_report *report);

/* ---- load.c: requests of all kinds, many at once */

#define N_SLOTS 4096

struct load;

enum op_kind { OP_READ, OP_WRITE, OP_REFUSED, OP_ERROR, OP_TRANSFER };

/* One from account to account; see bank.c. */
struct transfer {
        int form;
        struct pipit_transaction options;
        int64_t source;
        int64_t target;
        int64_t amount;
        bool swapped;       /* gives first */
        bool undone;        /* success says that it was rolled back */
        int n_bodies;       /* that ran */
        int n_out;          /* statements and nested ones without a callback yet */
        int n_good;         /* statements of the last body that succeeded */
        struct pipit *held; /* that waits for a timer */
};

struct slot {
        struct slot *next; /* of those that are free, the one longest free first */
        struct load *load;
        enum op_kind kind;
        int shape;
        int64_t op;
        int64_t started_ms;
        pipit_request request;
        int generation; /* of the database */
        int n_calls;
        int n_then; /* of the second callback; -1: there is none */
        bool open;
        struct transfer transfer;
};

struct load {
        struct event_base *base;
        struct event *tick;
        struct dice dice;
        struct ledger ledger;
        struct pipit *db;
        char url[100];
        int generation;
        int n_target; /* requests that are out together; 0: no more are started */
        int n_open;
        bool bank;     /* transfers instead of most other writes */
        bool declares; /* some of the reads are declared so */
        enum pipit_pooler pooler;
        bool calm;     /* nothing is cancelled or cut short any more */
        bool starting; /* in a call that starts a request */
        struct slot *free_first;
        struct slot *free_last;
        struct slot slots[N_SLOTS];
        int64_t n_requests;
        int64_t n_ok;
        int64_t n_error;
        int64_t n_unknown;
        int64_t n_refused;
        int64_t n_transfers;
        int64_t n_committed; /* of them */
        int64_t n_retries;   /* bodies that ran again */
        int64_t n_cancels;   /* cancels, deadlines and closed databases */
        int64_t n_wrong;     /* answers that were somebody else's */
        int64_t n_doubled;
        int64_t n_inline; /* callbacks in the call that started the request */
        int64_t n_late;   /* that ended long behind their time */
        char wrong[300];  /* what was wrong last */
};

bool load_init(struct load *load, struct event_base *base, const char *url, uint64_t seed,
               int64_t n_ledger);
/* Starts n requests that must succeed, and tells how many of them have. */
void load_start_calm(struct load *load, int n);
/* More or fewer at once from now on. */
void load_pause(struct load *load);
/* Closes the database and opens it again, with all that is out. */
void load_reopen(struct load *load);

/* The callback of every request, and the second one; arg is its slot. */
void load_on_answer(struct pipit_result *res, void *arg);
void load_on_then(struct pipit_result *res, void *arg);

/* ---- bank.c: transfers */

/* Decides on one; calm: it must succeed. */
void bank_fill(struct slot *slot, bool calm);
pipit_request bank_send(struct slot *slot);
/* Whether success, or this error, can be what one ends with. */
bool bank_answer_is_right(const struct slot *slot);
bool bank_error_is_right(const struct slot *slot, const struct pipit_error *error);

/* ---- havoc.c: the faults */

struct havoc {
        struct event_base *base;
        struct event *next_fault;
        struct event *child_ended;
        struct event *resume; /* the process that was stopped goes on */
        struct event *listen_again;
        struct event *start_again; /* the server */
        struct proxy *proxy;
        struct load *load;
        struct dice dice;
        const char *script;
        char folder[100];
        pid_t child;   /* the script that runs; 0: none */
        pid_t stopped; /* the server process that is stopped; 0: none */
        bool up;       /* whether the server runs */
        bool starting; /* what the script does */
        bool over;     /* no more faults */
        int n_failures;
        int64_t n_restarts;
        int64_t n_kills;
        int64_t n_cuts;
        int64_t n_refusals;
        int64_t restart_at_ms;
};

bool havoc_init(struct havoc *havoc, struct event_base *base, const char *script,
                const char *folder, uint64_t seed);
void havoc_start(struct havoc *havoc);
/* No more faults; what was begun ends, and the server comes back: then havoc_is_over(). */
void havoc_stop(struct havoc *havoc);
bool havoc_is_over(const struct havoc *havoc);
void havoc_fini(struct havoc *havoc);
int64_t havoc_n_faults(const struct havoc *havoc);
/* Runs cluster.sh and waits. */
bool cluster_run(const char *script, const char *command, const char *folder);

/* ---- memory.c */

struct memory {
        struct event *tick;
        int64_t start_ms;
        int n;
        struct {
                double minutes;
                double kib;
        } samples[20000];
};

bool memory_init(struct memory *memory, struct event_base *base);
void memory_fini(struct memory *memory);
/* KiB a minute, by linear regression over the samples behind the first third. */
double memory_slope(const struct memory *memory);

#endif
