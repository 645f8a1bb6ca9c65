/*
 * Session settings. See session_settings.h.
 */
#include "conn/session_settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct setting {
        int since_version;
        const char *name;
        const char *value;
};

static const struct setting settings_always[] = {
        /* The text forms that the codecs read. */
        {0, "standard_conforming_strings", "on"},
        {0, "DateStyle", "ISO, YMD"},
        {0, "IntervalStyle", "iso_8601"},
        {0, "TimeZone", "UTC"},
        {0, "extra_float_digits", "1"},
        {0, "bytea_output", "hex"},
        /* The server ends what a client leaves that is gone. */
        {0, "idle_in_transaction_session_timeout", "60s"},
        {140000, "client_connection_check_interval", "5s"},
};

void
pipit__session_settings_init(struct session_settings *settings, int server_version,
                             const char *search_path)
{
        const char *separator = "SELECT";
        size_t length = 0;

        settings->n = 0;
        for (size_t i = 0; i < sizeof settings_always / sizeof settings_always[0]; i++) {
                const struct setting *setting = &settings_always[i];
                if (server_version < setting->since_version)
                        continue;
                length += (size_t)snprintf(settings->sql + length, sizeof settings->sql - length,
                                           "%s pg_catalog.set_config('%s', '%s', false)", separator,
                                           setting->name, setting->value);
                separator = ",";
        }
        length += (size_t)snprintf(settings->sql + length, sizeof settings->sql - length,
                                   ", pg_catalog.current_setting("
                                   "'default_transaction_isolation') AS isolation");
        if (search_path[0] == '\0')
                return;
        snprintf(settings->sql + length, sizeof settings->sql - length,
                 ", pg_catalog.set_config('search_path', $1, false)");
        settings->values[settings->n++] = search_path;
}

void
pipit__session_settings_ask_backend(struct session_settings *settings)
{
        size_t length = strlen(settings->sql);

        /* Numbers whose text has the same length for every session, whatever its settings say of
         * times: so the answer has it, too, and a test can tell what is in which of its bytes. */
        snprintf(settings->sql + length, sizeof settings->sql - length,
                 ", pg_catalog.lpad(pg_catalog.pg_backend_pid()::pg_catalog.text, 10, '0') AS pid, "
                 "(SELECT "
                 "pg_catalog.encode(pg_catalog.timestamptz_send(backend_start), 'hex') FROM "
                 "pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())) AS began");
}
