#include "model.h"

PIPIT_MODEL_DEFINE(blot, BLOT);
PIPIT_MODEL_DEFINE(stain, STAIN, .table = "stains");

/* In a file of its own a model is declared and defined, and not everything of it is used. */
#define LOCAL(FIELD) FIELD(uuid, id, .primary_key = true)
PIPIT_MODEL(local, LOCAL);
PIPIT_MODEL_DEFINE(local, LOCAL);

int
main(void)
{
        struct blot blot;

        blot_init(&blot);
        return &blot_model == two_model() && blot.title[0] == 'a' ? 0 : 1;
}
