/*
 * A database behind the fault proxy, on a server of the test's own.
 */
#ifndef TEST_PROXIED_H
#define TEST_PROXIED_H

#include <stdio.h>

#include "proxy.h"
#include "witness.h"

static struct cluster cluster;
static struct proxy *proxy;

/* Puts the proxy in front of the server in that folder. */
static inline void
proxied_start(const char *folder)
{
        char path[150];

        snprintf(path, sizeof path, "%s/.s.PGSQL.5432", folder);
        proxy = proxy_new(live_base, "127.0.0.1:0", path, 1);
        ck_assert_ptr_nonnull(proxy);
}

/* A fixture: live_db with these options goes through the proxy. */
static inline void
proxied_setup(const struct pipit_options *options)
{
        char url[100];

        live_setup();
        cluster_create(&cluster, "");
        proxied_start(cluster.folder);
        snprintf(url, sizeof url, "postgresql://postgres@127.0.0.1:%d/postgres", proxy_port(proxy));
        live_open(url, options);
}

/* The proxy goes last: what the database said in the end still passes. */
static inline void
proxied_end(void)
{
        pipit_close(live_db);
        live_db = NULL;
        loop_for(0);
        proxy_free(proxy);
}

static inline void
proxied_teardown(void)
{
        proxied_end();
        live_teardown();
        cluster_remove(&cluster);
}

/* From now on the proxy does this; see test/support/README.md. */
static inline void
rule(const char *text)
{
        struct proxy_rule parsed;

        ck_assert_ptr_null(proxy_parse(text, &parsed));
        ck_assert(proxy_add(proxy, &parsed));
        proxy_rule_fini(&parsed);
}

#endif
