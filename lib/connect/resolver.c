/*
 * The resolver asks name servers by UDP, for IPv4 and IPv6 at once. See resolver.h.
 *
 * Servers are asked one beside the other: the next one when those before have been silent for a
 * second, and each of them more than once. Every server may answer either question, whoever is
 * first. libevent's evdns is not used: it asks for IPv4 here and for IPv6 there, cannot ask again
 * by TCP what was cut, and prints to stderr.
 */
#include "connect/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "connect/address.h"
#include "connect/dns_tcp.h"
#include "connect/dns_udp.h"
#include "loop/reactor.h"

/* The next server is asked after so long. */
#define DNS_NEXT_SERVER_MS 1000
/* One family is enough when the other one has been silent for so long (RFC 8305). */
#define DNS_OTHER_FAMILY_MS 50
enum dns_query_state {
        DNS_QUERY_NEW,    /* the timer runs for a turn, so that nothing happens inside the start */
        DNS_QUERY_ASKING, /* the timer runs until the next server is asked */
        DNS_QUERY_ENOUGH  /* one family has addresses; the timer runs while the other may answer */
};

struct dns_server;

/* One of the two questions about a name. */
struct dns_ask {
        struct dns_question question;
        bool settled;                   /* addresses has all of them */
        struct dns_addresses addresses; /* before that, those of an answer that was cut */
        struct dns_tcp *tcp;            /* NULL unless the question is asked by TCP */
        struct dns_server *cut_by;      /* gave the answer that was cut; NULL if none did */
};

/* A server with its socket. */
struct dns_server {
        struct dns_query *query;
        struct dns_udp *udp; /* NULL until the server is asked */
        bool failed;         /* the server does not help with the present name */
};

struct dns_query {
        enum dns_query_state state;
        struct reactor *reactor;
        const struct resolver_files *files;
        struct timer *timer;
        pipit__dns_query_fn fn;
        void *arg;
        char host[DNS_NAME_SIZE];
        struct dns_config config;
        int name; /* the number of the name that is asked for: host, or host in a domain */
        int step; /* the number of the server that is asked next, over all attempts */
        struct dns_ask asks[2];
        struct dns_server servers[DNS_MAX_SERVERS];
        struct dns_found found;
};

const struct resolver_files pipit__resolver_system_files = {"/etc/resolv.conf", "/etc/hosts"};

static const char problem_unknown[] = "no name server knows one";
static const char problem_refused[] = "the name servers could not say";
static const char problem_silent[] = "the name servers did not answer";
static const char problem_cut[] = "the answer is too long for UDP, and the name server did not "
                                  "give it by TCP: hostaddr needs no look-up";
static const char problem_written[] = "no name is written like that";
static const char problem_random[] = "the system has no random numbers yet";
static const char problem_short[] = "no file descriptor is free, or no memory";

static void
ask_drop_tcp(struct dns_ask *ask)
{
        pipit__dns_tcp_free(ask->tcp);
        ask->tcp = NULL;
}

static void
dns_query_free(struct dns_query *query)
{
        for (int i = 0; i < 2; i++)
                ask_drop_tcp(&query->asks[i]);
        for (int i = 0; i < DNS_MAX_SERVERS; i++)
                pipit__dns_udp_free(query->servers[i].udp);
        pipit__timer_free(query->timer);
        free(query);
}

void
pipit__dns_query_cancel(struct dns_query *query)
{
        if (query != NULL)
                dns_query_free(query);
}

/* Ends the query with what it has found. */
static void
dns_query_tell(struct dns_query *query)
{
        struct dns_found found = query->found;
        pipit__dns_query_fn fn = query->fn;
        void *arg = query->arg;

        if (found.addresses.n > 0)
                found.problem = NULL;
        dns_query_free(query);
        fn(&found, arg);
}

/* Keeps why there are no addresses; a server that failed is worse than a name that nobody knows. */
static void
dns_query_note(struct dns_query *query, const char *problem)
{
        if (query->found.problem == NULL || query->found.problem == problem_unknown)
                query->found.problem = problem;
        query->found.is_local = query->found.problem == problem_short;
}

/* Whether errno says that this process lacks something. */
static bool
dns_error_is_local(void)
{
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
}

/* Mixes the addresses of both families, IPv6 first unless there is no way to it (RFC 8305). */
static void
dns_query_mix(struct dns_query *query)
{
        const struct dns_addresses *v4 = &query->asks[0].addresses;
        const struct dns_addresses *v6 = &query->asks[1].addresses;
        bool v6_first = v6->n > 0 && pipit__address_has_way(v6->texts[0]);
        const struct dns_addresses *first = v6_first ? v6 : v4;
        const struct dns_addresses *second = v6_first ? v4 : v6;

        for (size_t i = 0; i < DNS_MAX_ADDRESSES; i++) {
                if (i < first->n)
                        pipit__dns_addresses_add(&query->found.addresses, first->texts[i]);
                if (i < second->n)
                        pipit__dns_addresses_add(&query->found.addresses, second->texts[i]);
        }
}

static bool dns_on_udp(struct dns_udp *udp, const uint8_t *bytes, size_t length, void *arg);
static void dns_query_next_name(struct dns_query *query);

/* Ends the look-up of the present name, of which all that can be known is known. */
static void
dns_query_end_name(struct dns_query *query)
{
        dns_query_mix(query);
        dns_query_note(query, problem_unknown);
        /* Who is silent will be so for the next name. */
        if (query->found.addresses.n > 0 || query->found.problem == problem_silent)
                dns_query_tell(query);
        else
                dns_query_next_name(query);
}

/* Takes all addresses of a family, and goes on. */
static void
dns_query_settle(struct dns_query *query, struct dns_ask *ask)
{
        const struct dns_ask *other = &query->asks[ask == &query->asks[0]];

        ask->settled = true;
        ask_drop_tcp(ask);
        if (other->settled) {
                dns_query_end_name(query);
        } else if (ask->addresses.n > 0) {
                query->state = DNS_QUERY_ENOUGH;
                pipit__timer_set_or_now(query->timer, DNS_OTHER_FAMILY_MS);
        }
}

/* ---- servers */

/* Sends a server the questions that are open. 0, or -1 when it cannot be asked. */
static int
dns_server_ask(struct dns_server *server, const struct sockaddr_storage *address)
{
        struct dns_query *query = server->query;

        if (server->udp == NULL)
                server->udp = pipit__dns_udp_open(query->reactor, address, dns_on_udp, server);
        int r = server->udp != NULL ? 0 : -1;
        for (int i = 0; i < 2 && r == 0; i++) {
                if (!query->asks[i].settled)
                        r = pipit__dns_udp_send(server->udp, &query->asks[i].question);
        }
        if (r != 0)
                dns_query_note(query, dns_error_is_local() ? problem_short : problem_silent);
        return r;
}

/* Asks the next server that can be asked; false when each was asked as often as it may. */
static bool
dns_query_ask_next(struct dns_query *query)
{
        const struct dns_config *config = &query->config;
        int n_steps = config->n_servers * config->attempts;

        while (query->step < n_steps) {
                int number = query->step++ % config->n_servers;
                struct dns_server *server = &query->servers[number];
                if (server->failed)
                        continue;
                server->failed = dns_server_ask(server, &config->servers[number]) != 0;
                if (server->failed)
                        continue;
                bool is_last = query->step == n_steps || config->timeout_ms < DNS_NEXT_SERVER_MS;
                pipit__timer_set_or_now(query->timer,
                                        is_last ? config->timeout_ms : DNS_NEXT_SERVER_MS);
                return true;
        }
        return false;
}

/* Whether a server that was asked may still answer. */
static bool
dns_query_may_be_answered(const struct dns_query *query)
{
        for (int i = 0; i < query->config.n_servers; i++) {
                if (query->servers[i].udp != NULL && !query->servers[i].failed)
                        return true;
        }
        return false;
}

/* Goes on without a server, which does not know. */
static void
dns_server_fail(struct dns_server *server, const char *problem)
{
        struct dns_query *query = server->query;
        bool known = server->failed;

        server->failed = true;
        dns_query_note(query, problem);
        if (known)
                return;
        if (query->state == DNS_QUERY_ENOUGH ||
            (!dns_query_ask_next(query) && !dns_query_may_be_answered(query)))
                dns_query_end_name(query);
}

/* Makes do without TCP. */
static void
dns_ask_without_tcp(struct dns_query *query, struct dns_ask *ask, const char *problem)
{
        ask_drop_tcp(ask);
        if (ask->addresses.n > 0)
                dns_query_settle(query, ask);
        else
                dns_server_fail(ask->cut_by, problem);
}

static void
dns_on_tcp(struct dns_tcp *tcp, const uint8_t *bytes, size_t length, void *arg)
{
        struct dns_query *query = arg;
        struct dns_ask *ask = &query->asks[tcp != query->asks[0].tcp];
        struct dns_addresses all = {0};
        enum dns_verdict verdict =
                bytes != NULL ? pipit__dns_answer_read(&ask->question, bytes, length, &all)
                              : DNS_REFUSED;

        if (verdict != DNS_ANSWERED && verdict != DNS_TRUNCATED) {
                dns_ask_without_tcp(query, ask, problem_cut);
                return;
        }
        ask->addresses = all;
        dns_query_settle(query, ask);
}

/* Asks by TCP what was cut. */
static void
dns_ask_by_tcp(struct dns_server *server, struct dns_ask *ask)
{
        struct dns_query *query = server->query;

        if (ask->tcp != NULL)
                return;
        ask->cut_by = server;
        ask->tcp = pipit__dns_tcp_start(query->reactor,
                                        &query->config.servers[server - query->servers],
                                        &ask->question, dns_on_tcp, query);
        if (ask->tcp == NULL)
                dns_ask_without_tcp(query, ask, dns_error_is_local() ? problem_short : problem_cut);
}

/* Takes a message. Returns whether it was nothing; else the query may be gone. */
static bool
dns_on_udp(struct dns_udp *udp, const uint8_t *bytes, size_t length, void *arg)
{
        struct dns_server *server = arg;
        struct dns_query *query = server->query;

        (void)udp;
        if (bytes == NULL) {
                dns_server_fail(server, problem_silent);
                return false;
        }
        for (int i = 0; i < 2; i++) {
                struct dns_ask *ask = &query->asks[i];
                struct dns_addresses all = {0};
                enum dns_verdict verdict =
                        ask->settled ? DNS_FOREIGN
                                     : pipit__dns_answer_read(&ask->question, bytes, length, &all);
                if (verdict == DNS_FOREIGN)
                        continue;
                if (verdict != DNS_REFUSED)
                        ask->addresses = all;
                if (verdict == DNS_REFUSED)
                        dns_server_fail(server, problem_refused);
                else if (verdict == DNS_TRUNCATED)
                        dns_ask_by_tcp(server, ask);
                else
                        dns_query_settle(query, ask);
                return false;
        }
        return true;
}

/* ---- names */

/* Writes both questions for a name. NULL, or why there are none. */
static const char *
dns_query_write(struct dns_query *query, const char *name)
{
        static const enum dns_type types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
        uint16_t ids[2];

        if (getrandom(ids, sizeof ids, GRND_NONBLOCK) != sizeof ids)
                return problem_random;
        for (int i = 0; i < 2; i++) {
                struct dns_ask *ask = &query->asks[i];
                ask_drop_tcp(ask);
                ask->settled = false;
                ask->addresses.n = 0;
                if (pipit__dns_question_write(&ask->question, ids[i], name, types[i]) != 0)
                        return problem_written;
        }
        return NULL;
}

/* Asks for the next name; ends the query after the last. */
static void
dns_query_next_name(struct dns_query *query)
{
        char name[2 * DNS_NAME_SIZE];

        while (pipit__dns_config_name(&query->config, query->host, query->name++, name,
                                      sizeof name)) {
                query->state = DNS_QUERY_ASKING;
                query->step = 0;
                for (int i = 0; i < DNS_MAX_SERVERS; i++)
                        query->servers[i].failed = false;
                const char *problem = dns_query_write(query, name);
                if (problem != NULL)
                        dns_query_note(query, problem);
                else if (dns_query_ask_next(query))
                        return;
        }
        dns_query_tell(query);
}

/* Looks into the files, and starts to ask if the name is not there. */
static void
dns_query_begin(struct dns_query *query)
{
        if (pipit__dns_hosts_find(query->files->hosts, query->host, &query->found.addresses) != 0 ||
            pipit__dns_config_read(&query->config, query->files->resolv_conf) != 0)
                dns_query_note(query, problem_short);
        if (query->found.addresses.n > 0 || query->found.problem != NULL)
                dns_query_tell(query);
        else
                dns_query_next_name(query);
}

static void
dns_query_on_timer(void *arg)
{
        struct dns_query *query = arg;

        switch (query->state) {
        case DNS_QUERY_NEW: dns_query_begin(query); return;
        case DNS_QUERY_ENOUGH: dns_query_end_name(query); return;
        case DNS_QUERY_ASKING:
                if (dns_query_ask_next(query))
                        return;
                dns_query_note(query, problem_silent);
                dns_query_end_name(query);
                return;
        }
}

struct dns_query *
pipit__dns_query_start(struct reactor *reactor, const struct resolver_files *files,
                       const char *host, pipit__dns_query_fn fn, void *arg)
{
        struct dns_query *query = calloc(1, sizeof *query);

        if (query == NULL)
                return NULL;
        query->reactor = reactor;
        query->files = files;
        query->fn = fn;
        query->arg = arg;
        snprintf(query->host, sizeof query->host, "%s", host);
        for (int i = 0; i < DNS_MAX_SERVERS; i++)
                query->servers[i].query = query;
        query->timer = pipit__timer_new(reactor, dns_query_on_timer, query);
        if (query->timer == NULL || pipit__timer_set(query->timer, 0) != 0) {
                dns_query_free(query);
                return NULL;
        }
        return query;
}
