/*
 * A connection from the inside: what the files conn_*.c share. Each section names the file that has
 * its functions.
 */
#ifndef PIPIT_CONN_INT_INTERNAL_H
#define PIPIT_CONN_INT_INTERNAL_H

#include "base/list.h"
#include "conn/cancel_conn.h"
#include "conn/conn.h"
#include "conn/prepared.h"
#include "conn/reply_queue.h"
#include "loop/reactor.h"
#include "pq/pq.h"

struct cancel;

/* One row or one statement of more bytes makes libpq's buffers so large that the connection is
 * replaced: they never shrink. */
#define CONN_LARGE ((size_t)1 << 22)

/* How far a cancel is; there is one at a time. */
enum conn_cancel {
        CANCEL_NONE,
        CANCEL_ASKED, /* a cancel is out; what it is meant for is the first segment */
        CANCEL_LATE,  /* a cancel is out; what it was meant for is answered */
        CANCEL_ENDED, /* the server has had it; what it is meant for is still the first segment */
        CANCEL_PAST,  /* the server has had it; what was sent before that may have been hit */
        CANCEL_FAILED /* nobody knows whether it will come: nothing is sent any more */
};

struct conn {
        struct list link; /* its owner's, for the state */
        enum conn_state state;
        const struct conn_config *config;
        struct connect_attempt *attempt; /* NULL but in CONN_CONNECTING */
        struct pg_conn *pq;              /* NULL until the attempt has succeeded, and once closed */
        struct pq_receiver receiver;     /* of pq's notices */
        struct watch *watch;             /* NULL while pq has never been there */
        struct timer *limit;             /* of the state; in CONN_BUSY of patience with what nobody
                                          * waits for */
        struct timer *again;             /* goes on with what a turn's budget left over */
        struct reply_queue replies;
        struct prepared prepared;
        const struct lease_ops *lease_ops; /* NULL while no lease has the connection */
        void *lease_arg;
        int room;              /* replies that the segment takes at most which is sent now */
        int64_t read_us;       /* when the last segment was answered; 0: never */
        struct sending flight; /* all that was sent since nothing was owed the last time */
        enum conn_cancel cancel_state;
        struct cancel *cancel;  /* NULL but while one is out */
        struct backend backend; /* for a cancel; began is "" through a pooler */
        struct backend session; /* that has answered the settings; both "" if that is not known */
        bool reader;            /* once what was sent is answered, transactions cannot write */
        bool unsuited;          /* the server refused to write, which the program asked for */
        bool served;            /* somebody has used the connection: only then can it be old */
        bool serializable;      /* reads may fail at their Sync, and so do not share it */
        bool settings_again;    /* the server has refused some: they are sent anew, without */
        unsigned refused;       /* the settings that are left out: see session_settings.h */
        int64_t statement_timeout_ms; /* the session's own; 0: none; -1: not known */
        bool unflushed;               /* libpq has bytes that the socket did not take */
        bool incomplete;              /* a part of a result is here */
        bool oversized;               /* libpq's buffers have grown to CONN_LARGE */
        bool closes_due;              /* a lease has left statements to be closed */
        bool protocol_lost;           /* libpq itself complained: the protocol is in doubt */
        int pieces;                   /* in which the incomplete result has come */
        size_t incoming;              /* bytes of the incomplete result, once they are counted */
        size_t unread;                /* bytes that libpq left in the socket the last time */
        int64_t born_ms;
        int64_t since_ms;                /* when the state was entered */
        int64_t expires_ms;              /* the end of its lifetime; DEADLINE_NEVER: never */
        char host[CONN_ERROR_HOST_SIZE]; /* "" until its attempt has ended */
        struct conn_error end_reason;    /* its text is "" until something says why it ends */
        struct deferred deferred;
};

/* ---- conn.c: the link, and its end */

int64_t pipit__conn_now(const struct conn *conn);

/* Keeps why the server ends the session, for whoever is told of it. */
COLD void pipit__conn_note_end(struct conn *conn, const char *sqlstate, const char *message);
/* Closes a connection for a reason of its own; what the server said at its end, if anything, goes
 * first. */
COLD void pipit__conn_break(struct conn *conn, const char *reason);
/* Closes a connection for what libpq says went wrong. */
COLD void pipit__conn_break_by_libpq(struct conn *conn);
/* Closes a connection with this error; in_child: a forked child's copy, without a word on the
 * socket. */
void pipit__conn_end(struct conn *conn, const struct conn_error *cause, bool in_child);
/* Frees what it consists of: only for one that nobody has seen yet, and as its deferred free. */
void pipit__conn_free(struct deferred *deferred);

/* Begins a settlement of its replies. */
void pipit__conn_begin_settlement(const struct conn *conn, struct settlement *settlement);

/* ---- conn_state.c: states, and what comes next */

/* Changes the state, and tells the owner. failure is given with CONN_CLOSED, and is else NULL. */
void pipit__conn_enter(struct conn *conn, enum conn_state state, const struct conn_error *failure);
/* Goes on after everything that was owed is answered, or after a cancel that kept the connection
 * has ended. The connection may be closed. */
void pipit__conn_drained(struct conn *conn);
/* Finds the next state of a connection that owes nothing, and about which no cancel is out. The
 * connection may be closed. */
void pipit__conn_enter_next(struct conn *conn);
/* Does what is to be done when the limit of the present state has passed; a timer's function. */
void pipit__conn_on_limit(void *arg);

/* ---- conn_statement.c: one statement that goes out */

/* Returns the moment by which what is prepared is new enough. */
struct prepared_moment pipit__conn_moment(const struct conn *conn);
/* Sends one statement of a segment, which the connection holds then, with these ops; what prepares
 * it goes in front. There is room for its reply. 0, or -1. */
int pipit__conn_send_statement(struct conn *conn, const struct prepared_moment *when,
                               const struct reply_ops *kind, struct request *req,
                               const struct holder_ops *ops);

/* Asks for the types of a statement, likewise, instead of sending it. */
int pipit__conn_ask_types(struct conn *conn, const struct prepared_moment *when,
                          const struct reply_ops *kind, struct request *req,
                          const struct holder_ops *ops);

/* ---- conn_send.c: what goes out */

/* Sends a statement of pipit's own, as a segment. 0, or -1: the connection is to be closed. */
int pipit__conn_send_own(struct conn *conn, const char *sql);
/* Makes the connection a reader, or a writer, for what is sent from now on; likewise. */
COLD int pipit__conn_send_role(struct conn *conn, bool reader);
/* Sends the settings that every session has, likewise. */
int pipit__conn_send_settings(struct conn *conn);
/* Has the server forget what is of no use any more of what it prepared, likewise; does nothing if
 * there is no such thing. */
int pipit__conn_send_closes(struct conn *conn);

/* ---- conn_cancel.c: what nobody waits for */

/* Sets the limit by which something is to be done about statements that nobody waits for. */
void pipit__conn_watch_abandoned(struct conn *conn);
/* Asks the server to stop the result that comes in, unless it was asked already. */
COLD void pipit__conn_stop_incoming(struct conn *conn);
/* Sets the limit by which such a result has to end. */
COLD void pipit__conn_watch_incoming(struct conn *conn);
/* Does what the limits are set for, once one has passed. */
void pipit__conn_on_patience(struct conn *conn);
/* Notes that the first segment is answered: what a cancel was meant for is not there any more. */
void pipit__conn_pass_cancel(struct conn *conn);

/* ---- conn_open.c: the attempt and the set-up */

/* Takes over the answer to a statement of pipit's own: to the settings of a new session it says
 * what that is. */
COLD void pipit__conn_take_own(struct conn *conn, struct pg_result *answer);
/* Leaves something out of the settings, which the server has refused, and has them sent again; or
 * closes the connection. Takes answer over. */
COLD void pipit__conn_refuse_settings(struct conn *conn, struct pg_result *answer);
/* Sends the settings again, for the same state. The connection may be closed. */
COLD void pipit__conn_send_settings_again(struct conn *conn, int64_t limit_ms);
/* Notes what the host of a connection that is set up has refused, for those that follow. */
COLD void pipit__conn_learn_refused(const struct conn *conn);

/* ---- conn_role.c: what the server is */

/* Whether the server is what the program asked for, as far as it has said. Counts while no reply is
 * owed and no lease has changed the session. */
bool pipit__conn_suits(const struct conn *conn);
/* Notes an error of the statement that is being read: one that says that the server cannot write,
 * which was asked for, has the connection left. */
COLD void pipit__conn_note_error(struct conn *conn, const struct pg_result *answer);
/* Tells the owner that the server is not what was asked for. */
COLD void pipit__conn_tell_unsuited(struct conn *conn);

/* ---- conn_refuse.c: answers that end the connection */

/* Refuses what the statement that answers has done: its session is not as others rely on. */
COLD void pipit__conn_refuse_unshared(struct conn *conn);
/* Refuses to go on after an error that ends the session, or after which that is not as it must be.
 * Takes answer over. */
COLD void pipit__conn_refuse_error(struct conn *conn, struct pg_result *answer);
/* Refuses what is no answer of the server: an error of libpq's own, or a COPY. Takes answer over.
 */
COLD void pipit__conn_refuse_broken(struct conn *conn, struct pg_result *answer);
/* Refuses an answer that cannot be the one that is owed. */
COLD void pipit__conn_refuse_unowed(struct conn *conn);
/* Refuses a result of more than max_result_bytes. */
COLD void pipit__conn_refuse_size(struct conn *conn);

/* ---- conn_read.c: what comes in */

/* Reads, and writes what could not be written before; a watcher's function. */
void pipit__conn_on_ready(unsigned ready, void *arg);
/* Works off what the last turn's budget left over; a timer's function. */
void pipit__conn_on_again(void *arg);

#endif
