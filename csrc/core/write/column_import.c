/* Columns from outside: the two kinds of sources behind one face. */
#include "write/column_import.h"

#include "base/bytes.h"
#include "write/arrow_read.h"
#include "write/value_import.h"

#include <string.h>

_Static_assert(CQ_STRIDED_EXTRA <= CQ_IMPORT_EXTRA && CQ_ARROW_EXTRA <= CQ_IMPORT_EXTRA, "what a read takes beside its rows");

cq_status cq_import_strided(cq_import *im, const cq_field *f, const cq_strided *s, cq_err *e)
{
    cq_value_type from;
    memset(im, 0, sizeof *im);
    CQ_TRY(cq_strided_value_type(s, &from, e));
    if (s->n < 0 || (s->n > 0 && !s->base)) return cq_fail(e, CQ_EARG, "an array of %lld items without memory", (long long)s->n);
    im->strided = *s;
    im->n = s->n;
    return cq_value_rule_make(&im->rule, f, &from, e);
}

cq_status cq_import_arrow_type(cq_import *im, const cq_field *f, const struct ArrowSchema *s, cq_err *e)
{
    cq_value_type from;
    memset(im, 0, sizeof *im);
    im->is_arrow = true;
    CQ_TRY(cq_arrow_type_parse(s, &im->arrow.type, e));
    cq_arrow_value_type(&im->arrow.type, &from);
    return cq_value_rule_make(&im->rule, f, &from, e);
}

cq_status cq_import_arrow_array(cq_import *im, const struct ArrowArray *a, cq_err *e)
{
    im->first = im->n = 0;
    CQ_TRY(cq_arrow_column_enter(&im->arrow, a, e));
    im->n = im->arrow.n;
    return CQ_OK;
}

cq_status cq_import_arrow_rows(cq_import *im, const struct ArrowArray *a, int64_t from, int64_t n, cq_err *e)
{
    CQ_TRY(cq_import_arrow_array(im, a, e));
    if (from < 0 || n < 0 || from > im->n || n > im->n - from) {
        int64_t const has = im->n;
        im->n = 0;
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an array of %lld slots where rows from %lld on, %lld of them, are needed", (long long)has, (long long)from, (long long)n);
    }
    im->first = from;
    im->n = n;
    return CQ_OK;
}

void cq_import_trust(cq_import *im, bool read_before) { im->trusted = read_before; }

int64_t cq_import_length(const cq_import *im) { return im->n; }

size_t cq_import_row_bytes(const cq_import *im)
{
    return im->is_arrow ? cq_arrow_row_bytes(&im->arrow, &im->rule) : cq_strided_row_bytes(&im->strided, &im->rule);
}

cq_status cq_import_read(cq_import *im, int64_t from, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    if (from < 0 || n <= 0 || from > im->n || n > im->n - from)
        return cq_fail(e, CQ_EARG, "rows from %lld on, %lld of them, of a column of %lld", (long long)from, (long long)n, (long long)im->n);
    cq_status const st = im->is_arrow ? cq_arrow_read(&im->arrow, &im->rule, im->trusted, im->first + from, n, scratch, out, e)
                                      : cq_strided_read(&im->strided, &im->rule, from, n, scratch, out, e);
    if (st != CQ_OK && e && e->row >= 0) e->row += from;
    return st;
}
