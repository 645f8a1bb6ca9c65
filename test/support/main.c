#include "runner.h"

int
main(void)
{
        return run_tests();
}
