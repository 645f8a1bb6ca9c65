/*
 * An address is text: a numeric one of IPv4 or IPv6, or where a local socket is, a folder or "".
 */
#ifndef PIPIT_ADDRESS_INTERNAL_H
#define PIPIT_ADDRESS_INTERNAL_H

#include <stdbool.h>

/* Whether a host is an address, and needs no DNS query. */
bool pipit__address_is_one(const char *host);
/* Whether a host is this machine: a socket's folder, a loopback address, localhost, or "". */
bool pipit__address_is_local(const char *host);
/* Whether this machine has a way to a numeric address, as far as its own tables tell. Asks nobody;
 * when that cannot be found out it has. */
bool pipit__address_has_way(const char *address);

#endif
