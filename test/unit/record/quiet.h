/*
 * A database that sends nothing: its loop is not turned before it is closed. Requests are answered
 * by hand.
 */
#ifndef TEST_UNIT_QUIET_H
#define TEST_UNIT_QUIET_H

#include <pipit/pipit.h>

#include "answers.h"

struct stmt;

extern struct pipit *db;
extern int n_called;                /* callbacks of on_done() */
extern struct pipit_result *result; /* of the latest of them; the test's own reference */

/* Fixtures. */
void quiet_setup(void);
void quiet_teardown(void);

/* Closes the database, so that what is outstanding fails; teardown does nothing then. */
void quiet_close(void);

/* The callback that counts. */
void on_done(struct pipit_result *res, void *arg);

/* Completes a request with an answer, or as a failure, as a connection would. */
void quiet_answer(pipit_request number, struct pg_result *answer);
void quiet_fail(pipit_request number);

/* The text of the statement that a request waits to run; NULL if the number names none. */
const char *quiet_text(pipit_request number);

#endif
