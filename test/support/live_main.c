/*
 * main() of the live programs: without a server they skip themselves.
 */
#include <stdio.h>
#include <stdlib.h>

#include "live.h"

int
main(void)
{
        if (live_url() == NULL) {
                puts("1..0 # SKIP no PIPIT_TEST_URL: sh test/run.sh starts a server");
                return EXIT_SUCCESS;
        }
        return run_tests();
}
