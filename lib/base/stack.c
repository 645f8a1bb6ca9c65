/*
 * The stack. See stack.h.
 */
#include "base/stack.h"

#include <unwind.h>

/* A search counts the frames of a function that were found so far. */
struct stack_search {
        uintptr_t function;
        int n;
};

static _Unwind_Reason_Code
stack_on_frame(struct _Unwind_Context *frame, void *arg)
{
        struct stack_search *search = arg;

        if (_Unwind_GetRegionStart(frame) == search->function)
                search->n++;
        return _URC_NO_REASON;
}

int
pipit__stack_count(uintptr_t function)
{
        struct stack_search search = {.function = function};

        _Unwind_Backtrace(stack_on_frame, &search);
        return search.n;
}
