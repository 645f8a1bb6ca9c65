/*
 * A hang-up is watched for on a descriptor of the program's: its other side ends, and somebody is
 * told once.
 *
 * Most of what is watched is over before anybody could hang up, so a watch costs one system call
 * at first, and a timer. Only after HANGUP_AFTER_MS does it take a descriptor of its own and a
 * place in the loop. Requests (request.h) own the watches.
 */
#ifndef PIPIT_HANGUP_INTERNAL_H
#define PIPIT_HANGUP_INTERNAL_H

#include "loop/reactor.h"

/* For so long a watch is a timer only. */
#define HANGUP_AFTER_MS 10

struct hangup;

/* Watches a descriptor, which is borrowed and may be closed at any time: that is a hang-up, too.
 * fn(arg) is called once, from the loop. NULL with *ret_code PIPIT_EINVAL: the descriptor is none,
 * or a file, or the base cannot tell; or PIPIT_ENOMEM. */
struct hangup *
pipit__hangup_new(struct reactor *reactor, int fd, pipit__reactor_fn fn, void *arg, int *ret_code);
/* Ends a watch, also from inside its fn. NULL does nothing. */
void pipit__hangup_free(struct hangup *hangup);

#endif
