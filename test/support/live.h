/*
 * What the live tests share: a loop, a database on a real server, and verbs that keep a test short.
 */
#ifndef TEST_LIVE_H
#define TEST_LIVE_H

#include <event2/event.h>
#include <pipit/pipit.h>
#include <sys/types.h>

#include "runner.h"

/* How a callback was called. */
struct calls {
        int n;
        struct pipit_result *last; /* kept until the next call, or live_teardown() */
};

/* Of the test that runs; live_setup() makes them, live_teardown() checks that nothing is left. */
extern struct event_base *live_base;
extern struct pipit *live_db;

/* Fixtures. The server is PIPIT_TEST_URL's; without it a live program skips itself. */
void live_setup(void);
/* The same on a base of a kind; see bases.h. */
void live_setup_on(int kind);
void live_teardown(void);
/* The server's URL, for a test that opens a database itself. */
const char *live_url(void);
/* The same with a schema of the test's own, which live_db and its blocking scopes use alone. */
void live_schema_setup(void);
void live_schema_teardown(void);
/* Closes live_db and opens it again with these options. */
void live_reopen(const struct pipit_options *options);

/* The callback that counts; arg is a struct calls. */
void on_call(struct pipit_result *res, void *arg);

/* Turn the loop until *count has reached n; a test that waits for too long fails. */
void loop_until(const int *count, int n);
/* Turns the loop for so long; for what is to happen meanwhile. */
void loop_for(int64_t ms);

/* Runs a statement on live_db and gives its result, which lives until the test's end. */
struct pipit_result *query(const char *sql, struct pipit_params params);
/* The same on another scope. */
struct pipit_result *query_on(struct pipit *scope, const char *sql, struct pipit_params params);
/* Starts a statement with on_call for its callback, and does not wait for it. */
pipit_request ask_on(struct pipit *scope, const char *sql, struct calls *calls);
/* Runs a statement that must succeed. */
void execute(const char *sql);
/* Keeps a result until the test's end. */
struct pipit_result *keep(struct pipit_result *res);
/* Waits for a request whose callback is on_call with these calls, and gives its result. */
struct pipit_result *answer(struct calls *calls);

/* Asserts on results: success, with the text of the failure; a failure of this kind. */
void expect_ok(const struct pipit_result *res);
void expect_error(const struct pipit_result *res, int code, const char *sqlstate);
void expect_executed(const struct pipit_result *res, int code, enum pipit_executed executed);
void expect_text(const struct pipit_result *res, int row, int column, const char *text);

/* A condition on the server: waits until a query's first value is this text. */
void wait_for_server(const char *sql, const char *text);
/* The same, asked on another scope. */
void wait_for_server_on(struct pipit *scope, const char *sql, const char *text);

/* A server of the test's own, which it may stop. */
struct cluster {
        char folder[100];
        char url[200];
        bool running;
        pid_t starter; /* of cluster_start_later(); 0: none */
};

/* Creates one and starts it. options: more words for the server, "" for none. Whatever fails here
 * fails the test. */
void cluster_create(struct cluster *cluster, const char *options);
/* The same for one that follows another, which runs. */
void cluster_create_standby(struct cluster *standby, const struct cluster *of);
void cluster_start(struct cluster *cluster, const char *options);
/* mode: fast, immediate or smart; kill: SIGKILL. */
void cluster_stop(struct cluster *cluster, const char *mode);
void cluster_remove(struct cluster *cluster);
/* Starts it without waiting; the process is reaped by cluster_remove(). */
void cluster_start_later(struct cluster *cluster);

#endif
