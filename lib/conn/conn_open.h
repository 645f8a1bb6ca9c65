/*
 * Opening a connection: an attempt, the settings of its session, and the events it lives by.
 */
#ifndef PIPIT_CONN_OPEN_INTERNAL_H
#define PIPIT_CONN_OPEN_INTERNAL_H

struct conn;
struct conn_config;

/* Starts to connect; the owner's entered() tells how it went, later. NULL: no memory. */
struct conn *pipit__conn_new(const struct conn_config *config);

#endif
