/*
 * Pins. See pin.h.
 */
#include "scope/pin.h"

#include <assert.h>
#include <pipit/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/conn_send.h"
#include "loop/reactor.h"
#include "pool/dispatch.h"
#include "request/request.h"

void
pipit__pins_init(struct pins *pins, struct reactor *reactor, struct dispatch *dispatch,
                 int max_batch)
{
        *pins = (struct pins){.reactor = reactor,
                              .dispatch = dispatch,
                              .max_batch = max_batch,
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
        pin->controls = pin->first_controls;
        pin->room = pin->first_room;
        pin->capacity = PIN_FIRST_CONTROLS;
        return pin;
}

void
pipit__pin_free(struct pin *pin)
{
        if (pin == NULL)
                return;
        list_remove(&pin->link);
        pipit__timer_free(pin->pause);
        if (pin->controls != pin->first_controls)
                free(pin->controls);
        if (pin->room != pin->first_room)
                free(pin->room);
        free(pin);
}

void
pipit__pin_schedule(struct pin *pin)
{
        if (!list_linked(&pin->link))
                list_push_back(&pin->pins->ready, &pin->link);
        pipit__reactor_schedule(pin->pins->reactor);
}

/* An array with room for more, of which the first one was not allocated. NULL: without memory. */
static void *
pin_grow(void *array, const void *first, size_t size, int n, int capacity)
{
        void *grown = reallocarray(array == first ? NULL : array, (size_t)capacity, size);

        if (grown != NULL && array == first && n > 0)
                memcpy(grown, first, (size_t)n * size);
        return grown;
}

int
pipit__pin_reserve(struct pin *pin, int levels)
{
        int capacity = (levels + 1) * PIN_FIRST_CONTROLS;

        if (capacity <= pin->capacity)
                return 0;
        char(*room)[PIN_CONTROL_SIZE] =
                pin_grow(pin->room, pin->first_room, sizeof *room, pin->n_controls, capacity);
        if (room == NULL)
                return PIPIT_ENOMEM;
        pin->room = room;
        const char **controls = pin_grow(pin->controls, pin->first_controls, sizeof *controls,
                                         pin->n_controls, capacity);
        if (controls == NULL)
                return PIPIT_ENOMEM;
        pin->controls = controls;
        pin->capacity = capacity;
        return 0;
}

/* One that lives as long as the program. */
static void
pin_control_constant(struct pin *pin, const char *text)
{
        assert(pin->n_controls < pin->capacity);
        pin->controls[pin->n_controls++] = text;
}

void
pipit__pin_control(struct pin *pin, const char *format, ...)
{
        va_list args;

        assert(pin->n_controls < pin->capacity);
        va_start(args, format);
        vsnprintf(pin->room[pin->n_controls], PIN_CONTROL_SIZE, format, args);
        va_end(args);
        pin->controls[pin->n_controls++] = NULL;
}

void
pipit__pin_begin(struct pin *pin, const struct pipit_transaction *options,
                 int64_t statement_timeout_ms)
{
        static const char *const levels[] = {"", " ISOLATION LEVEL READ COMMITTED",
                                             " ISOLATION LEVEL REPEATABLE READ",
                                             " ISOLATION LEVEL SERIALIZABLE"};

        if (options->isolation == PIPIT_ISOLATION_DEFAULT && !options->read_only &&
            !options->deferrable)
                pin_control_constant(pin, "BEGIN");
        else
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
pipit__pin_send(struct pin *pin, struct list *requests, struct request *commit, bool implicit)
{
        struct conn *conn = pin->conn;

        for (int i = 0; i < pin->n_controls; i++) {
                if (pin->controls[i] == NULL)
                        pin->controls[i] = pin->room[i];
        }
        struct bracket bracket = {.controls = pin->controls,
                                  .n_controls = pin->n_controls,
                                  .commit = commit,
                                  .implicit = implicit};
        pin->n_controls = 0;
        if (pipit__conn_send_bracket(conn, requests, &bracket) == 0)
                pipit__conn_flush(conn);
}

void
pipit__pin_roll_back(struct pin *pin)
{
        struct conn *conn = pin->conn;

        pin->rolls_back = pin->guard_failed = false;
        pin->n_controls = pin->guard = 0; /* its savepoints go with it */
        if (pipit__conn_send_own(conn, "ROLLBACK") != 0) {
                pipit__conn_break(conn, pipit__pq_message(conn->pq));
                return;
        }
        pipit__conn_enter(conn, CONN_BUSY, NULL);
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
