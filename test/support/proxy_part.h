/*
 * The inside of the fault proxy, shared by proxy*.c. A link is a connection through it, a flow one
 * direction of a link: what was read waits in `in` until it is a whole message, what may go waits
 * in `out`.
 */
#ifndef TEST_PROXY_PART_H
#define TEST_PROXY_PART_H

#include <event2/buffer.h>

#include "proxy.h"

struct link;

struct rule {
        struct rule *next;
        struct proxy_rule is;
        int64_t n_seen; /* messages or bytes, for any connection or a certain one */
        int n_acted;
};

enum flow_phase {
        FLOW_STARTUP,  /* messages without a type */
        FLOW_MESSAGES, /* messages with one */
        FLOW_BYTES     /* encrypted, or not understood */
};

enum flow_end {
        FLOW_GOES_ON,
        FLOW_HALF_CLOSE, /* these happen once everything is written */
        FLOW_FIN,
        FLOW_RST,
        FLOW_OVER
};

enum flow_wait {
        FLOW_RUNS,
        FLOW_DELAYS,  /* nothing is taken apart until the timer */
        FLOW_STOPS,   /* nor read; perhaps without a timer */
        FLOW_GATHERS, /* nothing is written until the timer */
};

struct flow {
        struct link *link;
        enum proxy_side side;
        enum flow_phase phase;
        enum flow_end end;
        enum flow_wait wait;
        int from;
        int to;
        struct event *readable;
        struct event *writable;
        struct event *timer;
        struct evbuffer *in;
        struct evbuffer *out;
        struct evbuffer *swapped; /* goes out behind the next message */
        bool eof;                 /* nothing more will be read */
        size_t rest;              /* of a message that has begun to pass: no rule looks at it */
        size_t slice;             /* bytes that go out at a time; 0: all there is */
        int64_t n_drop;           /* messages that vanish from here on; -1: all */
        int n_answers;            /* bytes that answer an SSLRequest and have not come yet */
        int64_t n_bytes;
        int64_t n_messages;
        int64_t n_of_type[256];
        struct rule *armed; /* for the next message, by time */
};

/* One rule by time on one flow. */
struct alarm {
        struct alarm *next;
        struct flow *flow;
        struct rule *rule;
        struct event *timer;
};

struct link {
        struct link *next;
        struct proxy *proxy;
        int number; /* from 1 */
        pid_t backend;
        bool ending; /* what is read goes away until both ends are closed */
        bool dead;   /* off the list, freed at the end of the turn */
        struct flow flows[2];
        struct event *limit; /* of the time for ending */
        struct alarm *alarms;
};

struct proxy {
        struct event_base *base;
        char *server;
        char *path; /* of its own socket; NULL: TCP */
        int port;
        int fd; /* that listens, -1: none */
        uint64_t random;
        struct event *listener;
        struct event *reaper;
        struct link *links; /* the latest first */
        struct link *dead;
        struct rule *rules;
        int n_accepted;
        int64_t n_acted[PROXY_N_ACTIONS];
};

/* What is taken from a flow at a time. */
struct unit {
        unsigned char type;
        size_t length;
};

/* Whether there is a whole message at the front of what was read, and what it is. */
bool unit_find(struct flow *flow, struct unit *unit);
/* It was dealt with: what follows may be of another kind. body is the whole message. */
void unit_passed(struct flow *flow, const struct unit *unit, const unsigned char *body);

/* The rule that acts on this message, counted; NULL: none. ret_at: the first byte that is hit. */
struct rule *rule_find(struct flow *flow, const struct unit *unit, size_t *ret_at);
/* Whether its turn has not passed, and it is for this link. */
bool rule_holds(const struct rule *rule, const struct link *link);
void rule_acted(struct proxy *proxy, struct rule *rule);

/* Deals with what is there, and writes. */
void flow_run(struct flow *flow);
/* Lets a rule by time act. */
void flow_alarm(struct flow *flow, struct rule *rule);
/* Ends what rules have begun. */
void flow_clear(struct flow *flow);
/* The events of a flow; arg is the flow. */
void flow_on_readable(int fd, short what, void *arg);
void flow_on_writable(int fd, short what, void *arg);
void flow_on_timer(int fd, short what, void *arg);

/* Ends a link at once. */
void link_end(struct link *link, enum flow_end end);
/* A link of which both directions are over goes. */
void link_check(struct link *link);

#endif
