/* The series of checkpoint files: what a scanner found, its place in the sort order, and the
 * sorted index of all series of a host's files.
 *
 * A series is one metric of one node of a file's tree: n values at start, start + frequency, ...
 * Scope and scope id come from the name of the deepest child on its path. The index is sorted by
 * (metric, scope, scope id, path, file) as unsigned bytes and lies in memory or in a spill log. */
#ifndef CQ_CHECKPOINT_SERIES_H
#define CQ_CHECKPOINT_SERIES_H

#include "checkpoint/extsort.h"
#include "format/limits.h"

/* Names on the way from the root to a node, together. One name of any size fits. */
#define CQ_MAX_TREE_PATH_BYTES 81920

/* Nothing that is indexed takes more: kind, metric, scope and id, path with two bytes a name, file
 * number, and six separators and numbers. */
#define CQ_MAX_SERIES_RECORD ((size_t)(2 * CQ_MAX_TREE_NAME_BYTES + CQ_MAX_TREE_PATH_BYTES + 2 * CQ_MAX_TREE_DEPTH + 64))

/* The path of a node in the form of the sort key: each name between a byte 1 and a byte 0. Names
 * hold no byte 0, so the order is that of tuples of names. */
typedef struct cq_tree_path {
    cq_buf bytes;
    size_t name_bytes;                 /* of all names together */
    uint32_t depth;
    size_t starts[CQ_MAX_TREE_DEPTH];  /* where each name's byte 1 stands */
} cq_tree_path;

void cq_tree_path_init(cq_tree_path *p, cq_mem *mem);
void cq_tree_path_reset(cq_tree_path *p);
/* CQ_EFORMAT beyond the caps of depth and size. The name is checked by the caller. */
cq_status cq_tree_path_push(cq_tree_path *p, cq_span name, cq_err *e) CQ_MUST_CHECK;
void cq_tree_path_pop(cq_tree_path *p);

/* Walks an encoded path: the next name; false at its end. `at` starts at 0. */
bool cq_tree_path_next(cq_span path, size_t *at, cq_span *name);

/* Scope and scope id of the node with this path; they point into the path or to constants. */
void cq_tree_path_scope(cq_span path, cq_span *scope, cq_span *scope_id);

/* CQ_EFORMAT unless the bytes can be the name of a metric or a child: UTF-8 without NUL. */
cq_status cq_tree_name_check(cq_span name, cq_err *e) CQ_MUST_CHECK;

typedef struct cq_series {
    cq_span metric, scope, scope_id; /* UTF-8; borrowed */
    cq_span path;                    /* encoded; borrowed */
    cq_span group;                   /* metric, scope and scope id encoded: equal for one output series; borrowed */
    uint32_t file;                   /* number of the file; larger ones are later */
    int64_t start, frequency;        /* seconds; frequency > 0, start + n_values * frequency fits */
    uint64_t n_values;
    int64_t offset;                  /* of the first value in the file; JSON: behind the bracket */
    int64_t value_bytes;             /* from there to the end of the last value; JSON: to behind the closing bracket */
} cq_series;

typedef struct cq_series_index {
    cq_extsort sort;
    cq_buf failed;   /* one byte a file: its records do not count */
    cq_buf previous; /* key of the record before, while checking */
} cq_series_index;

/* Names of any size fit if `window` is at least 2.3 * CQ_MAX_SERIES_RECORD. Files have numbers below n_files. */
cq_status cq_series_index_init(cq_series_index *ix, cq_mem *mem, const char *dir, cq_poll *poll, size_t window, uint32_t n_files, cq_err *e) CQ_MUST_CHECK;
void cq_series_index_reset(cq_series_index *ix);

/* `s` with metric, path, file and the numbers; the scope is found here. */
cq_status cq_series_index_add(cq_series_index *ix, const cq_series *s, cq_err *e) CQ_MUST_CHECK;
/* A node other than the root, so that a child named twice is found. */
cq_status cq_series_index_add_node(cq_series_index *ix, cq_span path, uint32_t file, cq_err *e) CQ_MUST_CHECK;

/* All records of a file are out, from now on. */
void cq_series_index_drop_file(cq_series_index *ix, uint32_t file);
bool cq_series_index_is_dropped(const cq_series_index *ix, uint32_t file);

/* Sorts, and drops every file with a name twice in one object; `on_duplicate` is told first. */
cq_status cq_series_index_finish(cq_series_index *ix, void (*on_duplicate)(void *ctx, uint32_t file, const cq_err *why), void *ctx, cq_err *e) CQ_MUST_CHECK;

/* The next series in order, borrowed until the next call; *more false at the end. */
cq_status cq_series_index_next(cq_series_index *ix, cq_series *s, bool *more, cq_err *e) CQ_MUST_CHECK;
cq_status cq_series_index_rewind(cq_series_index *ix, cq_err *e) CQ_MUST_CHECK;

#endif
