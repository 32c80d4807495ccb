/* The stage: columns whose values can be converted only once (Python objects), kept in the form of
 * builders, so that a batch is checked as a whole before anything of it is written.
 *
 * Rows go in as into a writer: one value into every builder, then cq_stage_end_row. A chunk that is
 * full is ended and gives its columns as vectors; the next one begins where its content is wanted
 * no longer. Afterwards the same chunks come back in order. What does not fit in memory waits in an
 * unlinked file of the writer's spill directory.
 *
 * The stage takes no more memory than it was given, which the writer never counts on
 * (cq_stage_room): so writing what was staged does not fail for the memory of the stage. */
#ifndef CQ_WRITE_STAGE_H
#define CQ_WRITE_STAGE_H

#include "base/arena.h"
#include "format/vec.h"
#include "write/writer.h"

typedef struct cq_stage cq_stage;

/* The memory that a plan leaves to columns from outside, for stages and for the arena of their
 * vectors. A stage of all columns works with three quarters of it, if a quarter is the arena's. */
size_t cq_stage_room(const cq_plan *p);

/* For columns[0 .. n) of the writer's schema, in at most max_bytes of its memory. A chunk has at most
 * chunk_rows rows, fewer where the memory is small. CQ_EBUDGET where max_bytes is too little. */
cq_status cq_stage_open(cq_stage **s, cq_writer *w, const int32_t *columns, int32_t n, int32_t chunk_rows, size_t max_bytes,
                        cq_err *e) CQ_MUST_CHECK;
/* NULL is nothing. */
void cq_stage_free(cq_stage *s);
/* Bytes it holds; at most max_bytes. */
size_t cq_stage_bytes(const cq_stage *s);

/* The builder of the k-th of `columns`: one value a row. A value that is too large for the stage is CQ_ELIMIT, with a
 * text that says what write_rows takes. */
cq_colbuf *cq_stage_column(cq_stage *s, int32_t k);
/* True: the chunk is full, no row may follow in it. */
bool cq_stage_end_row(cq_stage *s);
/* Takes back the values of the unfinished row. */
void cq_stage_abort_row(cq_stage *s);

/* Before the first row of every chunk: keeps the chunk before, whose vectors end here. */
cq_status cq_stage_begin_chunk(cq_stage *s, cq_err *e) CQ_MUST_CHECK;
/* Rows of the open chunk, whose vectors are to be had now. */
int32_t cq_stage_rows(const cq_stage *s);
/* The k-th column of the chunk, with scratch of at most rows * row_bytes + CQ_STAGE_EXTRA bytes. Valid until the next chunk. */
#define CQ_STAGE_EXTRA ((size_t)32)
size_t cq_stage_row_bytes(const cq_stage *s, int32_t k);
cq_status cq_stage_vec(cq_stage *s, int32_t k, cq_arena *scratch, cq_vec *out, cq_err *e) CQ_MUST_CHECK;

/* No row follows; cq_stage_next_chunk gives the first chunk again. */
void cq_stage_rewind(cq_stage *s);
/* The next chunk and its number of rows; 0: there is none. CQ_EIO where the file is not what it was. */
cq_status cq_stage_next_chunk(cq_stage *s, int32_t *n_rows, cq_err *e) CQ_MUST_CHECK;

#endif
