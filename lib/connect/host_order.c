/*
 * Host orders. See host_order.h.
 */
#include "connect/host_order.h"

#include <stdlib.h>
#include <time.h>

#include "loop/deadline.h"

/* A host that failed is tried last for so long. */
#define HOST_LAST_MS 30000

struct host_order {
        int n;
        bool shuffles;
        unsigned seed;           /* state of the generator that shuffles */
        int64_t last_until_ms[]; /* for each host: it is tried last until then; 0: in its place */
};

struct host_order *
pipit__host_order_new(int n, bool shuffles)
{
        struct host_order *order =
                calloc(1, sizeof *order + (size_t)n * sizeof order->last_until_ms[0]);
        struct timespec now;

        if (order == NULL)
                return NULL;
        clock_gettime(CLOCK_MONOTONIC, &now);
        order->n = n;
        order->shuffles = shuffles;
        order->seed = (unsigned)(uintptr_t)order ^ (unsigned)now.tv_nsec;
        return order;
}

void
pipit__host_order_free(struct host_order *order)
{
        free(order);
}

void
pipit__host_order_write_addresses(struct host_order *order, int n, int *ret_addresses)
{
        for (int i = 0; i < n; i++) {
                int place = order != NULL && order->shuffles ? rand_r(&order->seed) % (i + 1) : i;
                ret_addresses[i] = ret_addresses[place];
                ret_addresses[place] = i;
        }
}

static bool
host_order_is_last(const struct host_order *order, int host, int64_t now_ms)
{
        return order != NULL && order->last_until_ms[host] > now_ms;
}

void
pipit__host_order_write(struct host_order *order, int64_t now_ms, int n, int *ret_hosts)
{
        int n_last = 0;

        pipit__host_order_write_addresses(order, n, ret_hosts);
        for (int i = 0; i < n; i++) {
                int host = ret_hosts[i];
                if (host_order_is_last(order, host, now_ms)) {
                        n_last++;
                        continue;
                }
                /* The hosts in front of this one that are tried last make room for it. */
                for (int place = i; place > i - n_last; place--)
                        ret_hosts[place] = ret_hosts[place - 1];
                ret_hosts[i - n_last] = host;
        }
}

void
pipit__host_order_failed(struct host_order *order, int host, int64_t now_ms)
{
        if (order != NULL)
                order->last_until_ms[host] = pipit__deadline_after(now_ms, HOST_LAST_MS);
}

void
pipit__host_order_served(struct host_order *order, int host)
{
        if (order != NULL)
                order->last_until_ms[host] = 0;
}
