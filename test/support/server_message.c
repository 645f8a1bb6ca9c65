/*
 * The messages that the scripted server sends. See server.h.
 */
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "server.h"

#define TEXT_OID 25u

/* As an assertion, but one that costs nothing while it holds: Check reports each that it passes. */
static void
must(bool holds)
{
        if (!holds)
                ck_abort_msg("the server is out of memory");
}

/* A message that is being put together. */
struct body {
        struct evbuffer *bytes;
};

static struct body
body_new(void)
{
        struct body body = {.bytes = evbuffer_new()};

        must(body.bytes != NULL);
        return body;
}

static void
body_put(struct body *body, const void *bytes, size_t n)
{
        must(evbuffer_add(body->bytes, bytes, n) == 0);
}

static void
body_text(struct body *body, const char *text)
{
        body_put(body, text, strlen(text) + 1);
}

static void
body_int16(struct body *body, int n)
{
        uint16_t big = htons((uint16_t)n);

        body_put(body, &big, sizeof big);
}

static void
body_int32(struct body *body, uint32_t n)
{
        uint32_t big = htonl(n);

        body_put(body, &big, sizeof big);
}

static void
body_send(struct body *body, struct session *session, char type)
{
        size_t n = evbuffer_get_length(body->bytes);

        session_message(session, type, evbuffer_pullup(body->bytes, -1), n);
        evbuffer_free(body->bytes);
}

void
session_raw(struct session *session, const void *bytes, size_t n)
{
        must(evbuffer_add(session->out, bytes, n) == 0);
}

void
session_message(struct session *session, char type, const void *body, size_t n)
{
        uint32_t length = htonl((uint32_t)n + 4);

        session_raw(session, &type, 1);
        session_raw(session, &length, sizeof length);
        session_raw(session, body, n);
}

void
session_authentication(struct session *session, uint32_t code)
{
        struct body body = body_new();

        body_int32(&body, code);
        body_send(&body, session, 'R');
}

void
session_parameter(struct session *session, const char *name, const char *value)
{
        struct body body = body_new();

        body_text(&body, name);
        body_text(&body, value);
        body_send(&body, session, 'S');
}

void
session_key(struct session *session)
{
        struct body body = body_new();

        body_int32(&body, 4711);
        body_int32(&body, (uint32_t)session->number);
        body_send(&body, session, 'K');
}

void
session_ready(struct session *session)
{
        session->failed = false;
        session_message(session, 'Z', &session->status, 1);
}

void
session_no_columns(struct session *session)
{
        if (session->owes_description)
                session_message(session, 'n', "", 0);
        session->owes_description = false;
}

void
session_columns(struct session *session, int n, const char *const *names)
{
        struct body body = body_new();

        session->owes_description = false;
        body_int16(&body, n);
        for (int i = 0; i < n; i++) {
                body_text(&body, names[i]);
                body_int32(&body, 0);
                body_int16(&body, 0);
                body_int32(&body, TEXT_OID);
                body_int16(&body, -1);
                body_int32(&body, UINT32_MAX);
                body_int16(&body, 0);
        }
        body_send(&body, session, 'T');
}

void
session_row(struct session *session, int n, const char *const *values)
{
        struct body body = body_new();

        session->owes_description = false;
        body_int16(&body, n);
        for (int i = 0; i < n; i++) {
                size_t length = values[i] != NULL ? strlen(values[i]) : 0;
                body_int32(&body, values[i] != NULL ? (uint32_t)length : UINT32_MAX);
                if (values[i] != NULL)
                        body_put(&body, values[i], length);
        }
        body_send(&body, session, 'D');
}

void
session_complete(struct session *session, const char *tag)
{
        if (strcmp(tag, "COMMIT") == 0 && session->status == 'E') {
                session->server->n_failed_commits++;
                tag = session->server->commits_anyway ? tag : "ROLLBACK";
        }
        if (strcmp(tag, "BEGIN") == 0)
                session->status = 'T';
        if (strcmp(tag, "COMMIT") == 0 || strcmp(tag, "ROLLBACK") == 0)
                session->status = 'I';
        session_no_columns(session);
        session_message(session, 'C', tag, strlen(tag) + 1);
}

void
session_rollback_to(struct session *session)
{
        session->status = 'T';
        session_no_columns(session);
        session_message(session, 'C', "ROLLBACK", sizeof "ROLLBACK");
}

void
session_empty(struct session *session)
{
        session_no_columns(session);
        session_message(session, 'I', "", 0);
}

void
session_text(struct session *session, const char *text)
{
        session_columns(session, 1, &(const char *){"text"});
        session_row(session, 1, &text);
        session_complete(session, "SELECT 1");
}

static void
body_field(struct body *body, char type, const char *text)
{
        if (text == NULL)
                return;
        body_put(body, &type, 1);
        body_text(body, text);
}

/* texts: severity, SQLSTATE, message and source function. */
static void
session_report(struct session *session, char type, const char *const *texts)
{
        struct body body = body_new();

        body_field(&body, 'S', texts[0]);
        if (!session->server->bare)
                body_field(&body, 'V', texts[0]);
        body_field(&body, 'C', texts[1]);
        body_field(&body, 'M', texts[2]);
        if (!session->server->bare) {
                body_field(&body, 'F', "server_message.c");
                body_field(&body, 'L', "1");
                body_field(&body, 'R', texts[3]);
        }
        body_put(&body, "", 1);
        body_send(&body, session, type);
}

void
session_error(struct session *session, const char *severity, const char *sqlstate, const char *text)
{
        session_error_from(session, (const char *const[]){severity, sqlstate, text, "server"});
}

void
session_error_from(struct session *session, const char *const *texts)
{
        session_no_columns(session);
        session_report(session, 'E', texts);
        session->failed = true;
        if (session->status == 'T')
                session->status = 'E';
}

void
session_notice(struct session *session, const char *severity, const char *text)
{
        session_report(session, 'N', (const char *const[]){severity, "00000", text, "server"});
}

void
session_notification(struct session *session, const char *channel, const char *payload)
{
        struct body body = body_new();

        body_int32(&body, 4711);
        body_text(&body, channel);
        body_text(&body, payload);
        body_send(&body, session, 'A');
}

void
session_copy(struct session *session, char type)
{
        struct body body;

        session_no_columns(session);
        body = body_new();
        body_put(&body, "", 1);
        body_int16(&body, 1);
        body_int16(&body, 0);
        body_send(&body, session, type);
        session->copying = type == 'G';
        if (session->copying)
                session_flush(session);
}
