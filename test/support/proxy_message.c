/*
 * Takes a stream of the PostgreSQL protocol apart. What makes no sense is bytes from then on.
 */
#include "proxy_part.h"

#define MAX_MESSAGE ((uint32_t)1 << 30)
#define CODE_CANCEL 80877102
#define CODE_SSL    80877103
#define CODE_GSSENC 80877104

static uint32_t
number(const unsigned char *at)
{
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool
unit_bytes(struct flow *flow, struct unit *unit)
{
        flow->phase = FLOW_BYTES;
        *unit = (struct unit){.length = evbuffer_get_length(flow->in)};
        return unit->length > 0;
}

static bool
unit_startup(struct flow *flow, struct unit *unit)
{
        unsigned char head[8];
        uint32_t code;

        if (evbuffer_copyout(flow->in, head, sizeof head) < (ev_ssize_t)sizeof head)
                return false;
        if (number(head) < sizeof head || number(head) > MAX_MESSAGE)
                return unit_bytes(flow, unit);
        code = number(head + 4);
        unit->length = number(head);
        unit->type = PROXY_TYPE_STARTUP;
        if (code == CODE_SSL || code == CODE_GSSENC)
                unit->type = PROXY_TYPE_SSL;
        else if (code == CODE_CANCEL)
                unit->type = PROXY_TYPE_CANCEL;
        return evbuffer_get_length(flow->in) >= unit->length;
}

static bool
unit_typed(struct flow *flow, struct unit *unit)
{
        unsigned char head[5];

        if (evbuffer_copyout(flow->in, head, sizeof head) < (ev_ssize_t)sizeof head)
                return false;
        if (number(head + 1) < 4 || number(head + 1) > MAX_MESSAGE)
                return unit_bytes(flow, unit);
        *unit = (struct unit){.type = head[0], .length = (size_t)number(head + 1) + 1};
        return evbuffer_get_length(flow->in) >= unit->length;
}

/* S and G agree to encryption, N refuses; anything else is an error message of the server. */
static bool
unit_answer(struct flow *flow, struct unit *unit)
{
        unsigned char answer;

        if (evbuffer_copyout(flow->in, &answer, 1) < 1)
                return false;
        if (answer == 'E')
                return unit_typed(flow, unit);
        *unit = (struct unit){.type = PROXY_TYPE_ANSWER, .length = 1};
        return true;
}

bool
unit_find(struct flow *flow, struct unit *unit)
{
        switch (flow->phase) {
        case FLOW_STARTUP: return unit_startup(flow, unit);
        case FLOW_MESSAGES:
                return flow->n_answers > 0 ? unit_answer(flow, unit) : unit_typed(flow, unit);
        case FLOW_BYTES: return unit_bytes(flow, unit);
        }
        return false;
}

static void
answer_passed(struct flow *flow, unsigned char answer)
{
        flow->n_answers--;
        if (answer != 'N') {
                flow->phase = FLOW_BYTES;
                flow->link->flows[PROXY_TO_SERVER].phase = FLOW_BYTES;
        }
}

void
unit_passed(struct flow *flow, const struct unit *unit, const unsigned char *body)
{
        struct link *link = flow->link;

        if (flow->phase == FLOW_STARTUP) {
                if (unit->type == PROXY_TYPE_SSL)
                        link->flows[PROXY_TO_CLIENT].n_answers++;
                else
                        flow->phase = FLOW_MESSAGES;
        } else if (flow->n_answers > 0 && unit->type == 'E') {
                flow->n_answers--;
        } else if (unit->type == PROXY_TYPE_ANSWER) {
                answer_passed(flow, body[0]);
        } else if (flow->side == PROXY_TO_CLIENT && unit->type == 'K' && unit->length >= 13) {
                link->backend = (pid_t)number(body + 5);
        }
}
