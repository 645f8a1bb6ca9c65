/*
 * The network of a run: stream sockets between the library and the model, in memory. Nothing of a
 * run goes to the kernel, so it is the same each time, and fast.
 *
 * The program's own socket(), connect(), send(), recv(), close(), poll(), epoll_wait() and the like
 * stand in front of the C library's, for libpq and libevent as well. A descriptor of the network
 * behaves as one of a Unix socket does on Linux, readiness and errors included; any other goes on
 * to the kernel. A call that would have to wait is a fault of the library's.
 */
#ifndef SCHEDULE_NET_H
#define SCHEDULE_NET_H

#include <stdbool.h>
#include <stddef.h>

/* What one direction of a link takes before its writer has to wait: less than a long value. */
#define NET_CAPACITY 32768

/* Closes everything; nobody listens. */
void net_start(void);
/* The library gets at most so many bytes at a time, as if the rest came a moment later. */
void net_slice(size_t n);
/* Whether connects reach somebody; those that wait to be accepted are reset when not any more. */
void net_listen(bool on);
/* The server's descriptor of the next link, in the order of the connects; -1 when there is none. */
int net_accept(void);
/* How many sockets the library has open. */
int net_count(void);

#endif
