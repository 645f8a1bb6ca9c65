/*
 * What a statement of the ledger is. See ledger.h.
 */
#include <stdio.h>

#include "ledger.h"

static const char *const names[OP_KINDS] = {
        [OP_READ] = "read",
        [OP_WRITE] = "write",
        [OP_RETURNING] = "returning",
        [OP_EMPTY] = "empty",
        [OP_WIDE] = "wide",
        [OP_LONG] = "long",
        [OP_BAD] = "bad",
        [OP_FAILS] = "fails",
        [OP_DEFERRED] = "deferred",
        [OP_SETS] = "sets",
        [OP_COPIES_OUT] = "copies_out",
        [OP_COPIES_IN] = "copies_in",
        [OP_NUL] = "nul",
        [OP_DRAIN] = "drain",
        [OP_ATOMIC] = "atomic",
};

const char *
op_name(enum op_kind kind)
{
        return names[kind];
}

void
op_sql(const struct op *op, char *ret_sql, size_t size)
{
        snprintf(ret_sql, size, "op %s %d", op_name(op->kind), op->columns);
}

bool
op_may_share(const struct op *op)
{
        return op->is_read || op->is_grouped;
}

bool
op_writes(const struct op *op)
{
        return op->kind == OP_WRITE || op->kind == OP_RETURNING || op->kind == OP_LONG ||
               op->kind == OP_DEFERRED;
}

bool
op_keeps_order(const struct op *op)
{
        return !op_may_share(op) && op->n_prepared == 0 && op->atomic == NULL;
}

bool
op_has_run(const struct op *atomic)
{
        for (int i = atomic->first_part; i < ledger.n; i++) {
                if (ledger.ops[i].atomic == atomic && ledger.ops[i].session != 0)
                        return true;
        }
        return false;
}
