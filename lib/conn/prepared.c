/*
 * Prepared statements of one connection. See prepared.h.
 */
#include "conn/prepared.h"

#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "request/stmt.h"
#include "request/stmt_text.h"
#include "request/stmt_types.h"

int
pipit__prepared_init(struct prepared *prepared, int n)
{
        *prepared = (struct prepared){.n = n};
        if (n == 0)
                return 0;
        prepared->slots = calloc((size_t)n, sizeof *prepared->slots);
        prepared->closing = calloc(PREPARED_MAX_CLOSING, sizeof *prepared->closing);
        if (prepared->slots != NULL && prepared->closing != NULL)
                return 0;
        pipit__prepared_fini(prepared);
        return PIPIT_ENOMEM;
}

/* Forgets what is in a place. */
static void
slot_clear(struct prepared_slot *slot)
{
        pipit__stmt_types_unref(slot->types);
        *slot = (struct prepared_slot){0};
}

void
pipit__prepared_clear(struct prepared *prepared)
{
        for (int i = 0; prepared->slots != NULL && i < prepared->n; i++)
                slot_clear(&prepared->slots[i]);
        prepared->n_lost = prepared->n_closing = 0;
        prepared->touched = prepared->has_temporary = false;
        prepared->styled = prepared->rounded = false;
}

void
pipit__prepared_fini(struct prepared *prepared)
{
        pipit__prepared_clear(prepared);
        free(prepared->slots);
        free(prepared->closing);
        prepared->slots = NULL;
        prepared->closing = NULL;
}

/* ---- use */

bool
pipit__prepared_takes(const struct prepared *prepared, const struct stmt *stmt)
{
        return prepared->slots != NULL && !prepared->is_lent && pipit__stmt_slot(stmt) >= 0;
}

/* The place of a statement; NULL when that is another's by now, or there is none. */
static struct prepared_slot *
prepared_slot(const struct prepared *prepared, const struct stmt *stmt)
{
        int place = pipit__stmt_slot(stmt);

        if (place < 0)
                return NULL;
        struct prepared_slot *slot = &prepared->slots[place];
        return slot->serial == pipit__stmt_serial(stmt) ? slot : NULL;
}

bool
pipit__prepared_is_aged(const struct prepared_slot *slot, const struct prepared_moment *when)
{
        return when->now_ms - slot->when.now_ms >= PREPARED_MIN_AGE_MS;
}

const struct prepared_slot *
pipit__prepared_find(const struct prepared *prepared, const struct stmt *stmt,
                     const struct prepared_moment *when)
{
        const struct prepared_slot *slot = prepared->is_lent ? NULL : prepared_slot(prepared, stmt);

        if (slot == NULL || !slot->valid || slot->session != prepared->session ||
            when->now_ms - slot->when.now_ms >= PREPARED_MAX_AGE_MS)
                return NULL;
        if (slot->when.schema != when->schema && pipit__prepared_is_aged(slot, when))
                return NULL;
        return slot;
}

/* Has the statement of a place closed some time. */
static void
prepared_give_up(struct prepared *prepared, const struct prepared_slot *slot)
{
        if (!slot->exists)
                return;
        if (prepared->n_closing == PREPARED_MAX_CLOSING) {
                pipit__prepared_lose(prepared);
                return;
        }
        prepared->closing[prepared->n_closing++] =
                (struct prepared_close){.serial = slot->serial, .name = slot->name};
}

const struct prepared_slot *
pipit__prepared_add(struct prepared *prepared, const struct stmt *stmt,
                    const struct prepared_moment *when)
{
        struct prepared_slot *slot = &prepared->slots[pipit__stmt_slot(stmt)];
        bool is_same = slot->serial == pipit__stmt_serial(stmt);
        struct prepared_slot next = {.serial = pipit__stmt_serial(stmt),
                                     .when = *when,
                                     .session = prepared->session,
                                     .exists = true,
                                     .valid = true};

        /* The server may have an earlier one still, under its name. */
        if (is_same) {
                next.name = slot->name + 1;
                next.n_asked = slot->n_asked;
        }
        next.n_asked++;
        prepared_give_up(prepared, slot);
        slot_clear(slot);
        *slot = next;
        return slot;
}

void
pipit__prepared_describe(struct prepared *prepared, const struct stmt *stmt,
                         struct stmt_types *types)
{
        struct prepared_slot *slot = prepared_slot(prepared, stmt);

        if (slot == NULL || slot->n_asked == 0)
                return;
        slot->n_asked--;
        /* A Describe that was asked for before is about an earlier Prepare. */
        if (slot->n_asked > 0 || types == NULL)
                return;
        pipit__stmt_types_unref(slot->types);
        slot->types = pipit__stmt_types_ref(types);
}

void
pipit__prepared_fail(struct prepared *prepared, const struct stmt *stmt)
{
        struct prepared_slot *slot = prepared_slot(prepared, stmt);

        if (slot != NULL && slot->n_asked <= 1)
                slot->exists = slot->valid = false;
}

void
pipit__prepared_drop(struct prepared *prepared, const struct stmt *stmt)
{
        struct prepared_slot *slot = prepared_slot(prepared, stmt);

        /* One that was prepared since then is another. */
        if (slot != NULL && slot->n_asked == 0)
                slot->exists = slot->valid = false;
}

void
pipit__prepared_expire(struct prepared *prepared, const struct stmt *stmt)
{
        struct prepared_slot *slot = prepared_slot(prepared, stmt);

        if (slot != NULL && slot->n_asked == 0)
                slot->valid = false;
}

/* ---- what is of no use any more */

bool
pipit__prepared_next_close(struct prepared *prepared, struct prepared_close *ret_close)
{
        if (prepared->n_closing == 0)
                return false;
        *ret_close = prepared->closing[--prepared->n_closing];
        return true;
}

void
pipit__prepared_lose(struct prepared *prepared)
{
        prepared->n_lost++;
}

int
pipit__prepared_n_lost(const struct prepared *prepared)
{
        return prepared->n_lost;
}

/* ---- the session and the schema */

void
pipit__prepared_note_sent(struct prepared *prepared, const struct stmt *stmt)
{
        unsigned traits = pipit__stmt_traits(stmt);

        if ((traits & (STMT_CHANGES_SCHEMA | STMT_CHANGES_NAMES)) != 0) {
                prepared->session++;
                prepared->touched = true;
        } else if ((traits & STMT_ENDS_TRANSACTION) != 0) {
                pipit__prepared_note_undone(prepared);
        }
        prepared->styled |= (traits & STMT_CHANGES_STYLE) != 0;
        prepared->rounded |= (traits & STMT_CHANGES_DIGITS) != 0;
        if ((traits & STMT_CHANGES_SCHEMA) != 0 && (traits & STMT_IS_TEMPORARY) != 0)
                prepared->has_temporary = true;
}

static bool
tag_starts_with(const char *tag, const char *const *starts)
{
        for (; *starts != NULL; starts++) {
                if (strncmp(tag, *starts, strlen(*starts)) == 0)
                        return true;
        }
        return false;
}

/* Whether a tag is of what changes the schema for every session. To create something new changes
 * nothing of what others have prepared, but these can be CREATE OR REPLACE. */
static bool
tag_changes_schema(const struct prepared *prepared, const struct stmt *stmt, const char *tag)
{
        static const char *const starts[] = {"ALTER ",
                                             "CREATE FUNCTION",
                                             "CREATE PROCEDURE",
                                             "CREATE VIEW",
                                             "CREATE AGGREGATE",
                                             "CREATE OPERATOR",
                                             "CREATE CAST",
                                             "CREATE RULE",
                                             "CREATE LANGUAGE",
                                             "CREATE TRANSFORM",
                                             NULL};
        bool is_temporary = stmt != NULL && (pipit__stmt_traits(stmt) & STMT_IS_TEMPORARY) != 0;

        if (strncmp(tag, "DROP ", 5) == 0)
                return !is_temporary && !prepared->has_temporary;
        return !is_temporary && tag_starts_with(tag, starts);
}

void
pipit__prepared_note_tag(struct prepared *prepared, const struct stmt *stmt, const char *tag)
{
        static const char *const ends[] = {"COMMIT", "ROLLBACK", NULL};

        if (tag_changes_schema(prepared, stmt, tag)) {
                prepared->changes = prepared->changed = true;
        } else if (prepared->changes && tag_starts_with(tag, ends)) {
                prepared->changes = false;
                prepared->changed = true;
        }
}

void
pipit__prepared_note_undone(struct prepared *prepared)
{
        if (prepared->touched)
                prepared->session++;
}

void
pipit__prepared_note_released(struct prepared *prepared)
{
        pipit__prepared_note_undone(prepared);
        prepared->touched = prepared->changes = false;
        prepared->styled = prepared->rounded = false;
}
