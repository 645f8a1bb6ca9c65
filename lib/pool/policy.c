/*
 * The policy. See policy.h.
 */
#include "pool/policy.h"

#include <math.h>
#include <stddef.h>

#include "conn/backlog.h"
#include "request/server_time.h"

/* So many bandwidth-delay products fill a pipe whose length varies; BBR's window is as long. */
#define LIMIT_FLIGHTS 2
/* A turn of the client's loop and a wake-up or two. */
#define NOISE_US 100.0F
/* A process that has so much more than a round trip to do will not run dry before the next turn. */
#define NOT_DRY_US 50.0F
/* A neighbour that takes so many times as long costs so many times the time. */
#define MUCH_SLOWER 4.0F
/* One more follows a statement unless the round trip is less than this part of it. */
#define SMALL_PART 16.0F
/* One in so many connections is for what is quick. */
#define QUICK_PART 8
/* A rest that is no more than half a quantum is no segment of its own. */
#define CRUMBS 1.5F
/* A connection has so many times what is foretold, and this, to answer before it counts as stuck.
 */
#define STUCK_TIMES 4.0F
#define STUCK_US    1000.0F
/* A connection owes at most so many batches. */
#define MAX_BATCHES 16

void
pipit__policy_init(struct policy *policy, struct server_pace *pace, int max_batch)
{
        *policy = (struct policy){.pace = pace, .max_batch = max_batch};
        pipit__quantum_init(&policy->quantum);
}

/* A backlog makes segments longer at once: to wait for the quantum to grow would let an open loop
 * queue up. */
static float
choice_quantum(const struct policy *policy, const struct policy_ask *ask, float each_us,
               int n_conns)
{
        float us = (float)ask->n_waiting * each_us / (float)n_conns;

        if (us > QUANTUM_MOST_US)
                us = QUANTUM_MOST_US;
        return us > policy->quantum.us ? us : policy->quantum.us;
}

void
pipit__policy_begin(struct policy_choice *choice, const struct policy *policy,
                    const struct policy_ask *ask, int n_conns)
{
        float each_us = pipit__server_time_foretell(ask->time, policy->pace);

        if (n_conns < 1)
                n_conns = 1;
        *choice = (struct policy_choice){
                .policy = policy,
                .ask = *ask,
                .each_us = each_us,
                .quantum_us = choice_quantum(policy, ask, each_us, n_conns),
                .slow_us = pipit__server_time_slow_us(policy->pace),
                .n_conns = n_conns,
                .is_slow = !ask->commits && pipit__server_time_is_slow(ask->time, policy->pace)};
}

/* ---- candidates */

/* Whether a connection has not answered for so long that something holds it up: a lock, or one
 * statement that is slow for once. */
static bool
choice_is_stuck(const struct policy_choice *choice, const struct backlog *backlog)
{
        const struct server_pace *pace = choice->policy->pace;
        float foretold_us =
                pace->round_trip.most_us + backlog->front_us + 2 * choice->policy->quantum.us;

        return (float)pipit__backlog_silent_us(backlog, choice->ask.now_us) >
               STUCK_TIMES * foretold_us + STUCK_US;
}

/* Whether one more fills the pipe of a connection. */
static bool
choice_has_room(const struct policy_choice *choice, const struct backlog *backlog)
{
        const struct round_trip *round_trip = &choice->policy->pace->round_trip;
        float limit_us = LIMIT_FLIGHTS * round_trip->most_us + 2 * choice->quantum_us + NOISE_US;

        return backlog->owed_us < limit_us ||
               (backlog->n_statements < 2 && round_trip->least_us > choice->each_us / SMALL_PART);
}

static bool
choice_may_take(const struct policy_choice *choice, const struct policy_offer *offer)
{
        const struct backlog *backlog = offer->backlog;
        bool is_behind_slow = backlog->front_us > choice->slow_us &&
                              backlog->front_us > MUCH_SLOWER * choice->each_us;

        if (!offer->may_take)
                return false;
        if (backlog->n_segments == 0)
                return true;
        return choice->policy->max_batch > 1 && !backlog->dries && !is_behind_slow &&
               backlog->n_statements < MAX_BATCHES * choice->policy->max_batch &&
               choice_has_room(choice, backlog) && !choice_is_stuck(choice, backlog);
}

/* How much a connection owes, as the choice sees it: to turn its role costs as much as a quantum.
 */
static float
choice_owed_us(const struct policy_choice *choice, const struct policy_offer *offer)
{
        return offer->backlog->owed_us + (offer->turns_role ? choice->policy->quantum.us : 0);
}

static bool
choice_is_better(const struct policy_choice *choice, const struct policy_offer *best,
                 const struct policy_offer *offer)
{
        if (best->conn == NULL)
                return true;
        if (best->backlog->n_segments == 0)
                return false;
        return offer->backlog->n_segments == 0 ||
               choice_owed_us(choice, offer) < choice_owed_us(choice, best);
}

void
pipit__policy_offer(struct policy_choice *choice, const struct policy_offer *offer)
{
        const struct backlog *backlog = offer->backlog;

        choice->n_statements += backlog->n_statements;
        choice->n_slow += backlog->n_slow > 0;
        choice->has_empty = choice->has_empty || backlog->n_segments == 0;
        if (!choice_may_take(choice, offer))
                return;
        if (choice_is_better(choice, &choice->best, offer))
                choice->best = *offer;
        if (backlog->n_slow > 0 && choice_is_better(choice, &choice->best_slow, offer))
                choice->best_slow = *offer;
}

/* ---- the decision */

/* Whether something slow is kept from the last connections, which are for what is quicker. */
static bool
choice_is_reserved(const struct policy_choice *choice)
{
        int n_for_slow = choice->n_conns - choice->n_conns / QUICK_PART;

        if (!choice->is_slow)
                return false;
        if (n_for_slow == choice->n_conns && n_for_slow > 1)
                n_for_slow--;
        return choice->n_slow >= n_for_slow &&
               pipit__server_time_has_quicker(choice->ask.time, choice->policy->pace,
                                              choice->ask.now_us);
}

/* Whether more should gather: no connection will run dry before the next turn, and there is not
 * enough for a segment yet. */
static bool
choice_gathers(const struct policy_choice *choice)
{
        const struct policy *policy = choice->policy;

        return !choice->has_empty &&
               choice->best.backlog->owed_us > policy->pace->round_trip.most_us + NOT_DRY_US &&
               (float)choice->ask.n_waiting * choice->each_us < policy->quantum.us;
}

/* How many have their even share with the connection. */
static int
choice_share(const struct policy_choice *choice)
{
        int n_all = choice->ask.n_waiting + choice->n_statements;
        int even = (n_all + choice->n_conns - 1) / choice->n_conns -
                   choice->best.backlog->n_statements;
        int share = choice->ask.n_waiting;

        if (even >= 1 && even < share)
                share = even;
        return share < choice->policy->max_batch ? share : choice->policy->max_batch;
}

/* While the server has room, a connection that owes nothing gets its share in two halves: its
 * process works on one while the answer to the other is on its way. In lockstep, all would sleep
 * then. */
static bool
choice_halves(const struct policy_choice *choice)
{
        const struct policy *policy = choice->policy;

        return choice->best.backlog->n_segments == 0 && choice->quantum_us <= policy->quantum.us &&
               pipit__quantum_is_least(&policy->quantum, policy->pace);
}

static void
choice_share_sync(const struct policy_choice *choice, struct policy_deal *deal)
{
        float quantum_us = choice->quantum_us;

        deal->n = choice_share(choice);
        if (choice_halves(choice))
                deal->n = (deal->n + 1) / 2;
        deal->us = quantum_us;
        if ((float)deal->n * choice->each_us <= CRUMBS * quantum_us)
                deal->us = CRUMBS * quantum_us;
}

bool
pipit__policy_decide(const struct policy_choice *choice, struct policy_deal *ret_deal)
{
        const struct round_trip *round_trip = &choice->policy->pace->round_trip;
        const struct policy_ask *ask = &choice->ask;
        const struct policy_offer *best =
                choice_is_reserved(choice) ? &choice->best_slow : &choice->best;

        if (best->conn == NULL)
                return false;
        struct policy_deal deal = {.conn = best->conn, .n = 1};
        if (ask->commits) {
                deal.n = ask->n_waiting < choice->policy->max_batch ? ask->n_waiting
                                                                    : choice->policy->max_batch;
                deal.us = INFINITY; /* of a commit there is but one */
        } else if (ask->shares) {
                if (choice_gathers(choice))
                        return false;
                choice_share_sync(choice, &deal);
        }
        deal.pings =
                best->backlog->n_segments == 0 && pipit__round_trip_is_due(round_trip, ask->now_us);
        *ret_deal = deal;
        return true;
}

bool
pipit__policy_wants_dry(const struct policy *policy, int64_t now_us)
{
        return pipit__round_trip_is_old(&policy->pace->round_trip, now_us);
}
