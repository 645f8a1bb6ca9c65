/*
 * The fault proxy as a command: pipit-proxy [--seed N] LISTEN SERVER [RULE...]
 *
 * README.md of this folder says what a rule looks like.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy.h"

static void
on_signal(int fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        event_base_loopbreak(arg);
}

static bool
add_rule(struct proxy *proxy, const char *text)
{
        struct proxy_rule rule;
        const char *wrong = proxy_parse(text, &rule);

        if (wrong == NULL && !proxy_add(proxy, &rule))
                wrong = "out of memory";
        proxy_rule_fini(&rule);
        if (wrong != NULL)
                fprintf(stderr, "pipit-proxy: %s: %s\n", text, wrong);
        return wrong == NULL;
}

static bool
add_rules(struct proxy *proxy, int n, char **texts)
{
        for (int i = 0; i < n; i++) {
                if (!add_rule(proxy, texts[i]))
                        return false;
        }
        return true;
}

/* Runs until SIGINT or SIGTERM. */
static void
run(struct event_base *base, const struct proxy *proxy)
{
        struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
        struct event *terminate = evsignal_new(base, SIGTERM, on_signal, base);

        event_add(interrupt, NULL);
        event_add(terminate, NULL);
        printf("port: %d\n", proxy_port(proxy));
        fflush(stdout);
        event_base_dispatch(base);
        printf("connections: %d; faults: %lld\n", proxy_n_accepted(proxy),
               (long long)proxy_n_acted_all(proxy));
        event_free(interrupt);
        event_free(terminate);
}

int
main(int argc, char **argv)
{
        struct event_base *base;
        struct proxy *proxy;
        uint64_t seed = 1;
        int first = 1;
        bool good;

        if (argc > 3 && strcmp(argv[1], "--seed") == 0) {
                seed = strtoull(argv[2], NULL, 10);
                first = 3;
        }
        if (argc < first + 2) {
                fprintf(stderr, "usage: pipit-proxy [--seed N] LISTEN SERVER [RULE...]\n");
                return EXIT_FAILURE;
        }
        base = event_base_new();
        proxy = base != NULL ? proxy_new(base, argv[first], argv[first + 1], seed) : NULL;
        if (proxy == NULL) {
                fprintf(stderr, "pipit-proxy: %s: %s\n", argv[first], strerror(errno));
                if (base != NULL)
                        event_base_free(base);
                return EXIT_FAILURE;
        }
        good = add_rules(proxy, argc - first - 2, argv + first + 2);
        if (good)
                run(base, proxy);
        proxy_free(proxy);
        event_base_free(base);
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
