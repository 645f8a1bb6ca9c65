/*
 * The owner has a page that the kernel wipes on fork (MADV_WIPEONFORK). See owner.h.
 *
 * Where the kernel cannot do that, the check asks it for the process's number instead.
 */
#include "base/owner.h"

#include <pipit/error.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* Returns a page, all zero, that the kernel wipes in a forked child; NULL if there is none. */
static int *
owner_page_new(void)
{
#ifdef MADV_WIPEONFORK
        void *page =
                mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
                return NULL;
        if (madvise(page, sizeof(int), MADV_WIPEONFORK) == 0)
                return page;
        munmap(page, sizeof(int));
#endif
        return NULL;
}

void
pipit__owner_init(struct owner *owner)
{
        owner->thread = pthread_self();
        owner->pid = getpid();
        owner->alive = owner_page_new();
        if (owner->alive != NULL)
                *owner->alive = 1;
}

void
pipit__owner_fini(struct owner *owner)
{
        if (owner->alive != NULL)
                munmap(owner->alive, sizeof(int));
        owner->alive = NULL;
}

int
pipit__owner_check(const struct owner *owner)
{
        if (owner->alive != NULL ? *owner->alive != 1 : getpid() != owner->pid)
                return PIPIT_EFORK;
        return pthread_equal(owner->thread, pthread_self()) ? 0 : PIPIT_ETHREAD;
}
