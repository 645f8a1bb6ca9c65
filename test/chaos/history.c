/*
 * What the tables were like, and when. See schema.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chaos.h"
#include "schema.h"

/* 2020-01-01. */
#define FIRST_DAY_US INT64_C(1577836800000000)

static const char *const labels[] = {"sad", "ok", "happy"};

void
values_at_text(struct values *values)
{
        time_t seconds = (time_t)(values->at.us / 1000000);
        int us = (int)(values->at.us % 1000000);
        char fraction[10] = "";
        char day[30];
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &tm);
        if (us != 0)
                snprintf(fraction, sizeof fraction, ".%06d", us);
        snprintf(values->at_text, sizeof values->at_text, "%s%s+00", day, fraction);
}

static void
values_id_text(struct values *values)
{
        char *text = values->id_text;

        for (int i = 0; i < 16; i++)
                text += sprintf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                                values->id.bytes[i]);
}

void
values_of(struct values *values, int64_t nonce)
{
        struct dice dice = {(uint64_t)nonce};

        values->real = (double)dice_between(&dice, 0, 1000000) + 0.1;
        values->number = dice_between(&dice, 1, 1000000);
        if (dice_percent(&dice, 20))
                values->number += INT64_C(3000000000);
        /* The server leaves zeros at the end of a fraction away, so there are none. */
        values->at.us = FIRST_DAY_US + dice_between(&dice, 0, 900) * 86400 * 1000000 +
                        dice_between(&dice, 1, 86399) * 1000000 +
                        dice_between(&dice, 0, 99999) * 10 + 3;
        snprintf(values->label, sizeof values->label, "%s", labels[dice_between(&dice, 0, 2)]);
        if (dice_percent(&dice, 20))
                snprintf(values->label, sizeof values->label, "other %lld",
                         (long long)dice_between(&dice, 0, 1000000));
        for (int i = 0; i < 16; i++)
                values->id.bytes[i] = (uint8_t)dice_next(&dice);
        values_at_text(values);
        values_id_text(values);
}

/* ---- eras */

static struct era *
history_latest(struct history *history, enum table table)
{
        return &history->tables[table].eras[history->tables[table].n - 1];
}

static bool
history_add(struct history *history, enum table table, int64_t from_ms, struct shape shape)
{
        int n = history->tables[table].n;

        if (n == history->tables[table].capacity) {
                int capacity = n > 0 ? 2 * n : 64;
                struct era *eras =
                        reallocarray(history->tables[table].eras, (size_t)capacity, sizeof *eras);
                if (eras == NULL)
                        return false;
                history->tables[table].eras = eras;
                history->tables[table].capacity = capacity;
        }
        history->tables[table].n++;
        *history_latest(history, table) =
                (struct era){.from_ms = from_ms, .until_ms = INT64_MAX, .shape = shape};
        return true;
}

bool
history_init(struct history *history, int fd)
{
        bool good = true;

        *history = (struct history){.fd = fd};
        for (int i = 0; i < N_TABLES; i++)
                good = good && history_add(history, (enum table)i, 0, (struct shape){0});
        return good;
}

void
history_fini(struct history *history)
{
        for (int i = 0; i < N_TABLES; i++)
                free(history->tables[i].eras);
}

static void
history_take(struct history *history, const struct change *change)
{
        struct era *latest = history_latest(history, change->table);

        switch (change->step) {
        case STEP_BEGINS:
                if (!history_add(history, change->table, change->ms, change->shape))
                        abort();
                break;
        case STEP_DONE:
                latest[-1].until_ms = change->ms;
                history->n_changes++;
                break;
        case STEP_FAILED: latest->shape = latest[-1].shape; break;
        case STEP_KILLED: history->n_kills++; break;
        }
}

void
history_read(struct history *history)
{
        struct change change;

        while (read(history->fd, &change, sizeof change) == (ssize_t)sizeof change)
                history_take(history, &change);
}

/* Returns the latest era before that one which has not ended since then; NULL: there is none. The
 * first is found with NULL. */
static const struct era *
era_before(const struct history *history, enum table table, int64_t since_ms,
           const struct era *later)
{
        const struct era *eras = history->tables[table].eras;
        const struct era *era = later != NULL ? later : eras + history->tables[table].n;

        return era > eras && era[-1].until_ms >= since_ms ? era - 1 : NULL;
}

#define ERA_EACH(era, history, table, since_ms)                                                    \
        for (const struct era *era = NULL;                                                         \
             (era = era_before(history, table, since_ms, era)) != NULL;)

/* ---- what a table can do to values */

static bool
shape_is_wide(struct shape shape, enum subject subject)
{
        return shape.wide >> subject & 1;
}

static bool
label_is_known(const char *label)
{
        for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
                if (strcmp(label, labels[i]) == 0)
                        return true;
        }
        return false;
}

/* Whether the column, as it is, stores the value as that text. */
static bool
text_is_right(const struct values *values, struct shape shape, enum subject subject,
              const char *text)
{
        bool wide = shape_is_wide(shape, subject);

        switch (subject) {
        case SUBJECT_REAL:
                return wide ? strtod(text, NULL) == values->real
                            : strtof(text, NULL) == (float)values->real;
        case SUBJECT_INT: return strtoll(text, NULL, 10) == values->number;
        case SUBJECT_DATE:
                return wide ? strcmp(text, values->at_text) == 0
                            : strncmp(text, values->at_text, 10) == 0 &&
                                       (text[10] == '\0' || strcmp(text + 10, " 00:00:00+00") == 0);
        case SUBJECT_ENUM: return strcmp(text, values->label) == 0;
        case SUBJECT_UUID: return strcmp(text, values->id_text) == 0;
        }
        return false;
}

bool
history_allows(const struct history *history, enum table table, int64_t since_ms,
               const struct values *values, const char *const texts[N_SUBJECTS])
{
        ERA_EACH(era, history, table, since_ms)
        {
                bool right = !era->shape.missing;
                for (int i = 0; right && i < N_SUBJECTS; i++)
                        right = texts[i] == NULL ||
                                text_is_right(values, era->shape, (enum subject)i, texts[i]);
                if (right)
                        return true;
        }
        return false;
}

bool
history_is_unfit(const struct history *history, enum table table, int64_t since_ms,
                 const struct values *values)
{
        ERA_EACH(era, history, table, since_ms)
        {
                if (!shape_is_wide(era->shape, SUBJECT_INT) && values->number > INT32_MAX)
                        return true;
                if (!shape_is_wide(era->shape, SUBJECT_ENUM) && !label_is_known(values->label))
                        return true;
        }
        return false;
}

bool
history_is_missing(const struct history *history, enum table table, int64_t since_ms)
{
        ERA_EACH(era, history, table, since_ms)
        {
                bool anew = era->shape.anew && era[-1].until_ms >= since_ms;
                if (era->shape.missing || anew)
                        return true;
        }
        return false;
}
