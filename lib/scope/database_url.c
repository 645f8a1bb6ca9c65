/*
 * The connection string of a database, which is read when the database is opened, or later when no
 * descriptor was free then. See database.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/descriptor.h"
#include "scope/database.h"

/* An attempt to connect may take so long if nobody says otherwise. */
#define CONNECT_TIMEOUT_MS 10000

int
pipit__database_read_url(struct database *db, char **ret_problem, const char **ret_want)
{
        *ret_problem = NULL;
        *ret_want = pipit__descriptor_problem(2);
        if (db->url_is_read)
                return 0;
        pipit__conninfo_fini(&db->info);
        int code = pipit__conninfo_init(&db->info, db->url, &db->options, ret_problem);
        if (*ret_want == NULL)
                *ret_want = pipit__descriptor_problem(2);
        if (*ret_want != NULL && code != PIPIT_ENOMEM) {
                free(*ret_problem);
                *ret_problem = NULL;
                return PIPIT_ELIMIT;
        }
        db->url_is_read = code == 0;
        return code;
}

void
pipit__database_set_connect_timeout(struct database *db)
{
        int64_t timeout_ms = db->options.connect_timeout_ms;

        if (timeout_ms == 0)
                timeout_ms = pipit__conninfo_connect_timeout(&db->info);
        db->pool.config.connect_timeout_ms = timeout_ms > 0 ? timeout_ms : CONNECT_TIMEOUT_MS;
}

int
pipit__database_on_prepare(struct conn_error *ret_failure, void *arg)
{
        struct database *db = arg;
        char *problem;
        const char *want;
        char text[sizeof ret_failure->text];
        int code = db->url_is_read ? 0 : pipit__database_read_url(db, &problem, &want);

        pipit__database_set_connect_timeout(db);
        if (code == 0 || code == PIPIT_ENOMEM)
                return code;
        if (code == PIPIT_ELIMIT) {
                pipit__conn_error_print(ret_failure, CAUSE_LOCAL, want);
                return -1;
        }
        snprintf(text, sizeof text, "the connection string is wrong: %s", problem);
        pipit__conn_error_print(ret_failure, CAUSE_LASTING, text);
        free(problem);
        return -1;
}
