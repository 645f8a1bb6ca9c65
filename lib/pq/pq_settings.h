/*
 * The settings are what libpq is to connect with, from all the places that it looks at.
 *
 * A struct pq_settings owns its texts. connect/ reads the settings once, when a database is opened,
 * and starts every connection with them.
 */
#ifndef PIPIT_PQ_SETTINGS_INTERNAL_H
#define PIPIT_PQ_SETTINGS_INTERNAL_H

#include <stdbool.h>

/* The settings join a URL, the environment, a service file and libpq's defaults. */
struct pq_settings {
        int n;              /* pairs of a key and a value */
        char **keys;        /* libpq's keywords */
        char **values;      /* "" where that was given */
        bool sslmode_given; /* by the URL, PGSSLMODE or a service file */
};

/*
 * Reads the settings; nothing is connected, and no name is looked up. url is borrowed until the
 * call returns, and NULL counts as "". The caller frees the settings with
 * pipit__pq_settings_free(), after a failure, too. 0; PIPIT_ENOMEM; PIPIT_EINVAL with *ret_problem,
 * which the caller frees.
 */
int pipit__pq_settings_read(const char *url, struct pq_settings *ret_settings, char **ret_problem);
/* Frees the texts, and leaves no password in their memory; nothing is set then. */
void pipit__pq_settings_free(struct pq_settings *settings);

#endif
