/*
 * The binary types are a table, searched by OID. See binary_type.h.
 */
#include "value/binary_type.h"

#include <stddef.h>
#include <stdlib.h>

#include "value/binary_geometry.h"
#include "value/binary_inet.h"
#include "value/binary_numeric.h"
#include "value/binary_scalar.h"
#include "value/binary_time.h"
#include "value/oid.h"

/* The table is sorted by OID. Arrays, ranges and multiranges have no names in oid.h, because their
 * element says what they are. */
static const struct binary_type types[] = {
        {OID_BOOL, BINARY_SCALAR, 0, pipit__binary_write_bool, false},
        {OID_BYTEA, BINARY_SCALAR, 0, pipit__binary_write_bytea, true},
        {OID_CHAR, BINARY_SCALAR, 0, pipit__binary_write_char, false},
        {OID_NAME, BINARY_TEXT, 0, pipit__binary_write_text, false},
        {OID_INT8, BINARY_SCALAR, 0, pipit__binary_write_int8, true},
        {OID_INT2, BINARY_SCALAR, 0, pipit__binary_write_int2, true},
        {OID_INT2VECTOR, BINARY_VECTOR, OID_INT2, NULL, true},
        {OID_INT4, BINARY_SCALAR, 0, pipit__binary_write_int4, true},
        {OID_TEXT, BINARY_TEXT, 0, pipit__binary_write_text, false},
        {OID_OID, BINARY_SCALAR, 0, pipit__binary_write_uint4, true},
        {OID_TID, BINARY_SCALAR, 0, pipit__binary_write_tid, false},
        {OID_XID, BINARY_SCALAR, 0, pipit__binary_write_uint4, true},
        {OID_CID, BINARY_SCALAR, 0, pipit__binary_write_uint4, true},
        {OID_OIDVECTOR, BINARY_VECTOR, OID_OID, NULL, true},
        {OID_JSON, BINARY_TEXT, 0, pipit__binary_write_text, false},
        {199, BINARY_ARRAY, OID_JSON, NULL, false},
        {271, BINARY_ARRAY, OID_XID8, NULL, true},
        {OID_POINT, BINARY_SCALAR, 0, pipit__binary_write_point, false},
        {OID_LSEG, BINARY_SCALAR, 0, pipit__binary_write_lseg, false},
        {OID_PATH, BINARY_SCALAR, 0, pipit__binary_write_path, false},
        {OID_BOX, BINARY_SCALAR, 0, pipit__binary_write_box, false},
        {OID_POLYGON, BINARY_SCALAR, 0, pipit__binary_write_polygon, false},
        {OID_LINE, BINARY_SCALAR, 0, pipit__binary_write_line, false},
        {629, BINARY_ARRAY, OID_LINE, NULL, false},
        {OID_CIDR, BINARY_SCALAR, 0, pipit__binary_write_inet, false},
        {651, BINARY_ARRAY, OID_CIDR, NULL, false},
        {OID_FLOAT4, BINARY_SCALAR, 0, pipit__binary_write_float4, true},
        {OID_FLOAT8, BINARY_SCALAR, 0, pipit__binary_write_float8, true},
        {OID_UNKNOWN, BINARY_TEXT, 0, pipit__binary_write_text, false},
        {OID_CIRCLE, BINARY_SCALAR, 0, pipit__binary_write_circle, false},
        {719, BINARY_ARRAY, OID_CIRCLE, NULL, false},
        {OID_MACADDR8, BINARY_SCALAR, 0, pipit__binary_write_macaddr8, false},
        {775, BINARY_ARRAY, OID_MACADDR8, NULL, false},
        {OID_MACADDR, BINARY_SCALAR, 0, pipit__binary_write_macaddr, false},
        {OID_INET, BINARY_SCALAR, 0, pipit__binary_write_inet, false},
        {1000, BINARY_ARRAY, OID_BOOL, NULL, false},
        {1001, BINARY_ARRAY, OID_BYTEA, NULL, true},
        {1002, BINARY_ARRAY, OID_CHAR, NULL, false},
        {1003, BINARY_ARRAY, OID_NAME, NULL, false},
        {1005, BINARY_ARRAY, OID_INT2, NULL, true},
        {1006, BINARY_ARRAY, OID_INT2VECTOR, NULL, true},
        {1007, BINARY_ARRAY, OID_INT4, NULL, true},
        {1009, BINARY_ARRAY, OID_TEXT, NULL, false},
        {1010, BINARY_ARRAY, OID_TID, NULL, false},
        {1011, BINARY_ARRAY, OID_XID, NULL, true},
        {1012, BINARY_ARRAY, OID_CID, NULL, true},
        {1013, BINARY_ARRAY, OID_OIDVECTOR, NULL, true},
        {1014, BINARY_ARRAY, OID_BPCHAR, NULL, false},
        {1015, BINARY_ARRAY, OID_VARCHAR, NULL, false},
        {1016, BINARY_ARRAY, OID_INT8, NULL, true},
        {1017, BINARY_ARRAY, OID_POINT, NULL, false},
        {1018, BINARY_ARRAY, OID_LSEG, NULL, false},
        {1019, BINARY_ARRAY, OID_PATH, NULL, false},
        {1020, BINARY_ARRAY, OID_BOX, NULL, false},
        {1021, BINARY_ARRAY, OID_FLOAT4, NULL, true},
        {1022, BINARY_ARRAY, OID_FLOAT8, NULL, true},
        {1027, BINARY_ARRAY, OID_POLYGON, NULL, false},
        {1028, BINARY_ARRAY, OID_OID, NULL, true},
        {1040, BINARY_ARRAY, OID_MACADDR, NULL, false},
        {1041, BINARY_ARRAY, OID_INET, NULL, false},
        {OID_BPCHAR, BINARY_TEXT, 0, pipit__binary_write_text, false},
        {OID_VARCHAR, BINARY_TEXT, 0, pipit__binary_write_text, false},
        {OID_DATE, BINARY_SCALAR, 0, pipit__binary_write_date, true},
        {OID_TIME, BINARY_SCALAR, 0, pipit__binary_write_time, false},
        {OID_TIMESTAMP, BINARY_SCALAR, 0, pipit__binary_write_timestamp, true},
        {1115, BINARY_ARRAY, OID_TIMESTAMP, NULL, true},
        {1182, BINARY_ARRAY, OID_DATE, NULL, true},
        {1183, BINARY_ARRAY, OID_TIME, NULL, false},
        {OID_TIMESTAMPTZ, BINARY_SCALAR, 0, pipit__binary_write_timestamptz, true},
        {1185, BINARY_ARRAY, OID_TIMESTAMPTZ, NULL, true},
        {OID_INTERVAL, BINARY_SCALAR, 0, pipit__binary_write_interval, true},
        {1187, BINARY_ARRAY, OID_INTERVAL, NULL, true},
        {1231, BINARY_ARRAY, OID_NUMERIC, NULL, false},
        {OID_TIMETZ, BINARY_SCALAR, 0, pipit__binary_write_timetz, false},
        {1270, BINARY_ARRAY, OID_TIMETZ, NULL, false},
        {OID_BIT, BINARY_SCALAR, 0, pipit__binary_write_bits, false},
        {1561, BINARY_ARRAY, OID_BIT, NULL, false},
        {OID_VARBIT, BINARY_SCALAR, 0, pipit__binary_write_bits, false},
        {1563, BINARY_ARRAY, OID_VARBIT, NULL, false},
        {OID_NUMERIC, BINARY_SCALAR, 0, pipit__binary_write_numeric, false},
        {OID_REFCURSOR, BINARY_TEXT, 0, pipit__binary_write_text, false},
        {2201, BINARY_ARRAY, OID_REFCURSOR, NULL, false},
        {OID_RECORD, BINARY_COMPOSITE, 0, NULL, false},
        {OID_VOID, BINARY_SCALAR, 0, pipit__binary_write_void, false},
        {OID_UUID, BINARY_SCALAR, 0, pipit__binary_write_uuid, true},
        {2951, BINARY_ARRAY, OID_UUID, NULL, true},
        {OID_PG_LSN, BINARY_SCALAR, 0, pipit__binary_write_lsn, false},
        {3221, BINARY_ARRAY, OID_PG_LSN, NULL, false},
        {OID_JSONB, BINARY_VERSIONED, 0, pipit__binary_write_versioned, false},
        {3807, BINARY_ARRAY, OID_JSONB, NULL, false},
        {3904, BINARY_RANGE, OID_INT4, NULL, true},
        {3905, BINARY_ARRAY, 3904, NULL, true},
        {3906, BINARY_RANGE, OID_NUMERIC, NULL, true},
        {3907, BINARY_ARRAY, 3906, NULL, true},
        {3908, BINARY_RANGE, OID_TIMESTAMP, NULL, true},
        {3909, BINARY_ARRAY, 3908, NULL, true},
        {3910, BINARY_RANGE, OID_TIMESTAMPTZ, NULL, true},
        {3911, BINARY_ARRAY, 3910, NULL, true},
        {3912, BINARY_RANGE, OID_DATE, NULL, true},
        {3913, BINARY_ARRAY, 3912, NULL, true},
        {3926, BINARY_RANGE, OID_INT8, NULL, true},
        {3927, BINARY_ARRAY, 3926, NULL, true},
        {OID_JSONPATH, BINARY_VERSIONED, 0, pipit__binary_write_versioned, false},
        {4073, BINARY_ARRAY, OID_JSONPATH, NULL, false},
        {4451, BINARY_MULTIRANGE, 3904, NULL, true},
        {4532, BINARY_MULTIRANGE, 3906, NULL, true},
        {4533, BINARY_MULTIRANGE, 3908, NULL, true},
        {4534, BINARY_MULTIRANGE, 3910, NULL, true},
        {4535, BINARY_MULTIRANGE, 3912, NULL, true},
        {4536, BINARY_MULTIRANGE, 3926, NULL, true},
        {OID_XID8, BINARY_SCALAR, 0, pipit__binary_write_uint8, true},
        {6150, BINARY_ARRAY, 4451, NULL, true},
        {6151, BINARY_ARRAY, 4532, NULL, true},
        {6152, BINARY_ARRAY, 4533, NULL, true},
        {6153, BINARY_ARRAY, 4534, NULL, true},
        {6155, BINARY_ARRAY, 4535, NULL, true},
        {6157, BINARY_ARRAY, 4536, NULL, true},
};

static int
type_compare(const void *key, const void *entry)
{
        uint32_t oid = *(const uint32_t *)key;
        uint32_t other = ((const struct binary_type *)entry)->oid;

        return oid < other ? -1 : oid > other;
}

const struct binary_type *
pipit__binary_type_find(uint32_t oid)
{
        return bsearch(&oid, types, sizeof types / sizeof types[0], sizeof types[0], type_compare);
}

char
pipit__binary_type_delimiter(uint32_t element)
{
        return element == OID_BOX ? ';' : ',';
}
