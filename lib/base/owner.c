/*
 * The owner. See owner.h.
 *
 * The check runs in every call, so it asks the kernel nothing: a page that is wiped on fork tells
 * a child.
 */
#include "base/owner.h"

#include <pipit/error.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static int *
page_new(void)
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
        owner->alive = page_new();
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
