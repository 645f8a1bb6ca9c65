/*
 * The statements of the scripted server's sessions: their names and texts, and the one that sets a
 * session up. See server.h.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server_part.h"

/* A statement that has a name. */
struct prepared {
        struct prepared *next;
        char *name;
        char *sql;
};

/* What a server of version 15 reports. */
static const struct parameter {
        const char *name;
        const char *value;
} parameters[] = {
        {"application_name", ""},
        {"client_encoding", "UTF8"},
        {"DateStyle", "ISO, MDY"},
        {"default_transaction_read_only", "off"},
        {"in_hot_standby", "off"},
        {"integer_datetimes", "on"},
        {"IntervalStyle", "postgres"},
        {"is_superuser", "on"},
        {"server_encoding", "UTF8"},
        {"server_version", "15.0"},
        {"session_authorization", "postgres"},
        {"standard_conforming_strings", "on"},
        {"TimeZone", "Etc/UTC"},
};

#define N_PARAMETERS (sizeof parameters / sizeof parameters[0])

void
session_welcome(struct session *session)
{
        session_authentication(session, 0);
        for (size_t i = 0; i < N_PARAMETERS; i++)
                session_parameter(session, parameters[i].name, parameters[i].value);
        if (session->server->in_hot_standby != NULL)
                session_parameter(session, "in_hot_standby", session->server->in_hot_standby);
        if (session->server->read_only != NULL)
                session_parameter(session, "default_transaction_read_only",
                                  session->server->read_only);
        session_key(session);
        session_ready(session);
}

/* ---- setting up */

#define MAX_SETTINGS 16

struct setting {
        const char *column; /* that answers it */
        char name[64];
        char value[64];
};

/*
 * The settings that a text makes with set_config(), or asks for with current_setting(): names and
 * values are plain literals, or $1, or depend on what is set already. Other functions have no
 * column here: who the session is, for one, is not answered, as by a pooler.
 */
static int
settings_find(const char *sql, const char *parameter, struct setting *settings)
{
        static const char schema[] = "pg_catalog.";
        static const char isolation[] = "current_setting('default_transaction_isolation')";
        static const char timeout[] = "current_setting('statement_timeout')";
        int n = 0;

        for (const char *at = strstr(sql, schema); at != NULL; at = strstr(at + 1, schema)) {
                const char *call = at + strlen(schema);
                struct setting setting = {.column = "set_config"};
                if (strncmp(call, isolation, strlen(isolation)) == 0) {
                        setting.column = "isolation";
                        snprintf(setting.value, sizeof setting.value, "read committed");
                } else if (strncmp(call, timeout, strlen(timeout)) == 0) {
                        setting.column = "statement_timeout";
                        snprintf(setting.value, sizeof setting.value, "0");
                } else if (sscanf(call, "set_config('%63[^']', %4[CASE]", setting.name,
                                  setting.value) == 2) {
                        /* A session of this server has no limit of its own. */
                        at = strstr(call, " ELSE ");
                        ck_assert_ptr_nonnull(at);
                        ck_assert_int_eq(sscanf(at, " ELSE '%63[^']'", setting.value), 1);
                } else if (sscanf(call, "set_config('%63[^']', '%63[^']'", setting.name,
                                  setting.value) == 1) {
                        snprintf(setting.value, sizeof setting.value, "%s", parameter);
                } else if (setting.name[0] == '\0') {
                        continue;
                }
                ck_assert_int_lt(n, MAX_SETTINGS);
                settings[n++] = setting;
        }
        return n;
}

/* A parameter that is another now is reported in front of the ReadyForQuery. */
static void
setting_report(struct session *session, const struct setting *setting)
{
        for (size_t i = 0; i < N_PARAMETERS; i++) {
                if (strcmp(parameters[i].name, setting->name) == 0 &&
                    strcmp(parameters[i].value, setting->value) != 0)
                        session_parameter(session, setting->name, setting->value);
        }
}

void
session_set_up(struct session *session)
{
        struct setting settings[MAX_SETTINGS];
        const char *names[MAX_SETTINGS] = {0};
        const char *values[MAX_SETTINGS];
        const char *isolation = session->server->isolation;
        int n = settings_find(session->sql, session->value, settings);

        for (int i = 0; i < n; i++) {
                names[i] = settings[i].column;
                values[i] = settings[i].value;
                if (isolation != NULL && strcmp(names[i], "isolation") == 0)
                        values[i] = isolation;
        }
        session_columns(session, n, names);
        session_row(session, n, values);
        session_complete(session, "SELECT 1");
        for (int i = 0; i < n; i++)
                setting_report(session, &settings[i]);
}

bool
session_takes_role(struct session *session)
{
        bool reader = strcmp(session->sql, "SET default_transaction_read_only = on") == 0;

        if (!reader && strcmp(session->sql, "RESET default_transaction_read_only") != 0)
                return false;
        session->reader = reader;
        session->sets_role = true;
        session_complete(session, reader ? "SET" : "RESET");
        session_parameter(session, "default_transaction_read_only", reader ? "on" : "off");
        return true;
}

/* ---- names */

/* The text with which an older libpq closes a statement. */
static const char deallocate[] = "DEALLOCATE ";

static void
session_keep_text(char **place, const char *bytes, size_t n)
{
        free(*place);
        *place = bytes != NULL ? strndup(bytes, n) : NULL;
}

/* Where the statement of this name is, or the next one would be. */
static struct prepared **
prepared_find(struct session *session, const char *name)
{
        struct prepared **at = &session->prepared;

        while (*at != NULL && strcmp((*at)->name, name) != 0)
                at = &(*at)->next;
        return at;
}

static void
prepared_remove(struct prepared **at)
{
        struct prepared *prepared = *at;

        *at = prepared->next;
        free(prepared->name);
        free(prepared->sql);
        free(prepared);
}

bool
session_takes_close(struct session *session)
{
        char name[100];
        char text[200];

        if (strncmp(session->sql, deallocate, strlen(deallocate)) != 0)
                return false;
        ck_assert_int_eq(sscanf(session->sql, "DEALLOCATE \"%99[^\"]\"", name), 1);
        struct prepared **at = prepared_find(session, name);
        if (*at != NULL) {
                prepared_remove(at);
                session_complete(session, "DEALLOCATE");
        } else {
                snprintf(text, sizeof text, "prepared statement \"%s\" does not exist", name);
                session_error(session, "ERROR", "26000", text);
        }
        return true;
}

static void
prepared_add(struct session *session, const char *name, const char *sql)
{
        struct prepared *prepared = calloc(1, sizeof *prepared);

        ck_assert_ptr_nonnull(prepared);
        session_keep_text(&prepared->name, name, strlen(name));
        session_keep_text(&prepared->sql, sql, strlen(sql));
        *prepared_find(session, name) = prepared;
}

/* Whether the statement can run: one that does not end a failed transaction cannot. */
static bool
session_takes(struct session *session, const char *sql)
{
        if (session->status != 'E' || strcmp(sql, "COMMIT") == 0 ||
            strncmp(sql, "ROLLBACK", 8) == 0)
                return true;
        session_error(session, "ERROR", "25P02", "current transaction is aborted");
        return false;
}

void
session_on_parse(struct session *session, const struct message *message)
{
        const char *name = message->body;
        const char *sql = name + strlen(name) + 1;

        if (!session_takes(session, sql))
                return;
        if (*prepared_find(session, name) != NULL) {
                session_error(session, "ERROR", "42P05", "prepared statement already exists");
                return;
        }
        if (name[0] != '\0')
                prepared_add(session, name, sql);
        session_keep_text(&session->sql, sql, strlen(sql));
        session_message(session, '1', "", 0);
}

/* The text of the statement with this name becomes the session's. */
static bool
session_choose(struct session *session, const char *name)
{
        struct prepared *prepared = *prepared_find(session, name);

        if (name[0] == '\0')
                return true;
        if (prepared == NULL) {
                char text[200];
                snprintf(text, sizeof text, "prepared statement \"%s\" does not exist", name);
                session_error(session, "ERROR", "26000", text);
                return false;
        }
        session_keep_text(&session->sql, prepared->sql, strlen(prepared->sql));
        return true;
}

static uint32_t
read_int(const char *at, size_t size)
{
        uint32_t n = 0;

        for (size_t i = 0; i < size; i++)
                n = n << 8 | (unsigned char)at[i];
        return n;
}

void
session_on_bind(struct session *session, const struct message *message)
{
        const char *name = message->body + strlen(message->body) + 1;
        const char *at = name + strlen(name) + 1;

        if (!session_choose(session, name) || !session_takes(session, session->sql))
                return;
        at += 2 + 2 * read_int(at, 2);
        uint32_t n = read_int(at, 2);
        uint32_t length = n > 0 ? read_int(at + 2, 4) : UINT32_MAX;
        session_keep_text(&session->value, length != UINT32_MAX ? at + 6 : NULL, length);
        session_message(session, '2', "", 0);
}

/* What a statement gives is not known before it is answered: a portal is described then, and of a
 * statement it is said that it takes what it seems to take, and is echoed. */
void
session_on_describe(struct session *session, const struct message *message)
{
        static const char one_text[] = {0, 1, 0, 0, 0, 25};
        const char *name = message->body + 1;

        session->owes_description = message->body[0] == 'P';
        if (message->body[0] == 'P' || !session_choose(session, name))
                return;
        if (strstr(session->sql, "$1") != NULL)
                session_message(session, 't', one_text, sizeof one_text);
        else
                session_message(session, 't', "\0\0", 2);
        session_columns(session, 1, &(const char *){"text"});
}

void
session_on_close(struct session *session, const struct message *message)
{
        struct prepared **at = prepared_find(session, message->body + 1);

        if (message->body[0] == 'S' && *at != NULL)
                prepared_remove(at);
        session_message(session, '3', "", 0);
}

void
session_forget(struct session *session)
{
        while (session->prepared != NULL)
                prepared_remove(&session->prepared);
}

void
session_free_statements(struct session *session)
{
        session_forget(session);
        free(session->sql);
        free(session->value);
}
