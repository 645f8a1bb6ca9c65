/*
 * What is so on the server, told by plain blocking libpq and not by the library that is tested; and
 * many requests at once, each of which must end once. The loop does not turn in here, unless a
 * function says so.
 */
#ifndef TEST_WITNESS_H
#define TEST_WITNESS_H

#include <stdint.h>

#include "live.h"

/* Asks the server; the first value as a number, 0 for NULL, no row and no number. */
int64_t ask(const char *url, const char *sql);
/* The same; the first value as text, which lives until the next call. */
const char *ask_text(const char *url, const char *sql);
/* Asks again and again, while the loop turns, until the answer is that. */
void ask_until(const char *url, const char *sql, int64_t answer);
/* Starts to hold a session on the server; session_end() frees it. NULL when it was refused. */
void *session_hold(const char *url);
void session_end(void *session);

/*
 * A gate on the server: a statement that waits at it is answered when the test opens it, however
 * busy the machine is. A failed test opens its gates by ending.
 */
struct gate {
        void *session;   /* that has shut it */
        char from[80];   /* what a statement has in its FROM to wait there */
        char sql[120];   /* a statement that waits there and gives its backend's number */
        char count[160]; /* how many wait */
        const char *url;
};
/* number: tells it from the test's other gates. url: borrowed until it is opened. */
void gate_shut(struct gate *gate, const char *url, int number);
/* Turns the loop until so many wait. */
void gate_await(const struct gate *gate, int n);
void gate_open(struct gate *gate);

/* The path of a file of test/support; lives until the next call. */
const char *support_path(const char *name);

/* Milliseconds of the clock that never jumps. */
int64_t clock_ms(void);

/* A process that watches for the moment when a server takes sessions. */
struct lookout {
        pid_t pid;
        int fd;
};
void lookout_start(struct lookout *lookout, const char *url);
/* Waits for the moment; in milliseconds of clock_ms(). */
int64_t lookout_end(struct lookout *lookout);

/* What a database wrote into its log. */
struct journal {
        int n_up;       /* connections that came to work */
        int n_failed;   /* attempts that failed */
        int n_lost;     /* connections that broke */
        int n_closed;   /* connections that ended, attempts included */
        char last[600]; /* the last line of a warning */
};
/* The callback that fills it in; log_arg is a struct journal. */
void journal_log(enum pipit_log_level level, const char *line, void *arg);

/* The default options, but for a log that goes to live_journal, which starts anew. */
extern struct journal live_journal;
struct pipit_options journal_options(void);

/* Opens live_db anew, elsewhere. */
void live_open(const char *url, const struct pipit_options *options);
/* A copy of a URL with one more parameter, as "&application_name=x"; lives until the next but one.
 */
const char *url_with(const char *url, const char *more);

/* Fixtures with a server of the test's own: live_db is on it. */
extern struct cluster live_cluster;
void own_setup(void);
void own_teardown(void);
/* Stops the server and starts it again, without a turn of the loop. */
void own_restart(const char *mode, const char *options);
/* How many lines of the server's log hold this text. */
int own_log_count(const char *text);

#define CROWD_MAX 4000

struct crowd;

struct member {
        struct crowd *crowd;
        pipit_request number;
        int calls;
        enum pipit_code code;
        enum pipit_executed executed;
        char sqlstate[6];
        char value[64]; /* the first value of its answer */
};

/* Many requests at once. */
struct crowd {
        int n; /* callbacks that ran */
        int n_started;
        int n_ok;
        int64_t first_ok_ms; /* of clock_ms() */
        char text[1000];     /* the last error's message */
        struct member members[CROWD_MAX];
};

struct crowd *crowd_new(void);
void crowd_free(struct crowd *crowd);
/* Starts n requests on live_db; $1::int is the number of each, from 0, when the text has one. */
void crowd_start(struct crowd *crowd, int n, const char *sql);
/* Waits for all of them; each has called back once. */
void crowd_join(struct crowd *crowd);
/* How many ended like this. */
int crowd_count(const struct crowd *crowd, enum pipit_code code);

/* Something that accepts connections and says nothing. */
struct mute {
        int fd;
        int port;
        int n; /* connections that came */
        int fds[64];
        struct event *event;
        char url[200];
};
/* backlog_only: nobody even accepts, and the queue is full. */
void mute_open(struct mute *mute, bool backlog_only);
void mute_close(struct mute *mute);

#endif
