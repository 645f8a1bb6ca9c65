/*
 * A network address in binary form is its family, how many of its bits count, and its bytes. See
 * binary_inet.h.
 */
#include "value/binary_inet.h"

#include <stdio.h>

enum { FAMILY_4 = 2, FAMILY_6 = 3, N_WORDS = 8, PART_SIZE = 32 };

static void
inet_write_four(struct buf *out, const uint8_t *bytes)
{
        char text[PART_SIZE];

        snprintf(text, sizeof text, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
        pipit__buf_add_text(out, text);
}

/* Finds the longest run of at least two zero words, the first of several. Returns its length, or 0.
 */
static int
inet_find_zeros(const uint16_t words[N_WORDS], int *ret_start)
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

/* Whether the last four bytes are written as an IPv4 address, given the run of zeros. */
static bool
inet_six_holds_four(const uint16_t words[N_WORDS], int start, int n_zeros)
{
        return start == 0 && (n_zeros == 6 || (n_zeros == 5 && words[5] == 0xffff));
}

static void
inet_write_six(struct buf *out, const uint8_t *bytes)
{
        uint16_t words[N_WORDS];
        char text[PART_SIZE];
        int start = 0;

        for (int i = 0; i < N_WORDS; i++)
                words[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
        int n_zeros = inet_find_zeros(words, &start);
        for (int i = 0; i < N_WORDS; i++) {
                if (n_zeros > 0 && i == start) {
                        pipit__buf_add_text(out, i + n_zeros == N_WORDS ? "::" : ":");
                        i += n_zeros - 1;
                        continue;
                }
                if (i > 0)
                        pipit__buf_add_char(out, ':');
                if (i == 6 && inet_six_holds_four(words, start, n_zeros)) {
                        inet_write_four(out, bytes + 12);
                        return;
                }
                snprintf(text, sizeof text, "%x", words[i]);
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

        if (bytes == NULL || (family != FAMILY_4 && family != FAMILY_6) ||
            length != (family == FAMILY_4 ? 4 : 16) || bits > length * 8) {
                reader_fail(in);
                return;
        }
        if (family == FAMILY_4)
                inet_write_four(out, bytes);
        else
                inet_write_six(out, bytes);
        if (!is_cidr && bits == length * 8)
                return;
        snprintf(text, sizeof text, "/%d", bits);
        pipit__buf_add_text(out, text);
}

static void
inet_write_macaddr(struct reader *in, struct buf *out, int n)
{
        char text[PART_SIZE];

        for (int i = 0; i < n; i++) {
                snprintf(text, sizeof text, i > 0 ? ":%02x" : "%02x", reader_u8(in));
                pipit__buf_add_text(out, text);
        }
}

void
pipit__binary_write_macaddr(struct reader *in, struct buf *out)
{
        inet_write_macaddr(in, out, 6);
}

void
pipit__binary_write_macaddr8(struct reader *in, struct buf *out)
{
        inet_write_macaddr(in, out, 8);
}
