/*
 * A DNS exchange over TCP asks one question of one server, whose answer over UDP was cut.
 *
 * resolver.c owns it and frees it at any time; it ends with the first answer, or with a failure.
 */
#ifndef PIPIT_DNS_TCP_INTERNAL_H
#define PIPIT_DNS_TCP_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct dns_question;
struct dns_tcp;
struct reactor;

/* Is called once, from the loop, with the answer, borrowed until the call returns, or with NULL if
 * the server gave none. */
typedef void (*pipit__dns_tcp_fn)(struct dns_tcp *tcp, const uint8_t *bytes, size_t length,
                                  void *arg);

/* Starts an exchange. question is borrowed until its end. NULL if the server takes no connection,
 * or if there is no descriptor or no memory: errno says which. */
struct dns_tcp *
pipit__dns_tcp_start(struct reactor *reactor, const struct sockaddr_storage *server,
                     const struct dns_question *question, pipit__dns_tcp_fn fn, void *arg);
/* Ends an exchange; fn is not called any more. NULL does nothing. */
void pipit__dns_tcp_free(struct dns_tcp *tcp);

#endif
