/*
 * Descriptors. See descriptor.h.
 */
#include "base/descriptor.h"

#include <errno.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char *
pipit__descriptor_problem(int n)
{
        int fd = n > 0 ? eventfd(0, EFD_CLOEXEC) : -1;
        int cause = errno;
        const char *problem = NULL;

        if (n > 0 && fd < 0 && cause == EMFILE)
                return "this process has no file descriptor free: raise its limit (ulimit -n)";
        if (n > 0 && fd < 0 && cause == ENFILE)
                return "the system has no file descriptor free: raise its limit (fs.file-max)";
        if (fd >= 0) {
                problem = pipit__descriptor_problem(n - 1);
                close(fd);
        }
        return problem;
}
