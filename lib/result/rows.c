/*
 * Rows are read where libpq has put them, in the result's pg. See rows.h.
 *
 * Always:
 * 1. A part shows rows of pg from `first` on: row numbers count from there, and this file alone
 *    adds the two. Column numbers are those of pg.
 * 2. Row and column are checked once, where they come in, and libpq is asked for what is there.
 *
 * No other file of the folder calls libpq. This one does, and not through pq.h, because each value
 * of each query is read here, and would cost a call more.
 */
#include "result/rows.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/buf.h"
#include "pq/pq.h"
#include "result/result.h"
#include "result/result_error.h"
#include "result/result_int.h"
#include "value/codec.h"
#include "value/decode.h"
#include "value/oid.h"

/* A made text is that of a value in binary form. */
struct made_text {
        const char *data; /* NULL until it is made */
        size_t length;
};

/* ---- filling */

void
pipit__rows_take(struct pipit_result *res, struct pg_result *answer, enum pipit_executed executed)
{
        if (res->pg != NULL || res->failed)
                pipit__result_reset(res);
        res->pg = answer;
        if (pipit__pq_kind(answer) == PQ_KIND_ERROR) {
                pipit__result_fail_by_answer(res, executed);
                return;
        }
        res->rows.n = PQntuples(answer);
        res->rows.n_columns = PQnfields(answer);
}

void
pipit__rows_set_rounded(struct pipit_result *res)
{
        res->is_rounded = true;
}

bool
pipit__rows_is_rounded(const struct pipit_item *item)
{
        return !item->binary && item->result->is_rounded &&
               (item->type == OID_FLOAT4 || item->type == OID_FLOAT8);
}

bool
pipit__rows_has_style(const struct pipit_item *item)
{
        return !item->binary && (item->type == OID_TIMESTAMP || item->type == OID_TIMESTAMPTZ ||
                                 item->type == OID_DATE);
}

void
pipit__rows_show(struct pipit_result *res, struct pipit_result *whole, const struct rows_part *part)
{
        pipit__result_reset(res);
        res->pg = whole->pg;
        res->rows.whole = pipit_result_ref(whole);
        res->rows.first = part->row >= 0 ? part->row : 0;
        res->rows.n = part->row >= 0;
        res->rows.n_columns = part->n_columns;
        res->rows.tag = part->tag;
}

/* ---- the whole */

/* Whether a result is a success with an answer, which may have no row. */
static bool
rows_are_there(const struct pipit_result *res)
{
        return res != NULL && !res->failed && res->pg != NULL;
}

int
pipit_result_rows(const struct pipit_result *res)
{
        return res != NULL && !res->failed ? res->rows.n : 0;
}

int
pipit_result_columns(const struct pipit_result *res)
{
        return res != NULL && !res->failed ? res->rows.n_columns : 0;
}

int64_t
pipit_result_affected(const struct pipit_result *res)
{
        int64_t n = 0;

        if (!rows_are_there(res))
                return 0;
        if (res->rows.whole != NULL)
                return res->rows.n;
        const char *text = PQcmdTuples(res->pg);
        return pipit__codec_read_int64(text, strlen(text), &n) == 0 ? n : 0;
}

const char *
pipit_result_tag(const struct pipit_result *res)
{
        if (!rows_are_there(res))
                return "";
        return res->rows.whole != NULL ? res->rows.tag : pipit__pq_tag(res->pg);
}

const char *
pipit_result_column_name(const struct pipit_result *res, int column)
{
        if (column < 0 || column >= pipit_result_columns(res))
                return NULL;
        return PQfname(res->pg, column);
}

int
pipit_column(const struct pipit_result *res, const char *name)
{
        int n = pipit_result_columns(res);

        for (int i = 0; name != NULL && i < n; i++) {
                if (strcmp(PQfname(res->pg, i), name) == 0)
                        return i;
        }
        return -1;
}

/* ---- values */

static inline bool
rows_have(const struct pipit_result *res, int row, int column)
{
        return res != NULL && !res->failed && row >= 0 && row < res->rows.n && column >= 0 &&
               column < res->rows.n_columns;
}

/* Returns the type and form of a column that is there. Columns whose numbers differ by
 * RESULT_COLUMNS share a place, which belongs to the one that was asked for last. */
static inline const struct column *
rows_known(const struct pipit_result *res, int column)
{
        struct pipit_result *self = (struct pipit_result *)(uintptr_t)res;
        struct column *known = &self->rows.columns[(unsigned)column % RESULT_COLUMNS];

        if (known->number != column + 1)
                *known = (struct column){.type = PQftype(res->pg, column),
                                         .number = (uint16_t)(column + 1),
                                         .binary = PQfformat(res->pg, column) == 1};
        return known;
}

void
pipit__rows_column(const struct pipit_result *res, int column, struct pipit_item *item)
{
        const struct column *known = rows_known(res, column);

        /* Members are set one by one: the item as a whole would be made twice, here and there. */
        item->result = (struct pipit_result *)(uintptr_t)res;
        item->type = known->type;
        item->binary = known->binary;
}

void
pipit__rows_cell(int row, int column, struct pipit_item *item)
{
        const PGresult *pg = item->result->pg;

        row += item->result->rows.first;
        item->length = (size_t)PQgetlength(pg, row, column);
        /* An empty value has a place in memory as any other; only NULL has none. */
        item->data = item->length == 0 && PQgetisnull(pg, row, column)
                             ? NULL
                             : PQgetvalue(pg, row, column);
}

bool
pipit__rows_item(const struct pipit_result *res, int row, int column, struct pipit_item *ret)
{
        if (!rows_have(res, row, column))
                return false;
        pipit__rows_column(res, column, ret);
        pipit__rows_cell(row, column, ret);
        return true;
}

const void *
pipit__rows_plain(const struct pipit_result *res, int row, int column, uint32_t type, size_t size)
{
        if (!rows_have(res, row, column))
                return NULL;
        const struct column *known = rows_known(res, column);
        if (known->type != type || !known->binary)
                return NULL;
        row += res->rows.first;
        return (size_t)PQgetlength(res->pg, row, column) == size ? PQgetvalue(res->pg, row, column)
                                                                 : NULL;
}

bool
pipit_result_null(const struct pipit_result *res, int row, int column)
{
        return !rows_have(res, row, column) || PQgetisnull(res->pg, res->rows.first + row, column);
}

/* ---- texts */

int
pipit__rows_add_text(struct pipit_result *res, const char *text, size_t length,
                     const char **ret_text)
{
        if (length > res->rows.text_bytes_left)
                return PIPIT_ELIMIT;
        char *copy = pipit__result_alloc(res, length + 1);
        if (copy == NULL)
                return PIPIT_ENOMEM;
        *ret_text = memcpy(copy, text, length);
        res->rows.text_bytes_left -= length;
        return 0;
}

int
pipit__rows_text(const struct pipit_item *item, const char **ret_text, size_t *ret_length)
{
        struct buf buf;
        const char *text = pipit__decode_inside(item, ret_length);

        if (text != NULL) {
                *ret_text = text;
                return 0;
        }
        pipit__buf_init(&buf);
        pipit__buf_limit(&buf, item->result->rows.text_bytes_left);
        int code = pipit__decode_text(item, &buf);
        if (code == 0)
                code = pipit__rows_add_text(item->result, pipit__buf_text(&buf), buf.length,
                                            ret_text);
        if (code == 0)
                *ret_length = buf.length;
        pipit__buf_fini(&buf);
        return code;
}

/* Returns the place where a made text is kept; NULL if memory ran out. */
static struct made_text *
rows_made_text(struct pipit_result *res, int row, int column)
{
        struct rows *rows = &res->rows;

        if (rows->texts == NULL)
                rows->texts =
                        pipit__result_alloc(res, (size_t)rows->n_columns * sizeof *rows->texts);
        if (rows->texts == NULL)
                return NULL;
        if (rows->texts[column] == NULL)
                rows->texts[column] =
                        pipit__result_alloc(res, (size_t)rows->n * sizeof **rows->texts);
        return rows->texts[column] != NULL ? &rows->texts[column][row] : NULL;
}

/* Returns the text of a value, which is made at most once; NULL as pipit_result_text() says. */
static const char *
rows_text_once(const struct pipit_result *res, int row, int column, size_t *ret_length)
{
        struct pipit_item item;

        if (!pipit__rows_item(res, row, column, &item) || item.data == NULL)
                return NULL;
        const char *text = pipit__decode_inside(&item, ret_length);
        if (text != NULL)
                return text;
        struct made_text *made = rows_made_text(item.result, row, column);
        if (made == NULL)
                return NULL;
        if (made->data == NULL && pipit__rows_text(&item, &made->data, &made->length) != 0)
                return NULL;
        *ret_length = made->length;
        return made->data;
}

const char *
pipit_result_text(const struct pipit_result *res, int row, int column)
{
        size_t length;

        return rows_text_once(res, row, column, &length);
}

size_t
pipit_result_length(const struct pipit_result *res, int row, int column)
{
        size_t length = 0;

        return rows_text_once(res, row, column, &length) != NULL ? length : 0;
}
