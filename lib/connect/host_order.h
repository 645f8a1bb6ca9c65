/*
 * A host order says in which order the hosts of a database are tried.
 *
 * The order is the list's, which is libpq's contract, or any order at random if load_balance_hosts
 * says so. A host that failed is tried after all others for 30 s, then in its place again: so a
 * dead host costs its time once and not at each connect. That is a preference and no exclusion:
 * when all hosts have failed, all are tried in their order.
 *
 * A conninfo owns one, connect_attempt.c asks it and tells it what became of hosts.
 */
#ifndef PIPIT_HOST_ORDER_INTERNAL_H
#define PIPIT_HOST_ORDER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct host_order;

/* Makes an order of n hosts, none of which has failed; shuffles: at random. The caller frees it.
 * NULL if memory ran out. */
struct host_order *pipit__host_order_new(int n, bool shuffles);
/* Frees an order. NULL does nothing. */
void pipit__host_order_free(struct host_order *order);

/* Writes the numbers from 0 to n - 1: of all hosts, in the order to try them now. NULL for an order
 * leaves them in that of the list. */
void pipit__host_order_write(struct host_order *order, int64_t now_ms, int n, int *ret_hosts);
/* Writes the numbers from 0 to n - 1: of the addresses of one host, in the order to try them. */
void pipit__host_order_write_addresses(struct host_order *order, int n, int *ret_addresses);

/* Notes that a host failed, or did not answer in time, and that it gave a connection. NULL for an
 * order does nothing. */
void pipit__host_order_failed(struct host_order *order, int host, int64_t now_ms);
void pipit__host_order_served(struct host_order *order, int host);

#endif
