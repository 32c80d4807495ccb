/* Batches: checked as a whole, then appended in slices. A slice ends where a row-by-row writer would
 * look at the group's size, so both cut the same groups; pages are cut inside a slice wherever each
 * column's builder is full. */
#include "write/writer_int.h"

#include "base/bytes.h"
#include "format/limits.h"

/* -- checks ------------------------------------------------------------------------------------- */

/* One value of a byte-array column. */
static cq_status check_length(const cq_writer *w, const cq_field *f, size_t n, cq_err *e)
{
    if (f->fixed_bytes) {
        char text[CQ_TYPE_TEXT_BYTES];
        if (n == (size_t)f->fixed_bytes) return CQ_OK;
        return cq_fail(e, CQ_EVALUE, "a value of %zu bytes in a column of type %s, whose values have %d", n, cq_field_type_text(f, text), (int)f->fixed_bytes);
    }
    if (n <= w->plan.max_value_bytes) return CQ_OK;
    return cq_fail(e, CQ_ELIMIT, "a value of %zu bytes is larger than the memory limit allows (%zu bytes)", n, w->plan.max_value_bytes);
}

static cq_status check_bytes_column(const cq_writer *w, const cq_field *f, const cq_vec *v, int64_t n, int64_t *row, cq_err *e)
{
    size_t const fixed = (size_t)f->fixed_bytes, most = fixed ? fixed : w->plan.max_value_bytes;
    *row = 0;
    if (v->shape == CQ_VEC_CONST) return v->is_null ? CQ_OK : check_length(w, f, v->constant.n, e);
    for (int64_t i = 0; i < n; i++) {
        size_t const k = v->spans[i].n;
        if (k <= most && k >= fixed) continue;
        if (v->validity && !v->validity[i]) continue;
        *row = i;
        return check_length(w, f, k, e);
    }
    return CQ_OK;
}

static cq_status check_ramp(const cq_field *f, const cq_vec *v, int64_t n, cq_err *e)
{
    const cq_type_info *info = cq_type_facts(f->type);
    int64_t last;
    if (info->physical != CQ_PQ_INT64 || !info->is_signed) return cq_fail(e, CQ_EARG, "a ramp is for columns of 8-byte signed integers, not of %s", info->name);
    if (!cq_mul_i64(v->step, n - 1, &last) || !cq_add_i64(v->start, last, &last)) return cq_fail(e, CQ_ERANGE, "a ramp beyond int64");
    return CQ_OK;
}

static cq_status check_column(const cq_writer *w, const cq_field *f, const cq_vec *v, int64_t n, int64_t *row, cq_err *e)
{
    *row = -1;
    if (v->type != f->type) return cq_fail(e, CQ_EARG, "a vector of type %s for a column of type %s", cq_type_facts(v->type)->name, cq_type_facts(f->type)->name);
    if (v->shape == CQ_VEC_RAMP) return check_ramp(f, v, n, e);
    if (!f->optional) {
        if (v->shape == CQ_VEC_CONST && v->is_null) {
            *row = 0;
            return cq_fail(e, CQ_EVALUE, "null in a required column");
        }
        const uint8_t *null = v->shape == CQ_VEC_FLAT && v->validity ? memchr(v->validity, 0, (size_t)n) : NULL;
        if (null) {
            *row = null - v->validity;
            return cq_fail(e, CQ_EVALUE, "null in a required column");
        }
    }
    return cq_type_facts(f->type)->width ? CQ_OK : check_bytes_column(w, f, v, n, row, e);
}

/* Columns whose lengths vary: those of the others are known from the number of rows. */
static bool is_measured(const cq_field *f) { return cq_type_facts(f->type)->physical == CQ_PQ_BYTE_ARRAY; }

/* Byte-array bytes of one row. */
static int64_t row_bytes(const cq_writer *w, const cq_batch *b, int64_t row)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < w->schema.n_fields; i++) {
        const cq_vec *v = &b->columns[i];
        if (!is_measured(&w->schema.fields[i])) continue;
        if (v->shape == CQ_VEC_CONST)
            sum += v->is_null ? 0 : cq_i64(v->constant.n);
        else if (!v->validity || v->validity[row])
            sum += cq_i64(v->spans[row].n);
    }
    return sum;
}

/* Byte-array bytes of rows [from, from + n), all of which were checked; INT64_MAX stands for more than fit. */
static int64_t slice_bytes(const cq_writer *w, const cq_batch *b, int64_t from, int64_t n)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < w->schema.n_fields; i++) {
        const cq_vec *v = &b->columns[i];
        if (!is_measured(&w->schema.fields[i])) continue;
        int64_t bytes = 0;
        if (v->shape == CQ_VEC_CONST) {
            if (!v->is_null && !cq_mul_i64(cq_i64(v->constant.n), n, &bytes)) return INT64_MAX;
        } else if (v->validity) {
            for (int64_t k = from; k < from + n; k++) bytes += v->validity[k] ? cq_i64(v->spans[k].n) : 0;
        } else {
            for (int64_t k = from; k < from + n; k++) bytes += cq_i64(v->spans[k].n);
        }
        if (!cq_add_i64(sum, bytes, &sum)) return INT64_MAX;
    }
    return sum;
}

static cq_status check_rows(const cq_writer *w, const cq_batch *b, cq_err *e)
{
    int64_t const max = cq_i64(w->plan.max_row_bytes);
    if (slice_bytes(w, b, 0, b->n_rows) <= max) return CQ_OK;
    for (int64_t i = 0; i < b->n_rows; i++) {
        int64_t const bytes = row_bytes(w, b, i);
        if (bytes <= max) continue;
        cq_status const st = cq_fail(e, CQ_ELIMIT, "a row of %lld bytes is larger than the memory limit allows (%lld bytes)", (long long)bytes, (long long)max);
        cq_err_where(e, -1, i, -1, -1);
        return st;
    }
    return CQ_OK;
}

static cq_status check_batch(const cq_writer *w, const cq_batch *b, cq_err *e)
{
    for (int32_t i = 0; i < w->schema.n_fields; i++) {
        int64_t row;
        cq_status const st = check_column(w, &w->schema.fields[i], &b->columns[i], b->n_rows, &row, e);
        if (st != CQ_OK) {
            cq_err_where(e, -1, row, -1, i);
            return st;
        }
    }
    CQ_TRY(check_rows(w, b, e));
    return cq_sort_check_batch(&w->sort, b, e);
}

/* -- slices ------------------------------------------------------------------------------------- */

/* Rows from `from` up to the next look at the group's size, and their bytes. */
static int64_t slice_rows(const cq_writer *w, const cq_batch *b, int64_t from, int64_t *bytes)
{
    int64_t n = cq_min_i64(b->n_rows - from, CQ_CHECK_ROWS - w->group.n_rows % CQ_CHECK_ROWS);
    if (w->row_group_size > w->group.n_rows) n = cq_min_i64(n, w->row_group_size - w->group.n_rows);
    *bytes = slice_bytes(w, b, from, n);
    int64_t const room = CQ_CHECK_BYTES - w->unchecked_bytes;
    if (*bytes < room - n * w->fixed_row_bytes) return n;
    *bytes = 0;
    for (int64_t i = 0; i < n; i++) {
        *bytes += row_bytes(w, b, from + i);
        if (*bytes >= room - (i + 1) * w->fixed_row_bytes) return i + 1;
    }
    return n;
}

static cq_status append_column(cq_writer *w, int32_t i, const cq_vec *v, int64_t from, int64_t n, cq_err *e)
{
    cq_colbuf *c = &w->group.chunks[i].col;
    for (int64_t done = 0; done < n;) {
        int64_t k;
        CQ_TRY(cq_colbuf_append_vec(c, v, from + done, n - done, &k, e));
        done += k;
        /* at once, for the last one too: large values of different rows must not wait in two columns */
        while (c->full) {
            CQ_TRY(cq_writer_poll_stop(w, e));
            CQ_TRY(cq_writer_cut_page(w, i, true, e));
        }
    }
    return CQ_OK;
}

static cq_status append_rows(cq_writer *w, const cq_batch *b, cq_err *e)
{
    for (int64_t from = 0; from < b->n_rows;) {
        int64_t bytes;
        int64_t const n = slice_rows(w, b, from, &bytes);
        for (int32_t i = 0; i < w->schema.n_fields; i++) CQ_TRY(append_column(w, i, &b->columns[i], from, n, e));
        from += n;
        cq_writer_count_rows(w, n, bytes);
        if (w->due) CQ_TRY(cq_writer_settle(w, e));
    }
    return CQ_OK;
}

/* -- the two ways to write a batch ----------------------------------------------------------------- */

static cq_status write_checked(cq_writer *w, const cq_batch *b, cq_err *e)
{
    cq_status st = append_rows(w, b, e);
    if (st == CQ_OK) st = cq_sort_check_take(&w->sort, b, b->n_rows - 1, e);
    return st == CQ_OK ? CQ_OK : cq_writer_fail(w, st, e);
}

cq_status cq_writer_write_batch(cq_writer *w, const cq_batch *b, cq_err *e)
{
    CQ_TRY(cq_writer_usable(w, e));
    CQ_TRY(cq_writer_no_row(w, e));
    if (b->n_rows <= 0) return CQ_OK;
    if (w->due) CQ_TRY(cq_writer_settle(w, e));
    CQ_TRY(check_batch(w, b, e));
    return write_checked(w, b, e);
}

/* While batches are checked, the sort check's last row is that of the last batch; the file's own waits where an
 * explicit group would keep it. */
cq_status cq_writer_begin_checks(cq_writer *w, cq_err *e)
{
    CQ_TRY(cq_writer_usable(w, e));
    CQ_TRY(cq_writer_no_row(w, e));
    if (w->explicit_group) return cq_fail(e, CQ_ESTATE, "a row group is being written: end it first");
    CQ_TRY(cq_sort_check_save(&w->sort, e));
    w->checking = true;
    return CQ_OK;
}

cq_status cq_writer_check_batch(cq_writer *w, const cq_batch *b, cq_err *e)
{
    if (!w->checking) return cq_fail(e, CQ_ESTATE, "a batch to check, but no checks were begun");
    if (b->n_rows <= 0) return CQ_OK;
    CQ_TRY(check_batch(w, b, e));
    return cq_sort_check_take(&w->sort, b, b->n_rows - 1, e);
}

void cq_writer_end_checks(cq_writer *w)
{
    if (!w->checking) return;
    w->checking = false;
    cq_sort_check_restore(&w->sort);
}

cq_status cq_writer_write_checked(cq_writer *w, const cq_batch *b, cq_err *e)
{
    CQ_TRY(cq_writer_usable(w, e));
    CQ_TRY(cq_writer_no_row(w, e));
    if (b->n_rows <= 0) return CQ_OK;
    cq_status const st = w->due ? cq_writer_settle(w, e) : CQ_OK;
    return st == CQ_OK ? write_checked(w, b, e) : cq_writer_fail(w, st, e);
}

void cq_writer_give_up(cq_writer *w, const cq_err *e)
{
    cq_status const st = cq_writer_fail(w, e->code, e);
    (void)st;
}
