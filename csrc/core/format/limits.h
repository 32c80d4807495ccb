/* Every cap in one place: of the Parquet format, of checkpoints, and our own. A count, size or
 * depth from outside is compared with these and with the bytes that are left before it is used. */
#ifndef CQ_FORMAT_LIMITS_H
#define CQ_FORMAT_LIMITS_H

#include <stdint.h>

/* Parquet: sizes and counts are i32 in headers; readers count rows of a group in 32 bits. */
#define CQ_MAX_PAGE_BYTES INT64_C(0x7fffffff)
#define CQ_MAX_CHUNK_BYTES INT64_C(0x7fffffff)
#define CQ_MAX_GROUP_ROWS INT64_C(0x7fffffff)
#define CQ_MAX_COLUMNS 65536
#define CQ_MAX_NAME_BYTES 4096
#define CQ_MAX_FIXED_BYTES (1 << 20)     /* fixed-length byte arrays: every builder holds one value beyond its page */
#define CQ_MAX_DECIMAL_DIGITS 38

/* Pages: small enough to be a unit of work and of pruning, large enough for the codec. */
#define CQ_PAGE_ROWS 65536
#define CQ_PAGE_BYTES (1 << 20)
#define CQ_PAGE_BYTES_SLOW (256 << 10) /* zstd >= 16: contexts of larger pages cost tens of MiB */
#define CQ_PAGE_BYTES_MIN (4 << 10)
#define CQ_MAX_INDEX_BITS 24           /* dictionary indexes of 32 bits are misread by fastparquet */
#define CQ_STAT_BYTES 64               /* bounds of byte arrays are cut to this */

#define CQ_MAX_SORT_KEY_BYTES 65536    /* the last key of a sorting column is kept whole */

#define CQ_WARN_GROUPS 10000
#define CQ_WARN_FOOTER_BYTES (16 << 20)

/* Checkpoints. Depth in practice is 1 to 3; names are u16-counted in snapshots. */
#define CQ_MAX_TREE_DEPTH 64
#define CQ_MAX_JSON_DEPTH 128
#define CQ_MAX_TREE_NAME_BYTES 65535

#endif
