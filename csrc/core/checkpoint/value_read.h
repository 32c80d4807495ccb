/* The value pass's access to files: values of one series, a window at a time, from files that the
 * index pass has read. A file is compared with what it was then, when it is opened and before it
 * is closed; few are open at a time. */
#ifndef CQ_CHECKPOINT_VALUE_READ_H
#define CQ_CHECKPOINT_VALUE_READ_H

#include "checkpoint/scan.h"

/* A file of a job: its name from the caller, the rest from the index pass. */
typedef struct cq_checkpoint_file {
    const char *name;        /* borrowed; relative to the job's directory */
    cq_checkpoint_info info;
    cq_err err;              /* code CQ_OK: readable */
} cq_checkpoint_file;

#define CQ_VALUE_FILES 8

typedef struct cq_value_reader {
    int dir_fd;                       /* borrowed */
    const cq_checkpoint_file *files;  /* borrowed */
    cq_poll *poll;                    /* borrowed; may be NULL */
    cq_source text;                   /* JSON is read through it */
    struct cq_value_slot {
        int fd;                       /* -1: none */
        uint32_t file;
        uint64_t last_use;
    } slots[CQ_VALUE_FILES];
    uint64_t n_uses;
    uint32_t changed;                 /* after CQ_ECHANGED: which file */
} cq_value_reader;

/* What is still to be read of a series. */
typedef struct cq_value_cursor {
    uint32_t file;
    uint64_t left;         /* values */
    int64_t offset, end;   /* of their bytes */
} cq_value_cursor;

cq_status cq_value_reader_init(cq_value_reader *r, cq_mem *mem, cq_poll *poll, size_t text_window, int dir_fd, const cq_checkpoint_file *files, cq_err *e) CQ_MUST_CHECK;
void cq_value_reader_reset(cq_value_reader *r);

cq_value_cursor cq_value_cursor_of(const cq_series *s);
/* The next `n` values, n <= left; NaN: no sample. CQ_ECHANGED names the file. */
cq_status cq_value_read(cq_value_reader *r, cq_value_cursor *c, float *dst, size_t n, cq_err *e) CQ_MUST_CHECK;
/* The last comparison of what is still open. */
cq_status cq_value_reader_finish(cq_value_reader *r, cq_err *e) CQ_MUST_CHECK;

#endif
