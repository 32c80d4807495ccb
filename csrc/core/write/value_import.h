/* Values from outside into the form that is stored: a chunk of raw numbers or of spans becomes a vector, by the rule of
 * its column (value_rule.h). Where they came from is not known here. */
#ifndef CQ_WRITE_VALUE_IMPORT_H
#define CQ_WRITE_VALUE_IMPORT_H

#include "base/arena.h"
#include "format/vec.h"
#include "write/value_rule.h"

static inline bool cq_is_value(const uint8_t *validity, int64_t i) { return !validity || validity[i]; }

/* A failure at a slot of the chunk. */
CQ_MUST_CHECK static inline cq_status cq_at_slot(cq_status st, int64_t i, cq_err *e)
{
    cq_err_where(e, -1, i, -1, -1);
    return st;
}

/* n numbers of the rule's width, contiguous, little-endian and aligned to their width, with one byte of validity each or
 * NULL. The vector borrows `raw` where it is what is stored, otherwise scratch. CQ_ERANGE and CQ_EVALUE: e->row is the slot. */
cq_status cq_value_convert(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out,
                           cq_err *e) CQ_MUST_CHECK;
/* n spans, checked and borrowed: UTF-8 unless `trusted`, lengths always. */
cq_status cq_value_convert_spans(const cq_value_rule *r, const cq_span *spans, const uint8_t *validity, int64_t n, bool trusted, cq_vec *out,
                                 cq_err *e) CQ_MUST_CHECK;

/* A text that is no UTF-8, a binary value of another length than the column's: the errors of single spans. */
cq_status cq_value_check_span(const cq_value_rule *r, cq_span s, cq_err *e) CQ_MUST_CHECK;

/* Scratch of cq_value_convert: at most n times this and CQ_VALUE_EXTRA. */
#define CQ_VALUE_EXTRA ((size_t)48)
size_t cq_value_row_bytes(const cq_value_rule *r);

#endif
