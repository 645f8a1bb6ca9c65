/*
 * A run. See run.h.
 *
 * Each step is an action that the schedule chooses. When it ends, the faults do, and then all that
 * is out must come to its end by itself, the database must work, and nothing must be left behind
 * once it is closed.
 */
#include "run.h"

#include <stddef.h>

#include "choose.h"
#include "client.h"
#include "ledger.h"
#include "model.h"
#include "world.h"

#define HOUR_MS    3600000
#define MAX_ROUNDS 1000

struct run_figures run_figures;

static void
turn(void)
{
        world_turn();
        ledger_check_quiet(client_generation());
        client_check();
}

/* Client and server go on until both have nothing to do. */
static void
settle(void)
{
        int rounds = 0;

        do {
                turn();
                if (++rounds > MAX_ROUNDS)
                        broken("client and server never come to rest");
        } while (model_work());
}

static struct session *
choose_session(void)
{
        model_read();
        int n = model_count();
        return n > 0 ? model_session((int)choose((unsigned)n)) : NULL;
}

static void
act_turn_once(void)
{
        world_turn_once();
}

static void
act_work(void)
{
        model_work();
}

static void
act_step(void)
{
        struct session *session = choose_session();

        for (unsigned n = 1 + choose(8); n > 0 && session != NULL; n--) {
                if (!session_step(session))
                        break;
        }
}

static void
act_deliver(void)
{
        struct session *session = choose_session();

        if (session != NULL)
                session_deliver(session, may(MAY_SLICE) ? 1 + choose(64) : SIZE_MAX);
}

static void
act_deliver_messages(void)
{
        struct session *session = choose_session();

        for (unsigned n = 1 + choose(6); n > 0 && session != NULL; n--)
                session_deliver(session, session_next_message(session));
}

static void
act_trap(void)
{
        struct session *session = choose_session();
        enum trap trap = (enum trap)choose(TRAPS);

        if (session == NULL)
                return;
        trace("server: trap %d", (int)trap);
        ledger_disturb();
        session_set_trap(session, trap);
}

static void
act_talk(void)
{
        struct session *session = choose_session();
        unsigned kind = choose(3);

        if (session == NULL)
                return;
        trace("server: talk %u", kind);
        if (kind == 0)
                session_say_notice(session);
        else if (kind == 1)
                session_say_notification(session);
        else
                session_say_parameter(session, false);
}

static void
act_harm(void)
{
        struct session *session = choose_session();
        unsigned kind = choose(2);

        if (session == NULL)
                return;
        trace("server: harm %u", kind);
        ledger_disturb();
        if (kind == 0)
                session_say_fatal(session);
        else
                session_say_parameter(session, true);
}

static void
act_cut(void)
{
        struct session *session = choose_session();

        if (session == NULL)
                return;
        ledger_disturb();
        session_cut(session, false);
}

static void
act_reset(void)
{
        int n = model_count();

        if (n == 0)
                return;
        ledger_disturb();
        session_cut(model_session((int)choose((unsigned)n)), true);
}

static void
act_stall(void)
{
        struct session *session = choose_session();
        bool on = choose(3) != 0;

        if (session == NULL)
                return;
        trace("server: stall %d", on);
        ledger_disturb();
        session_stall(session, on);
}

static void
act_forget(void)
{
        struct session *session = choose_session();

        if (session == NULL)
                return;
        trace("server: forgets what was prepared");
        session_forget(session);
}

static void
act_refuse(void)
{
        bool on = choose(2) != 0;

        trace("server: listens %d", on);
        ledger_disturb();
        model_listen(on);
}

static void
act_welcome(void)
{
        enum welcome welcome = (enum welcome)choose(WELCOMES);

        trace("server: welcome %d", (int)welcome);
        ledger_disturb();
        model_set_welcome(welcome);
}

static void
act_time(void)
{
        static const int64_t steps[] = {1, 10, 100, 5000, HOUR_MS};
        unsigned i = choose(10);

        ledger.time_moved = true;
        if (i >= 5)
                world_advance_to_timer();
        else
                world_advance(steps[i]);
}

static void
act_fail_memory(void)
{
        unsigned n = choose(24);
        bool sticky = choose(4) == 3;

        trace("memory: fails after %u, sticky %d", n, sticky);
        ledger_disturb();
        world_fail_memory((int)n, sticky);
}

static void
act_fail_event(void)
{
        trace("events: one fails");
        ledger_disturb();
        world_fail_event((int)choose(6));
}

struct action {
        void (*fn)(void);
        enum feature feature; /* FEATURES: always */
};

static const struct action actions[] = {
        {turn, FEATURES},
        {client_submit_many, FEATURES},
        {client_submit_many, FEATURES},
        {client_submit, FEATURES},
        {act_work, FEATURES},
        {act_work, FEATURES},
        {settle, FEATURES},
        {settle, FEATURES},
        {act_turn_once, FEATURES},
        {act_step, FEATURES},
        {act_step, FEATURES},
        {act_deliver, FEATURES},
        {act_deliver_messages, FEATURES},
        {client_open, FEATURES},
        {client_then, FEATURES},
        {client_cancel, MAY_CANCEL},
        {client_cancel, MAY_CANCEL},
        {client_set_timeout, MAY_TIMEOUT},
        {client_drain, MAY_DRAIN},
        {client_close, MAY_CLOSE},
        {act_trap, MAY_TRAP},
        {act_trap, MAY_TRAP},
        {act_talk, MAY_TALK},
        {act_harm, MAY_HARM},
        {act_cut, MAY_CUT},
        {act_reset, MAY_RESET},
        {act_stall, MAY_STALL},
        {act_forget, MAY_FORGET},
        {act_refuse, MAY_REFUSE},
        {act_welcome, MAY_WELCOME},
        {act_time, MAY_MOVE_TIME},
        {act_time, MAY_MOVE_TIME},
        {act_fail_memory, MAY_FAIL_MEMORY},
        {act_fail_event, MAY_FAIL_EVENT},
};

static void
step(void)
{
        const struct action *action = &actions[choose(sizeof actions / sizeof actions[0])];

        if (action->feature != FEATURES && !may(action->feature))
                action = &actions[0];
        action->fn();
        if (may(MUST_WORK) && may(MUST_TURN))
                settle();
        else if (may(MUST_TURN))
                turn();
}

static bool
something_is_out(void)
{
        for (int i = 0; i < ledger.n; i++) {
                if (op_is_out(&ledger.ops[i]))
                        return true;
        }
        return false;
}

/* Goes on, over timers as well, until nothing is out. */
static void
wait_for_all(const char *when)
{
        settle();
        for (int rounds = 0; something_is_out(); rounds++) {
                if (rounds == MAX_ROUNDS || !world_advance_to_timer())
                        broken("I1: something is still out %s", when);
                settle();
        }
}

/* All is well again, and so must the database be. */
static void
expect_service(void)
{
        struct op *ops[2];

        if (!client_is_open())
                return;
        /* Behind the longest pause between two attempts to connect. */
        world_advance(6000);
        settle();
        for (int i = 0; i < 2; i++)
                ops[i] = client_submit_read();
        wait_for_all("in a healthy world");
        for (int i = 0; i < 2; i++) {
                if (ops[i] != NULL && ops[i]->code != PIPIT_OK)
                        broken("I9: op %d of a healthy world failed with %s", ops[i]->number,
                               pipit_code_name(ops[i]->code));
        }
}

static void
finish(void)
{
        world_heal();
        model_heal();
        trace("all is healed");
        ledger.time_moved = true;
        ledger.healed_ms = world.now_ms;
        wait_for_all("after all is healed");
        expect_service();
        client_close();
        settle();
        if (model_count() != 0)
                broken("I11: %d sessions are left behind", model_count());
        ledger_check_end();
        world_end();
        model_end();
}

uint64_t
run_schedule(void)
{
        world_start();
        ledger_clear();
        model_start();
        client_start();
        client_open();
        run_figures.actions = 0;
        while (!choices_are_over()) {
                step();
                run_figures.actions++;
        }
        finish();
        run_figures.requests = (unsigned)ledger.n;
        return world.digest;
}
