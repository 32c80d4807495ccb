/* Column types as users name them, and Parquet's physical types, encodings and repetition.
 * Numbers of the cq_pq_* enums are those of the format's thrift definitions. */
#ifndef CQ_FORMAT_TYPES_H
#define CQ_FORMAT_TYPES_H

#include <stdbool.h>
#include <stdint.h>

typedef enum cq_type {
    CQ_BOOL,
    CQ_INT8, CQ_INT16, CQ_INT32, CQ_INT64,
    CQ_UINT8, CQ_UINT16, CQ_UINT32, CQ_UINT64,
    CQ_FLOAT16, CQ_FLOAT32, CQ_FLOAT64,
    CQ_STRING, CQ_BINARY, CQ_JSON, CQ_BSON, CQ_ENUM,
    CQ_FIXED, CQ_UUID,                          /* fixed-length byte arrays: of any length, of 16 bytes */
    CQ_DECIMAL32, CQ_DECIMAL64, CQ_DECIMAL128,  /* by precision: INT32, INT64, fixed-length byte array (big-endian) */
    CQ_DATE,                                    /* days since 1970-01-01 */
    CQ_TIME_MS, CQ_TIME_US, CQ_TIME_NS, CQ_TIME_MS_UTC, CQ_TIME_US_UTC, CQ_TIME_NS_UTC,
    /* _S is given in seconds by users and stored in milliseconds: whoever puts values multiplies */
    CQ_TIMESTAMP_S, CQ_TIMESTAMP_MS, CQ_TIMESTAMP_US, CQ_TIMESTAMP_NS,
    CQ_TIMESTAMP_S_UTC, CQ_TIMESTAMP_MS_UTC, CQ_TIMESTAMP_US_UTC, CQ_TIMESTAMP_NS_UTC,
    CQ_N_TYPES
} cq_type;

typedef enum cq_pq_type {
    CQ_PQ_BOOLEAN = 0, CQ_PQ_INT32 = 1, CQ_PQ_INT64 = 2, CQ_PQ_FLOAT = 4, CQ_PQ_DOUBLE = 5, CQ_PQ_BYTE_ARRAY = 6,
    CQ_PQ_FIXED_LEN_BYTE_ARRAY = 7
} cq_pq_type;

typedef enum cq_pq_encoding {
    CQ_PQ_PLAIN = 0, CQ_PQ_RLE = 3, CQ_PQ_DELTA_BINARY_PACKED = 5, CQ_PQ_RLE_DICTIONARY = 8, CQ_PQ_BYTE_STREAM_SPLIT = 9
} cq_pq_encoding;

typedef enum cq_pq_page { CQ_PQ_DATA_PAGE = 0, CQ_PQ_DICTIONARY_PAGE = 2, CQ_PQ_DATA_PAGE_V2 = 3 } cq_pq_page;

/* Field numbers of the LogicalType union. */
typedef enum cq_pq_logical {
    CQ_PQ_LOGICAL_NONE = 0, CQ_PQ_LOGICAL_STRING = 1, CQ_PQ_LOGICAL_ENUM = 4, CQ_PQ_LOGICAL_DECIMAL = 5, CQ_PQ_LOGICAL_DATE = 6,
    CQ_PQ_LOGICAL_TIME = 7, CQ_PQ_LOGICAL_TIMESTAMP = 8, CQ_PQ_LOGICAL_INTEGER = 10, CQ_PQ_LOGICAL_JSON = 12,
    CQ_PQ_LOGICAL_BSON = 13, CQ_PQ_LOGICAL_UUID = 14, CQ_PQ_LOGICAL_FLOAT16 = 15
} cq_pq_logical;

/* How values compare: for bounds, page orders and sort keys. */
typedef enum cq_order {
    CQ_ORDER_SIGNED, CQ_ORDER_UNSIGNED, /* integers; bool is unsigned */
    CQ_ORDER_FLOAT, CQ_ORDER_HALF,      /* IEEE numbers of 4 or 8 bytes, of 2 */
    CQ_ORDER_BYTES,                     /* unsigned bytes, lexicographic */
    CQ_ORDER_DECIMAL                    /* big-endian two's complement of equal length */
} cq_order;

typedef enum cq_unit { CQ_UNIT_NONE, CQ_UNIT_S, CQ_UNIT_MS, CQ_UNIT_US, CQ_UNIT_NS } cq_unit;

typedef struct cq_type_info {
    const char *name;      /* of the core: "timestamp_us_utc"; "decimal" for all three. As users write it: cq_field_type_text */
    cq_pq_type physical;
    uint8_t width;         /* bytes a value takes in a builder and in vectors: 1 bool, 4, 8; 0: byte arrays, also those of fixed length */
    uint8_t bits;          /* of an integer; 0 otherwise */
    bool is_signed;        /* of whatever is stored as an integer */
    bool is_float;         /* it has NaN */
    cq_order order;
    int8_t converted;      /* ConvertedType, -1: none */
    cq_pq_logical logical;
    cq_unit unit;          /* of times and timestamps, as users give it */
    bool utc;              /* of times and timestamps: isAdjustedToUTC */
} cq_type_info;

/* Facts of a type; NULL only for what is no value of the enum. */
const cq_type_info *cq_type_facts(cq_type t);

/* The decimal type of a precision, 1 to 38. */
cq_type cq_type_of_decimal(int32_t precision);
/* The least length that holds every decimal of that many digits, 1 to 38, as big-endian two's complement. */
int32_t cq_decimal_bytes(int32_t precision);

#endif
