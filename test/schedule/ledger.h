/*
 * The ledger: every request of a run, what its caller was told and what the server did. It checks
 * I1 to I6 and I15: each called back once, never inline, with its own answer or a failure that is
 * true, in time.
 */
#ifndef SCHEDULE_LEDGER_H
#define SCHEDULE_LEDGER_H

#include <pipit/pipit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_MAX 96
/* Nonces are that far from each other: a nonce tells its op. */
#define NONCE_STEP 1000003

/* What a statement is, as its text says to the server. */
enum op_kind {
        OP_READ,
        OP_WRITE,
        OP_RETURNING,
        OP_EMPTY,
        OP_WIDE,     /* a long answer */
        OP_LONG,     /* a long parameter */
        OP_BAD,      /* refused by the parser */
        OP_FAILS,    /* fails when it is executed */
        OP_DEFERRED, /* fails when it is committed */
        OP_SETS,     /* changes its session */
        OP_COPIES_OUT,
        OP_COPIES_IN,
        OP_NUL, /* has a parameter that cannot be sent */
        OP_DRAIN,
        OP_ATOMIC, /* a transaction: what its done callback is told */
        OP_KINDS
};

struct op {
        int number; /* its place here */
        enum op_kind kind;
        int64_t nonce;
        int columns;
        int rows;
        int generation; /* which database, from 1 */
        pipit_request request;
        int64_t deadline_ms; /* INT64_MAX: none */
        bool was_due;        /* a deadline had come before it was given another */
        bool cancelled;
        bool ended; /* when it was cancelled, it had ended with others, and waited to be told so */
        int64_t started_ms;
        int n_faults;      /* that there had been when it was started */
        int64_t turn;      /* of the loop, in front of which that was */
        bool alone;        /* nothing else was out then */
        bool started_late; /* on a scope that had ended, or was ending */
        bool is_read;      /* it was declared a read */
        bool is_grouped;   /* it may be committed with others */
        struct op *atomic; /* the transaction that it is a part of; NULL: none */
        /* Of a transaction. */
        struct pipit *scope; /* while it may be used; NULL: else */
        int n_bodies;        /* how often its body ran */
        int first_part;      /* of the last run, or LEDGER_MAX */
        int last_part;       /* that the server has executed */
        bool commits_early;
        bool rolls_back; /* the body asked for that */
        /* What the caller was told. */
        int n_calls;
        int n_then;
        int n_then_calls;
        int code;
        enum pipit_executed executed;
        /* What the server did. */
        int session;          /* the last that executed it, from 1; 0: none has */
        int n_committed;      /* how often its effect was made to last */
        int n_executed;       /* how often it was begun */
        int n_hits;           /* how often it was hit by a cancel, be it another's */
        bool is_hit;          /* the last time; it has not been executed since */
        int n_prepared;       /* how often it was refused, or skipped, for what was prepared */
        uint64_t answered_at; /* where in what its session says its own answer ends; 0: nowhere */
        uint64_t ready_at;    /* the same of the answer to its Sync */
        char sent_state[6];   /* the SQLSTATE of the error that it was answered by */
};

struct ledger {
        int n;
        struct op ops[LEDGER_MAX];
        bool disturbed; /* something has happened that other requests may suffer from */
        bool time_moved;
        int64_t torn;      /* in front of which turn a session ended with its last words unread */
        int n_faults;      /* everything that can cost a connection, each time it does */
        int64_t healed_ms; /* since when all is well; 0: not yet */
        int ended;         /* the last generation that was closed or drained */
        void (*in_callback)(void); /* what the run does in a callback */
};

extern struct ledger ledger;

void ledger_clear(void);
/* A new entry; NULL when there is no room. */
struct op *ledger_add(enum op_kind kind, int generation);
/* The one with this number; a number that is not there is a fault of the library's. */
struct op *ledger_at(int number);

/* Something has happened that others may suffer from. */
void ledger_disturb(void);

/* The SQL text that tells the server what to do. */
void op_sql(const struct op *op, char *ret_sql, size_t size);
/* Whether it may share a Sync; whether its effect, if it has one, can be seen; whether it is run in
 * the order of the calls. */
bool op_may_share(const struct op *op);
bool op_writes(const struct op *op);
bool op_keeps_order(const struct op *op);
const char *op_name(enum op_kind kind);
bool op_is_out(const struct op *op);
/* Whether the client has been sent all that its caller waits for. */
bool op_is_answered(const struct op *op);
/* The callbacks of all requests, and those that were added; arg is the op. */
void op_on_done(struct pipit_result *res, void *arg);
void op_on_then(struct pipit_result *res, void *arg);

/* Whether a transaction's last run has come to the server. */
bool op_has_run(const struct op *atomic);

/* Once the loop is quiet: nothing is overdue or answered, nothing of an ended generation is out. */
void ledger_check_quiet(int open_generation);
/* At the end, when the server has worked off everything. */
void ledger_check_end(void);

#endif
