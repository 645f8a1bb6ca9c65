/*
 * Hang-ups. See hangup.h.
 */
#include "loop/hangup.h"

#include <event2/event.h>
#include <fcntl.h>
#include <pipit/error.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* After so long without a descriptor to be had, another one is tried. */
#define HANGUP_AGAIN_MS 100

struct hangup {
        struct reactor *reactor;
        struct timer *timer;
        struct event *event; /* NULL until the watch is armed */
        int fd;              /* the program's; once the watch is armed, its own */
        dev_t device; /* the program's has these two, and another one of that number has not */
        ino_t inode;
        pipit__reactor_fn fn;
        void *arg;
};

/* Whether the other side has ended. Data that came before its end are the program's to read. */
static bool
hangup_is_over(int fd)
{
        struct pollfd polled = {.fd = fd, .events = POLLRDHUP};

        return poll(&polled, 1, 0) > 0 &&
               (polled.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

static void
hangup_tell(struct hangup *hangup)
{
        pipit__timer_stop(hangup->timer);
        if (hangup->event != NULL)
                event_del(hangup->event);
        hangup->fn(hangup->arg);
}

static void
hangup_on_event(evutil_socket_t fd, short what, void *arg)
{
        struct hangup *hangup = arg;
        struct reactor *reactor = hangup->reactor;

        if ((what & EV_CLOSED) == 0 && !hangup_is_over(fd))
                return;
        pipit__reactor_enter(reactor);
        hangup_tell(hangup);
        pipit__reactor_leave(reactor);
}

/* Reads what tells the descriptor from others. Files never hang up. 0, or -1. */
static int
hangup_identify(int fd, struct stat *ret)
{
        return fstat(fd, ret) == 0 && !S_ISREG(ret->st_mode) && !S_ISDIR(ret->st_mode) ? 0 : -1;
}

/* Takes a descriptor of the watch's own, so that the program's events are left alone, and watches
 * that. 0, or -1 for want of a descriptor or of memory. */
static int
hangup_arm(struct hangup *hangup)
{
        int fd = fcntl(hangup->fd, F_DUPFD_CLOEXEC, 0);

        if (fd < 0)
                return -1;
        hangup->event =
                event_new(pipit__reactor_base(hangup->reactor), fd,
                          EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, hangup_on_event, hangup);
        if (hangup->event != NULL && event_add(hangup->event, NULL) == 0) {
                hangup->fd = fd;
                return 0;
        }
        if (hangup->event != NULL)
                event_free(hangup->event);
        hangup->event = NULL;
        close(fd);
        return -1;
}

static void
hangup_on_timer(void *arg)
{
        struct hangup *hangup = arg;
        struct stat found;
        bool same = hangup_identify(hangup->fd, &found) == 0 && found.st_dev == hangup->device &&
                    found.st_ino == hangup->inode;

        if (!same)
                hangup_tell(hangup);
        else if (hangup_arm(hangup) != 0)
                pipit__timer_set_or_now(hangup->timer, HANGUP_AGAIN_MS);
}

/* Whether the loop tells of an end that nobody reads, and of each event once. */
static bool
hangup_is_possible(const struct reactor *reactor)
{
        int needed = EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE;

        return (event_base_get_features(pipit__reactor_base(reactor)) & needed) == needed;
}

struct hangup *
pipit__hangup_new(struct reactor *reactor, int fd, pipit__reactor_fn fn, void *arg, int *ret_code)
{
        struct stat found;

        *ret_code = PIPIT_EINVAL;
        if (!hangup_is_possible(reactor) || hangup_identify(fd, &found) != 0)
                return NULL;
        *ret_code = PIPIT_ENOMEM;
        struct hangup *hangup = calloc(1, sizeof *hangup);
        if (hangup == NULL)
                return NULL;
        *hangup = (struct hangup){.reactor = reactor,
                                  .timer = pipit__timer_new(reactor, hangup_on_timer, hangup),
                                  .fd = fd,
                                  .device = found.st_dev,
                                  .inode = found.st_ino,
                                  .fn = fn,
                                  .arg = arg};
        if (hangup->timer != NULL && pipit__timer_set(hangup->timer, HANGUP_AFTER_MS) == 0) {
                *ret_code = 0;
                return hangup;
        }
        pipit__hangup_free(hangup);
        return NULL;
}

void
pipit__hangup_free(struct hangup *hangup)
{
        if (hangup == NULL)
                return;
        pipit__timer_free(hangup->timer);
        if (hangup->event != NULL) {
                event_free(hangup->event);
                close(hangup->fd);
        }
        free(hangup);
}
