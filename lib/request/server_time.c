/*
 * Server times. See server_time.h.
 */
#include "request/server_time.h"

#include <stddef.h>

/* Nothing is known before so many uses. */
#define SERVER_FIRST_USES 3
/* No statement takes the server less than this. */
#define SERVER_LEAST_US 2.0F
/* A mean follows by so many values, as TCP's round trip does. */
#define SERVER_FOLLOWS 8.0F
/* At first a new statement is taken for this slow: beside the server it is the last that its
 * connection gets, and far away the way is filled. */
#define SERVER_PRIOR_US 500.0F
/* Ten times what a client's turn and a wake-up take is not slow, and nothing is that costs less
 * than half of the way. */
#define SERVER_SLOW_US 500.0F
/* A slow statement is quick again once it takes this part of that time. */
#define SERVER_SLOW_AGAIN 0.75F
/* Without a sure answer for so long, one that may have something of the network in it will do. */
#define SERVER_SURE_FOR_US 100000
/* Statements that were answered so long ago, and so many round trips, come no more. */
#define SERVER_LATELY_US      1000000
#define SERVER_LATELY_FLIGHTS 4.0F
/* So many times as quick is much quicker. */
#define SERVER_QUICKER 4.0F

/* After its first failure in a group a statement is alone so often, and at most so often. */
#define SERVER_FIRST_PENALTY 8
#define SERVER_MOST_PENALTY  1024

void
pipit__server_pace_init(struct server_pace *pace)
{
        *pace = (struct server_pace){.prior_us = SERVER_PRIOR_US};
}

float
pipit__server_time_foretell(const struct server_time *time, const struct server_pace *pace)
{
        float us = time->server_us;

        if (time->uses < SERVER_FIRST_USES && us < pace->prior_us)
                us = pace->prior_us;
        return us > SERVER_LEAST_US ? us : SERVER_LEAST_US;
}

float
pipit__server_time_slow_us(const struct server_pace *pace)
{
        float half_us = pace->round_trip.least_us / 2;

        return half_us > SERVER_SLOW_US ? half_us : SERVER_SLOW_US;
}

bool
pipit__server_time_is_slow(const struct server_time *time, const struct server_pace *pace)
{
        if (time->class != SERVER_NEW)
                return time->class == SERVER_SLOW;
        return pipit__server_time_foretell(time, pace) > pipit__server_time_slow_us(pace);
}

bool
pipit__server_time_may_share(const struct server_time *time)
{
        return time->class == SERVER_QUICK && time->alone == 0;
}

/* How long the least of those answered counts. */
static int64_t
pace_lately_us(const struct server_pace *pace)
{
        return SERVER_LATELY_US + (int64_t)(SERVER_LATELY_FLIGHTS * pace->round_trip.least_us);
}

bool
pipit__server_time_has_quicker(const struct server_time *time, const struct server_pace *pace,
                               int64_t now_us)
{
        int64_t age_us = now_us - pace->least_since_us;
        float quicker_us = pipit__server_time_foretell(time, pace) / SERVER_QUICKER;
        bool was = pace->least.of != NULL && pace->least.us < quicker_us;
        bool is = pace->next_least.of != NULL && pace->next_least.us < quicker_us;

        return age_us < 2 * pace_lately_us(pace) && (was || is);
}

/* ---- learning */

static void
pace_note_least(struct server_pace *pace, const struct server_time *time, int64_t now_us)
{
        struct least least = {pipit__server_time_foretell(time, pace), time};

        if (pace->least.of == time)
                pace->least = least;
        if (now_us - pace->least_since_us > pace_lately_us(pace)) {
                pace->least = pace->next_least;
                pace->next_least = least;
                pace->least_since_us = now_us;
        } else if (pace->next_least.of == NULL || pace->next_least.of == time ||
                   least.us < pace->next_least.us) {
                pace->next_least = least;
        }
}

static enum server_class
server_time_classify(const struct server_time *time, const struct server_pace *pace)
{
        float slow_us = pipit__server_time_slow_us(pace);

        if (time->uses < SERVER_FIRST_USES)
                return SERVER_NEW;
        if (time->class == SERVER_SLOW)
                slow_us *= SERVER_SLOW_AGAIN;
        return time->server_us > slow_us ? SERVER_SLOW : SERVER_QUICK;
}

/* Learns from one of the first uses: the quickest of them is it, and what new ones usually take
 * follows. */
static void
server_time_meet(struct server_time *time, struct server_pace *pace,
                 const struct server_lesson *lesson)
{
        if (time->uses == 0 || lesson->us < time->server_us)
                time->server_us = lesson->us;
        time->uses += (unsigned)lesson->n;
        pace->prior_us += (lesson->us - pace->prior_us) / SERVER_FOLLOWS;
}

/* Learns from one of many uses. One that is slow for once says nothing about the others. */
static void
server_time_follow(struct server_time *time, const struct server_lesson *lesson)
{
        float weight = lesson->part / SERVER_FOLLOWS;

        time->odd += ((lesson->is_odd ? 1 : 0) - time->odd) * weight;
        if (lesson->is_odd && time->odd < 0.5F)
                return;
        if (!lesson->is_sure && lesson->now_us - time->sure_us <= SERVER_SURE_FOR_US)
                return;
        time->server_us += (lesson->us - time->server_us) * weight;
        if (lesson->is_sure)
                time->sure_us = lesson->now_us;
}

/* Counts uses down that were to have a Sync of their own. */
static void
server_time_forgive(struct server_time *time, unsigned uses)
{
        unsigned over =
                time->penalty > SERVER_FIRST_PENALTY ? time->penalty - SERVER_FIRST_PENALTY : 0;

        if (time->alone > 0)
                time->alone -= uses < time->alone ? uses : time->alone;
        else
                time->penalty -= uses < over ? uses : over;
}

void
pipit__server_time_answered(struct server_time *time, struct server_pace *pace,
                            const struct server_lesson *lesson)
{
        if (time->uses < SERVER_FIRST_USES)
                server_time_meet(time, pace, lesson);
        else
                server_time_follow(time, lesson);
        server_time_forgive(time, (unsigned)lesson->n);
        enum server_class class = server_time_classify(time, pace);
        pace->n_changes += class != time->class;
        time->class = class;
        pace_note_least(pace, time, lesson->now_us);
}

void
pipit__server_time_coalesced(struct server_time *time, const struct server_time *many, int n)
{
        float us = many->server_us / (float)n;

        if (time->class == SERVER_QUICK && many->uses > 0)
                time->server_us += (us - time->server_us) / SERVER_FOLLOWS;
}

void
pipit__server_time_failed(struct server_time *time)
{
        if (time->penalty < SERVER_FIRST_PENALTY)
                time->penalty = SERVER_FIRST_PENALTY;
        time->alone = time->penalty;
        if (time->penalty < SERVER_MOST_PENALTY)
                time->penalty *= 2;
}
