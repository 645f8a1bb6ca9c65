/*
 * The schedules as a target of libFuzzer: the bytes are the schedule.
 */
#include "choose.h"
#include "run.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        static struct taken taken;

        choose_from_bytes(bytes, n, &taken);
        run_schedule();
        return 0;
}
