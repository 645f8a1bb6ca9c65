/*
 * The rule of a get or a create is looked up, and built at the first use. See record_coalesce.h.
 *
 * Invariant: the rules are looked at only after the scope is known to be this thread's.
 */
#include "record/record_coalesce.h"

#include <stddef.h>
#include <stdint.h>

#include "pool/coalesce_rule.h"
#include "scope/scope.h"
#include "sql/dml.h"
#include "sql/expr.h"
#include "sql/model.h"
#include "sql/select.h"
#include "sql/sql.h"

/* A rule is known by an address, which is only compared, and the fields that are given. */
static struct coalesce_id
rule_id(const void *what, uint64_t given)
{
        return (struct coalesce_id){.what = (uintptr_t)what, .given = given};
}

/* Adds a rule with the texts that were built, and frees the builders; NULL if memory ran out, or a
 * text could not be built. */
static struct coalesce_rule *
rule_add(struct coalesce_rules *rules, struct coalesce_id id, struct coalesce_plan *plan,
         struct sql *one, struct sql *many)
{
        struct coalesce_rule *rule = NULL;

        if (pipit__sql_error(one) == 0 && pipit__sql_error(many) == 0) {
                plan->one = pipit__sql_text(one);
                plan->many = pipit__sql_text(many);
                rule = pipit__coalesce_rules_add(rules, id, plan);
        }
        pipit__sql_fini(one);
        pipit__sql_fini(many);
        return rule;
}

/* ---- gets */

/* Whether a field of that type can be looked up by a value of that kind, and how keys are compared
 * then. */
static bool
field_is_key(const struct pipit_field *field, const struct pipit_value *value,
             enum coalesce_key *ret_key)
{
        bool is_text = field->type == PIPIT_TYPE_varchar || field->type == PIPIT_TYPE_text;
        bool is_int = field->type == PIPIT_TYPE_smallint || field->type == PIPIT_TYPE_integer ||
                      field->type == PIPIT_TYPE_bigint || field->type == PIPIT_TYPE_serial ||
                      field->type == PIPIT_TYPE_bigserial;

        *ret_key = is_text ? COALESCE_TEXT : COALESCE_INT;
        return (is_text && value->kind == PIPIT_KIND_TEXT) ||
               (is_int && value->kind == PIPIT_KIND_INT);
}

/* Builds the SELECT of rows whose field fulfils a condition, which follows its name. */
static void
get_sql(const struct pipit_field *field, const char *condition, struct sql *sql)
{
        pipit__sql_init(sql);
        pipit__select_sql(field->model, NULL, sql);
        pipit__sql_raw(sql, " WHERE ");
        pipit__field_sql(field, sql);
        pipit__sql_raw(sql, condition);
}

static struct coalesce_rule *
get_rule_add(struct coalesce_rules *rules, const struct pipit_field *field, enum coalesce_key key)
{
        struct sql one;
        struct sql many;
        struct coalesce_plan plan = {.key = key,
                                     .column = (int)(field - field->model->fields),
                                     .n_columns = field->model->n_fields,
                                     .n_params = 1};

        get_sql(field, " = $1 LIMIT 1", &one);
        get_sql(field, " = ANY($1)", &many);
        return rule_add(rules, rule_id(field, 0), &plan, &one, &many);
}

struct coalesce_rule *
pipit__record_coalesce_get(struct pipit *scope, const struct pipit_model *model,
                           const struct pipit_expr *where, const struct pipit_value **ret_key)
{
        const struct pipit_field *field = NULL;
        enum coalesce_key key;

        if (!pipit__expr_is_equality(where, &field, ret_key) || model == NULL ||
            field->model != model || !pipit__scope_is_mine(scope) ||
            !pipit__field_is_unique(field) || !field_is_key(field, *ret_key, &key))
                return NULL;
        struct coalesce_rules *rules = pipit__scope_coalesce_rules(scope);
        struct coalesce_rule *rule = pipit__coalesce_rules_find(rules, rule_id(field, 0));
        if (rule != NULL || !pipit__coalesce_rules_has_room(rules))
                return rule;
        return get_rule_add(rules, field, key);
}

/* ---- creates */

/* Lists the types of the fields that are given, in their order; returns how many there are. */
static int
given_types(const struct pipit_model *model, uint64_t given, uint32_t *ret_types)
{
        int n = 0;

        for (int i = 0; i < model->n_fields; i++) {
                if (given >> i & 1)
                        ret_types[n++] = pipit__field_oid(&model->fields[i]);
        }
        return n;
}

static struct coalesce_rule *
create_rule_add(struct coalesce_rules *rules, const struct pipit_model *model, const void *row,
                uint64_t given)
{
        struct sql one;
        struct sql many;
        uint32_t types[COALESCE_MAX_PARAMS];
        struct coalesce_plan plan = {.key = COALESCE_ORDINAL,
                                     .column = model->n_fields,
                                     .n_columns = model->n_fields,
                                     .n_params = given_types(model, given, types),
                                     .types = types};

        pipit__sql_init(&one);
        pipit__sql_init(&many);
        pipit__dml_insert(model, row, &one);
        pipit__dml_insert_many(model, given, &many);
        return rule_add(rules, rule_id(model, given), &plan, &one, &many);
}

struct coalesce_rule *
pipit__record_coalesce_create(struct pipit *scope, const struct pipit_model *model, const void *row)
{
        if (model == NULL || row == NULL || model->n_fields > COALESCE_MAX_PARAMS ||
            !pipit__scope_is_mine(scope) || !pipit__scope_groups_writes(scope))
                return NULL;
        struct coalesce_rules *rules = pipit__scope_coalesce_rules(scope);
        uint64_t given = pipit__dml_given(model, row);
        struct coalesce_rule *rule = pipit__coalesce_rules_find(rules, rule_id(model, given));
        if (rule != NULL || !pipit__coalesce_rules_has_room(rules) ||
            !pipit__dml_can_group(model, given))
                return rule;
        return create_rule_add(rules, model, row, given);
}
