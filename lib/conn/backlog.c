/*
 * Backlogs. See backlog.h.
 */
#include "conn/backlog.h"

#include "request/server_time.h"

/* An answer is odd that takes so much longer than foretold, and so many times as long: the first is
 * ten times the noise of turns and wake-ups. */
#define ODD_US    250.0F
#define ODD_TIMES 4.0F
/* A pause of a process that lasted longer than two round trips and this was the client's. */
#define PAUSE_US 1000.0F

void
pipit__backlog_sent(struct backlog *backlog, const struct owed_segment *segment)
{
        if (backlog->n_segments++ == 0) {
                backlog->began_us = segment->sent_us;
                backlog->dries = false;
        }
        backlog->n_statements += segment->n_statements;
        backlog->n_slow += segment->is_slow;
        backlog->owed_us += segment->foretold_us;
        if (segment->longest_us > backlog->front_us)
                backlog->front_us = segment->longest_us;
}

/* Takes a segment off. */
static void
backlog_drop(struct backlog *backlog, const struct owed_segment *segment, int64_t now_us)
{
        backlog->answered_us = now_us;
        backlog->n_statements -= segment->n_statements;
        backlog->n_slow -= segment->is_slow;
        backlog->owed_us -= segment->foretold_us;
        if (--backlog->n_segments == 0 || backlog->owed_us < 0)
                backlog->owed_us = 0;
        if (backlog->n_segments > 0)
                return;
        backlog->front_us = 0;
        backlog->dries = false;
}

/* Counts how long the process worked for a segment that it began at from_us, and paused before. */
static void
pace_count(struct server_pace *pace, const struct answered_segment *timing, float pause_us)
{
        pace->busy_us += timing->us;
        if (!timing->is_sure && pause_us > 0 && pause_us < 2 * pace->round_trip.most_us + PAUSE_US)
                pace->gap_us += pause_us;
}

static struct answered_segment
backlog_time(const struct backlog *backlog, struct server_pace *pace,
             const struct owed_segment *segment, int64_t now_us)
{
        int64_t begun_us = segment->sent_us + (int64_t)pace->round_trip.most_us;
        int64_t arrived_us = segment->sent_us + (int64_t)pace->round_trip.mean_us;
        struct answered_segment timing = {.now_us = now_us,
                                          .foretold_us = segment->foretold_us,
                                          .n_statements = segment->n_statements,
                                          .is_sure = backlog->answered_us >= arrived_us};

        if (timing.is_sure || backlog->answered_us > begun_us)
                begun_us = backlog->answered_us;
        timing.us = now_us > begun_us ? (float)(now_us - begun_us) : 0;
        timing.is_odd = timing.us > ODD_US + ODD_TIMES * segment->foretold_us;
        pace_count(pace, &timing, (float)(begun_us - backlog->answered_us));
        return timing;
}

struct answered_segment
pipit__backlog_answered(struct backlog *backlog, struct server_pace *pace,
                        const struct owed_segment *segment, int64_t now_us)
{
        struct answered_segment timing = {.now_us = now_us};

        if (segment->is_ping)
                pipit__round_trip_learn(&pace->round_trip, now_us - segment->sent_us, now_us);
        else if (segment->n_statements > 0)
                timing = backlog_time(backlog, pace, segment, now_us);
        backlog_drop(backlog, segment, now_us);
        return timing;
}

void
pipit__answered_segment_teach(const struct answered_segment *timing, struct server_pace *pace,
                              struct server_time *time, int n)
{
        float n_all = (float)timing->n_statements;
        struct server_lesson lesson = {.us = timing->us / n_all,
                                       .part = (float)n / n_all,
                                       .n = n,
                                       .is_sure = timing->is_sure,
                                       .is_odd = timing->is_odd,
                                       .now_us = timing->now_us};

        if (timing->n_statements == 0)
                return;
        /* Several texts: each is taken to be wrong by as much as all are together. */
        if (n < timing->n_statements && timing->foretold_us > 0)
                lesson.us =
                        pipit__server_time_foretell(time, pace) * timing->us / timing->foretold_us;
        pipit__server_time_answered(time, pace, &lesson);
}

void
pipit__backlog_lose(struct backlog *backlog)
{
        *backlog = (struct backlog){0};
}

int64_t
pipit__backlog_silent_us(const struct backlog *backlog, int64_t now_us)
{
        int64_t since_us =
                backlog->answered_us > backlog->began_us ? backlog->answered_us : backlog->began_us;

        return backlog->n_segments > 0 ? now_us - since_us : 0;
}
