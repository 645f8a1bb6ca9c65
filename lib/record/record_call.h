/*
 * A record call is a public call on a model on its way to becoming a request.
 *
 * The call stands on its caller's stack and owns nothing. What always holds:
 * 1. A call makes exactly one request, or none if memory ran out or the scope is not this thread's.
 *    Whatever else is wrong with it makes a request that fails.
 * 2. A request has at most one frame from here, so that there is always room for it.
 * 3. Nothing refers to the arguments of a call after it, but for the model, which lives for good.
 *
 * record.c and record_table.c start all their requests here.
 */
#ifndef PIPIT_RECORD_CALL_INTERNAL_H
#define PIPIT_RECORD_CALL_INTERNAL_H

#include <pipit/error.h>
#include <pipit/request.h>

#include "request/request.h"
#include "scope/query.h"

struct pipit;
struct pipit_model;
struct sql;

/* A call has the arguments that all public calls share. */
struct record_call {
        struct pipit *scope;
        const struct pipit_model *model;
        pipit_cb cb;
        void *arg;
};

/* Returns the model of a call as the argument of a frame, which has no const; frames put it back.
 */
void *pipit__record_call_model(const struct record_call *call);

/* Starts a request that fails with this; NULL if memory ran out, or for a scope that is not this
 * thread's. */
struct request *
pipit__record_call_refuse(const struct record_call *call, enum pipit_code code, const char *text);

/* Starts a query, whose answer goes through a frame; fn NULL means none. NULL as above. */
struct request *pipit__record_call_query(const struct record_call *call, const struct query *query,
                                         pipit__frame_fn fn, void *arg);

/*
 * Starts the statement that a builder has, and frees the builder; the rest of the query is as
 * given. A statement that could not be built makes a request that fails, and goes through the
 * frame, too. NULL as above; there is no frame then, and its argument stays the caller's.
 */
struct request *pipit__record_call_start(const struct record_call *call, struct sql *sql,
                                         struct query query, pipit__frame_fn fn, void *arg);

#endif
