/*
 * Conninfo: where a database's connections go and with which parameters, fixed when it is opened,
 * so that every reconnect is as safe as the first connect.
 */
#ifndef PIPIT_CONNINFO_INTERNAL_H
#define PIPIT_CONNINFO_INTERNAL_H

#include <pipit/options.h>
#include <stdbool.h>

#include "pq/pq.h"
#include "pq/pq_settings.h"

struct resolver_files;

/* One host of the URL. */
struct conninfo_host {
        char *host;     /* a name, an address, a socket's folder, or "" for libpq's default */
        char *hostaddr; /* an address that was given besides; "" when none was */
        char *port;     /* never "" */
};

struct conninfo {
        struct pq_settings settings;
        struct conninfo_host *hosts;
        int n_hosts;
        char *sslmode; /* of the options; NULL when none was given */
        bool prefer_standby;
        const struct resolver_files *files; /* the system's; only tests name others */
        pipit_password_cb password;
        void *password_arg;
};

/* One place to connect to. */
struct endpoint {
        const struct conninfo_host *host;
        const char *address; /* numeric; "" for a socket */
        bool standby;        /* take only a standby: the first round of prefer-standby */
};

/* Most parameters of one connect, with the NULL at their end. */
#define CONNINFO_MAX_PARAMETERS 80

/* The parameters of one connect; values are borrowed from the conninfo and the endpoint. */
struct conninfo_parameters {
        const char *keys[CONNINFO_MAX_PARAMETERS];
        const char *values[CONNINFO_MAX_PARAMETERS];
        int n;
};

/* 0; PIPIT_ENOMEM; PIPIT_EINVAL with *ret_problem, which the caller frees. */
int pipit__conninfo_init(struct conninfo *info, const char *url,
                         const struct pipit_options *options, char **ret_problem);
void pipit__conninfo_fini(struct conninfo *info);

/* connect_timeout of the URL or the environment in milliseconds; 0 when there is none. */
int64_t pipit__conninfo_connect_timeout(const struct conninfo *info);

/* Puts the parameters for an endpoint together; asks for the password. */
void pipit__conninfo_parameters(const struct conninfo *info, const struct endpoint *endpoint,
                                struct conninfo_parameters *ret_parameters);

#endif
