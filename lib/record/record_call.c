/*
 * A call becomes a request by way of the query layer, and the frame is pushed on it. See
 * record_call.h.
 */
#include "record/record_call.h"

#include <assert.h>
#include <stdint.h>

#include "sql/sql.h"

void *
pipit__record_call_model(const struct record_call *call)
{
        return (void *)(uintptr_t)call->model;
}

struct request *
pipit__record_call_refuse(const struct record_call *call, enum pipit_code code, const char *text)
{
        return pipit__query_refuse(call->scope, code, call->cb, call->arg, "%s", text);
}

/* Pushes the frame of a new request, if there are both; hands the request on. */
static struct request *
request_with_frame(struct request *req, pipit__frame_fn fn, void *arg)
{
        if (req != NULL && fn != NULL) {
                int code = pipit__request_push(req, fn, arg);
                assert(code == 0); /* there is always room for the first */
                (void)code;
        }
        return req;
}

struct request *
pipit__record_call_query(const struct record_call *call, const struct query *query,
                         pipit__frame_fn fn, void *arg)
{
        return request_with_frame(pipit__query_start(call->scope, query, call->cb, call->arg), fn,
                                  arg);
}

struct request *
pipit__record_call_start(const struct record_call *call, struct sql *sql, struct query query,
                         pipit__frame_fn fn, void *arg)
{
        struct request *req = NULL;
        int code = pipit__sql_error(sql);

        if (code == 0) {
                query.sql = pipit__sql_text(sql);
                query.params = pipit__sql_params(sql);
                req = pipit__record_call_query(call, &query, fn, arg);
        } else if (code != PIPIT_ENOMEM) {
                req = request_with_frame(pipit__record_call_refuse(call, (enum pipit_code)code,
                                                                   pipit__sql_error_text(sql)),
                                         fn, arg);
        }
        pipit__sql_fini(sql);
        return req;
}
