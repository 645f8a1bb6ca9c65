/*
 * The model: a PostgreSQL server as far as a run needs one, in the same process. It listens on the
 * run's network, takes messages apart, and notes in the ledger what it executed and what it
 * committed. Nothing happens in it but by model_... calls, so a run decides when and how far.
 *
 * A segment (what lies in front of a Sync) is a transaction: it is committed at its Sync, or
 * rolled back when something in it failed or its session ends before. Only declared reads, on a
 * session that was made a reader, and writes that may be grouped share one.
 */
#ifndef SCHEDULE_MODEL_H
#define SCHEDULE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

/* What happens at the next place of its kind in a session. */
enum trap {
        TRAP_NONE,
        TRAP_EXECUTE_ERROR,     /* the statement fails */
        TRAP_EXECUTE_FATAL,     /* the session ends in it */
        TRAP_SYNC_ERROR,        /* the commit fails */
        TRAP_SYNC_FATAL_BEFORE, /* the session ends in the commit, nothing is committed */
        TRAP_SYNC_FATAL_AFTER,  /* the same, and it is committed */
        TRAP_SYNC_CLOSE_AFTER,  /* committed, and no word about it */
        TRAP_TWO_FATALS,        /* one error to end the session, and another */
        TRAP_PARSE_ERROR,
        TRAP_STALE, /* a plan of a prepared statement is out of date */
        TRAPS
};

/* What a new session meets. */
enum welcome {
        WELCOME_YES,
        WELCOME_PASSWORD,
        WELCOME_FULL,
        WELCOME_CLOSE,
        WELCOME_SILENCE,
        WELCOMES
};

void model_start(void);
/* Ends it; whatever is left of its sessions goes away. */
void model_end(void);
/* The URL of it. */
const char *model_url(void);

/* Whether it listens; those that wait to be let in are refused. */
void model_listen(bool on);
void model_set_welcome(enum welcome welcome);
/* Whether transactions are serializable; for sessions from now on. */
void model_set_serializable(bool on);

/* Lets sessions in and takes in what they sent; whether they sent something. */
bool model_read(void);
/* The open sessions: how many there are, and the i-th of them, for the calls below. */
int model_count(void);
struct session *model_session(int i);
/* Deals with the next message; false when there is no whole one, or the session has stalled. */
bool session_step(struct session *session);
/* Sends up to so many bytes of what it has to say; how many went. */
size_t session_deliver(struct session *session, size_t n);
/* Where its last whole message ends that has not been sent; 0 when there is none. */
size_t session_next_message(const struct session *session);

void session_set_trap(struct session *session, enum trap trap);
void session_stall(struct session *session, bool on);
/* It forgets what was prepared in it. */
void session_forget(struct session *session);
/* Ends it: what it has to say is lost. rst: so is what it has not read. */
void session_cut(struct session *session, bool rst);
/* Words that answer nothing. */
void session_say_notice(struct session *session);
void session_say_notification(struct session *session);
void session_say_parameter(struct session *session, bool harmful);
void session_say_fatal(struct session *session);

/* Does all there is to do; whether there was something. */
bool model_work(void);
/* No faults any more: traps and stalls are gone, all are welcome. */
void model_heal(void);

#endif
