/*
 * A geometric value in binary form is double precision numbers, and how many points there are. See
 * binary_geometry.h.
 */
#include "value/binary_geometry.h"

#include "value/binary_scalar.h"

enum { POINT_SIZE = 16 };

void
pipit__binary_write_point(struct reader *in, struct buf *out)
{
        pipit__buf_add_char(out, '(');
        pipit__binary_write_float8(in, out);
        pipit__buf_add_char(out, ',');
        pipit__binary_write_float8(in, out);
        pipit__buf_add_char(out, ')');
}

static void
geometry_write_points(struct reader *in, struct buf *out, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        pipit__buf_add_char(out, ',');
                pipit__binary_write_point(in, out);
        }
}

/* Reads how many points follow; the reader fails if there are not so many. */
static size_t
geometry_count_points(struct reader *in)
{
        uint32_t n = reader_u32(in);

        if (n <= reader_left(in) / POINT_SIZE)
                return n;
        reader_fail(in);
        return 0;
}

void
pipit__binary_write_lseg(struct reader *in, struct buf *out)
{
        pipit__buf_add_char(out, '[');
        geometry_write_points(in, out, 2);
        pipit__buf_add_char(out, ']');
}

void
pipit__binary_write_path(struct reader *in, struct buf *out)
{
        bool closed = reader_u8(in) != 0;

        pipit__buf_add_char(out, closed ? '(' : '[');
        geometry_write_points(in, out, geometry_count_points(in));
        pipit__buf_add_char(out, closed ? ')' : ']');
}

void
pipit__binary_write_box(struct reader *in, struct buf *out)
{
        geometry_write_points(in, out, 2);
}

void
pipit__binary_write_polygon(struct reader *in, struct buf *out)
{
        pipit__buf_add_char(out, '(');
        geometry_write_points(in, out, geometry_count_points(in));
        pipit__buf_add_char(out, ')');
}

void
pipit__binary_write_line(struct reader *in, struct buf *out)
{
        for (int i = 0; i < 3; i++) {
                pipit__buf_add_char(out, i == 0 ? '{' : ',');
                pipit__binary_write_float8(in, out);
        }
        pipit__buf_add_char(out, '}');
}

void
pipit__binary_write_circle(struct reader *in, struct buf *out)
{
        pipit__buf_add_char(out, '<');
        pipit__binary_write_point(in, out);
        pipit__buf_add_char(out, ',');
        pipit__binary_write_float8(in, out);
        pipit__buf_add_char(out, '>');
}
