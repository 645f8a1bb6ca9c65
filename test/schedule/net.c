/*
 * The network. See net.h.
 */
/* What is defined here are the plain calls, and not other names of them, nor checked ones. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "world.h"

#define FIRST_FD    1000 /* behind all that the kernel gives */
#define MAX_ENDS    512
#define MAX_BACKLOG 64

/* This is poll(), whose declaration says that it reads nothing of what it is given. */
int net_poll(struct pollfd *fds, nfds_t n, int timeout) __asm__("poll");

/* One end of a link. */
struct end {
        bool open;
        bool is_client;
        bool connected;
        bool nonblocking;
        bool shut;        /* the other end has closed */
        int error;        /* to be told once */
        struct end *peer; /* NULL before it is connected and once the other end has closed */
        bool watched;     /* by epoll */
        struct epoll_event watch;
        size_t first; /* of what has come and is unread */
        size_t last;
        unsigned char bytes[NET_CAPACITY];
};

static struct {
        bool listens;
        size_t slice;
        int n_waiting; /* to be accepted */
        struct end *waiting[MAX_BACKLOG];
        int n; /* behind the last end that was ever open in this run */
        struct end ends[MAX_ENDS];
} net;

/* The end that a descriptor names; NULL when it is the kernel's. */
static struct end *
end_of(int fd)
{
        return fd >= FIRST_FD && fd < FIRST_FD + MAX_ENDS ? &net.ends[fd - FIRST_FD] : NULL;
}

static int
fd_of(const struct end *end)
{
        return FIRST_FD + (int)(end - net.ends);
}

static int
fail(int error)
{
        errno = error;
        return -1;
}

/* The lowest number that is free, as the kernel does: a number soon names something else. */
static struct end *
end_open(bool is_client)
{
        int i = 0;

        while (i < MAX_ENDS && net.ends[i].open)
                i++;
        if (i == MAX_ENDS)
                broken("the network has no more sockets");
        if (i >= net.n)
                net.n = i + 1;
        struct end *end = &net.ends[i];
        end->open = true;
        end->is_client = is_client;
        end->connected = end->nonblocking = end->shut = end->watched = false;
        end->error = 0;
        end->peer = NULL;
        end->first = end->last = 0;
        return end;
}

static size_t
end_unread(const struct end *end)
{
        return end->last - end->first;
}

/* What is unread when an end closes was lost, and the other is told so. */
static void
end_close(struct end *end, bool reset)
{
        struct end *peer = end->peer;

        end->open = false;
        end->peer = NULL;
        if (peer == NULL)
                return;
        peer->peer = NULL;
        peer->shut = true;
        if (reset || end_unread(end) > 0)
                peer->error = ECONNRESET;
}

/* It is writable again once three quarters of what it takes are free. */
static bool
end_is_writable(const struct end *end)
{
        return end->peer == NULL || 4 * end_unread(end->peer) <= NET_CAPACITY;
}

static uint32_t
end_ready(const struct end *end)
{
        uint32_t ready = end_is_writable(end) ? EPOLLOUT : 0;

        if (end_unread(end) > 0 || end->shut)
                ready |= EPOLLIN;
        if (end->shut || !end->connected)
                ready |= EPOLLHUP;
        if (end->error != 0)
                ready |= EPOLLERR;
        return ready;
}

void
net_start(void)
{
        for (int i = 0; i < net.n; i++)
                net.ends[i].open = false;
        net.n = net.n_waiting = 0;
        net.listens = false;
        net.slice = SIZE_MAX;
}

void
net_slice(size_t n)
{
        net.slice = n;
}

void
net_listen(bool on)
{
        net.listens = on;
        if (on)
                return;
        for (int i = 0; i < net.n_waiting; i++)
                end_close(net.waiting[i], true);
        net.n_waiting = 0;
}

int
net_accept(void)
{
        if (net.n_waiting == 0)
                return -1;
        struct end *end = net.waiting[0];
        net.n_waiting--;
        for (int i = 0; i < net.n_waiting; i++)
                net.waiting[i] = net.waiting[i + 1];
        return fd_of(end);
}

int
net_count(void)
{
        int n = 0;

        for (int i = 0; i < net.n; i++)
                n += net.ends[i].open && net.ends[i].is_client;
        return n;
}

int
socket(int domain, int type, int protocol)
{
        if (domain != AF_UNIX)
                return (int)syscall(SYS_socket, domain, type, protocol);
        struct end *end = end_open(true);
        end->nonblocking = (type & SOCK_NONBLOCK) != 0;
        return fd_of(end);
}

int
connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
        struct end *end = end_of(fd);

        if (end == NULL)
                return (int)syscall(SYS_connect, fd, address.__sockaddr__, length);
        if (!net.listens)
                return fail(ECONNREFUSED);
        if (net.n_waiting == MAX_BACKLOG)
                return fail(EAGAIN);
        struct end *peer = end_open(false);
        peer->nonblocking = true;
        peer->connected = end->connected = true;
        peer->peer = end;
        end->peer = peer;
        net.waiting[net.n_waiting++] = peer;
        return 0;
}

ssize_t
send(int fd, const void *data, size_t n, int flags)
{
        struct end *end = end_of(fd);

        if (end == NULL)
                return syscall(SYS_sendto, fd, data, n, flags, NULL, 0);
        if (end->shut)
                return fail(EPIPE);
        struct end *peer = end->peer;
        if (peer == NULL)
                return fail(ENOTCONN);
        size_t room = NET_CAPACITY - end_unread(peer);
        if (room == 0 && !end->nonblocking && (flags & MSG_DONTWAIT) == 0)
                broken("I9: the library waits in send()");
        if (room == 0)
                return fail(EAGAIN);
        if (n > room)
                n = room;
        if (peer->last + n > NET_CAPACITY) {
                memmove(peer->bytes, peer->bytes + peer->first, end_unread(peer));
                peer->last -= peer->first;
                peer->first = 0;
        }
        memcpy(peer->bytes + peer->last, data, n);
        peer->last += n;
        return (ssize_t)n;
}

/* What a read gets when nothing is there. */
static ssize_t
end_read_nothing(struct end *end, int flags)
{
        int error = end->error;

        end->error = 0;
        if (error != 0)
                return fail(error);
        if (end->shut)
                return 0;
        if (!end->nonblocking && (flags & MSG_DONTWAIT) == 0)
                broken("I9: the library waits in recv()");
        return fail(EAGAIN);
}

ssize_t
recv(int fd, void *data, size_t n, int flags)
{
        struct end *end = end_of(fd);

        if (end == NULL)
                return syscall(SYS_recvfrom, fd, data, n, flags, NULL, NULL);
        if (end_unread(end) == 0)
                return end_read_nothing(end, flags);
        if (end->is_client && n > net.slice)
                n = net.slice;
        if (n > end_unread(end))
                n = end_unread(end);
        memcpy(data, end->bytes + end->first, n);
        if ((flags & MSG_PEEK) == 0)
                end->first += n;
        if (end->first == end->last)
                end->first = end->last = 0;
        return (ssize_t)n;
}

int
close(int fd)
{
        struct end *end = end_of(fd);

        if (end == NULL)
                return (int)syscall(SYS_close, fd);
        if (!end->open)
                return fail(EBADF);
        end_close(end, false);
        return 0;
}

static int
end_control(struct end *end, int command, long arg)
{
        if (command == F_SETFL)
                end->nonblocking = (arg & O_NONBLOCK) != 0;
        if (command == F_GETFL)
                return O_RDWR | (end->nonblocking ? O_NONBLOCK : 0);
        return 0;
}

int
fcntl(int fd, int command, ...)
{
        struct end *end = end_of(fd);
        va_list args;

        va_start(args, command);
        long arg = va_arg(args, long);
        va_end(args);
        return end != NULL ? end_control(end, command, arg)
                           : (int)syscall(SYS_fcntl, fd, command, arg);
}

/* What fcntl() is with large files. */
int
fcntl64(int fd, int command, ...)
{
        va_list args;

        va_start(args, command);
        long arg = va_arg(args, long);
        va_end(args);
        return fcntl(fd, command, arg);
}

int
ioctl(int fd, unsigned long command, ...)
{
        const struct end *end = end_of(fd);
        va_list args;

        va_start(args, command);
        void *arg = va_arg(args, void *);
        va_end(args);
        if (end == NULL)
                return (int)syscall(SYS_ioctl, fd, command, arg);
        if (command != FIONREAD)
                return fail(EINVAL);
        *(int *)arg = (int)end_unread(end);
        return 0;
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
        if (end_of(fd) == NULL)
                return (int)syscall(SYS_setsockopt, fd, level, name, value, length);
        return 0;
}

int
getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
        struct end *end = end_of(fd);

        if (end == NULL)
                return (int)syscall(SYS_getsockopt, fd, level, name, value, length);
        if (level != SOL_SOCKET || name != SO_ERROR)
                return fail(ENOPROTOOPT);
        *(int *)value = end->error;
        end->error = 0;
        return 0;
}

int
getsockname(int fd, __SOCKADDR_ARG address, socklen_t *length)
{
        if (end_of(fd) == NULL)
                return (int)syscall(SYS_getsockname, fd, address.__sockaddr__, length);
        address.__sockaddr__->sa_family = AF_UNIX;
        *length = sizeof(sa_family_t);
        return 0;
}

/* libpq polls one descriptor. The bits of poll() are those of epoll. */
static int
end_poll(const struct end *end, struct pollfd *ret_fd, int timeout)
{
        short asked = (short)(ret_fd->events | POLLERR | POLLHUP);

        ret_fd->revents = (short)(end_ready(end) & (unsigned short)asked);
        if (ret_fd->revents == 0 && timeout != 0)
                broken("I9: the library waits in poll()");
        return ret_fd->revents != 0;
}

int
net_poll(struct pollfd *fds, nfds_t n, int timeout)
{
        struct timespec limit = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};
        const struct end *end = n > 0 ? end_of(fds->fd) : NULL;

        return end != NULL ? end_poll(end, fds, timeout)
                           : (int)syscall(SYS_ppoll, fds, n, timeout < 0 ? NULL : &limit, NULL, 0);
}

int
epoll_ctl(int epoll, int command, int fd, struct epoll_event *event)
{
        struct end *end = end_of(fd);

        if (end == NULL)
                return (int)syscall(SYS_epoll_ctl, epoll, command, fd, event);
        if (!end->open)
                return fail(EBADF);
        if (end->watched == (command == EPOLL_CTL_ADD))
                return fail(end->watched ? EEXIST : ENOENT);
        end->watched = command != EPOLL_CTL_DEL;
        if (end->watched)
                end->watch = *event;
        return 0;
}

int
epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
        int n = 0;

        if (!world.running)
                return (int)syscall(SYS_epoll_pwait, epoll, events, max, timeout, NULL, 0);
        if (timeout != 0)
                broken("the loop waits, and it was not to");
        for (int i = 0; i < net.n && n < max; i++) {
                const struct end *end = &net.ends[i];
                if (!end->open || !end->watched)
                        continue;
                uint32_t ready =
                        end_ready(end) & (end->watch.events | (uint32_t)(EPOLLERR | EPOLLHUP));
                if (ready == 0)
                        continue;
                events[n] = end->watch;
                events[n++].events = ready;
        }
        return n;
}
