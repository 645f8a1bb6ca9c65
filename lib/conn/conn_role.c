/*
 * Whether the server of a connection is still what the program asked for.
 *
 * libpq looks at target_session_attrs when it connects, and never again. A server that becomes
 * read-only, or is promoted, says so with the answer to the next statement; one that says nothing
 * of that, as before release 14, refuses to write.
 */
#include <string.h>

#include "base/log.h"
#include "conn/conn_int.h"
#include "connect/conninfo.h"
#include "request/request.h"

/* Whether the server reports a setting to be so; one that it does not report is neither. */
static bool
conn_reports(const struct conn *conn, const char *name, const char *value)
{
        return strcmp(pipit__pq_parameter(conn->pq, name), value) == 0;
}

bool
pipit__conn_suits(const struct conn *conn)
{
        bool standby = conn_reports(conn, "in_hot_standby", "on");
        bool primary = conn_reports(conn, "in_hot_standby", "off");
        /* A reader reports what pipit has set itself. */
        bool read_only = !conn->reader && conn_reports(conn, "default_transaction_read_only", "on");
        bool read_write =
                !conn->reader && conn_reports(conn, "default_transaction_read_only", "off");

        if (conn->unsuited)
                return false;
        switch (conn->config->info->role) {
        case ROLE_ANY: break;
        case ROLE_READ_WRITE: return !standby && !read_only;
        case ROLE_PRIMARY: return !standby;
        case ROLE_STANDBY: return !primary;
        case ROLE_READ_ONLY: return !primary || !read_write;
        }
        return true;
}

/* Whether the server itself refused to write, and not a function that raised the same. */
static COLD bool
error_is_read_only(const struct pg_result *answer)
{
        static const char refusers[] = "PreventCommand";
        struct pipit_error error = {0};

        if (strcmp(pipit__pq_sqlstate(answer), "25006") != 0)
                return false;
        pipit__pq_read_error(answer, &error);
        return error.source_function == NULL ||
               strncmp(error.source_function, refusers, strlen(refusers)) == 0;
}

void
pipit__conn_note_error(struct conn *conn, const struct pg_result *answer)
{
        enum conninfo_role role = conn->config->info->role;
        const struct request *req = pipit__reply_queue_reader(&conn->replies);

        if ((role != ROLE_READ_WRITE && role != ROLE_PRIMARY) || conn->reader || conn->unsuited ||
            !error_is_read_only(answer) || (req != NULL && pipit__request_is_read(req)))
                return;
        conn->unsuited = true;
        pipit__conn_tell_unsuited(conn);
}

void
pipit__conn_tell_unsuited(struct conn *conn)
{
        pipit__log(
                conn->config->log, pipit__conn_now(conn), PIPIT_LOG_WARNING,
                "connection to %s left: the server is not what target_session_attrs asks for any "
                "more",
                conn->host);
        conn->config->ops->unsuited(conn, conn->config->arg);
}
