/*
 * A fault proxy: stands between PostgreSQL clients and their server, takes the messages of both
 * directions apart, and does to them what rules say. Runs on the loop of whoever makes it.
 *
 * A rule says on which connections, in which direction and when something is done. Of several
 * rules that apply to a message the first one added acts. What was read before a fault is still
 * written, in order, before it takes effect.
 *
 * Messages are seen as long as the connection is not encrypted; from then on there are only bytes,
 * and each read counts as one message of type 0.
 */
#ifndef TEST_PROXY_H
#define TEST_PROXY_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proxy;

/* The direction of the bytes. */
enum proxy_side { PROXY_TO_SERVER, PROXY_TO_CLIENT };

enum proxy_trigger {
        PROXY_MESSAGE, /* the n-th message, of a type if the rule has one; n 0: each */
        PROXY_BYTE,    /* the n-th byte is the first that is hit */
        PROXY_TIME,    /* n milliseconds behind the start of the connection, or of the rule */
        PROXY_CHANCE   /* each message, of a type if the rule has one, n times in a million */
};

/* Each name in a rule's text, and what it does. */
#define PROXY_ACTION_MAP(X)                                                                        \
        X(PASS, "pass")             /* nothing, and no later rule looks at the message */          \
        X(DELAY, "delay")           /* it and what follows waits for k ms */                       \
        X(SLICE, "slice")           /* from here on k bytes go out at a time; 0: no more */        \
        X(COALESCE, "coalesce")     /* what comes within k ms goes out together */                 \
        X(STOP, "stop")             /* nothing is read behind it for k ms; 0: never again */       \
        X(DROP, "drop")             /* k messages vanish; 0: all from here on */                   \
        X(HALF_CLOSE, "half-close") /* this direction ends */                                      \
        X(FIN, "fin")               /* both ends are closed */                                     \
        X(RST, "rst")               /* both ends are reset; on a Unix socket just closed */        \
        X(CORRUPT, "corrupt")       /* the byte k behind the first that is hit is inverted */      \
        X(INSERT, "insert")         /* the rule's bytes stand in front of it */                    \
        X(DUPLICATE, "duplicate")   /* twice */                                                    \
        X(TRUNCATE, "truncate")     /* k bytes of it, and then fin */                              \
        X(SWAP, "swap")             /* goes out behind the message that follows */

#define PROXY_ACTION_ENUM_(name, text) PROXY_##name,
enum proxy_action { PROXY_ACTION_MAP(PROXY_ACTION_ENUM_) PROXY_N_ACTIONS };
#undef PROXY_ACTION_ENUM_

/* Connections of a rule, besides the k-th one to come, from 1. */
enum {
        PROXY_ANY = 0,  /* all; n is counted over all of them, from when the rule is added */
        PROXY_EACH = -1 /* all; n is counted for each from its start */
};

/* Types of the messages that have no letter. */
enum {
        PROXY_TYPE_STARTUP = 1,
        PROXY_TYPE_SSL = 2,    /* SSLRequest and GSSENCRequest */
        PROXY_TYPE_CANCEL = 3, /* CancelRequest */
        PROXY_TYPE_ANSWER = 4  /* the byte that answers an SSLRequest */
};

struct proxy_rule {
        enum proxy_side side;
        int connection;
        enum proxy_trigger trigger;
        unsigned char type; /* 0: any */
        int64_t n;
        enum proxy_action action;
        int64_t k;
        const void *bytes; /* of insert; copied */
        size_t n_bytes;
        int times; /* how often it acts at most; 0: always */
};

/* An address is HOST:PORT in numbers, or the path of a Unix socket. Port 0 is one that is free.
 * NULL, with errno set, when it cannot be listened there. The seed is for chances. */
struct proxy *
proxy_new(struct event_base *base, const char *listen, const char *server, uint64_t seed);
/* Ends it with all its connections; NULL does nothing. */
void proxy_free(struct proxy *proxy);
/* Where it listens. */
int proxy_port(const struct proxy *proxy);
/* Whether new connections are let in; when not, they are refused. Whether that worked. */
bool proxy_listen(struct proxy *proxy, bool on);

/* false: no memory. */
bool proxy_add(struct proxy *proxy, const struct proxy_rule *rule);
/* No rule acts any more, and what a rule has begun ends: delays, slices, stops, drops. */
void proxy_clear(struct proxy *proxy);
/* Reads "to=client,type=Z,n=3,do=rst"; see README.md. What is wrong with it, NULL: nothing.
 * In any case proxy_rule_fini() frees what the rule then holds. */
const char *proxy_parse(const char *text, struct proxy_rule *rule);
void proxy_rule_fini(struct proxy_rule *rule);

/* Ends all connections, or the i-th of those that are open, with PROXY_FIN or PROXY_RST. */
void proxy_end_all(struct proxy *proxy, enum proxy_action action);
void proxy_end(struct proxy *proxy, int i, enum proxy_action action);
/* How many are open, and the server process of the i-th of them; 0: not known yet. */
int proxy_n_open(const struct proxy *proxy);
pid_t proxy_backend(const struct proxy *proxy, int i);
/* Since the start: connections that came; how often a rule acted, for one action and over all. */
int proxy_n_accepted(const struct proxy *proxy);
int64_t proxy_n_acted(const struct proxy *proxy, enum proxy_action action);
int64_t proxy_n_acted_all(const struct proxy *proxy);

#endif
