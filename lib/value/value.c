/*
 * A value is copied with the text or the bytes that it points to. See value.h.
 */
#include "value/value.h"

#include <pipit/error.h>

#include "base/arena.h"

/* Makes a value point to a copy of its text or bytes, which the arena owns. 0 or PIPIT_ENOMEM. */
static int
value_own(struct pipit_arena *arena, struct pipit_value *value)
{
        if (value->kind == PIPIT_KIND_TEXT && value->as.text != NULL) {
                value->as.text = pipit__arena_copy(arena, value->as.text, value->length);
                return value->as.text != NULL ? 0 : PIPIT_ENOMEM;
        }
        if (value->kind == PIPIT_KIND_BYTES && value->as.bytes != NULL) {
                value->as.bytes = pipit__arena_copy(arena, value->as.bytes, value->length);
                return value->as.bytes != NULL ? 0 : PIPIT_ENOMEM;
        }
        return 0;
}

int
pipit__value_keep(struct pipit_arena *arena, struct pipit_params params,
                  struct pipit_params *ret_params)
{
        struct pipit_value *values = NULL;

        if (params.n > 0 && params.values != NULL) {
                values = pipit__arena_array(arena, (size_t)params.n, sizeof *values);
                if (values == NULL)
                        return PIPIT_ENOMEM;
        }
        for (int i = 0; values != NULL && i < params.n; i++) {
                values[i] = params.values[i];
                if (value_own(arena, &values[i]) != 0)
                        return PIPIT_ENOMEM;
        }
        *ret_params = (struct pipit_params){values, params.n};
        return 0;
}
