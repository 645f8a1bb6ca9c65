/*
 * Coalesced statements. See coalesce.h.
 */
#include "pool/coalesce.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "pool/batch.h"
#include "pool/coalesce_int.h"
#include "pool/coalesce_params.h"
#include "pool/coalesce_rule.h"
#include "pool/sent.h"
#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/stmt_cache.h"

static int
members_compare_number(const void *a, const void *b)
{
        int64_t left = ((const struct member *)a)->key.number;
        int64_t right = ((const struct member *)b)->key.number;

        return (left > right) - (left < right);
}

static int
members_compare_text(const void *a, const void *b)
{
        return strcmp(((const struct member *)a)->key.text, ((const struct member *)b)->key.text);
}

/* ---- members: how they are held */

static const char *
member_waits_for(const struct request *req)
{
        (void)req;
        return "the answer to the statement that it was coalesced into";
}

static void
member_leave(struct request *req)
{
        struct member *member = pipit__request_holder(req);

        member->req = NULL;
}

/* Stops the statement of a coalesced that has no member any more. */
static void
coalesced_end_unused(struct coalesced *coalesced)
{
        for (int i = 0; i < coalesced->n; i++) {
                if (coalesced->members[i].req != NULL)
                        return;
        }
        pipit__request_cancel(coalesced->shared, "all that it carries have ended");
}

static void
member_cancel(struct request *req, const char *reason)
{
        struct coalesced *coalesced = ((struct member *)pipit__request_holder(req))->coalesced;

        pipit__sent_cancel(req, reason);
        coalesced_end_unused(coalesced);
}

static void
member_expire(struct request *req)
{
        struct coalesced *coalesced = ((struct member *)pipit__request_holder(req))->coalesced;

        pipit__sent_expire(req, NULL);
        coalesced_end_unused(coalesced);
}

/* The shared request has the time of its most patient member. */
static void
member_reschedule(struct request *req)
{
        struct request *shared = ((struct member *)pipit__request_holder(req))->coalesced->shared;
        int64_t deadline_ms = pipit__request_deadline_ms(req);

        if (pipit__request_deadline_ms(shared) < deadline_ms)
                pipit__request_set_deadline(shared, deadline_ms);
}

static const struct holder_ops member_ops = {.waits_for = member_waits_for,
                                             .cancel = member_cancel,
                                             .expire = member_expire,
                                             .leave = member_leave,
                                             .reschedule = member_reschedule};

/* ---- the statement */

/* The text of a request's key. */
static const char *
request_key_text(const struct request *req)
{
        return pipit__request_bound(req)->params.values[0];
}

/* The bytes of a coalesced statement for those that join; its bound statement follows them. */
static size_t
coalesced_size(const struct coalesce_rule *rule)
{
        size_t size = sizeof(struct coalesced) + (size_t)rule->n_joining * sizeof(struct member);

        LIST_EACH(link, &rule->joining) {
                if (rule->plan.key == COALESCE_TEXT)
                        size += strlen(request_key_text(pipit__request_of(link))) + 1;
        }
        return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

/* Makes a request that runs one statement for all that join; NULL when memory ran out. */
static struct coalesced *
coalesced_new(struct coalesce_rule *rule, struct stmt *stmt, const struct coalesce_params *arrays)
{
        const struct request *first = pipit__request_first(&rule->joining);
        struct pq_params params = pipit__coalesce_params_params(arrays);
        struct request_traits traits = {.is_read = pipit__request_is_read(first),
                                        .is_grouped = pipit__request_is_grouped(first),
                                        .is_coalesced = true};
        size_t size = coalesced_size(rule);
        struct request *req =
                pipit__request_new_beside(first, size + pipit__bound_stmt_raw_size(&params));

        if (req == NULL)
                return NULL;
        char *block = pipit__request_block(req);
        struct coalesced *coalesced = (struct coalesced *)(void *)block;
        coalesced->shared = req;
        coalesced->rule = rule;
        coalesced->is_unclear = false;
        coalesced->n = 0;
        pipit__request_set_callback(req, pipit__coalesced_on_done, coalesced);
        pipit__request_set_stmt(req,
                                pipit__bound_stmt_write_raw(block + size, pipit__stmt_ref(stmt),
                                                            &params, &arrays->form),
                                &traits);
        return coalesced;
}

/* Makes the coalesced statement of those that join a rule; NULL when it cannot be had. */
static struct coalesced *
coalesced_start(struct coalesce_rule *rule)
{
        struct stmt *stmt = pipit__coalesce_rule_many(rule);
        struct coalesced *coalesced = NULL;
        struct coalesce_params arrays;

        if (stmt == NULL)
                return NULL;
        if (pipit__coalesce_params_write(&arrays, &rule->joining, stmt, rule->plan.n_params) == 0)
                coalesced = coalesced_new(rule, stmt, &arrays);
        pipit__coalesce_params_fini(&arrays);
        pipit__stmt_unref(stmt);
        return coalesced;
}

/* ---- the batch */

/* Makes a request the next member; *text is where the text of its key goes. */
static void
coalesced_add(struct coalesced *coalesced, struct request *req, char **text)
{
        enum coalesce_key sort = coalesced->rule->plan.key;
        struct member *member = &coalesced->members[coalesced->n++];

        *member = (struct member){.req = req, .coalesced = coalesced, .row = ROW_NONE};
        member->key.number = sort == COALESCE_ORDINAL ? coalesced->n : pipit__request_key(req);
        if (sort == COALESCE_TEXT) {
                member->key.text = *text;
                *text = stpcpy(*text, request_key_text(req)) + 1;
        }
}

/* All that wait to join become members; the shared request has the time of the most patient. */
static void
coalesced_join(struct coalesced *coalesced)
{
        struct coalesce_rule *rule = coalesced->rule;
        enum coalesce_key sort = rule->plan.key;
        char *text = (char *)(coalesced->members + rule->n_joining);
        int64_t deadline_ms = 0;

        LIST_EACH(link, &rule->joining) {
                struct request *req = pipit__request_of(link);
                coalesced_add(coalesced, req, &text);
                if (pipit__request_deadline_ms(req) > deadline_ms)
                        deadline_ms = pipit__request_deadline_ms(req);
        }
        if (sort != COALESCE_ORDINAL) /* ordinals are sorted already */
                qsort(coalesced->members, (size_t)coalesced->n, sizeof *coalesced->members,
                      sort == COALESCE_TEXT ? members_compare_text : members_compare_number);
        for (int i = 0; i < coalesced->n; i++)
                pipit__request_enter(coalesced->members[i].req, REQUEST_SENT, &member_ops,
                                     &coalesced->members[i]);
        pipit__request_set_deadline(coalesced->shared, deadline_ms);
}

/* Coalesces the requests that wait to join a rule, or lets them go on by themselves. */
static void
batch_pack(struct batch *batch, struct coalesce_rule *rule)
{
        struct coalesced *coalesced = rule->n_joining > 1 ? coalesced_start(rule) : NULL;

        if (coalesced != NULL) {
                coalesced_join(coalesced);
                batch->n -= rule->n_joining - 1;
                pipit__request_append(coalesced->shared, &batch->requests);
        } else {
                list_splice(&batch->requests, &rule->joining);
        }
        rule->n_joining = 0;
}

void
pipit__coalesce_pack(struct batch *batch)
{
        struct list all;
        struct list rules;

        if (batch->kind == SEGMENT_SINGLE || !batch->may_pack)
                return;
        list_init(&all);
        list_init(&rules);
        list_splice(&all, &batch->requests);
        while (!list_empty(&all)) {
                struct request *req = pipit__request_first(&all);
                struct coalesce_rule *rule = pipit__request_rule(req);
                bool joins = rule != NULL &&
                             pipit__coalesce_rule_may_join(rule, pipit__request_bound(req));
                pipit__request_append(req, joins ? &rule->joining : &batch->requests);
                if (joins && rule->n_joining++ == 0)
                        list_push_back(&rules, &rule->link);
        }
        while (!list_empty(&rules)) {
                struct list *link = list_pop_first(&rules);
                batch_pack(batch, container_of(link, struct coalesce_rule, link));
        }
        if (batch->n == 1)
                batch->kind = SEGMENT_SINGLE;
}
