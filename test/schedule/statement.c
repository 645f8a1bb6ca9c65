/*
 * The statements of a session of the model: their texts, names and values.
 *
 * The text of a statement is "op KIND COLUMNS", and its first parameter is the nonce that the
 * answer must have: it tells whose it is. Any other text is one of the library's own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_session.h"
#include "world.h"

#define MAX_SESSIONS 200
#define MAX_NAMED    64
#define TYPE_INT8    20
#define TYPE_TEXT    25

static struct named {
        char name[64];
        char sql[64];
} named[MAX_SESSIONS][MAX_NAMED];

bool
sql_read(const char *sql, enum op_kind *ret_kind, int *ret_columns)
{
        char name[32];

        if (sscanf(sql, "op %31s %d", name, ret_columns) != 2)
                return false;
        for (int kind = 0; kind < OP_KINDS; kind++) {
                if (strcmp(name, op_name((enum op_kind)kind)) == 0) {
                        *ret_kind = (enum op_kind)kind;
                        return true;
                }
        }
        broken("the server got the text %s", sql);
}

static struct named *
session_find(struct session *session, const char *name)
{
        struct named *all = named[session->number - 1];

        for (int i = 0; i < session->n_named; i++) {
                if (strcmp(all[i].name, name) == 0)
                        return &all[i];
        }
        return NULL;
}

/* Keeps a text under its name, which is "" for none. */
static void
session_name(struct session *session, const char *name, const char *sql)
{
        if (name[0] == '\0') {
                snprintf(session->unnamed, sizeof session->unnamed, "%s", sql);
                return;
        }
        if (session->n_named == MAX_NAMED)
                broken("session %d has more names than there are texts", session->number);
        struct named *next = &named[session->number - 1][session->n_named++];
        snprintf(next->name, sizeof next->name, "%s", name);
        snprintf(next->sql, sizeof next->sql, "%s", sql);
}

/* Whose statement it is comes with its values: the next Bind says. */
static void
session_refuse_text(struct session *session, const char *sqlstate)
{
        session->blames = true;
        snprintf(session->blame, sizeof session->blame, "%s", sqlstate);
        session_complain(session, &(struct complaint){"ERROR", sqlstate, "says no.", "s"});
}

void
session_on_parse(struct session *session, const struct message *message)
{
        const char *name = (const char *)message->body;
        const char *sql = name + strlen(name) + 1;
        enum op_kind kind;
        int columns;
        bool is_op = sql_read(sql, &kind, &columns);

        if (session_find(session, name) != NULL)
                broken("session %d has %s prepared already", session->number, name);
        /* The Bind behind it is looked at even when it is skipped. */
        if (name[0] == '\0')
                snprintf(session->unnamed, sizeof session->unnamed, "%s", sql);
        if (is_op && session->status == 'E') /* nothing but its end is read */
                session_refuse_text(session, "25P02");
        else if (is_op && kind == OP_BAD)
                session_refuse_text(session, "42601");
        else if (is_op && session_springs(session, TRAP_PARSE_ERROR))
                session_refuse_text(session, "42P01");
        else if (!is_op && session_springs(session, TRAP_PARSE_ERROR)) {
                session->lost_role = true;
                session_refuse(session, NO_OP, "42P01");
        } else {
                session_name(session, name, sql);
                session_send(session, '1', NULL);
        }
}

void
session_skip_parse(struct session *session, const struct message *message)
{
        const char *name = (const char *)message->body;

        if (name[0] == '\0')
                snprintf(session->unnamed, sizeof session->unnamed, "%s", name + 1);
}

/* The first value of a Bind, as text, and whether its rows are to be in binary form. */
static void
session_read_values(struct session *session, const unsigned char *at)
{
        bool binary = read_number(at, 2) > 0 && read_number(at + 2, 2) == 1;

        at += 2 + 2 * read_number(at, 2);
        uint32_t n = read_number(at, 2);
        at += 2;
        session->nonce[0] = '\0';
        for (uint32_t i = 0; i < n; i++) {
                uint32_t length = read_number(at, 4);
                at += 4;
                if (i == 0 && binary)
                        snprintf(session->nonce, sizeof session->nonce, "%" PRIu64,
                                 (uint64_t)read_number(at, 4) << 32 | read_number(at + 4, 4));
                else if (i == 0 && length < sizeof session->nonce)
                        snprintf(session->nonce, sizeof session->nonce, "%.*s", (int)length, at);
                at += length != UINT32_MAX ? length : 0;
        }
        session->binary = read_number(at, 2) > 0 && read_number(at + 2, 2) == 1;
}

/* Whose statement was bound: the nonce says. */
static int
session_read_op(const struct session *session)
{
        int64_t nonce = strtoll(session->nonce, NULL, 10);
        struct op *op = ledger_at((int)(nonce / NONCE_STEP) - 1);

        if (op->nonce != nonce)
                broken("op %d came with %s", op->number, session->nonce);
        return op->number;
}

/* What is bound behind another must be such that both may share a Sync. */
static void
session_check_shared(struct session *session)
{
        const struct op *op = &ledger.ops[session->op];

        if (session->n_bound++ == 0) {
                session->first_bound = session->op;
                return;
        }
        const struct op *first = &ledger.ops[session->first_bound];
        if (op->atomic != NULL && op->atomic == first->atomic)
                return;
        if (!op_may_share(op) || !op_may_share(first) || op->is_read != first->is_read)
                broken("op %d shares a Sync with op %d", op->number, first->number);
        if (op->is_read && !session->lost_role && (!session->reader || session->serializable))
                broken("op %d shares a Sync where it must not", op->number);
}

/* It is not known, or not valid any more: the library's business, of which nobody hears. */
static void
session_refuse_name(struct session *session, const char *sqlstate, const char *name)
{
        static const char stale[] = "RevalidateCachedQuery";
        char text[128];
        struct complaint complaint = {"ERROR", sqlstate, text, "s"};

        if (strcmp(sqlstate, "0A000") == 0)
                complaint.routine = stale;
        snprintf(text, sizeof text, "no use for \"%s\" any more", name);
        ledger.ops[session->op].n_prepared++;
        session_complain(session, &complaint);
}

/* A statement that was not even read; only what was found wrong with its text is its own. */
static void
session_skip_bind(struct session *session)
{
        struct op *op = &ledger.ops[session->op];

        if (session->blames)
                snprintf(op->sent_state, sizeof op->sent_state, "%s", session->blame);
        else
                op->n_prepared++; /* something in front of it was refused, and it comes again */
        session->blames = false;
}

void
session_on_bind(struct session *session, const struct message *message)
{
        const char *name = (const char *)message->body + strlen((const char *)message->body) + 1;
        const struct named *found = session_find(session, name);
        bool is_named = name[0] != '\0';

        session_read_values(session, (const unsigned char *)name + strlen(name) + 1);
        session->sql = found != NULL ? found->sql : session->unnamed;
        bool own = !is_named && strncmp(session->sql, "op ", 3) != 0 && !session->blames;
        session->op = own ? NO_OP : session_read_op(session);
        if (!own)
                session_check_shared(session);
        if (session->failed && !own)
                session_skip_bind(session);
        if (session->failed)
                return;
        if (!own && session->status == 'E')
                session_refuse(session, session->op, "25P02");
        else if (is_named && found == NULL)
                session_refuse_name(session, "26000", name);
        else if (is_named && session_springs(session, TRAP_STALE))
                session_refuse_name(session, "0A000", name);
        else
                session_send(session, '2', NULL);
}

static void
session_describe_columns(struct session *session, int n, const char *const *names)
{
        char name[16];

        if (n == 0) {
                session_send(session, 'n', NULL);
                return;
        }
        size_t begun = message_begin(&session->out, 'T');
        message_int16(&session->out, (unsigned)n);
        for (int i = 0; i < n; i++) {
                snprintf(name, sizeof name, "c%d", i);
                message_text(&session->out, names != NULL ? names[i] : name);
                message_int32(&session->out, 0);
                message_int16(&session->out, 0);
                message_int32(&session->out, TYPE_TEXT);
                message_int16(&session->out, 0xffff);
                message_int32(&session->out, 0xffffffff);
                message_int16(&session->out, session->binary);
        }
        message_end(&session->out, begun);
}

/* A statement that has a name: what it takes and gives. */
static void
session_describe_named(struct session *session, const char *name)
{
        const struct named *found = session_find(session, name);
        enum op_kind kind;
        int columns;

        if (found == NULL || !sql_read(found->sql, &kind, &columns))
                broken("session %d is to describe %s", session->number, name);
        unsigned n = kind == OP_LONG || kind == OP_NUL ? 2 : 1;
        size_t begun = message_begin(&session->out, 't');
        message_int16(&session->out, n);
        message_int32(&session->out, TYPE_INT8);
        if (n > 1)
                message_int32(&session->out, TYPE_TEXT);
        message_end(&session->out, begun);
        session->binary = false;
        session_describe_columns(session, columns, NULL);
}

void
session_on_describe(struct session *session, const struct message *message)
{
        if (message->body[0] == 'S')
                session_describe_named(session, (const char *)message->body + 1);
        else if (session->op != NO_OP)
                session_describe_columns(session, ledger.ops[session->op].columns, NULL);
        else if (strncmp(session->sql, "SELECT", 6) != 0)
                session_send(session, 'n', NULL);
        else if (session_is_cancelling(session))
                session_describe_columns(session, 1, (const char *[]){"sent"});
        else
                session_describe_columns(
                        session, 4,
                        (const char *[]){"isolation", "statement_timeout", "pid", "began"});
}

static void
session_remove(struct session *session, struct named *found)
{
        *found = named[session->number - 1][--session->n_named];
}

void
session_on_close(struct session *session, const struct message *message)
{
        struct named *found = session_find(session, (const char *)message->body + 1);

        if (found != NULL)
                session_remove(session, found);
        session_send(session, '3', NULL);
}

bool
session_is_cancelling(const struct session *session)
{
        return strncmp(session->sql, "SELECT pg_catalog.pg_cancel_backend(", 36) == 0;
}

bool
session_is_closing(const struct session *session)
{
        return strncmp(session->sql, "DEALLOCATE ", 11) == 0;
}

void
session_close_named(struct session *session)
{
        char name[64];

        if (sscanf(session->sql, "DEALLOCATE \"%63[^\"]\"", name) != 1)
                broken("session %d got %s", session->number, session->sql);
        struct named *found = session_find(session, name);
        if (found == NULL) {
                session_complain(session, &(struct complaint){"ERROR", "26000", name, "s"});
                return;
        }
        session_remove(session, found);
        session_send(session, 'C', "DEALLOCATE");
}
