/*
 * A SELECT is written clause by clause. See select.h.
 */
#include "sql/select.h"

#include <pipit/error.h>

#include "base/reserved.h"
#include "sql/expr.h"
#include "sql/model.h"

/* Appends a clause with a number, or nothing if that is 0. */
static void
select_number(const char *clause, int64_t number, struct sql *sql)
{
        if (number < 0)
                pipit__sql_fail(sql, PIPIT_EINVAL, "%s is negative", clause);
        if (number <= 0)
                return;
        pipit__sql_raw(sql, " ");
        pipit__sql_raw(sql, clause);
        pipit__sql_raw(sql, " ");
        pipit__sql_number(sql, number);
}

void
pipit__select_sql(const struct pipit_model *model, const struct pipit_select *select,
                  struct sql *sql)
{
        pipit__sql_raw(sql, "SELECT ");
        pipit__model_columns_sql(model, sql);
        pipit__sql_raw(sql, " FROM ");
        pipit__model_sql(model, sql);
        if (select == NULL)
                return;
        if (!reserved_is_empty(select->reserved))
                pipit__sql_fail(sql, PIPIT_EINVAL,
                                "the reserved members of a select " RESERVED_PROBLEM);
        if (select->where != NULL) {
                pipit__sql_raw(sql, " WHERE ");
                pipit__expr_sql(select->where, model, sql);
        }
        if (select->order_by.n != 0) {
                pipit__sql_raw(sql, " ORDER BY ");
                pipit__orders_sql(select->order_by, model, sql);
        }
        select_number("LIMIT", select->limit, sql);
        select_number("OFFSET", select->offset, sql);
}
