/*
 * A session of the model, from the inside.
 */
#ifndef SCHEDULE_MODEL_SESSION_H
#define SCHEDULE_MODEL_SESSION_H

#include "bytes.h"
#include "ledger.h"
#include "model.h"

/* No request's statement, but the one that sets a session up. */
#define NO_OP (-1)

struct session {
        int fd; /* -1: it is gone */
        int number;
        struct bytes in;
        struct bytes out;
        size_t released;    /* bytes of out that may go: a server keeps its answers until a Sync */
        uint64_t delivered; /* bytes, since it began */
        uint64_t harmed_at; /* where in what it says its encoding becomes another; 0: nowhere */
        enum welcome welcome;
        enum trap trap;
        bool started;
        bool stalled;
        bool eof;     /* the client has closed */
        bool ending;  /* closed once all is delivered */
        bool failed;  /* skips everything until a Sync */
        bool copying; /* waits for data that never come */
        bool struck;  /* a cancel has come while it had something to do */
        bool harms;   /* its encoding becomes another at the next Sync */
        bool serializable;
        bool reader;      /* its transactions cannot write */
        bool lost_role;   /* a statement of the library's own was refused */
        bool blames;      /* the next Bind is of the statement that could not be parsed */
        char blame[6];    /* with this SQLSTATE */
        bool binary;      /* the next rows are asked for in binary form */
        int op;           /* whose statement was bound last */
        int last_op;      /* the last executed of those that stay in their order */
        int n_named;      /* statements that have a name */
        bool begun;       /* something has come since the last Sync */
        bool brackets;    /* a transaction was begun or ended since then */
        char status;      /* as ReadyForQuery tells: I, T or E */
        struct op *ended; /* the transaction that the segment has committed */
        int n_open;       /* parts of the transaction that is open */
        int open[LEDGER_MAX];
        bool forgets;     /* at the next Sync */
        int64_t told;     /* the turn of the loop in front of which it was last sent something */
        int n_bound;      /* since the last Sync, those that were skipped included */
        int first_bound;  /* the first of them */
        char unnamed[64]; /* the text of the last Parse without name */
        const char *sql;  /* of the last Bind or Describe */
        int n_taken;      /* of those in the segment, that are in the open transaction */
        int n_segment;
        int segment[LEDGER_MAX]; /* what was executed since the last Sync */
        char nonce[32];
};

/* A message of the client, the first one in its session's in. */
struct message {
        char type; /* '\0': a startup packet */
        const unsigned char *body;
        size_t length;
        size_t size; /* with its head */
};

/* The session with this number, be it gone or not. */
const struct session *model_numbered(int number);
/* Somebody wants the session with this number to stop what it does; whether there is one. */
bool model_strike(int number);
void session_close(struct session *session);
/* Lets go what there is to say. */
void session_release(struct session *session);
/* What the text of a statement says; false for one that is no op's. */
bool sql_read(const char *sql, enum op_kind *ret_kind, int *ret_columns);
/* Deal with a message of this kind. */
void session_on_parse(struct session *session, const struct message *message);
/* The same of one that is skipped: what its Bind is about. */
void session_skip_parse(struct session *session, const struct message *message);
void session_on_bind(struct session *session, const struct message *message);
void session_on_describe(struct session *session, const struct message *message);
void session_on_close(struct session *session, const struct message *message);
/* Whether the text has another session stop. */
bool session_is_cancelling(const struct session *session);
/* Whether the text is DEALLOCATE, with which an older libpq closes a name; does it. */
bool session_is_closing(const struct session *session);
void session_close_named(struct session *session);
/* Parts of an answer. routine: the function of the server that an error is from. */
void session_send(struct session *session, char type, const char *text);
struct complaint {
        const char *severity;
        const char *sqlstate;
        const char *message;
        const char *routine;
};
void session_complain(struct session *session, const struct complaint *complaint);
/* An error that answers a statement. */
void session_refuse(struct session *session, int op, const char *sqlstate);
/* An error that ends the session. */
void session_fatal(struct session *session, const char *sqlstate);
/* What begins and ends transactions; false: it is something else. */
bool session_brackets(struct session *session);
/* The segment's fate is sealed; or what it has executed becomes a part of the transaction that is
 * open. */
void segment_end(struct session *session, bool committed);
void segment_open(struct session *session);
/* Whether one of them fails when it is committed. */
bool ops_are_deferred(const int *ops, int n);
/* Springs the trap when it is this one. */
bool session_springs(struct session *session, enum trap trap);
bool session_parse(const struct session *session, struct message *ret_message);
void session_handle(struct session *session, const struct message *message);

#endif
