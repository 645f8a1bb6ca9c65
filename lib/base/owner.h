/*
 * An owner is the thread and the process that a database and its scopes belong to.
 *
 * The owner owns one page of memory, which tells a forked child that it is one. scope/ checks the
 * owner in every call of the program; so the check makes no system call, but where the kernel has
 * no such page.
 */
#ifndef PIPIT_OWNER_INTERNAL_H
#define PIPIT_OWNER_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

struct owner {
        pthread_t thread; /* that called pipit__owner_init() */
        pid_t pid;        /* of the process that called it */
        int *alive; /* 1, and 0 in a forked child, by the kernel; NULL if the kernel has no such
                       page */
};

/* Makes the calling thread the owner. */
void pipit__owner_init(struct owner *owner);
/* Frees the page. */
void pipit__owner_fini(struct owner *owner);

/* Returns 0 to the owner, PIPIT_EFORK in a forked child, PIPIT_ETHREAD on another thread. */
int pipit__owner_check(const struct owner *owner);

#endif
