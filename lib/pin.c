/*
 * Pins. See pin.h.
 */
#include "pin.h"
#include "conn.h"
#include "conn_send.h"
#include "dispatch.h"
#include "reactor.h"
#include "request.h"

#include <assert.h>
#include <pipit/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What a level can need between two segments: the end of its savepoint in two statements and that
 * of a guard in it, BEGIN or SAVEPOINT with a setting, and a guard's. */
#define CONTROLS_PER_LEVEL 7

void
pipit__pins_init(struct pins *pins, struct reactor *reactor, struct dispatch *dispatch,
                 int max_burst)
{
        *pins = (struct pins){.reactor = reactor,
                              .dispatch = dispatch,
                              .max_burst = max_burst,
                              .jitter = (unsigned)(uintptr_t)pins};
        list_init(&pins->ready);
}

struct pin *
pipit__pin_new(struct pins *pins)
{
        struct pin *pin = calloc(1, sizeof *pin);

        if (pin == NULL)
                return NULL;
        pin->pins = pins;
        list_init(&pin->link);
        return pin;
}

void
pipit__pin_free(struct pin *pin)
{
        if (pin == NULL)
                return;
        list_remove(&pin->link);
        pipit__timer_free(pin->pause);
        free(pin->controls);
        free(pin->texts);
        free(pin);
}

void
pipit__pin_schedule(struct pin *pin)
{
        if (!list_linked(&pin->link))
                list_push_back(&pin->pins->ready, &pin->link);
        pipit__reactor_schedule(pin->pins->reactor);
}

int
pipit__pin_reserve(struct pin *pin, int levels)
{
        int capacity = (levels + 1) * CONTROLS_PER_LEVEL;

        if (capacity <= pin->capacity)
                return 0;
        char(*controls)[PIN_CONTROL_SIZE] =
                reallocarray(pin->controls, (size_t)capacity, sizeof *controls);
        if (controls == NULL)
                return PIPIT_ENOMEM;
        pin->controls = controls;
        const char **texts = reallocarray(pin->texts, (size_t)capacity, sizeof *texts);
        if (texts == NULL)
                return PIPIT_ENOMEM;
        pin->texts = texts;
        pin->capacity = capacity;
        return 0;
}

void
pipit__pin_control(struct pin *pin, const char *format, ...)
{
        va_list args;

        assert(pin->n_controls < pin->capacity);
        va_start(args, format);
        vsnprintf(pin->controls[pin->n_controls++], PIN_CONTROL_SIZE, format, args);
        va_end(args);
}

void
pipit__pin_begin(struct pin *pin, const struct pipit_transaction *options,
                 int64_t statement_timeout_ms)
{
        static const char *const levels[] = {"", " ISOLATION LEVEL READ COMMITTED",
                                             " ISOLATION LEVEL REPEATABLE READ",
                                             " ISOLATION LEVEL SERIALIZABLE"};

        pipit__pin_control(pin, "BEGIN%s%s%s", levels[options->isolation],
                           options->read_only ? " READ ONLY" : "",
                           options->deferrable ? " DEFERRABLE" : "");
        if (statement_timeout_ms > 0)
                pipit__pin_control(pin, "SET LOCAL statement_timeout = %lld",
                                   (long long)statement_timeout_ms);
}

void
pipit__pin_end_savepoint(struct pin *pin, int level, bool rollback)
{
        if (rollback)
                pipit__pin_control(pin, "ROLLBACK TO SAVEPOINT pipit_%d", level);
        pipit__pin_control(pin, "RELEASE SAVEPOINT pipit_%d", level);
}

bool
pipit__pin_is_busy(const struct pin *pin)
{
        return pin->conn != NULL && pin->conn->state != CONN_LEASED;
}

void
pipit__pin_send(struct pin *pin, struct list *requests, struct request *commit)
{
        struct conn *conn = pin->conn;

        for (int i = 0; i < pin->n_controls; i++)
                pin->texts[i] = pin->controls[i];
        struct bracket bracket = {
                .controls = pin->texts, .n_controls = pin->n_controls, .commit = commit};
        pin->n_controls = 0;
        if (pipit__conn_send_bracket(conn, requests, &bracket) == 0)
                pipit__conn_flush(conn);
}

void
pipit__pin_send_singles(struct pin *pin, struct list *requests)
{
        struct conn *conn = pin->conn;
        struct list one;

        list_init(&one);
        while (!list_empty(requests)) {
                list_push_back(&one, list_pop_first(requests));
                if (pipit__conn_send(conn, SEGMENT_SESSION, &one) != 0) {
                        list_splice(&one, requests);
                        list_splice(requests, &one);
                        return;
                }
        }
        pipit__conn_flush(conn);
}
