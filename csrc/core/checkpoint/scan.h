/* The index pass over one checkpoint file: reads every byte once, validates all of it, and enters
 * its nodes and series into an index. json_scan.c and snapshot.c do it for their formats; nothing
 * here depends on how large the file, one series or the number of series is. */
#ifndef CQ_CHECKPOINT_SCAN_H
#define CQ_CHECKPOINT_SCAN_H

#include "checkpoint/series.h"

typedef enum cq_checkpoint_kind {
    CQ_CHECKPOINT_UNKNOWN,
    CQ_CHECKPOINT_JSON,     /* <seconds>.json */
    CQ_CHECKPOINT_SNAPSHOT, /* <seconds>.bin */
    CQ_CHECKPOINT_WAL       /* current.wal; not implemented */
} cq_checkpoint_kind;

#define CQ_SNAPSHOT_MAGIC 0xCC5B0001u
#define CQ_WAL_MAGIC 0xCC1DA701u

/* What the index pass learns about a file. */
typedef struct cq_checkpoint_info {
    cq_checkpoint_kind kind;
    cq_file_id id;
    uint64_t xxh64;             /* of all bytes */
    bool has_from, has_to;
    int64_t from, to;           /* of the root */
    uint64_t n_series, n_values; /* missing samples count */
    uint64_t trailing_bytes;    /* behind the tree; accepted and ignored */
} cq_checkpoint_info;

/* By the name's ending. */
cq_checkpoint_kind cq_checkpoint_kind_of(const char *name);

/* The state of a pass; the buffers serve file after file. */
typedef struct cq_scan {
    cq_source source;
    cq_series_index *index;
    uint32_t file;
    cq_checkpoint_info *info;
    cq_tree_path path;
    cq_buf metric, key; /* the metric's name; the key or name that was read last */
    uint32_t json_depth;
} cq_scan;

/* `window` is at least 65,536 + 64 bytes: a name fits. On failure there is nothing to reset. */
cq_status cq_scan_init(cq_scan *c, cq_mem *mem, cq_poll *poll, size_t window, cq_series_index *index, cq_err *e) CQ_MUST_CHECK;
void cq_scan_reset(cq_scan *c);

/* The whole pass over an open file; e->offset says where it is wrong. On failure the caller drops
 * the file from the index. info->kind says the format (UNKNOWN: looked up in the first bytes) and
 * `id` is what the file was when it was opened; CQ_ECHANGED if it is not any more at the end. */
cq_status cq_scan_file(cq_scan *c, int fd, const char *name, uint32_t file, cq_checkpoint_info *info, cq_err *e) CQ_MUST_CHECK;

/* From the first byte to behind the tree. */
cq_status cq_scan_json(cq_scan *c, cq_err *e) CQ_MUST_CHECK;
cq_status cq_scan_snapshot(cq_scan *c, cq_err *e) CQ_MUST_CHECK;

/* A series of the metric c->metric at c->path. */
cq_status cq_scan_found(cq_scan *c, int64_t start, int64_t frequency, uint64_t n_values, int64_t offset, int64_t value_bytes, cq_err *e) CQ_MUST_CHECK;

/* Values of a JSON array, again: up to `n` from where the source stands (behind the bracket, or
 * where the last call ended); NaN where the text says null. *closed: the array ended behind them. */
cq_status cq_json_values(cq_source *s, float *out, size_t n, size_t *got, bool *closed, cq_err *e) CQ_MUST_CHECK;

#endif
