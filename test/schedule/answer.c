/*
 * What a session of the model answers. See model.h; statement.c has the statements.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_session.h"
#include "world.h"

#define CANCEL_CODE 80877102
#define SSL_CODE    80877103
#define GSS_CODE    80877104

void
session_send(struct session *session, char type, const char *text)
{
        size_t begun = message_begin(&session->out, type);

        if (text != NULL)
                message_text(&session->out, text);
        message_end(&session->out, begun);
}

void
session_complain(struct session *session, const struct complaint *complaint)
{
        const char *severity = complaint->severity;
        struct bytes *out = &session->out;
        const char *const fields[] = {
                "S", severity, "V", severity, "C", complaint->sqlstate, "M", complaint->message,
                "F", "a",      "L", "1",      "R", complaint->routine};
        bool is_notice = strcmp(severity, "NOTICE") == 0;
        size_t begun = message_begin(out, is_notice ? 'N' : 'E');

        for (size_t i = 0; i + 1 < sizeof fields / sizeof fields[0]; i += 2) {
                bytes_put(out, fields[i], 1);
                message_text(out, fields[i + 1]);
        }
        bytes_put(out, "", 1);
        message_end(out, begun);
        if (is_notice)
                return;
        trace("server: session %d says %s %s", session->number, severity, complaint->sqlstate);
        session->failed = true;
        if (session->status == 'T')
                session->status = 'E';
}

static void
session_error(struct session *session, const char *severity, const char *sqlstate)
{
        session_complain(session, &(struct complaint){severity, sqlstate, "says no.", "s"});
}

void
session_refuse(struct session *session, int op, const char *sqlstate)
{
        if (op != NO_OP)
                snprintf(ledger_at(op)->sent_state, sizeof ledger.ops[0].sent_state, "%s",
                         sqlstate);
        else
                ledger_disturb();
        session_error(session, "ERROR", sqlstate);
}

void
session_fatal(struct session *session, const char *sqlstate)
{
        ledger_disturb();
        session_error(session, "FATAL", sqlstate);
        session_release(session);
        session->ending = true;
}

static void
session_parameter(struct session *session, const char *name, const char *value)
{
        size_t begun = message_begin(&session->out, 'S');

        message_text(&session->out, name);
        message_text(&session->out, value);
        message_end(&session->out, begun);
}

static void
session_ready(struct session *session)
{
        size_t begun = message_begin(&session->out, 'Z');

        bytes_put(&session->out, &session->status, 1);
        message_end(&session->out, begun);
        session_release(session);
}

static void
session_welcome(struct session *session)
{
        size_t begun = message_begin(&session->out, 'R');

        message_int32(&session->out, 0);
        message_end(&session->out, begun);
        session_parameter(session, "server_version", "15.18");
        session_parameter(session, "server_encoding", "UTF8");
        session_parameter(session, "client_encoding", "UTF8");
        session_parameter(session, "standard_conforming_strings", "on");
        begun = message_begin(&session->out, 'K');
        message_int32(&session->out, (uint32_t)session->number);
        message_int32(&session->out, 4711);
        message_end(&session->out, begun);
        session_ready(session);
}

static void
session_start(struct session *session, const struct message *message)
{
        uint32_t code = read_number(message->body, 4);

        if (code == SSL_CODE || code == GSS_CODE) {
                bytes_put(&session->out, "N", 1);
                session_release(session);
                return;
        }
        if (code == CANCEL_CODE) {
                model_strike((int)read_number(message->body + 4, 4));
                session->ending = true;
                return;
        }
        session->started = true;
        switch (session->welcome) {
        case WELCOME_YES: session_welcome(session); return;
        case WELCOME_PASSWORD: session_fatal(session, "28P01"); return;
        case WELCOME_FULL: session_fatal(session, "53300"); return;
        case WELCOME_CLOSE:
                ledger_disturb();
                session_close(session);
                return;
        case WELCOME_SILENCE:
        case WELCOMES: return;
        }
}

bool
session_springs(struct session *session, enum trap trap)
{
        if (session->trap != trap)
                return false;
        session->trap = TRAP_NONE;
        return true;
}

static int
session_columns(const struct session *session)
{
        return session->op != NO_OP ? ledger.ops[session->op].columns : 1;
}

static int
session_rows(const struct session *session)
{
        return session->op != NO_OP ? ledger.ops[session->op].rows : 1;
}

/* Each row begins with the nonce; its other columns are NULL, or long. */
static void
session_row(struct session *session, bool is_wide)
{
        static const char wide[] = "a text of fifty bytes, again and again until it is";
        int n = session_columns(session);
        size_t begun = message_begin(&session->out, 'D');

        message_int16(&session->out, (unsigned)n);
        message_int32(&session->out, (uint32_t)strlen(session->nonce));
        bytes_put(&session->out, session->nonce, strlen(session->nonce));
        for (int i = 1; i < n; i++) {
                message_int32(&session->out, is_wide ? 60 * (sizeof wide - 1) : 0xffffffff);
                for (int times = 0; is_wide && times < 60; times++)
                        bytes_put(&session->out, wide, sizeof wide - 1);
        }
        message_end(&session->out, begun);
}

static void
session_copy(struct session *session, char type)
{
        size_t begun = message_begin(&session->out, type);

        bytes_put(&session->out, "", 1);
        message_int16(&session->out, 0);
        message_end(&session->out, begun);
        session->copying = type == 'G';
        session_release(session);
}

/* Rows and the command tag. */
static void
session_answer(struct session *session, enum op_kind kind)
{
        int rows = session_rows(session);
        char tag[32];

        for (int i = 0; i < rows && session_columns(session) > 0; i++)
                session_row(session, kind == OP_WIDE);
        switch (kind) {
        case OP_EMPTY: session_send(session, 'I', NULL); return;
        case OP_SETS: session_send(session, 'C', "SET"); return;
        case OP_COPIES_OUT:
                session_copy(session, 'H');
                session_send(session, 'c', NULL);
                session_send(session, 'C', "COPY 0");
                return;
        case OP_COPIES_IN: session_copy(session, 'G'); return;
        case OP_WRITE:
        case OP_RETURNING:
        case OP_LONG:
        case OP_DEFERRED: snprintf(tag, sizeof tag, "INSERT 0 %d", rows); break;
        case OP_READ:
        case OP_WIDE:
        case OP_BAD:
        case OP_FAILS:
        case OP_NUL:
        case OP_DRAIN:
        case OP_ATOMIC:
        case OP_KINDS: snprintf(tag, sizeof tag, "SELECT %d", rows); break;
        }
        session_send(session, 'C', tag);
}

/* Notes in the ledger that a statement is executed. */
static void
session_note_executed(struct session *session)
{
        struct op *op = &ledger.ops[session->op];

        trace("server: session %d executes op %d", session->number, op->number);
        if (op_keeps_order(op) && op->number <= session->last_op)
                broken("I4: op %d came behind op %d", op->number, session->last_op);
        if (op_keeps_order(op))
                session->last_op = op->number;
        if (op->atomic != NULL && op->number < op->atomic->last_part)
                broken("I4: part %d came behind part %d", op->number, op->atomic->last_part);
        if (op->atomic != NULL)
                op->atomic->last_part = op->number;
        if (op->atomic != NULL && op->number < op->atomic->first_part)
                broken("I5: part %d is of a run that has ended", op->number);
        /* A read runs again twice when its connection is lost. */
        int most = (op_may_share(op) ? 2 : 1) + (op->is_read && op->atomic == NULL ? 2 : 0);
        if (++op->n_executed > most + op->n_hits)
                broken("I5: op %d is run %d times", op->number, op->n_executed);
        if (session->reader && !op->is_read && !session->lost_role)
                broken("op %d came to a reader", op->number);
        op->session = session->number;
        op->answered_at = op->ready_at = 0;
        op->is_hit = false;
        session->segment[session->n_segment++] = op->number;
}

/* A cancel stops what is executed, whoever was meant. */
static void
session_hit(struct session *session, struct op *op)
{
        session->struck = false;
        op->is_hit = true;
        op->n_hits++;
        session_refuse(session, session->op, "57014");
}

/* What the execution of an op's statement comes to. */
static void
session_execute_op(struct session *session)
{
        struct op *op = &ledger.ops[session->op];

        session_note_executed(session);
        if (session->struck)
                session_hit(session, op);
        else if (op->kind == OP_FAILS)
                session_refuse(session, session->op, "22012");
        else if (session->reader && op_writes(op))
                session_refuse(session, session->op, "25006");
        else if (session_springs(session, TRAP_EXECUTE_ERROR))
                session_refuse(session, session->op, "40001");
        else if (session_springs(session, TRAP_EXECUTE_FATAL))
                session_fatal(session, "57P01");
        else {
                session_answer(session, op->kind);
                op->answered_at = session->delivered + bytes_length(&session->out);
        }
}

/* A row of an answer to a statement of the library's own. */
static void
session_own_row(struct session *session, int n, const char *const *values)
{
        size_t begun = message_begin(&session->out, 'D');

        message_int16(&session->out, (unsigned)n);
        for (int i = 0; i < n; i++) {
                message_int32(&session->out, (uint32_t)strlen(values[i]));
                bytes_put(&session->out, values[i], strlen(values[i]));
        }
        message_end(&session->out, begun);
}

/* What the library asks of a new session: how it is isolated, and who it is. */
static void
session_tell_about(struct session *session)
{
        char pid[16];
        const char *values[] = {session->serializable ? "serializable" : "read committed", "0", pid,
                                "then"};

        snprintf(pid, sizeof pid, "%d", session->number);
        session_own_row(session, 4, values);
        session_send(session, 'C', "SELECT 1");
}

/* One of the library's own statements: it sets a session up, or makes it a reader or a writer. */
static void
session_execute_own(struct session *session)
{
        static const char reader[] = "SET default_transaction_read_only = on";
        static const char writer[] = "RESET default_transaction_read_only";

        if (session_brackets(session))
                return;
        if (session_springs(session, TRAP_EXECUTE_ERROR)) {
                /* What comes behind it is not what it should be, and none of it is believed. */
                session->lost_role = true;
                session_refuse(session, NO_OP, "40001");
        } else if (session_springs(session, TRAP_EXECUTE_FATAL)) {
                session_fatal(session, "57P01");
        } else if (strcmp(session->sql, reader) == 0 || strcmp(session->sql, writer) == 0) {
                session->reader = strcmp(session->sql, reader) == 0;
                session_send(session, 'C', session->reader ? "SET" : "RESET");
        } else if (session_is_closing(session)) {
                session_close_named(session);
        } else if (session_is_cancelling(session)) {
                bool sent = model_strike(atoi(session->nonce));
                if (sent)
                        session_own_row(session, 1, (const char *[]){"t"});
                session_send(session, 'C', sent ? "SELECT 1" : "SELECT 0");
        } else {
                session_tell_about(session);
        }
}

static void
session_on_execute(struct session *session)
{
        if (session->op != NO_OP)
                session_execute_op(session);
        else
                session_execute_own(session);
}

/* What goes wrong in a commit; whether the session goes on. */
static bool
session_commit(struct session *session)
{
        bool open = session->status != 'I'; /* then nothing is committed here */
        int last = session->n_segment > 0 ? session->segment[session->n_segment - 1] : NO_OP;
        bool two = session_springs(session, TRAP_TWO_FATALS);

        if (two || session_springs(session, TRAP_SYNC_FATAL_BEFORE)) {
                session_fatal(session, "57P01");
                if (two)
                        session_fatal(session, "57P01");
                return false;
        }
        if (!open && !session->brackets &&
            (ops_are_deferred(session->segment, session->n_segment) ||
             session_springs(session, TRAP_SYNC_ERROR))) {
                session_refuse(session, last, "23503");
                return true;
        }
        if (!open)
                segment_end(session, true);
        if (session_springs(session, TRAP_SYNC_FATAL_AFTER)) {
                session_fatal(session, "57P01");
                return false;
        }
        if (session_springs(session, TRAP_SYNC_CLOSE_AFTER)) {
                ledger_disturb();
                session_close(session);
                return false;
        }
        return true;
}

/* Where in what it says the answer of each statement of the segment ends. Those that a failed group
 * may have run again are not answered yet. */
static void
segment_note_ready(struct session *session, bool failed)
{
        for (int i = 0; i < session->n_segment; i++) {
                struct op *op = &ledger.ops[session->segment[i]];
                bool again =
                        failed && session->n_bound > 1 && (op->answered_at == 0 || !op->is_read);
                again = again || (op->is_hit && op_may_share(op));
                /* A read runs again after a conflict. */
                again = again || (failed && op->is_read && strncmp(op->sent_state, "40", 2) == 0);
                if (!again || op->atomic != NULL)
                        op->ready_at = session->delivered + bytes_length(&session->out);
        }
        if (session->ended != NULL)
                session->ended->ready_at = session->delivered + bytes_length(&session->out);
        session->ended = NULL;
}

static void
session_harm(struct session *session)
{
        session->harms = false;
        session_parameter(session, "client_encoding", "LATIN1");
        if (session->harmed_at == 0)
                session->harmed_at = session->delivered + bytes_length(&session->out);
}

static void
session_on_sync(struct session *session)
{
        bool failed = session->failed;

        if (!failed && !session_commit(session))
                return;
        failed = session->failed;
        if (session->status != 'I')
                segment_open(session);
        else if (failed)
                segment_end(session, false);
        session->failed = session->blames = false;
        if (session->harms)
                session_harm(session);
        session_ready(session);
        segment_note_ready(session, failed);
        session->n_segment = session->n_bound = session->n_taken = 0;
        session->begun = session->brackets = false;
        if (session->forgets)
                session_forget(session);
}

/* It takes data and nothing else: in front of another message it loses its place. */
static void
session_on_copying(struct session *session, const struct message *message)
{
        if (message->type == 'S')
                return;
        session_error(session, "ERROR", "08P01");
        session_fatal(session, "08P01");
}

bool
session_parse(const struct session *session, struct message *ret_message)
{
        size_t length = bytes_length(&session->in);
        const unsigned char *at = bytes_head(&session->in);
        size_t type = session->started ? 1 : 0;

        if (length < type + 4 || length < type + read_number(at + type, 4))
                return false;
        size_t size = type + read_number(at + type, 4);
        *ret_message = (struct message){.type = type > 0 ? (char)at[0] : '\0',
                                        .body = at + type + 4,
                                        .length = size - type - 4,
                                        .size = size};
        return true;
}

void
session_handle(struct session *session, const struct message *message)
{
        if (!session->started) {
                session_start(session, message);
                return;
        }
        if (message->type == 'X') {
                session_close(session);
                return;
        }
        if (session->copying) {
                session_on_copying(session, message);
                return;
        }
        session->begun = true;
        if (session->failed && message->type == 'P')
                session_skip_parse(session, message);
        if (session->failed && message->type != 'S' && message->type != 'B')
                return;
        switch (message->type) {
        case 'P': session_on_parse(session, message); break;
        case 'B': session_on_bind(session, message); break;
        case 'C': session_on_close(session, message); break;
        case 'D': session_on_describe(session, message); break;
        case 'E': session_on_execute(session); break;
        case 'S': session_on_sync(session); break;
        default: broken("the client sent a message '%c'", message->type);
        }
}

void
session_say_notice(struct session *session)
{
        session_error(session, "NOTICE", "00000");
        session_release(session);
}

void
session_say_notification(struct session *session)
{
        size_t begun = message_begin(&session->out, 'A');

        message_int32(&session->out, 1);
        message_text(&session->out, "channel");
        message_text(&session->out, "payload");
        message_end(&session->out, begun);
        session_release(session);
}

void
session_say_parameter(struct session *session, bool harmful)
{
        /* A server that is amid a segment tells of it in front of its end. */
        session->harms |= harmful;
        if (!harmful)
                session_parameter(session, "application_name", "app");
        else if (session->n_bound == 0)
                session_harm(session);
        session_release(session);
}

void
session_say_fatal(struct session *session)
{
        session_fatal(session, "57P01");
}
