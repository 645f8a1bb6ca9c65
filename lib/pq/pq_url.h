/*
 * The connection string as text: what may be said of it without telling a password.
 *
 * libpq quotes what it cannot read, and takes a part of a password for a host, a port or a database
 * where somebody forgot to write an @ or a / in it as %40 or %2F. Errors go into logs, so nothing
 * that may be a part of a password is quoted. pq_settings.c and connect/ ask here.
 */
#ifndef PIPIT_PQ_URL_INTERNAL_H
#define PIPIT_PQ_URL_INTERNAL_H

#include <stdbool.h>

#include "base/cold.h"

/* Whether a connection string is a URI as libpq reads it. */
bool pipit__pq_url_is_uri(const char *url);

/* Says what is wrong with a URI that libpq reads, but not as it was meant: a part of a password
 * would stand for something else. NULL: nothing is. The text is static. */
COLD const char *pipit__pq_url_misread(const char *url);

/* Whether libpq's words about a connection string that it cannot read may quote a password. */
COLD bool pipit__pq_url_is_secret(const char *url);

/* Says what is wrong with such a connection string, without quoting it. The text is static. */
COLD const char *pipit__pq_url_problem(const char *url);

#endif
