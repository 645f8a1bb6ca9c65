/*
 * An OID is the number of a type. These are PostgreSQL's built-in types whose binary form is known
 * here; their numbers are the same in every database.
 */
#ifndef PIPIT_OID_INTERNAL_H
#define PIPIT_OID_INTERNAL_H

enum {
        OID_BOOL = 16,
        OID_BYTEA = 17,
        OID_CHAR = 18, /* "char", one byte */
        OID_NAME = 19,
        OID_INT8 = 20,
        OID_INT2 = 21,
        OID_INT2VECTOR = 22,
        OID_INT4 = 23,
        OID_TEXT = 25,
        OID_OID = 26,
        OID_TID = 27,
        OID_XID = 28,
        OID_CID = 29,
        OID_OIDVECTOR = 30,
        OID_JSON = 114,
        OID_POINT = 600,
        OID_LSEG = 601,
        OID_PATH = 602,
        OID_BOX = 603,
        OID_POLYGON = 604,
        OID_LINE = 628,
        OID_CIDR = 650,
        OID_FLOAT4 = 700,
        OID_FLOAT8 = 701,
        OID_UNKNOWN = 705,
        OID_CIRCLE = 718,
        OID_MACADDR8 = 774,
        OID_MACADDR = 829,
        OID_INET = 869,
        OID_BPCHAR = 1042,
        OID_VARCHAR = 1043,
        OID_DATE = 1082,
        OID_TIME = 1083,
        OID_TIMESTAMP = 1114,
        OID_TIMESTAMPTZ = 1184,
        OID_INTERVAL = 1186,
        OID_TIMETZ = 1266,
        OID_BIT = 1560,
        OID_VARBIT = 1562,
        OID_NUMERIC = 1700,
        OID_REFCURSOR = 1790,
        OID_RECORD = 2249,
        OID_VOID = 2278,
        OID_UUID = 2950,
        OID_PG_LSN = 3220,
        OID_JSONB = 3802,
        OID_JSONPATH = 4072,
        OID_XID8 = 5069
};

#endif
