/*
 * Session settings. See session_settings.h.
 */
#include "conn/session_settings.h"

#include <pipit/export.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct setting {
        const char *name;
        const char *value;
};

/* The text forms that the codecs read. */
static const struct setting settings_always[] = {
        {"standard_conforming_strings", "on"}, {"DateStyle", "ISO, YMD"},
        {"IntervalStyle", "iso_8601"},         {"TimeZone", "UTC"},
        {"extra_float_digits", "1"},           {"bytea_output", "hex"},
};

/* A wish is what a session can do without; the number of each is its bit among refused ones. The
 * name is one that an error has if the server does not grant the wish. */
struct wish {
        const char *name;
        int since_version;
};

enum { WISH_CHECK, WISH_BACKEND, WISH_IDLE, N_WISHES };

static const struct wish wishes[N_WISHES] = {
        [WISH_CHECK] = {"client_connection_check_interval", 140000},
        [WISH_BACKEND] = {"pg_stat_get_activity", 0},
        [WISH_IDLE] = {"idle_in_transaction_session_timeout", 0},
};

static bool
wish_is_made(int wish, int server_version, unsigned refused)
{
        return server_version >= wishes[wish].since_version && (refused & 1u << wish) == 0;
}

/* Whether an error says that something cannot be set or asked here, and not that something went
 * wrong this time. */
static bool
error_is_refusal(const char *sqlstate)
{
        static const char *const states[] = {"0A", "22", "42", "55P02"};

        for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
                if (strncmp(sqlstate, states[i], strlen(states[i])) == 0)
                        return true;
        }
        return false;
}

unsigned
pipit__session_settings_refuse(unsigned refused, int server_version, const char *sqlstate,
                               const char *message)
{
        int any = -1;

        if (!error_is_refusal(sqlstate))
                return refused;
        for (int i = N_WISHES - 1; i >= 0; i--) {
                if (!wish_is_made(i, server_version, refused))
                        continue;
                if (strstr(message, wishes[i].name) != NULL)
                        return refused | 1u << i;
                any = i;
        }
        return any >= 0 ? refused | 1u << any : refused;
}

/* Adds to the statement; what has no room is cut off, which the tests see. */
static void
        PIPIT_PRINTF(2, 3) settings_add(struct session_settings *settings, const char *format, ...)
{
        size_t length = strlen(settings->sql);
        va_list args;

        va_start(args, format);
        vsnprintf(settings->sql + length, sizeof settings->sql - length, format, args);
        va_end(args);
}

/* Adds a limit, unless the session has a stricter one: 0 is none. The functions are named, because
 * a search path could have other operators. */
static void
settings_add_limit(struct session_settings *settings, const char *name, const char *value)
{
        settings_add(settings,
                     ", pg_catalog.set_config('%s', CASE WHEN "
                     "pg_catalog.interval_gt(pg_catalog.current_setting('%s')::pg_catalog.interval,"
                     " '0') AND "
                     "pg_catalog.interval_lt(pg_catalog.current_setting('%s')::pg_catalog.interval,"
                     " '%s') THEN pg_catalog.current_setting('%s') ELSE '%s' END, false)",
                     name, name, name, value, name, value);
}

/* The columns that only ask, after a word or other columns. */
#define SETTINGS_ASKED                                                                             \
        " pg_catalog.current_setting('default_transaction_isolation') AS isolation"                \
        ", pg_catalog.current_setting('statement_timeout') AS statement_timeout"

void
pipit__session_settings_init_shared(struct session_settings *settings)
{
        settings->n = 0;
        snprintf(settings->sql, sizeof settings->sql, "SELECT" SETTINGS_ASKED);
}

void
pipit__session_settings_init(struct session_settings *settings, int server_version,
                             const char *search_path, unsigned refused)
{
        settings->n = 0;
        settings->sql[0] = '\0';
        for (size_t i = 0; i < sizeof settings_always / sizeof settings_always[0]; i++)
                settings_add(settings, "%s pg_catalog.set_config('%s', '%s', false)",
                             i == 0 ? "SELECT" : ",", settings_always[i].name,
                             settings_always[i].value);
        /* The server ends what a client leaves that is gone. */
        if (wish_is_made(WISH_IDLE, server_version, refused))
                settings_add_limit(settings, wishes[WISH_IDLE].name, "60s");
        if (wish_is_made(WISH_CHECK, server_version, refused))
                settings_add_limit(settings, wishes[WISH_CHECK].name, "5s");
        settings_add(settings, "," SETTINGS_ASKED);
        if (search_path[0] == '\0')
                return;
        settings_add(settings, ", pg_catalog.set_config('search_path', $1, false)");
        settings->values[settings->n++] = search_path;
}

int64_t
pipit__session_settings_read_ms(const char *text)
{
        static const struct {
                const char *unit;
                int64_t ms;
        } units[] = {{"", 1},        {"ms", 1},      {"s", 1000},
                     {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
        char *end;
        long long number = strtoll(text, &end, 10);

        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
                if (end > text && number >= 0 && number <= INT32_MAX &&
                    strcmp(end, units[i].unit) == 0)
                        return number * units[i].ms;
        }
        return -1;
}

void
pipit__session_settings_ask_backend(struct session_settings *settings, unsigned refused)
{
        if (!wish_is_made(WISH_BACKEND, 0, refused))
                return;
        /* Numbers whose text has the same length for every session, whatever its settings say of
         * times: so the answer has it, too, and a test can tell what is in which of its bytes. */
        settings_add(settings,
                     ", pg_catalog.lpad(pg_catalog.pg_backend_pid()::pg_catalog.text, 10, '0') AS "
                     "pid, (SELECT "
                     "pg_catalog.encode(pg_catalog.timestamptz_send(backend_start), 'hex') FROM "
                     "pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())) AS began");
}
