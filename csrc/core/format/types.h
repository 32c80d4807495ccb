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
    CQ_FLOAT32, CQ_FLOAT64,
    CQ_STRING, CQ_BINARY,
    CQ_N_TYPES
} cq_type;

typedef enum cq_pq_type {
    CQ_PQ_BOOLEAN = 0, CQ_PQ_INT32 = 1, CQ_PQ_INT64 = 2, CQ_PQ_FLOAT = 4, CQ_PQ_DOUBLE = 5, CQ_PQ_BYTE_ARRAY = 6
} cq_pq_type;

typedef enum cq_pq_encoding {
    CQ_PQ_PLAIN = 0, CQ_PQ_RLE = 3, CQ_PQ_DELTA_BINARY_PACKED = 5, CQ_PQ_RLE_DICTIONARY = 8
} cq_pq_encoding;

typedef enum cq_pq_page { CQ_PQ_DATA_PAGE = 0, CQ_PQ_DICTIONARY_PAGE = 2 } cq_pq_page;

typedef struct cq_type_info {
    const char *name;      /* as a schema writes it */
    cq_pq_type physical;
    uint8_t width;         /* bytes a value takes in a builder and in vectors: 1 bool, 4, 8; 0 byte arrays */
    uint8_t bits;          /* of an integer; 0 otherwise */
    bool is_signed;        /* of an integer; decides the order of statistics */
    bool is_float;
    int8_t converted;      /* ConvertedType, -1: none */
} cq_type_info;

/* Facts of a type; never NULL for a value of the enum. */
const cq_type_info *cq_type_facts(cq_type t);

#endif
