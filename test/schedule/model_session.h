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
        int op;       /* whose statement was parsed last */
        int last_op;  /* whose was executed last */
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
void session_close(struct session *session);
/* Lets go what there is to say. */
void session_release(struct session *session);
bool session_parse(const struct session *session, struct message *ret_message);
void session_handle(struct session *session, const struct message *message);

#endif
