/* Decimals and integers from outside into decimal columns: rescaled without loss, within the column's digits. */
#ifndef CQ_WRITE_DECIMAL_IMPORT_H
#define CQ_WRITE_DECIMAL_IMPORT_H

#include "base/arena.h"
#include "format/vec.h"
#include "write/value_rule.h"

/* As cq_value_convert, for CQ_OP_DECIMAL. */
cq_status cq_decimal_convert(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out,
                             cq_err *e) CQ_MUST_CHECK;

#endif
