#include "models.h"

PIPIT_MODEL_DEFINE(page_block, PAGE_BLOCK);
PIPIT_MODEL_DEFINE(sample, SAMPLE);
PIPIT_MODEL_DEFINE(point, POINT, .table = "Points", .schema = "geo");
PIPIT_MODEL_DEFINE(token, TOKEN);
PIPIT_MODEL_DEFINE(event, EVENT);
