/*
 * What the server of the torture has for a table of two accounts: what was taken from one and given
 * to the other, of each session until it commits.
 */
#ifndef TEST_TORTURE_BANK_H
#define TEST_TORTURE_BANK_H

#include <stdbool.h>

struct session;

/* Money that is there too much, of all that was committed; shared with the server's process. */
struct bank_view {
        int sum;
        int n_commits;
};

/* Answers a statement of a transaction; false: it is none. */
bool bank_answer(struct bank_view *view, struct session *session, const char *sql);
/* Its Sync has come, and is not answered yet. */
void bank_sync(struct bank_view *view, struct session *session);

#endif
