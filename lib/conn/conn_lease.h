/*
 * Leases: a connection that one lease has for itself, until it gives it back.
 */
#ifndef PIPIT_CONN_LEASE_INTERNAL_H
#define PIPIT_CONN_LEASE_INTERNAL_H

#include <stdbool.h>

struct conn;
struct lease_ops;

/* Gives an idle connection to a lease, as a writer. -1: it was closed instead. */
int pipit__conn_lease(struct conn *conn, const struct lease_ops *lease_ops, void *arg);

/* Takes it back, also while answers are owed: a transaction that is open is rolled back, and the
 * session is made as new, if that is needed or asked for, before anybody else gets it. */
void pipit__conn_release(struct conn *conn, bool renew);

#endif
