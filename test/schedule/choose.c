/*
 * Choices. See choose.h.
 */
#include "choose.h"

static struct {
        const uint8_t *bytes; /* NULL: a seed's */
        size_t n;
        uint64_t state;
        struct taken *taken;
} source;

/* splitmix64: each seed starts a sequence of its own. */
static uint8_t
next_of_seed(void)
{
        source.state += 0x9e3779b97f4a7c15u;
        uint64_t z = source.state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return (uint8_t)((z ^ (z >> 31)) >> 32);
}

void
choose_from_bytes(const uint8_t *bytes, size_t n, struct taken *taken)
{
        static const uint8_t none;

        source.bytes = bytes != NULL ? bytes : &none;
        source.n = n < SCHEDULE_MAX ? n : SCHEDULE_MAX;
        source.taken = taken;
        taken->n = 0;
}

void
choose_from_seed(uint64_t seed, struct taken *taken)
{
        source.bytes = NULL;
        source.state = seed;
        /* Most runs are short, and a few are long. */
        source.n = (size_t)16 << next_of_seed() % 4;
        source.n += next_of_seed() % 64;
        source.taken = taken;
        taken->n = 0;
}

bool
choices_are_over(void)
{
        return source.taken->n >= source.n;
}

unsigned
choose(unsigned n)
{
        struct taken *taken = source.taken;

        if (n < 2 || choices_are_over())
                return 0;
        uint8_t byte = source.bytes != NULL ? source.bytes[taken->n] : next_of_seed();
        taken->bytes[taken->n++] = byte;
        return byte % n;
}
