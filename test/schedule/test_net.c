/*
 * The network of the schedules against the kernel's Unix sockets: the same calls on both, and what
 * they give must be the same, or the schedules would prove things about a world that is not there.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "net.h"
#include "runner.h"

/* A link that is tried out, and what it gave. */
struct trial {
        bool real;    /* the kernel's */
        int listener; /* the kernel's, or -1 */
        int client;
        int server; /* -1: not accepted */
        char log[2000];
};

__attribute__((format(printf, 2, 3))) static void
note(struct trial *trial, const char *format, ...)
{
        size_t length = strlen(trial->log);
        va_list args;

        va_start(args, format);
        vsnprintf(trial->log + length, sizeof trial->log - length, format, args);
        va_end(args);
}

static socklen_t
address_of_trial(struct sockaddr_un *ret_address)
{
        *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
        int n = snprintf(ret_address->sun_path + 1, sizeof ret_address->sun_path - 1,
                         "pipit-network-%d", (int)getpid());
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static void
start(struct trial *trial, bool real)
{
        struct sockaddr_un address;
        socklen_t length = address_of_trial(&address);
        int type = SOCK_STREAM | SOCK_NONBLOCK;

        *trial = (struct trial){.real = real, .listener = -1, .server = -1};
        net_start();
        net_listen(true);
        if (!real) {
                trial->client = socket(AF_UNIX, type, 0);
                return;
        }
        trial->listener = (int)syscall(SYS_socket, AF_UNIX, type, 0);
        ck_assert_int_eq(syscall(SYS_bind, trial->listener, &address, length), 0);
        ck_assert_int_eq(syscall(SYS_listen, trial->listener, 8), 0);
        trial->client = (int)syscall(SYS_socket, AF_UNIX, type, 0);
}

static void
stop_listening(struct trial *trial)
{
        if (trial->listener >= 0)
                close(trial->listener);
        trial->listener = -1;
        net_listen(false);
}

static void
end(struct trial *trial)
{
        close(trial->client);
        if (trial->server >= 0)
                close(trial->server);
        stop_listening(trial);
}

static void
try_connect(struct trial *trial)
{
        struct sockaddr_un address;
        socklen_t length = address_of_trial(&address);
        int r = connect(trial->client, (struct sockaddr *)&address, length);

        note(trial, "connect %d %s\n", r, r < 0 ? strerror(errno) : "");
}

static void
accept_it(struct trial *trial)
{
        trial->server =
                trial->real ? (int)syscall(SYS_accept4, trial->listener, NULL, NULL, SOCK_NONBLOCK)
                            : net_accept();
        ck_assert_int_ge(trial->server, 0);
}

static void
try_recv(struct trial *trial, int fd, int flags)
{
        char bytes[8];
        ssize_t n = recv(fd, bytes, sizeof bytes, flags);

        note(trial, "recv %zd %.*s %s\n", n, n > 0 ? (int)n : 0, bytes,
             n < 0 ? strerror(errno) : "");
}

static void
try_send(struct trial *trial, int fd, const char *text)
{
        ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);

        note(trial, "send %zd %s\n", n, n < 0 ? strerror(errno) : "");
}

static void
try_poll(struct trial *trial)
{
        struct pollfd fd = {.fd = trial->client, .events = POLLIN | POLLOUT};
        int r = poll(&fd, 1, 0);

        note(trial, "poll %d%s%s%s%s\n", r, (fd.revents & POLLIN) != 0 ? " in" : "",
             (fd.revents & POLLOUT) != 0 ? " out" : "", (fd.revents & POLLERR) != 0 ? " err" : "",
             (fd.revents & POLLHUP) != 0 ? " hup" : "");
}

static void
try_error(struct trial *trial)
{
        int error = -1;
        socklen_t length = sizeof error;

        getsockopt(trial->client, SOL_SOCKET, SO_ERROR, &error, &length);
        note(trial, "error %d\n", error);
}

static void
nobody_listens(struct trial *trial)
{
        stop_listening(trial);
        try_poll(trial);
        try_send(trial, trial->client, "x");
        try_connect(trial);
        try_error(trial);
}

static void
words_and_an_end(struct trial *trial)
{
        int n = 0;

        try_connect(trial);
        try_poll(trial);
        try_send(trial, trial->client, "hello");
        accept_it(trial);
        try_recv(trial, trial->server, 0);
        try_recv(trial, trial->client, 0);
        try_send(trial, trial->server, "abc");
        ioctl(trial->client, FIONREAD, &n);
        note(trial, "%d bytes\n", n);
        try_recv(trial, trial->client, MSG_PEEK);
        close(trial->server);
        trial->server = -1;
        try_poll(trial);
        try_recv(trial, trial->client, 0);
        try_recv(trial, trial->client, 0);
        try_send(trial, trial->client, "x");
        try_poll(trial);
        try_error(trial);
}

static void
an_end_with_something_unread(struct trial *trial)
{
        try_connect(trial);
        accept_it(trial);
        try_send(trial, trial->client, "unread");
        try_send(trial, trial->server, "last");
        close(trial->server);
        trial->server = -1;
        try_poll(trial);
        try_send(trial, trial->client, "x");
        try_recv(trial, trial->client, 0);
        try_recv(trial, trial->client, 0);
        try_recv(trial, trial->client, 0);
        try_poll(trial);
}

static void
never_accepted(struct trial *trial)
{
        try_connect(trial);
        try_send(trial, trial->client, "hello");
        stop_listening(trial);
        try_poll(trial);
        try_error(trial);
        try_recv(trial, trial->client, 0);
        try_poll(trial);
}

static void
client_is_gone(struct trial *trial)
{
        try_connect(trial);
        try_send(trial, trial->client, "hello");
        close(trial->client);
        accept_it(trial);
        try_recv(trial, trial->server, 0);
        try_recv(trial, trial->server, 0);
        try_send(trial, trial->server, "x");
        trial->client = -1;
}

/* The kernel counts what its buffers take in memory, so how much fits is not compared. */
static void
more_than_fits(struct trial *trial)
{
        static char bytes[4096];
        size_t n = 0;

        try_connect(trial);
        accept_it(trial);
        for (ssize_t sent = 0; sent >= 0; n += sent > 0 ? (size_t)sent : 0)
                sent = send(trial->client, bytes, sizeof bytes, MSG_NOSIGNAL);
        note(trial, "%s\n", strerror(errno));
        try_poll(trial);
        for (size_t half = n / 2; n > half;)
                n -= (size_t)recv(trial->server, bytes, sizeof bytes, 0);
        try_poll(trial);
        while (n > 0)
                n -= (size_t)recv(trial->server, bytes, sizeof bytes, 0);
        try_poll(trial);
}

static void (*const trials[])(struct trial *trial) = {
        nobody_listens, words_and_an_end, an_end_with_something_unread,
        never_accepted, client_is_gone,   more_than_fits};

START_TEST(the_network_does_as_the_kernel_does)
{
        struct trial ours;
        struct trial real;

        start(&real, true);
        trials[_i](&real);
        end(&real);
        start(&ours, false);
        trials[_i](&ours);
        end(&ours);
        ck_assert_str_eq(ours.log, real.log);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("network");
        TCase *kernel = tcase_create("kernel");

        tcase_add_loop_test(kernel, the_network_does_as_the_kernel_does, 0,
                            sizeof trials / sizeof trials[0]);
        suite_add_tcase(suite, kernel);
        return suite;
}
