/*
 * A refusal says why a scope takes nothing, with room for its own text: it needs no memory.
 */
#ifndef PIPIT_REFUSAL_INTERNAL_H
#define PIPIT_REFUSAL_INTERNAL_H

#include <pipit/error.h>

struct refusal {
        struct pipit_error error; /* its message is text, its host another's: borrowed */
        char text[1400];
};

#endif
