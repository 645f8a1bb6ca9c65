/*
 * The files of a machine that say how names are looked up: /etc/resolv.conf and /etc/hosts.
 *
 * The resolver reads them for each look-up, so a change takes effect at the next connect.
 */
#ifndef PIPIT_DNS_FILES_INTERNAL_H
#define PIPIT_DNS_FILES_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "connect/dns_message.h"

#define DNS_MAX_SERVERS 3
#define DNS_MAX_SEARCH  6
#define DNS_NAME_SIZE   256

/* The files say how names are looked up; only tests name others than the system's. */
struct resolver_files {
        const char *resolv_conf;
        const char *hosts;
};

struct dns_config {
        int n_servers; /* at least 1 */
        struct sockaddr_storage servers[DNS_MAX_SERVERS];
        int n_search;
        char search[DNS_MAX_SEARCH][DNS_NAME_SIZE]; /* domains that are tried with a name */
        int ndots;          /* a name with so many dots is tried as it is first */
        int64_t timeout_ms; /* for the last server that is asked */
        int attempts;       /* how often each server is asked */
};

/* Reads a resolv.conf, as resolv.conf(5) says; what is missing has its default, the whole file
 * too. A name server may have a port: "127.0.0.1:53", "[::1]:53". 0; -1 with errno when no
 * descriptor was free. */
int pipit__dns_config_read(struct dns_config *config, const char *path);
/* Writes the name of a number that a host may have: as it is, or in one of the domains. false after
 * the last one. */
bool pipit__dns_config_name(const struct dns_config *config, const char *host, int number,
                            char *out, size_t size);
/* Finds the addresses of a name in a hosts file. localhost has some without one. Returns likewise.
 */
int pipit__dns_hosts_find(const char *path, const char *name, struct dns_addresses *ret_addresses);

#endif
