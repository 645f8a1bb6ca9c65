/*
 * What libpq is to connect with, from all the places it looks at.
 */
#ifndef PIPIT_PQ_SETTINGS_INTERNAL_H
#define PIPIT_PQ_SETTINGS_INTERNAL_H

#include <stdbool.h>

/* What a URL, the environment, a service file and libpq's defaults come to together. */
struct pq_settings {
        int n;
        char **keys;
        char **values;
        bool sslmode_given; /* by the URL, PGSSLMODE or a service file */
};

/*
 * Reads the settings; nothing is connected and no name is looked up. 0; PIPIT_ENOMEM; PIPIT_EINVAL
 * with *ret_problem, which the caller frees.
 */
int pipit__pq_settings_read(const char *url, struct pq_settings *ret_settings, char **ret_problem);
void pipit__pq_settings_free(struct pq_settings *settings);

#endif
