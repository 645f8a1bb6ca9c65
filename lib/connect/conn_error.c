/*
 * The text of a conn_error is read from libpq's message. See conn_error.h.
 */
#include "connect/conn_error.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "connect/conninfo.h"

/* Whether a text has one of these in it; NULL ends the list. */
static bool
text_has_one_of(const char *text, const char *const *parts)
{
        while (*parts != NULL && strstr(text, *parts) == NULL)
                parts++;
        return *parts != NULL;
}

bool
pipit__conn_error_is_permanent(const struct conn_error *failure)
{
        /* Who may connect, to which database, with which settings, by which protocol. */
        static const char *const classes[] = {"28", "3D", "22", "42", "0A"};
        /* PgBouncer has one SQLSTATE for all of its own errors, and does not translate them. Of a
         * server that it cannot reach it says other things. */
        static const char *const of_poolers[] = {"no such database",
                                                 "does not exist",
                                                 "no such user",
                                                 "unsupported startup parameter",
                                                 "password authentication failed",
                                                 "TLS connection required",
                                                 "SSL required",
                                                 "not allowed",
                                                 NULL};

        for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
                if (strncmp(failure->sqlstate, classes[i], 2) == 0)
                        return true;
        }
        if (strcmp(failure->sqlstate, "08P01") == 0)
                return text_has_one_of(failure->text, of_poolers);
        return failure->cause == CAUSE_LASTING;
}

/* Returns the place of the SQLSTATE in a verbose message, as "FATAL:  28P01: text"; NULL if there
 * is none. The place is found by its form, because severities are translated. */
static const char *
conn_error_sqlstate(const char *message)
{
        const char *found = NULL;

        for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 3, ":  ")) {
                const char *state = at + 3;
                int n = 0;
                while (n < 5 &&
                       (isupper((unsigned char)state[n]) || isdigit((unsigned char)state[n])))
                        n++;
                if (n == 5 && state[5] == ':' && state[6] == ' ')
                        found = state;
        }
        return found;
}

void
pipit__conn_error_read(struct conn_error *failure, const char *message)
{
        const char *state = conn_error_sqlstate(message);
        char text[sizeof failure->text];
        const char *rest = message;
        int before = 0;

        failure->sqlstate[0] = '\0';
        failure->cause = CAUSE_REMOTE;
        if (state != NULL) {
                snprintf(failure->sqlstate, sizeof failure->sqlstate, "%.5s", state);
                before = (int)(state - message);
                rest = state + 7;
        }
        snprintf(text, sizeof text, "%.*s%.*s", before, message, (int)strcspn(rest, "\n"), rest);
        pipit__log_escape(failure->text, sizeof failure->text, text);
}

void
pipit__conn_error_print(struct conn_error *failure, enum conn_cause cause, const char *text)
{
        failure->sqlstate[0] = '\0';
        failure->cause = cause;
        pipit__log_escape(failure->text, sizeof failure->text, text);
}

void
pipit__conn_error_set_host(struct conn_error *failure, const struct conninfo_host *host)
{
        if (host->host[0] == '/' || host->host[0] == '@')
                snprintf(failure->host, sizeof failure->host, "%s/.s.PGSQL.%s", host->host,
                         host->port);
        else if (host->host[0] == '\0' && host->hostaddr[0] == '\0')
                snprintf(failure->host, sizeof failure->host, "local socket, port %s", host->port);
        else
                snprintf(failure->host, sizeof failure->host, "%s:%s",
                         host->host[0] != '\0' ? host->host : host->hostaddr, host->port);
}

void
pipit__conn_error_add(struct conn_error *failure, const struct conn_error *other)
{
        size_t length = strlen(failure->text);

        snprintf(failure->text + length, sizeof failure->text - length, "; %s: %s", other->host,
                 other->text);
}
