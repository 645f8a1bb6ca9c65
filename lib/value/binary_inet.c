/*
 * Network addresses in binary form.
 */
#include "value/binary_inet.h"

#include <stdio.h>

enum { FAMILY_4 = 2, FAMILY_6 = 3, N_WORDS = 8, PART_SIZE = 32 };

static void
four_write(struct buf *out, const uint8_t *bytes)
{
        char text[PART_SIZE];

        snprintf(text, sizeof(text), "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
        pipit__buf_add_text(out, text);
}

/* The longest run of zero words, the first of several, with at least two; its length, or 0. */
static int
zeros_find(const uint16_t words[N_WORDS], int *ret_start)
{
        int best = 0;
        int length = 0;

        for (int i = 0; i < N_WORDS; i++) {
                length = words[i] == 0 ? length + 1 : 0;
                if (length > best) {
                        best = length;
                        *ret_start = i - length + 1;
                }
        }
        return best >= 2 ? best : 0;
}

/* Whether the last four bytes are written as an address of the other family. */
static bool
six_holds_four(const uint16_t words[N_WORDS], int start, int n_zeros)
{
        return start == 0 && (n_zeros == 6 || (n_zeros == 5 && words[5] == 0xffff));
}

static void
six_write(struct buf *out, const uint8_t *bytes)
{
        uint16_t words[N_WORDS];
        char text[PART_SIZE];
        int start = 0;

        for (int i = 0; i < N_WORDS; i++)
                words[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
        int n_zeros = zeros_find(words, &start);
        for (int i = 0; i < N_WORDS; i++) {
                if (n_zeros > 0 && i == start) {
                        pipit__buf_add_text(out, i + n_zeros == N_WORDS ? "::" : ":");
                        i += n_zeros - 1;
                        continue;
                }
                if (i > 0)
                        pipit__buf_add_char(out, ':');
                if (i == 6 && six_holds_four(words, start, n_zeros)) {
                        four_write(out, bytes + 12);
                        return;
                }
                snprintf(text, sizeof(text), "%x", words[i]);
                pipit__buf_add_text(out, text);
        }
}

void
pipit__binary_write_inet(struct reader *in, struct buf *out)
{
        char text[PART_SIZE];
        uint8_t family = reader_u8(in);
        uint8_t bits = reader_u8(in);
        bool is_cidr = reader_u8(in) != 0;
        uint8_t length = reader_u8(in);
        const uint8_t *bytes = reader_take(in, length);

        if (!bytes || (family != FAMILY_4 && family != FAMILY_6) ||
            length != (family == FAMILY_4 ? 4 : 16) || bits > length * 8) {
                reader_fail(in);
                return;
        }
        if (family == FAMILY_4)
                four_write(out, bytes);
        else
                six_write(out, bytes);
        if (!is_cidr && bits == length * 8)
                return;
        snprintf(text, sizeof(text), "/%d", bits);
        pipit__buf_add_text(out, text);
}

static void
macaddr_write(struct reader *in, struct buf *out, int n)
{
        char text[PART_SIZE];

        for (int i = 0; i < n; i++) {
                snprintf(text, sizeof(text), i > 0 ? ":%02x" : "%02x", reader_u8(in));
                pipit__buf_add_text(out, text);
        }
}

void
pipit__binary_write_macaddr(struct reader *in, struct buf *out)
{
        macaddr_write(in, out, 6);
}

void
pipit__binary_write_macaddr8(struct reader *in, struct buf *out)
{
        macaddr_write(in, out, 8);
}
