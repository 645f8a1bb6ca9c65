/* What a server says to three requests in a pipeline, on a session that is set up. */
#include "fuzz.h"
#include "link.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        link_try(data, size, true);
        return 0;
}
