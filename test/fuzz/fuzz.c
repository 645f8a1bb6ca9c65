#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_must(bool holds, const char *condition, const char *file, int line)
{
        if (holds)
                return;
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
        abort();
}

char *
fuzz_text(const uint8_t *data, size_t size)
{
        char *text = malloc(size + 1);

        MUST(text != NULL);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        return text;
}

/* The code point at *at, which moves on; -1 for what is none. Written apart from the library's. */
static int32_t
code_point_read(const char **at)
{
        static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        unsigned char first = (unsigned char)*(*at)++;
        int n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        int32_t point = n == 1 ? first : n == 2 ? first & 0x1f : n == 3 ? first & 0x0f : first & 7;

        if (n == 0 || first > 0xf7)
                return -1;
        for (int i = 1; i < n; i++) {
                if ((**at & 0xc0) != 0x80)
                        return -1;
                point = point * 64 + (*(*at)++ & 0x3f);
        }
        bool surrogate = point >= 0xd800 && point <= 0xdfff;
        return point < least[n] || point > 0x10ffff || surrogate ? -1 : point;
}

bool
fuzz_is_clean(const char *text)
{
        while (*text != '\0') {
                int32_t point = code_point_read(&text);
                if (point < 0x20 || (point >= 0x7f && point < 0xa0))
                        return false;
        }
        return true;
}
