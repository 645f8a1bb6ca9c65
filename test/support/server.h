/*
 * A scripted PostgreSQL backend inside the test, on the test's own loop: it listens, takes the
 * client's messages apart, and answers as a server does unless the test says otherwise.
 *
 * What the test says goes through two hooks: on_message sees every message before anything is done
 * about it, on_statement answers one statement. Without them every statement is answered by one row
 * with its first parameter, or its own text when it has none, so that an answer tells whose it is.
 * The statements with which pipit sets a session up, and makes it a reader or a writer, are
 * answered by the server itself. What the server says is what a real one would say: a live test
 * compares the two.
 *
 * Nothing goes out before session_flush(), which the answer to a Sync calls. What goes out then
 * can be cut into slices, held back, or end in a FIN or an RST.
 */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server;
struct session;

/* The kinds of a message; others are the protocol's own letters. */
enum message_kind {
        MESSAGE_STARTUP = 1,
        MESSAGE_SSL,    /* SSLRequest or GSSENCRequest */
        MESSAGE_CANCEL, /* CancelRequest */
        MESSAGE_QUERY = 'Q',
        MESSAGE_PARSE = 'P',
        MESSAGE_BIND = 'B',
        MESSAGE_DESCRIBE = 'D',
        MESSAGE_EXECUTE = 'E',
        MESSAGE_CLOSE = 'C',
        MESSAGE_SYNC = 'S',
        MESSAGE_COPY_DATA = 'd',
        MESSAGE_COPY_DONE = 'c',
        MESSAGE_COPY_FAIL = 'f',
        MESSAGE_PASSWORD = 'p',
        MESSAGE_TERMINATE = 'X'
};

/* A message of the client; borrowed. */
struct message {
        int kind;
        const char *body;
        size_t length;
};

/* Whether the hook has dealt with the message. */
typedef bool (*server_message_fn)(struct session *session, const struct message *message,
                                  void *arg);
/* Answers one statement, from RowDescription to CommandComplete. sql is borrowed. */
typedef void (*server_statement_fn)(struct session *session, const char *sql, void *arg);

enum server_kind {
        SERVER_UNIX, /* a socket in a folder of its own */
        SERVER_TCP   /* a port of 127.0.0.1, for what only TCP has: the RST */
};

enum session_end {
        SESSION_GOES_ON,
        SESSION_FIN, /* closed once everything is written */
        SESSION_RST  /* the same, with a reset */
};

struct server {
        struct event_base *base;
        enum server_kind kind;
        char folder[64];
        char url[200];
        int port;
        server_message_fn on_message;     /* NULL: none */
        server_statement_fn on_statement; /* NULL: server_echo() */
        void *arg;                        /* of both */
        const char *in_hot_standby;       /* as it is reported; NULL: it is not */
        const char *read_only;            /* default_transaction_read_only, likewise */
        const char *isolation;            /* of transactions; NULL: read committed */
        size_t slice;                     /* bytes that go out at a time; 0: all there is */
        bool held;                        /* nothing goes out until server_release() */
        bool bare;                        /* errors have no more fields than those of a pooler */
        bool commits_anyway;              /* a COMMIT of what has failed is told as one */
        int n_failed_commits;             /* COMMITs that came in a transaction that has failed */
        int n_accepted;                   /* sessions, those that are gone included */
        int n_closed;                     /* sessions that are gone */
        int n_statements;                 /* without pipit's own */
        int n_syncs;                      /* without those of pipit's own statements */
        size_t n_written;                 /* bytes */
        struct session *sessions;         /* the latest first */
        int fd;
        struct event *listener;
        pid_t child; /* 0: it runs here */
};

struct prepared;

struct session {
        struct session *next;
        struct server *server;
        int number; /* from 1, in the order they were accepted */
        int fd;
        struct event *readable;
        struct event *writable;
        struct evbuffer *in;
        struct evbuffer *out;
        size_t released; /* bytes of out that may go */
        bool started;
        bool is_set_up;          /* a Sync was answered, and nothing in front had failed */
        bool reader;             /* it was made one */
        bool sets_role;          /* the next Sync is that of its role */
        bool reads_when_written; /* starts to read again once everything is written */
        enum session_end end;
        bool failed;               /* skips everything until a Sync */
        bool copying;              /* takes what a COPY brings */
        bool owes_description;     /* was asked to describe what the next answer is like */
        char status;               /* what ReadyForQuery tells: I, T or E */
        struct prepared *prepared; /* the statements that have a name */
        char *sql;                 /* of the last Parse, or of the name in the last Bind */
        char *value; /* the first parameter of the last Bind; NULL when there is none */
        int n_statements;
};

/* Opens a server; what fails here fails the test. */
struct server *server_new(struct event_base *base, enum server_kind kind);
/* Ends it with all its sessions; NULL does nothing. */
void server_free(struct server *server);
/* Moves the server into a process of its own, so that its work is not the loop's. The hooks are set
 * before; from then on the counts here stand still. */
void server_fork(struct server *server);
/* No new session is let in, and nobody listens any more. */
void server_stop_listening(struct server *server);
/* Lets go what was held back. */
void server_release(struct server *server);
/* Every session that is open ends like this. */
void server_end_all(struct server *server, enum session_end end);

/* Deals with a message as a server does. */
void server_default(struct session *session, const struct message *message);
/* Answers with the statement's first parameter, or its text. */
void server_echo(struct session *session, const char *sql, void *arg);

/* Puts something into what goes out next. Texts are NUL-terminated; NULL is SQL NULL. What has no
 * columns says so by itself before it is complete, and an error skips what follows until a Sync. */
void session_raw(struct session *session, const void *bytes, size_t n);
void session_message(struct session *session, char type, const void *body, size_t n);
void session_authentication(struct session *session, uint32_t code);
void session_parameter(struct session *session, const char *name, const char *value);
void session_key(struct session *session);
void session_welcome(struct session *session); /* from AuthenticationOk to ReadyForQuery */
void session_ready(struct session *session);
void session_columns(struct session *session, int n, const char *const *names);
/* Only for what is told before an answer without columns is complete, as a notice. */
void session_no_columns(struct session *session);
void session_row(struct session *session, int n, const char *const *values);
/* The tags of BEGIN, COMMIT and ROLLBACK open and end a transaction; a COMMIT of one that has
 * failed becomes a ROLLBACK. */
void session_complete(struct session *session, const char *tag);
/* The same for a ROLLBACK TO, which heals a transaction that has failed. */
void session_rollback_to(struct session *session);
/* In place of it, for a statement of nothing. */
void session_empty(struct session *session);
/* One row of one column with its CommandComplete. */
void session_text(struct session *session, const char *text);
/* A NULL field is left out. */
void session_error(struct session *session, const char *severity, const char *sqlstate,
                   const char *text);
/* The same with a source function: severity, SQLSTATE, text, function. */
void session_error_from(struct session *session, const char *const *texts);
void session_notice(struct session *session, const char *severity, const char *text);
void session_notification(struct session *session, const char *channel, const char *payload);
/* type: G, H or W, for CopyIn, CopyOut and CopyBoth. Behind a CopyIn the session takes nothing but
 * data, until these are done. */
void session_copy(struct session *session, char type);

/* Forgets the statements that have a name, as after DEALLOCATE ALL. */
void session_forget(struct session *session);

/* Lets everything put so far go out. */
void session_flush(struct session *session);
/* The same at once: the client's socket has it when this returns. */
void session_flush_now(struct session *session);
/* Ends the session at once, the same way; it is gone when this returns. */
void session_close_now(struct session *session);
/* Ends the session behind what is released. */
void session_finish(struct session *session, enum session_end end);
void session_stop_reading(struct session *session);
void session_start_reading(struct session *session);

#endif
