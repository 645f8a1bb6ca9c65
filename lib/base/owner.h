/*
 * The owner: the thread and the process that a scope belongs to.
 */
#ifndef PIPIT_OWNER_INTERNAL_H
#define PIPIT_OWNER_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

struct owner {
        pthread_t thread;
        pid_t pid;
        int *alive; /* 1; the kernel sets it to 0 in a forked child. NULL where it does not */
};

void pipit__owner_init(struct owner *owner);
void pipit__owner_fini(struct owner *owner);

/* 0 for the owner; PIPIT_EFORK in a child; PIPIT_ETHREAD on another thread. No system call. */
int pipit__owner_check(const struct owner *owner);

#endif
