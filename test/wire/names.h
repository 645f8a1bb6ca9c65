/*
 * What the tests of look-ups share: a scripted name server on the test's own loop, files that tell
 * of it, and look-ups. The name server knows one machine, this one, by every name.
 */
#ifndef TEST_NAMES_H
#define TEST_NAMES_H

#include "connect/conninfo.h"
#include "connect/resolver.h"
#include "loop/reactor.h"
#include "wire.h"

enum dns_mode {
        DNS_SILENT,
        DNS_ANSWERS,
        DNS_IPV4_ONLY,
        DNS_NXDOMAIN,
        DNS_SERVFAIL,
        DNS_GARBAGE,
        DNS_CUT,     /* says that the answer did not fit, and gives nothing of it */
        DNS_CUT_SOME /* gives one address of more */
};

struct dns {
        enum dns_mode mode;
        int fd;
        int port;
        struct event *event;
        int n_queries;
        int tcp; /* -1: none */
        struct event *tcp_event;
        int n_tcp; /* questions by TCP */
};

extern struct dns dns;

/* The files that tell of the name server. */
extern char resolv_conf[100];
extern char hosts[100];
extern const struct resolver_files own_files;

/* Fixtures: a wire server by TCP, the name server, the files. */
void names_setup(void);
void names_teardown(void);

/* Writes a file anew. */
void file_write(const char *path, const char *text);
/* Has the name server answer by TCP, too, with 60 addresses. */
void dns_open_tcp(void);
/* Puts a name server in front of the one that answers: one that is silent, or one where nobody is.
 */
void dns_put_in_front(bool is_silent);

/* What came of a DNS query. */
struct found {
        int n_calls;
        size_t n;
        char addresses[4][64];
        char problem[128];
};

/* Starts a DNS query, whose answer goes into found. */
struct dns_query *dns_query_start(const char *host, struct found *found);
/* Looks a name up. */
struct found look_up(const char *host);
bool found_has(const struct found *found, const char *address);

#endif
