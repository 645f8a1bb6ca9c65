/*
 * Options with every default filled in, and their texts copied.
 */
#ifndef PIPIT_OPTIONS_INTERNAL_H
#define PIPIT_OPTIONS_INTERNAL_H

#include <pipit/options.h>

/* given may be NULL. connect_timeout_ms stays 0 when it is not given: a URL may name one. 0 or
 * PIPIT_ENOMEM; PIPIT_EINVAL with *ret_problem, which is static, and then all but the texts is
 * the default. */
int pipit__options_init(struct pipit_options *options, const struct pipit_options *given,
                        const char **ret_problem);
void pipit__options_fini(struct pipit_options *options);

#endif
