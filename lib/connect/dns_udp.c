/*
 * DNS over UDP. See dns_udp.h.
 */
#include "connect/dns_udp.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "connect/dns_message.h"
#include "loop/reactor.h"

/* A socket gives at most so many messages in one turn of the loop. */
#define DNS_UDP_BUDGET 16
/* A message has at most so many bytes; a longer one its server cuts, and says so. */
#define DNS_UDP_SIZE 1500

struct dns_udp {
        int fd;
        struct watch *watch;
        pipit__dns_udp_fn fn;
        void *arg;
};

void
pipit__dns_udp_free(struct dns_udp *udp)
{
        if (udp == NULL)
                return;
        pipit__watch_free(udp->watch);
        if (udp->fd >= 0)
                close(udp->fd);
        free(udp);
}

/* Takes what has come; the watcher tells of what is left. */
static void
dns_udp_on_ready(unsigned ready, void *arg)
{
        struct dns_udp *udp = arg;
        uint8_t bytes[DNS_UDP_SIZE];

        (void)ready;
        for (int i = 0; i < DNS_UDP_BUDGET; i++) {
                ssize_t n = recv(udp->fd, bytes, sizeof bytes, 0);
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        udp->fn(udp, NULL, 0, udp->arg);
                if (n < 0 || !udp->fn(udp, bytes, (size_t)n, udp->arg))
                        return;
        }
}

struct dns_udp *
pipit__dns_udp_open(struct reactor *reactor, const struct sockaddr_storage *server,
                    pipit__dns_udp_fn fn, void *arg)
{
        struct dns_udp *udp = calloc(1, sizeof *udp);

        if (udp == NULL)
                return NULL;
        udp->fn = fn;
        udp->arg = arg;
        udp->fd = socket(server->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (udp->fd >= 0 &&
            connect(udp->fd, (const struct sockaddr *)server, sizeof *server) == 0) {
                errno = ENOMEM;
                udp->watch = pipit__watch_new(reactor, udp->fd, dns_udp_on_ready, udp);
        }
        if (udp->watch == NULL || pipit__watch_want(udp->watch, WATCH_READ) != 0) {
                int cause = errno;
                pipit__dns_udp_free(udp);
                errno = cause;
                return NULL;
        }
        return udp;
}

int
pipit__dns_udp_send(struct dns_udp *udp, const struct dns_question *question)
{
        ssize_t n = send(udp->fd, question->bytes, question->length, 0);

        return n >= 0 || errno == EAGAIN ? 0 : -1;
}
