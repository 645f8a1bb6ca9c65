/*
 * A PgBouncer of a test's own, on a Unix socket in a folder of its own, in front of a server on
 * another one. It dies with the program that has started it.
 */
#ifndef TEST_BOUNCER_H
#define TEST_BOUNCER_H

#include <stdbool.h>
#include <sys/types.h>

struct bouncer {
        char folder[100];
        char url[200]; /* for the user postgres, and his database */
        pid_t pid;     /* 0: it does not run */
};

/* Whether PgBouncer is installed. */
bool bouncer_is_here(void);

/* Makes the folder, in parent, and starts one. server: the folder of the server's socket; mode:
 * session or transaction; n: how many sessions it has for its clients at most. It may not listen
 * yet when this returns. */
bool bouncer_create(struct bouncer *bouncer, const char *parent, const char *server,
                    const char *mode, int n);
/* Starts it again, after it has ended. */
bool bouncer_start(struct bouncer *bouncer);
/* Sends a signal, if it runs: SIGUSR1 has it pause, SIGUSR2 go on, SIGINT end once it is not used
 * any more, SIGTERM end at once. */
void bouncer_signal(const struct bouncer *bouncer, int number);
/* Whether it has ended; it is reaped then. */
bool bouncer_has_ended(struct bouncer *bouncer);
/* Kills it, waits for its end, and removes the folder. */
void bouncer_remove(struct bouncer *bouncer);

#endif
