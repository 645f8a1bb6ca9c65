/*
 * The policy says where a request that waits goes, or that it waits on, and how many of the next
 * ones share its Sync.
 *
 * The policy is a pure function of what is known of the server, what waits and what each connection
 * owes: it has no socket and no clock, so that test/sim can drive it against servers that do not
 * stand here. The dispatcher asks:
 *
 *      pipit__policy_begin(), pipit__policy_offer() for each connection, pipit__policy_decide()
 *
 * 1. While something is owed, its answer makes the next turn; while nothing is, each connection
 *    is a candidate. So nothing waits for ever, and no timer is needed.
 * 2. Each doubt is resolved toward "the network did it, send more": what is held back by a wrong
 *    estimate is never measured, and the estimate stays wrong.
 */
#ifndef PIPIT_POLICY_INTERNAL_H
#define PIPIT_POLICY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/quantum.h"

struct backlog;
struct server_pace;
struct server_time;

struct policy {
        struct server_pace *pace;
        struct quantum quantum;
        int max_batch; /* statements that share a Sync; 1: nothing follows another */
};

/* A question to the policy: the first request of a queue, and the next ones. */
struct policy_ask {
        const struct server_time *time; /* of the statement of the first */
        int n_waiting;                  /* in that queue */
        int n_coming;                   /* connections that are being made */
        bool shares;                    /* the first may share a Sync */
        bool commits;                   /* its time is mostly that of its commit */
        int64_t now_us;
};

/* A connection that may be given something. */
struct policy_offer {
        const struct backlog *backlog;
        bool may_take;   /* false: counts only */
        bool turns_role; /* something goes in front that makes it a reader, or a writer */
        void *conn;
};

/* The decision. */
struct policy_deal {
        void *conn;
        int n;      /* so many at most share a Sync; 1: the first has its own */
        float us;   /* and take so long at most, but for the first */
        bool pings; /* a ping goes in front */
};

/* A choice that is being made. */
struct policy_choice {
        const struct policy *policy;
        struct policy_ask ask;
        float each_us;    /* foretold of the first */
        float quantum_us; /* of this turn: a backlog is worth more */
        float slow_us;
        int n_conns;
        int n_statements; /* owed by all connections */
        int n_slow;       /* connections that owe something slow */
        bool is_slow;
        bool has_empty; /* a connection that owes nothing was offered */
        struct policy_offer best;
        struct policy_offer best_slow; /* of those that owe something slow */
};

void pipit__policy_init(struct policy *policy, struct server_pace *pace, int max_batch);

/* Begins a choice; n_conns: how many connections share the work. */
void pipit__policy_begin(struct policy_choice *choice, const struct policy *policy,
                         const struct policy_ask *ask, int n_conns);
/* Offers a connection; of those that owe nothing the first that is offered is the best. */
void pipit__policy_offer(struct policy_choice *choice, const struct policy_offer *offer);
/* Decides; false: the request waits. */
bool pipit__policy_decide(const struct policy_choice *choice, struct policy_deal *ret_deal);

/* Whether one of the connections, which all owe something, is to run dry for a ping. */
bool pipit__policy_wants_dry(const struct policy *policy, int64_t now_us);

#endif
