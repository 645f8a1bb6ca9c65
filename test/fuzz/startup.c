/* What a server says from its first byte on: refusals, authentication, settings, garbage. */
#include "fuzz.h"
#include "link.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        link_try(data, size, false);
        return 0;
}
