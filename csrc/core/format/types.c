/* The table of column types. */
#include "format/types.h"

#include <stddef.h>

#define INTEGER(NAME, PHYSICAL, WIDTH, BITS, SIGNED, CONVERTED)                                                        \
    {NAME, PHYSICAL, WIDTH, BITS, SIGNED, false, (SIGNED) ? CQ_ORDER_SIGNED : CQ_ORDER_UNSIGNED, CONVERTED, CQ_PQ_LOGICAL_INTEGER, CQ_UNIT_NONE, false}
#define FLOATING(NAME, PHYSICAL, WIDTH, ORDER, LOGICAL) {NAME, PHYSICAL, WIDTH, 0, false, true, ORDER, -1, LOGICAL, CQ_UNIT_NONE, false}
#define BYTES(NAME, PHYSICAL, CONVERTED, LOGICAL) {NAME, PHYSICAL, 0, 0, false, false, CQ_ORDER_BYTES, CONVERTED, LOGICAL, CQ_UNIT_NONE, false}
#define DECIMAL(PHYSICAL, WIDTH, ORDER) {"decimal", PHYSICAL, WIDTH, 0, true, false, ORDER, 5, CQ_PQ_LOGICAL_DECIMAL, CQ_UNIT_NONE, false}
/* Local times have the ConvertedType of those adjusted to UTC, as the format demands; nanoseconds have none. */
#define TIMES(NAME, PHYSICAL, WIDTH, CONVERTED, LOGICAL, UNIT, UTC) {NAME, PHYSICAL, WIDTH, 0, true, false, CQ_ORDER_SIGNED, CONVERTED, LOGICAL, UNIT, UTC}
#define TIME(NAME, PHYSICAL, WIDTH, CONVERTED, UNIT, UTC) TIMES(NAME, PHYSICAL, WIDTH, CONVERTED, CQ_PQ_LOGICAL_TIME, UNIT, UTC)
#define TIMESTAMP(NAME, CONVERTED, UNIT, UTC) TIMES(NAME, CQ_PQ_INT64, 8, CONVERTED, CQ_PQ_LOGICAL_TIMESTAMP, UNIT, UTC)

const cq_type_info *cq_type_facts(cq_type t)
{
    static const cq_type_info table[CQ_N_TYPES] = {
        [CQ_BOOL] = {"bool", CQ_PQ_BOOLEAN, 1, 0, false, false, CQ_ORDER_UNSIGNED, -1, CQ_PQ_LOGICAL_NONE, CQ_UNIT_NONE, false},
        [CQ_INT8] = INTEGER("int8", CQ_PQ_INT32, 4, 8, true, 15),
        [CQ_INT16] = INTEGER("int16", CQ_PQ_INT32, 4, 16, true, 16),
        [CQ_INT32] = INTEGER("int32", CQ_PQ_INT32, 4, 32, true, 17),
        [CQ_INT64] = INTEGER("int64", CQ_PQ_INT64, 8, 64, true, 18),
        [CQ_UINT8] = INTEGER("uint8", CQ_PQ_INT32, 4, 8, false, 11),
        [CQ_UINT16] = INTEGER("uint16", CQ_PQ_INT32, 4, 16, false, 12),
        [CQ_UINT32] = INTEGER("uint32", CQ_PQ_INT32, 4, 32, false, 13),
        [CQ_UINT64] = INTEGER("uint64", CQ_PQ_INT64, 8, 64, false, 14),
        [CQ_FLOAT16] = FLOATING("float16", CQ_PQ_FIXED_LEN_BYTE_ARRAY, 0, CQ_ORDER_HALF, CQ_PQ_LOGICAL_FLOAT16),
        [CQ_FLOAT32] = FLOATING("float32", CQ_PQ_FLOAT, 4, CQ_ORDER_FLOAT, CQ_PQ_LOGICAL_NONE),
        [CQ_FLOAT64] = FLOATING("float64", CQ_PQ_DOUBLE, 8, CQ_ORDER_FLOAT, CQ_PQ_LOGICAL_NONE),
        [CQ_STRING] = BYTES("string", CQ_PQ_BYTE_ARRAY, 0, CQ_PQ_LOGICAL_STRING),
        [CQ_BINARY] = BYTES("binary", CQ_PQ_BYTE_ARRAY, -1, CQ_PQ_LOGICAL_NONE),
        [CQ_JSON] = BYTES("json", CQ_PQ_BYTE_ARRAY, 19, CQ_PQ_LOGICAL_JSON),
        [CQ_BSON] = BYTES("bson", CQ_PQ_BYTE_ARRAY, -1, CQ_PQ_LOGICAL_BSON), /* 20 would be its own: DuckDB refuses files with it */
        [CQ_ENUM] = BYTES("enum", CQ_PQ_BYTE_ARRAY, 4, CQ_PQ_LOGICAL_ENUM),
        [CQ_FIXED] = BYTES("fixed", CQ_PQ_FIXED_LEN_BYTE_ARRAY, -1, CQ_PQ_LOGICAL_NONE),
        [CQ_UUID] = BYTES("uuid", CQ_PQ_FIXED_LEN_BYTE_ARRAY, -1, CQ_PQ_LOGICAL_UUID),
        [CQ_DECIMAL32] = DECIMAL(CQ_PQ_INT32, 4, CQ_ORDER_SIGNED),
        [CQ_DECIMAL64] = DECIMAL(CQ_PQ_INT64, 8, CQ_ORDER_SIGNED),
        [CQ_DECIMAL128] = DECIMAL(CQ_PQ_FIXED_LEN_BYTE_ARRAY, 0, CQ_ORDER_DECIMAL),
        [CQ_DATE] = TIMES("date", CQ_PQ_INT32, 4, 6, CQ_PQ_LOGICAL_DATE, CQ_UNIT_NONE, false),
        [CQ_TIME_MS] = TIME("time_ms", CQ_PQ_INT32, 4, 7, CQ_UNIT_MS, false),
        [CQ_TIME_US] = TIME("time_us", CQ_PQ_INT64, 8, 8, CQ_UNIT_US, false),
        [CQ_TIME_NS] = TIME("time_ns", CQ_PQ_INT64, 8, -1, CQ_UNIT_NS, false),
        [CQ_TIME_MS_UTC] = TIME("time_ms_utc", CQ_PQ_INT32, 4, 7, CQ_UNIT_MS, true),
        [CQ_TIME_US_UTC] = TIME("time_us_utc", CQ_PQ_INT64, 8, 8, CQ_UNIT_US, true),
        [CQ_TIME_NS_UTC] = TIME("time_ns_utc", CQ_PQ_INT64, 8, -1, CQ_UNIT_NS, true),
        [CQ_TIMESTAMP_S] = TIMESTAMP("timestamp_s", 9, CQ_UNIT_S, false),
        [CQ_TIMESTAMP_MS] = TIMESTAMP("timestamp_ms", 9, CQ_UNIT_MS, false),
        [CQ_TIMESTAMP_US] = TIMESTAMP("timestamp_us", 10, CQ_UNIT_US, false),
        [CQ_TIMESTAMP_NS] = TIMESTAMP("timestamp_ns", -1, CQ_UNIT_NS, false),
        [CQ_TIMESTAMP_S_UTC] = TIMESTAMP("timestamp_s_utc", 9, CQ_UNIT_S, true),
        [CQ_TIMESTAMP_MS_UTC] = TIMESTAMP("timestamp_ms_utc", 9, CQ_UNIT_MS, true),
        [CQ_TIMESTAMP_US_UTC] = TIMESTAMP("timestamp_us_utc", 10, CQ_UNIT_US, true),
        [CQ_TIMESTAMP_NS_UTC] = TIMESTAMP("timestamp_ns_utc", -1, CQ_UNIT_NS, true),
    };
    return (uint64_t)t < CQ_N_TYPES ? &table[t] : NULL;
}

cq_type cq_type_of_decimal(int32_t precision)
{
    return precision <= 9 ? CQ_DECIMAL32 : precision <= 18 ? CQ_DECIMAL64 : CQ_DECIMAL128;
}

int32_t cq_decimal_bytes(int32_t precision)
{
    static const uint8_t digits[] = {0, 2, 4, 6, 9, 11, 14, 16, 18, 21, 23, 26, 28, 31, 33, 35, 38}; /* of so many bytes */
    int32_t n = 1;
    while (n < 16 && digits[n] < precision) n++;
    return n;
}
