/*
 * A conninfo says where a database's connections go and with which parameters.
 *
 * The conninfo owns its texts and is fixed when the database is opened, so that every reconnect is
 * as safe as the first connect. Only the password is asked for each time, and the order of the
 * hosts changes with what becomes of them. scope/database.c owns
 * one; connect_attempt.c and conn/ borrow it.
 */
#ifndef PIPIT_CONNINFO_INTERNAL_H
#define PIPIT_CONNINFO_INTERNAL_H

#include <pipit/options.h>
#include <stdbool.h>

#include "pq/pq.h"
#include "pq/pq_settings.h"

struct host_order;
struct passfile;
struct resolver_files;

/* A host is one of those that the settings list; it owns its texts. */
struct conninfo_host {
        char *host;     /* a name, an address, a socket's folder, or "" for libpq's default */
        char *hostaddr; /* an address that was given besides, as text; "" if none was */
        char *port;     /* a number from 1 to 65535, as text */
};

/* A server is to be this: target_session_attrs. prefer-standby takes any in the end. */
enum conninfo_role { ROLE_ANY, ROLE_READ_WRITE, ROLE_PRIMARY, ROLE_STANDBY, ROLE_READ_ONLY };

struct conninfo {
        struct pq_settings settings;
        struct conninfo_host *hosts;
        int n_hosts;              /* at least 1 */
        struct host_order *order; /* of the hosts; NULL: that of the list, whatever fails */
        char *sslmode;            /* of the options; NULL if none was given */
        char *own_roots;          /* the user's root certificates; NULL without a home */
        struct passfile *passfile;
        enum conninfo_role role;
        bool prefer_standby;                /* target_session_attrs is prefer-standby */
        const struct resolver_files *files; /* borrowed: the system's; only tests name others */
        pipit_password_cb password;         /* NULL if the program has none */
        void *password_arg;
};

/* An endpoint is one place to connect to; its pointers are borrowed. */
struct endpoint {
        const struct conninfo_host *host;
        const char *address; /* numeric; "" for a socket */
        bool standby;        /* only a standby will do, in the first round of prefer-standby */
};

/* One connect has fewer parameters than this: a NULL stands at their end. */
#define CONNINFO_MAX_PARAMETERS 80

/* The parameters of one connect are borrowed from the conninfo, from the endpoint and, in the case
 * of the password, from the program; so they are handed to libpq, which copies them, at once. */
struct conninfo_parameters {
        const char *keys[CONNINFO_MAX_PARAMETERS];   /* each once; keys[n] is NULL */
        const char *values[CONNINFO_MAX_PARAMETERS]; /* never NULL in front of values[n] */
        int n;
};

/* Reads a URL and options, which are borrowed until the call returns. The caller calls
 * pipit__conninfo_fini(), after a failure, too. 0; PIPIT_ENOMEM; PIPIT_EINVAL with *ret_problem,
 * which the caller frees and which is NULL otherwise. */
int pipit__conninfo_init(struct conninfo *info, const char *url,
                         const struct pipit_options *options, char **ret_problem);
/* Frees what a conninfo owns. */
void pipit__conninfo_fini(struct conninfo *info);

/* Returns the connect_timeout of the URL or the environment in milliseconds; 0 if there is none. */
int64_t pipit__conninfo_connect_timeout(const struct conninfo *info);

/* Puts the parameters for an endpoint together; calls the program's password callback. */
void pipit__conninfo_parameters(const struct conninfo *info, const struct endpoint *endpoint,
                                struct conninfo_parameters *ret_parameters);

#endif
