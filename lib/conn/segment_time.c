/*
 * Segment times. See segment_time.h.
 */
#include "conn/segment_time.h"

#include <stddef.h>

#include "request/latency.h"
#include "request/stmt.h"

struct segment_timing
pipit__segment_time(struct latency_scale *scale, const struct sending *segment,
                    const struct sending *flight, bool is_last, int64_t read_us, int64_t now_us)
{
        int64_t since_us = segment->sent_us > read_us ? segment->sent_us : read_us;
        int64_t flight_us = now_us - flight->sent_us;
        struct segment_timing timing = {.now_ms = now_us / 1000, .us = now_us - since_us};

        if (segment->n_statements == 0)
                return timing;
        timing.slow = pipit__latency_is_slow(scale, timing.us, segment->estimated_us);
        if (is_last && flight->n_statements > 0) {
                pipit__latency_learn(scale, flight_us, flight->estimated_us);
                timing.each_us = (float)flight_us / (float)flight->n_statements;
                timing.most_us = pipit__latency_most(scale);
        }
        return timing;
}

static void
lesson_end(struct segment_lesson *lesson)
{
        const struct segment_timing *timing = lesson->timing;
        struct latency *latency = pipit__stmt_latency(lesson->stmt);

        pipit__latency_answered(latency, lesson->n, timing->us, timing->slow, timing->now_ms);
        if (timing->each_us > 0)
                pipit__latency_took(latency, lesson->n, timing->each_us);
        if (lesson->sharing == SHARING_SYNC)
                pipit__latency_took_together(latency, lesson->n);
        else if (lesson->sharing == SHARING_NONE && timing->each_us > 0)
                pipit__latency_took_alone(latency, timing->each_us, timing->most_us);
        pipit__stmt_unref(lesson->stmt);
        lesson->stmt = NULL;
}

void
pipit__segment_teach(struct segment_lesson *lesson, struct stmt *stmt, enum segment_sharing sharing)
{
        if (lesson->stmt != stmt) {
                pipit__segment_taught(lesson);
                lesson->stmt = pipit__stmt_ref(stmt);
                lesson->sharing = sharing;
                lesson->n = 0;
        }
        lesson->n++;
}

void
pipit__segment_taught(struct segment_lesson *lesson)
{
        if (lesson->stmt != NULL)
                lesson_end(lesson);
}
