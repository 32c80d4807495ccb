/* Serialising Parquet's structs: page headers, column chunk metadata, schema, index and footer
 * pieces. Which fields are set, and to what, is decided here and nowhere else. Functions write into
 * memory of the bound they name and return the bytes written. */
#ifndef CQ_FORMAT_METADATA_H
#define CQ_FORMAT_METADATA_H

#include "format/schema.h"
#include "format/stats.h"
#include "format/thrift.h"

#define CQ_PAGE_HEADER_BYTES 80

typedef struct cq_page_header {
    cq_pq_page type;
    cq_pq_encoding encoding;
    int64_t n_values;            /* slots of a data page, entries of a dictionary page */
    int64_t uncompressed_bytes, compressed_bytes; /* of the body; of version 2 pages with the levels in front */
    uint32_t crc;
    int64_t n_nulls, level_bytes; /* version 2 pages; definition levels */
    bool is_compressed;          /* version 2 pages: the values are */
} cq_page_header;

size_t cq_meta_page_header(const cq_page_header *h, uint8_t *dst);

/* What a page leaves behind for the indexes and for its chunk; kept in logs as it is. */
typedef struct cq_page_meta {
    int64_t next;                /* log position of the column's next parked page; -1: none */
    int64_t file_offset;         /* of its header; set by the splice */
    int64_t header_bytes, compressed_bytes, uncompressed_bytes;
    int64_t n_slots;
    cq_pq_encoding encoding;
    cq_stats stats;
} cq_page_meta;

typedef struct cq_chunk_meta {
    const cq_field *field;
    int codec;                   /* CompressionCodec of the format */
    cq_pq_page page_type;        /* of its data pages */
    int64_t n_slots;
    int64_t compressed_bytes, uncompressed_bytes; /* with page headers */
    int64_t data_page_offset, dict_page_offset;   /* dict: -1 for none */
    int64_t n_plain, n_dict, n_delta, n_split;    /* data pages by encoding; split: BYTE_STREAM_SPLIT */
    cq_stats stats;
} cq_chunk_meta;

/* ColumnChunk up to and with its field 3, without the end of the struct: the index fields follow
 * at the file's end. */
#define CQ_CHUNK_META_BYTES(name_bytes) ((name_bytes) + 512)
size_t cq_meta_chunk(const cq_chunk_meta *c, uint8_t *dst);
/* The rest of a ColumnChunk: offsets of its indexes; column_index_bytes 0: it has none. */
#define CQ_CHUNK_TAIL_BYTES 48
size_t cq_meta_chunk_tail(int64_t offset_index, int64_t offset_index_bytes, int64_t column_index, int64_t column_index_bytes, uint8_t *dst);

/* Counts of the definition levels of n slots with that many nulls; returns how many there are (0 for
 * required leaves, which have no histogram). */
int cq_meta_def_histogram(const cq_field *f, int64_t n_slots, int64_t n_nulls, int64_t out[2]);

#define CQ_SCHEMA_ELEMENT_BYTES(name_bytes) ((name_bytes) + 64)
size_t cq_meta_schema_root(int32_t n_fields, uint8_t *dst);
size_t cq_meta_schema_leaf(const cq_field *f, uint8_t *dst);

/* CompressionCodec numbers. */
#define CQ_PQ_UNCOMPRESSED 0
#define CQ_PQ_SNAPPY 1
#define CQ_PQ_ZSTD 6

#endif
