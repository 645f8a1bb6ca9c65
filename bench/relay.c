/*
 * pipit-relay: stands between clients and a server, and delays what they say: another machine's
 * network on this one.
 *
 *      pipit-relay --listen PATH --server PATH [--delay US] [--jitter US] [--bandwidth BYTES]
 *
 *      --listen PATH      the Unix socket, or the TCP port on 127.0.0.1, that clients connect to
 *      --server PATH      the server's Unix socket, or its TCP port on 127.0.0.1
 *      --delay US         microseconds in each direction: half a round trip
 *      --jitter US        up to so many microseconds more, by chance; the order is kept
 *      --bandwidth BYTES  a second, in each direction of each connection
 *
 * Prints a line when it listens. A connection that one side closes is closed on the other once all
 * is there that was sent before. Nothing is ever lost. It ends with SIGTERM.
 */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct relay relay;

int64_t
now_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

_Noreturn static void
die(const char *what)
{
        fprintf(stderr, "pipit-relay: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

/* ---- addresses: a path, or a port on this machine */

union address {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_in tcp;
};

static socklen_t
address_of(const char *text, union address *address)
{
        memset(address, 0, sizeof *address);
        if (text[0] == '/') {
                address->local.sun_family = AF_UNIX;
                if (strlen(text) >= sizeof address->local.sun_path) {
                        errno = ENAMETOOLONG;
                        die(text);
                }
                strcpy(address->local.sun_path, text);
                return sizeof address->local;
        }
        address->tcp.sin_family = AF_INET;
        address->tcp.sin_port = htons((uint16_t)atoi(text));
        address->tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof address->tcp;
}

static int
socket_for(const union address *address)
{
        int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                die("socket");
        return fd;
}

/* The kernel is not to hold small packets back: delay is the relay's business. */
static void
hurry(int fd)
{
        int one = 1;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* ---- events */

static void
watch(int fd, uint32_t events, void *what)
{
        struct epoll_event event = {.events = events, .data.ptr = what};

        if (epoll_ctl(relay.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
                die("epoll_ctl");
}

/* Accepts a client and connects to the server for it. Both ends are watched edge by edge. */
static void
accept_one(int listener, const char *server)
{
        union address address;
        socklen_t size = address_of(server, &address);
        int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client < 0)
                return;
        int fd = socket_for(&address);
        if (connect(fd, &address.any, size) != 0 && errno != EINPROGRESS) {
                close(fd);
                close(client);
                return;
        }
        hurry(client);
        hurry(fd);
        struct pair *pair = pair_new(&relay, client, fd);
        if (pair == NULL)
                die("pair");
        watch(client, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair->ends[0]);
        watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair->ends[1]);
}

static int
listen_on(const char *text)
{
        union address address;
        socklen_t size = address_of(text, &address);
        int fd = socket_for(&address);
        int one = 1;

        if (text[0] == '/')
                unlink(text);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, &address.any, size) != 0 || listen(fd, 128) != 0)
                die(text);
        return fd;
}

/* Sets the alarm to the moment at which the next piece is due. */
static void
set_alarm(int timer)
{
        int64_t due = relay_next_due(&relay);
        struct itimerspec when = {
                .it_value = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000}};

        if (due == INT64_MAX)
                when.it_value = (struct timespec){0};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
run(int listener, int timer, const char *server)
{
        struct epoll_event events[64];
        uint64_t ticks;

        for (;;) {
                int n = epoll_wait(relay.epoll, events, 64, -1);
                for (int i = 0; i < n; i++) {
                        void *what = events[i].data.ptr;
                        if (what == &relay)
                                accept_one(listener, server);
                        else if (what == &timer)
                                (void)!read(timer, &ticks, sizeof ticks);
                        else
                                end_ready(what);
                }
                relay_deliver(&relay);
                set_alarm(timer);
        }
}

int
main(int argc, char **argv)
{
        static const struct option names[] = {{"listen", required_argument, NULL, 'l'},
                                              {"server", required_argument, NULL, 's'},
                                              {"delay", required_argument, NULL, 'd'},
                                              {"jitter", required_argument, NULL, 'j'},
                                              {"bandwidth", required_argument, NULL, 'b'},
                                              {NULL, 0, NULL, 0}};
        const char *server = NULL;
        const char *where = NULL;
        int c;

        while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
                switch (c) {
                case 'l': where = optarg; break;
                case 's': server = optarg; break;
                case 'd': relay.delay_ns = (int64_t)(atof(optarg) * 1000); break;
                case 'j': relay.jitter_ns = (int64_t)(atof(optarg) * 1000); break;
                case 'b': relay.bytes_a_second = atof(optarg); break;
                default: return EXIT_FAILURE;
                }
        }
        if (where == NULL || server == NULL) {
                fprintf(stderr, "usage: pipit-relay --listen PATH --server PATH [--delay US]"
                                " [--jitter US] [--bandwidth BYTES]\n");
                return EXIT_FAILURE;
        }
        relay.epoll = epoll_create1(EPOLL_CLOEXEC);
        int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        int listener = listen_on(where);
        if (relay.epoll < 0 || timer < 0)
                die("epoll");
        watch(listener, EPOLLIN, &relay);
        watch(timer, EPOLLIN, &timer);
        printf("listening\n");
        fflush(stdout);
        run(listener, timer, server);
}
