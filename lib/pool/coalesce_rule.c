/*
 * Rules. See coalesce_rule.h.
 */
#include "pool/coalesce_rule.h"

#include <stdlib.h>
#include <string.h>

#include "request/bound_stmt.h"
#include "request/stmt_cache.h"
#include "request/stmt_types.h"
#include "value/oid.h"

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION     HASH_FNV /* the default one falls through in a switch */
#include <uthash.h>

/* Beyond them statements run one by one: a program has so many fields, not so many sorts of rows.
 */
#define COALESCE_RULES_MAX 512

/* Failures in a row before it rests, and for how many uses it does. */
#define COALESCE_MAX_FAILURES 3
#define COALESCE_RESTS        1000

struct node {
        struct coalesce_rule rule;
        struct coalesce_id id;
        UT_hash_handle hh;
        uint32_t types[COALESCE_MAX_PARAMS];
        char texts[];
};

struct coalesce_rules {
        struct node *nodes;
        struct node *latest; /* that was found; most programs ask for the same again and again */
        struct stmt_cache *stmt_cache;
};

struct coalesce_rules *
pipit__coalesce_rules_new(struct stmt_cache *stmt_cache)
{
        struct coalesce_rules *rules = calloc(1, sizeof *rules);

        if (rules != NULL)
                rules->stmt_cache = stmt_cache;
        return rules;
}

void
pipit__coalesce_rules_free(struct coalesce_rules *rules)
{
        while (rules != NULL && rules->nodes != NULL) {
                struct node *node = rules->nodes;
                HASH_DEL(rules->nodes, node);
                free(node);
        }
        free(rules);
}

struct coalesce_rule *
pipit__coalesce_rules_find(struct coalesce_rules *rules, struct coalesce_id id)
{
        struct node *node = rules->latest;

        if (node != NULL && node->id.what == id.what && node->id.given == id.given)
                return &node->rule;
        HASH_FIND(hh, rules->nodes, &id, sizeof id, node);
        if (node != NULL)
                rules->latest = node;
        return node != NULL ? &node->rule : NULL;
}

bool
pipit__coalesce_rules_has_room(const struct coalesce_rules *rules)
{
        return HASH_COUNT(rules->nodes) < COALESCE_RULES_MAX;
}

static struct node *
node_new(struct stmt_cache *stmt_cache, struct coalesce_id id, const struct coalesce_plan *plan)
{
        size_t one = strlen(plan->one) + 1;
        size_t many = strlen(plan->many) + 1;
        struct node *node = calloc(1, sizeof *node + one + many);

        if (node == NULL)
                return NULL;
        node->id = id;
        node->rule = (struct coalesce_rule){.plan = *plan, .stmt_cache = stmt_cache};
        list_init(&node->rule.link);
        list_init(&node->rule.joining);
        node->rule.plan.one = memcpy(node->texts, plan->one, one);
        node->rule.plan.many = memcpy(node->texts + one, plan->many, many);
        if (plan->types != NULL)
                node->rule.plan.types = memcpy(node->types, plan->types,
                                               (size_t)plan->n_params * sizeof *plan->types);
        return node;
}

struct coalesce_rule *
pipit__coalesce_rules_add(struct coalesce_rules *rules, struct coalesce_id id,
                          const struct coalesce_plan *plan)
{
        struct node *node = node_new(rules->stmt_cache, id, plan);

        if (node == NULL)
                return NULL;
        HASH_ADD(hh, rules->nodes, id, sizeof node->id, node);
        if (node->hh.tbl == NULL) { /* uthash had no memory */
                free(node);
                return NULL;
        }
        return &node->rule;
}

/* The cache of statements may forget them meanwhile: they are not held, and found by where their
 * text is. */
struct stmt *
pipit__coalesce_rule_one(const struct coalesce_rule *rule)
{
        return pipit__stmt_cache_get(rule->stmt_cache, rule->plan.one);
}

struct stmt *
pipit__coalesce_rule_many(const struct coalesce_rule *rule)
{
        return pipit__stmt_cache_get(rule->stmt_cache, rule->plan.many);
}

/* Whether a value of the one type reads as the same for the other. */
static bool
types_are_alike(uint32_t a, uint32_t b)
{
        return a == b ||
               ((a == OID_TEXT || a == OID_VARCHAR) && (b == OID_TEXT || b == OID_VARCHAR));
}

/* The types of many are its text's; those of one are the table's: other types have other rules. A
 * value that does not fit goes out by itself, for the server to find the type. */
static bool
rule_suits(const struct coalesce_rule *rule, const struct bound_stmt *one)
{
        const struct coalesce_plan *plan = &rule->plan;

        if (plan->types == NULL || one->is_misfit)
                return !one->is_misfit;
        if (one->types == NULL || one->types != pipit__stmt_types(one->stmt, plan->n_params))
                return false;
        for (int i = 0; i < plan->n_params; i++) {
                if (!types_are_alike(one->types->params[i], plan->types[i]))
                        return false;
        }
        return true;
}

bool
pipit__coalesce_rule_may_join(struct coalesce_rule *rule, const struct bound_stmt *one)
{
        if (rule->rests > 0) {
                rule->rests--;
                return false;
        }
        return rule_suits(rule, one);
}

void
pipit__coalesce_rule_done(struct coalesce_rule *rule, bool failed)
{
        rule->n_failures = failed ? rule->n_failures + 1 : 0;
        if (rule->n_failures == COALESCE_MAX_FAILURES) {
                rule->n_failures = 0;
                rule->rests = COALESCE_RESTS;
        }
}
