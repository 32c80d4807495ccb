/* Sorting more records than memory holds: byte strings in, the same in ascending order out.
 *
 * Records are gathered in a window; a full window is sorted and becomes a run of a spill log;
 * runs are merged through small buffers, in levels where there are more of them than buffers. As
 * long as everything fits the window nothing is written. Order is that of unsigned bytes; no
 * record may be a proper prefix of another one. What a record means is its users' business. */
#ifndef CQ_CHECKPOINT_EXTSORT_H
#define CQ_CHECKPOINT_EXTSORT_H

#include "base/buf.h"
#include "base/source.h"
#include "base/spill.h"

typedef struct cq_run {
    int64_t offset, end; /* in the log */
    uint32_t level;
} cq_run;

typedef struct cq_run_reader {
    int64_t next, end;   /* what of the log is still to be read */
    uint8_t *buf;
    size_t cap, at, len; /* the current record's length field stands at `at` */
} cq_run_reader;

typedef struct cq_extsort {
    cq_mem *mem;
    const char *dir;         /* borrowed; for the spill log */
    cq_poll *poll;           /* borrowed; may be NULL */
    size_t records_cap, entries_cap, max_record;
    size_t largest;          /* record so far: what the read buffers of a merge must hold */
    cq_buf records, entries; /* in memory; the former's block holds the read buffers of a merge */
    cq_spill log;
    cq_buf runs;             /* of cq_run, in the order of the log */
    cq_buf readers, heap;    /* of a merge: cq_run_reader; uint32_t, the smallest head first */
    uint64_t n_records;
    size_t next;             /* of entries, without a merge */
    uint32_t random;
    bool log_open, merging, started;
} cq_extsort;

/* A window of `window` bytes, split for records of about `typical` bytes: the largest possible
 * record has s->max_record bytes, a bit less than half the window. Allocates nothing. */
void cq_extsort_init(cq_extsort *s, cq_mem *mem, const char *dir, cq_poll *poll, size_t window, size_t typical);
void cq_extsort_reset(cq_extsort *s);
/* Forgets the records, keeps the memory. */
void cq_extsort_clear(cq_extsort *s);

/* Room for one record of `n` bytes, which the caller fills before the next call. */
cq_status cq_extsort_add(cq_extsort *s, size_t n, uint8_t **record, cq_err *e) CQ_MUST_CHECK;

/* Ends the adding. After it, or a rewind, cq_extsort_next gives the records from the smallest. */
cq_status cq_extsort_finish(cq_extsort *s, cq_err *e) CQ_MUST_CHECK;
cq_status cq_extsort_rewind(cq_extsort *s, cq_err *e) CQ_MUST_CHECK;

/* The next record, borrowed until the next call; p NULL at the end. */
cq_status cq_extsort_next(cq_extsort *s, cq_span *record, cq_err *e) CQ_MUST_CHECK;

/* Bytes ever written to the temporary file. */
uint64_t cq_extsort_spilled(const cq_extsort *s);

#endif
