/*
 * DNS over TCP. See dns_tcp.h.
 */
#include "connect/dns_tcp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect/dns_message.h"
#include "loop/reactor.h"

/* In front of each message stands its length. */
#define DNS_TCP_HEAD 2
#define DNS_TCP_MAX  (DNS_TCP_HEAD + 65535)

struct dns_tcp {
        int fd;
        struct watch *watch;
        const struct dns_question *question;
        pipit__dns_tcp_fn fn;
        void *arg;
        bool sent; /* the question is out */
        size_t n;  /* bytes of the answer that are there */
        uint8_t bytes[DNS_TCP_MAX];
};

void
pipit__dns_tcp_free(struct dns_tcp *tcp)
{
        if (tcp == NULL)
                return;
        pipit__watch_free(tcp->watch);
        if (tcp->fd >= 0)
                close(tcp->fd);
        free(tcp);
}

/* Sends the question, which the buffer of a new socket has room for. 0, or -1. */
static int
dns_tcp_send(struct dns_tcp *tcp)
{
        size_t length = tcp->question->length;
        uint8_t message[DNS_TCP_HEAD + DNS_QUESTION_SIZE];

        message[0] = (uint8_t)(length >> 8);
        message[1] = (uint8_t)length;
        memcpy(message + DNS_TCP_HEAD, tcp->question->bytes, length);
        tcp->sent = true;
        if (send(tcp->fd, message, DNS_TCP_HEAD + length, MSG_NOSIGNAL) !=
            (ssize_t)(DNS_TCP_HEAD + length))
                return -1;
        return pipit__watch_want(tcp->watch, WATCH_READ);
}

/* Reads what there is. Returns the bytes that are still missing; -1 if they will not come. */
static ssize_t
dns_tcp_read(struct dns_tcp *tcp)
{
        ssize_t n = recv(tcp->fd, tcp->bytes + tcp->n, sizeof tcp->bytes - tcp->n, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                return -1;
        tcp->n += n > 0 ? (size_t)n : 0;
        if (tcp->n < DNS_TCP_HEAD)
                return 1;
        size_t all = DNS_TCP_HEAD + ((size_t)tcp->bytes[0] << 8 | tcp->bytes[1]);
        return all > tcp->n ? (ssize_t)(all - tcp->n) : 0;
}

static void
dns_tcp_on_ready(unsigned ready, void *arg)
{
        struct dns_tcp *tcp = arg;
        ssize_t missing = 1;

        (void)ready;
        if (!tcp->sent)
                missing = dns_tcp_send(tcp) == 0 ? 1 : -1;
        else
                missing = dns_tcp_read(tcp);
        if (missing < 0)
                tcp->fn(tcp, NULL, 0, tcp->arg);
        else if (missing == 0)
                tcp->fn(tcp, tcp->bytes + DNS_TCP_HEAD, (size_t)tcp->bytes[0] << 8 | tcp->bytes[1],
                        tcp->arg);
}

struct dns_tcp *
pipit__dns_tcp_start(struct reactor *reactor, const struct sockaddr_storage *server,
                     const struct dns_question *question, pipit__dns_tcp_fn fn, void *arg)
{
        struct dns_tcp *tcp = malloc(sizeof *tcp);

        if (tcp == NULL)
                return NULL;
        tcp->question = question;
        tcp->fn = fn;
        tcp->arg = arg;
        tcp->sent = false;
        tcp->n = 0;
        tcp->watch = NULL;
        tcp->fd = socket(server->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        bool under_way = tcp->fd >= 0 &&
                         (connect(tcp->fd, (const struct sockaddr *)server, sizeof *server) == 0 ||
                          errno == EINPROGRESS);
        if (under_way)
                tcp->watch = pipit__watch_new(reactor, tcp->fd, dns_tcp_on_ready, tcp);
        if (tcp->watch == NULL || pipit__watch_want(tcp->watch, WATCH_WRITE) != 0) {
                int cause = errno;
                pipit__dns_tcp_free(tcp);
                errno = cause;
                return NULL;
        }
        return tcp;
}
