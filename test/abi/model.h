#ifndef ABI_MODEL_H
#define ABI_MODEL_H

#include <pipit/pipit.h>

#define BLOT(FIELD)                                                                                \
        FIELD(bigserial, id, .primary_key = true)                                                  \
        FIELD(integer, colour)                                                                     \
        FIELD(text, title, .nullable = true, .default_text = "a, b")
PIPIT_MODEL(blot, BLOT);

#define STAIN(FIELD) FIELD(timestamptz, at, .default_sql = "now()", .index = true)
PIPIT_MODEL(stain, STAIN);

const struct blot_model *two_model(void);
int three_conditions(void);

#endif
