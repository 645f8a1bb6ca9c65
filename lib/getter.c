/*
 * The typed getters of results: one value as a C value. See <pipit/result.h>.
 */
#include "codec.h"
#include "result.h"

/* The value's text, or why there is none. */
static int
getter_find(const struct pipit_result *res, int row, int column, const char **ret_text,
            size_t *ret_length)
{
        if (row < 0 || row >= pipit_result_rows(res) || column < 0 ||
            column >= pipit_result_columns(res))
                return PIPIT_EINVAL;
        *ret_text = pipit__result_cell(res, row, column, ret_length);
        return *ret_text != NULL ? 0 : PIPIT_ENOTFOUND;
}

#define GETTER(name, type)                                                                         \
        int pipit_result_##name(const struct pipit_result *res, int row, int column,               \
                                type *ret_value)                                                   \
        {                                                                                          \
                const char *text;                                                                  \
                size_t length;                                                                     \
                int code = getter_find(res, row, column, &text, &length);                          \
                if (code != 0 || ret_value == NULL)                                                \
                        return code != 0 ? code : PIPIT_EINVAL;                                    \
                return pipit__codec_read_##name(text, length, ret_value);                          \
        }

GETTER(bool, bool)
GETTER(int16, int16_t)
GETTER(int32, int32_t)
GETTER(int64, int64_t)
GETTER(float, float)
GETTER(double, double)
GETTER(timestamp, struct pipit_timestamp)
GETTER(uuid, struct pipit_uuid)

int
pipit_result_bytes(struct pipit_result *res, int row, int column, struct pipit_bytes *ret_value)
{
        const char *text;
        size_t length;
        int code = getter_find(res, row, column, &text, &length);

        if (code != 0 || ret_value == NULL)
                return code != 0 ? code : PIPIT_EINVAL;
        void *data = pipit__result_alloc(res, length / 2 + 1);
        if (data == NULL)
                return PIPIT_ENOMEM;
        code = pipit__codec_read_bytes(text, length, data, &length);
        if (code == 0)
                *ret_value = (struct pipit_bytes){.data = data, .length = length};
        return code;
}
