#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "oom.h"
#include "runner.h"

START_TEST(memory_is_zeroed_and_aligned)
{
        struct pipit_arena *arena = pipit_arena_new();

        for (size_t size = 0; size < 3000; size += 7) {
                unsigned char *memory = pipit__arena_alloc(arena, size);

                ck_assert_ptr_nonnull(memory);
                ck_assert_uint_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
                unsigned sum = 0;
                for (size_t i = 0; i < size; i++)
                        sum += memory[i];
                ck_assert_uint_eq(sum, 0);
                memset(memory, 0xff, size);
        }
        pipit_arena_free(arena);
}
END_TEST

START_TEST(a_large_first_allocation_is_fine)
{
        struct pipit_arena *arena = pipit_arena_new();

        memset(pipit__arena_alloc(arena, 100000), 1, 100000);
        memset(pipit__arena_alloc(arena, 10), 1, 10);
        pipit_arena_free(arena);
}
END_TEST

START_TEST(a_copy_ends_with_a_nul)
{
        struct pipit_arena *arena = pipit_arena_new();

        ck_assert_str_eq(pipit__arena_copy(arena, "abcdef", 3), "abc");
        ck_assert_str_eq(pipit__arena_copy(arena, NULL, 0), "");
        pipit_arena_free(arena);
}
END_TEST

START_TEST(impossible_sizes_are_refused)
{
        struct pipit_arena *arena = pipit_arena_new();

        ck_assert_ptr_null(pipit__arena_alloc(arena, SIZE_MAX));
        ck_assert_ptr_null(pipit__arena_alloc(arena, SIZE_MAX - sizeof(max_align_t)));
        ck_assert_ptr_null(pipit__arena_array(arena, SIZE_MAX / 2, 4));
        ck_assert_ptr_null(pipit__arena_copy(arena, "", SIZE_MAX));
        pipit_arena_free(arena);
}
END_TEST

START_TEST(freeing_null_does_nothing)
{
        ck_assert_ptr_null(pipit_arena_free(NULL));
}
END_TEST

START_TEST(without_memory_an_arena_gives_null_and_stays_usable)
{
        for (int n = 0;; n++) {
                oom_after(n);
                struct pipit_arena *arena = pipit_arena_new();
                int failures = 0;
                for (int i = 0; arena && i < 100; i++)
                        failures += pipit__arena_alloc(arena, 100) ? 0 : 1;
                bool failed = oom_stop();
                ck_assert_int_eq(failures, failed && arena ? 1 : 0);
                pipit_arena_free(arena);
                if (!failed)
                        break;
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("arena");
        TCase *tcase = tcase_create("arena");

        tcase_add_test(tcase, memory_is_zeroed_and_aligned);
        tcase_add_test(tcase, a_large_first_allocation_is_fine);
        tcase_add_test(tcase, a_copy_ends_with_a_nul);
        tcase_add_test(tcase, impossible_sizes_are_refused);
        tcase_add_test(tcase, freeing_null_does_nothing);
        tcase_add_test(tcase, without_memory_an_arena_gives_null_and_stays_usable);
        suite_add_tcase(suite, tcase);
        return suite;
}
