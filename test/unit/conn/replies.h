/*
 * What the tests of replies share: a queue, requests to put into it, and answers.
 */
#ifndef TEST_UNIT_REPLIES_H
#define TEST_UNIT_REPLIES_H

#include <libpq-fe.h>

#include "conn/prepared.h"
#include "conn/reply_commit.h"
#include "conn/reply_own.h"
#include "conn/reply_prepare.h"
#include "conn/reply_queue_int.h"
#include "conn/reply_statement.h"
#include "conn/reply_sync.h"
#include "conn/reply_transaction.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "request/stmt_cache.h"
#include "request/stmt_int.h"
#include "result/result.h"
#include "runner.h"

/* Errors of a server cannot be made without one: see the wire tests for them. */

#define CAPACITY 3
#define SLOTS    2

extern struct stmt *stmt; /* of all statements */
extern struct prepared prepared;
extern struct reply_queue replies;
extern struct request *requests[CAPACITY];

/* Fixtures. */
void replies_setup(void);
void replies_teardown(void);

/* Notes that a command of that kind was sent. */
void push(const struct reply_ops *ops, struct request *req);
/* A Sync behind n statements; one that commits a transaction. */
void push_sync(int n);
void push_commit_by_sync(struct request *commit);
/* A statement with a Sync of its own. */
void push_statement(struct request *req);
/* All of the requests in front of one Sync. */
void push_group(const struct reply_ops *ops);
/* As if a command in front had failed, that of the request, or one of nobody's. */
void fail_segment(void);
void fail_request(struct request *req, const char *sqlstate);

/* An answer of this kind. */
struct pg_result *answer(ExecStatusType status, const char *tag);
/* What such an answer is to the queue, and what the NULL behind it is. */
enum reply_event hear(ExecStatusType status, const char *tag);
enum reply_event hear_end(void);
/* The request that REPLY_EVENT_DONE was about. */
extern struct request *done;
/* All answers of a command without rows; of one that was skipped; of a Sync. */
void hear_done(const char *tag, enum reply_event at_end);
void hear_skipped(void);
void hear_sync(void);

/* Settles the segment that was heard; loses all, with 57P01. */
void settle(void);
void lose(void);
extern struct settlement settlement;
/* What the lease was told. */
struct told {
        struct request *answered;
        bool skipped;
        bool stale;
        struct request *ended;
        bool committed;
};
extern struct told told;
/* The Sync is heard, the request is told of its end, and nobody runs again. */
void expect_settled(const struct request *req);
/* These run again, in this order, and no other. */
void expect_again(int n, struct request *const *reqs);
/* The request has ended because its connection was lost. */
void expect_lost(const struct request *req, enum pipit_executed executed);

#endif
