/*
 * A DNS server over UDP is a socket that is connected to one name server: the kernel drops what
 * comes from elsewhere.
 *
 * resolver.c owns it and frees it at any time.
 */
#ifndef PIPIT_DNS_UDP_INTERNAL_H
#define PIPIT_DNS_UDP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct dns_question;
struct dns_udp;
struct reactor;

/* Is called from the loop for each message, which is borrowed until the call returns; with NULL
 * when nobody is there. Returns whether it may be called again: it frees the socket, or says no
 * once the message was taken. */
typedef bool (*pipit__dns_udp_fn)(struct dns_udp *udp, const uint8_t *bytes, size_t length,
                                  void *arg);

/* Opens a socket. NULL with errno if there is no descriptor, no memory or no way to the server. */
struct dns_udp *pipit__dns_udp_open(struct reactor *reactor, const struct sockaddr_storage *server,
                                    pipit__dns_udp_fn fn, void *arg);
/* Closes the socket; fn is not called any more. NULL does nothing. */
void pipit__dns_udp_free(struct dns_udp *udp);
/* Sends a question; what the socket has no room for is lost, as on the way. 0, or -1 with errno. */
int pipit__dns_udp_send(struct dns_udp *udp, const struct dns_question *question);

#endif
