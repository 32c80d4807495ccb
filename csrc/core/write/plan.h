/* The plan: how a writer divides its memory limit. A pure function of schema, options and limit,
 * so the same file is written on every machine; what memory is in use never changes it. */
#ifndef CQ_WRITE_PLAN_H
#define CQ_WRITE_PLAN_H

#include "codec/compress.h"
#include "format/schema.h"

typedef struct cq_plan_opts {
    cq_codec_kind codec;
    const cq_codec_kind *codecs; /* of each column; NULL: `codec` for all */
    int32_t level;            /* resolved by cq_codec_level */
    int64_t data_page_bytes;  /* 0: the plan's choice; otherwise an upper limit */
    int64_t max_value_bytes;  /* 0: a quarter of the limit; otherwise a cap the caller promises */
    size_t sort_key_bytes;    /* the longest keys of all sorting columns that are byte arrays, together */
} cq_plan_opts;

typedef struct cq_plan {
    uint64_t memory_limit;
    int32_t page_rows;        /* rows of a page, at most */
    size_t page_bytes;        /* PLAIN bytes at which a page of byte arrays is cut */
    size_t dict_bytes;        /* memory of one column's dictionary; 0: none */
    size_t max_value_bytes;   /* the largest single byte array of a column without a fixed length; 0: there is no such column */
    size_t max_row_bytes;     /* the bytes of such byte arrays in one row, together */
    size_t max_fixed_bytes;   /* the largest fixed length of the schema */
    size_t codec_bytes;       /* codec contexts */
    uint32_t codecs;          /* which are in use: bit 1 << kind */
    size_t scratch_bytes;     /* page assembly and compressed output */
    size_t column_bytes;      /* builders and dictionaries of all columns, full */
    size_t page_window_bytes; /* least memory for parked pages */
    size_t meta_window_bytes; /* memory of the metadata log */
    size_t sink_bytes;        /* output coalescing */
    size_t batch_bytes;       /* left unallocated for whoever turns foreign columns into batches and charges it to the writer's memory */
    size_t fixed_bytes;       /* all of the above but the windows' growth: never exceeds the limit */
} cq_plan;

/* What is counted for the structs of a column and of a writer with all its roundings: the writer asserts
 * that they fit. */
#define CQ_PLAN_PER_COLUMN ((size_t)1536)
#define CQ_PLAN_PER_WRITER ((size_t)40960)
/* Of batch_bytes, for the structs that describe a column from outside: whoever turns columns into batches asserts that
 * they fit. */
#define CQ_PLAN_PER_BATCH_COLUMN ((size_t)1408)

/* CQ_EBUDGET with e->needed = a limit that would do. */
cq_status cq_plan_make(cq_plan *p, const cq_schema *s, const cq_plan_opts *o, uint64_t memory_limit, cq_err *e) CQ_MUST_CHECK;

/* Sizes the plan and its users share. */
size_t cq_plan_assembly_bytes(int32_t page_rows);  /* a page body put together outside its builder */
size_t cq_plan_body_bytes(const cq_plan *p);       /* the largest body without oversized values */
size_t cq_plan_out_bytes(const cq_plan *p, size_t body_bytes); /* a body packed by any codec in use; at most */
static inline bool cq_plan_uses(const cq_plan *p, cq_codec_kind kind) { return p->codecs >> kind & 1u; }

#endif
