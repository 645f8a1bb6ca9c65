/*
 * What the tests of segments share: segments, requests to put into them, and answers.
 */
#ifndef TEST_UNIT_SEGMENTS_H
#define TEST_UNIT_SEGMENTS_H

#include <libpq-fe.h>

#include "conn/prepared.h"
#include "conn/reply_queue.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "request/stmt_cache.h"
#include "result/result.h"
#include "runner.h"

/* Errors of a server cannot be made without one: see the wire tests for them. */

#define CAPACITY 3
#define SLOTS    2

extern struct stmt *stmt; /* of all statements */
extern struct prepared prepared;
extern struct reply_queue replies;
extern struct request requests[CAPACITY];

/* Fixtures. */
void replies_setup(void);
void replies_teardown(void);

/* Something was sent. */
void push(enum reply_kind kind, enum segment_kind segment, struct request *req);
/* A statement with a Sync of its own. */
void push_statement(struct request *req);
/* All of the requests in front of one Sync. */
void push_group(enum segment_kind kind);

/* An answer of this kind. */
struct pg_result *answer(ExecStatusType status, const char *tag);
/* What such an answer is to the segments, and what the NULL behind it is. */
enum reply_event hear(ExecStatusType status, const char *tag);
enum reply_event hear_end(void);
/* All that one statement without rows is answered with. */
void hear_statement(void);
/* The first segment is one statement, of this request. */
void expect_popped(const struct request *reply);

#endif
