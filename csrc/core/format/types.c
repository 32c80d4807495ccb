/* The table of column types. */
#include "format/types.h"

#include <stddef.h>

const cq_type_info *cq_type_facts(cq_type t)
{
    static const cq_type_info table[CQ_N_TYPES] = {
        [CQ_BOOL] = {"bool", CQ_PQ_BOOLEAN, 1, 0, false, false, -1},
        [CQ_INT8] = {"int8", CQ_PQ_INT32, 4, 8, true, false, 15},
        [CQ_INT16] = {"int16", CQ_PQ_INT32, 4, 16, true, false, 16},
        [CQ_INT32] = {"int32", CQ_PQ_INT32, 4, 32, true, false, 17},
        [CQ_INT64] = {"int64", CQ_PQ_INT64, 8, 64, true, false, 18},
        [CQ_UINT8] = {"uint8", CQ_PQ_INT32, 4, 8, false, false, 11},
        [CQ_UINT16] = {"uint16", CQ_PQ_INT32, 4, 16, false, false, 12},
        [CQ_UINT32] = {"uint32", CQ_PQ_INT32, 4, 32, false, false, 13},
        [CQ_UINT64] = {"uint64", CQ_PQ_INT64, 8, 64, false, false, 14},
        [CQ_FLOAT32] = {"float32", CQ_PQ_FLOAT, 4, 0, false, true, -1},
        [CQ_FLOAT64] = {"float64", CQ_PQ_DOUBLE, 8, 0, false, true, -1},
        [CQ_STRING] = {"string", CQ_PQ_BYTE_ARRAY, 0, 0, false, false, 0},
        [CQ_BINARY] = {"binary", CQ_PQ_BYTE_ARRAY, 0, 0, false, false, -1},
    };
    return (uint64_t)t < CQ_N_TYPES ? &table[t] : NULL;
}
