/*
 * A connect is where libpq's releases differ, and where it looks at more than it is given: at the
 * environment, at the home folder. This is what pipit knows of that.
 */
#ifndef PIPIT_PQ_CONNECT_INTERNAL_H
#define PIPIT_PQ_CONNECT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct pg_conn;

/* Whether this libpq takes sslrootcert=system. */
bool pipit__pq_has_system_roots(void);
/* Whether this libpq takes require_auth, and so can be kept from a way to authenticate. */
bool pipit__pq_has_require_auth(void);
/* Writes the folder in which this libpq looks for the user's own files. 0; -1 if there is none, or
 * its name is too long. */
int pipit__pq_home(char *out, size_t size);

/*
 * Starts to connect. keys, each once, and values end with NULL and are copied. A value of "" is
 * one: libpq takes it as it would in a connection string. The caller owns the connection and ends
 * it with pipit__pq_finish() or pipit__pq_abandon(). NULL if memory ran out; the first poll, which
 * acts as if the socket were ready to write, tells every other failure.
 */
struct pg_conn *pipit__pq_start(const char *const *keys, const char *const *values);

/*
 * A look at a connect that negotiates TLS: a second descriptor of its socket, because libpq closes
 * its own when it gives up. -1 if TLS is not what is under way, or if no descriptors are free. The
 * caller closes it.
 */
int pipit__pq_look(const struct pg_conn *pq);
/* Whether a connect that failed has done so for a cause that does not go away by itself: libpq gave
 * up on a link that is still alive, because TLS is not offered or a certificate is not right, or it
 * has no password. look is what was taken in front of the poll that failed. */
bool pipit__pq_failed_for_good(const struct pg_conn *pq, int look);

#endif
