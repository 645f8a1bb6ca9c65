/*
 * A relay between pipit and a server, on the test's own loop: it counts the bytes of its first
 * session in both directions, and cuts it after a number of them. Later sessions pass.
 */
#ifndef TEST_RELAY_H
#define TEST_RELAY_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

enum relay_way { RELAY_UP, RELAY_DOWN, RELAY_WAYS }; /* to the server, to the client */

enum relay_end { RELAY_FIN, RELAY_RST };

#define RELAY_MAX_BYTES (1 << 18)

/* One cut, and what became of it. */
struct relay_cut {
        long at;            /* bytes; -1: none */
        enum relay_way way; /* of the bytes that are counted */
        enum relay_end end; /* how the client is told */
        bool done;
};

struct relay_session;

struct relay {
        struct event_base *base;
        const char *path; /* of the server's socket */
        int port;         /* of the relay, on 127.0.0.1 */
        int fd;
        struct event *listener;
        struct relay_cut cut;
        int n_accepted; /* since relay_arm() */
        struct relay_session *sessions;
        long n_bytes[RELAY_WAYS]; /* of the first session since then */
        char *bytes[RELAY_WAYS];  /* a recording of it, up to RELAY_MAX_BYTES; NULL: none */
};

/* What fails here fails the test. */
struct relay *relay_new(struct event_base *base, const char *path);
void relay_free(struct relay *relay);
/* Starts over with this cut. */
void relay_arm(struct relay *relay, const struct relay_cut *cut);
/* Ends what is left of the sessions: their clients are gone, or are to lose their link. */
void relay_end(struct relay *relay);
/* Keeps a copy of what passes from now on. */
void relay_record(struct relay *relay);

#endif
