/* Comparing sort keys of neighbouring rows: see sort_check.h. */
#include "write/sort_check.h"

#include "base/bytes.h"
#include "format/limits.h"
#include "format/stats.h"
#include "format/value_text.h"

static void free_values(cq_sort_check *s, cq_sort_value *v)
{
    if (!v) return;
    for (int32_t i = 0; i < s->n_keys; i++) cq_buf_reset(&v[i].bytes);
    cq_mem_free(s->mem, v, (size_t)s->n_keys * sizeof *v);
}

static cq_status new_values(cq_sort_check *s, cq_sort_value **out, cq_err *e)
{
    void *p;
    CQ_TRY(cq_mem_alloc(s->mem, (size_t)s->n_keys * sizeof **out, "the sort keys", &p, e));
    *out = p;
    for (int32_t i = 0; i < s->n_keys; i++) cq_buf_init(&(*out)[i].bytes, s->mem);
    return CQ_OK;
}

cq_status cq_sort_check_open(cq_sort_check *s, const cq_schema *schema, const cq_sort_key *keys, int32_t n, cq_mem *mem, cq_err *e)
{
    memset(s, 0, sizeof *s);
    s->mem = mem;
    s->schema = schema;
    if (n == 0) return CQ_OK;
    for (int32_t i = 0; i < n; i++) {
        if (keys[i].column < 0 || keys[i].column >= schema->n_fields) return cq_fail(e, CQ_EARG, "a sorting column that is not in the schema");
        if (schema->fields[keys[i].column].fixed_bytes > CQ_MAX_SORT_KEY_BYTES)
            return cq_fail(e, CQ_EARG, "the sorting column '%.100s' has values of %d bytes; at most %d are allowed", schema->fields[keys[i].column].name,
                           (int)schema->fields[keys[i].column].fixed_bytes, CQ_MAX_SORT_KEY_BYTES);
        for (int32_t j = 0; j < i; j++)
            if (keys[j].column == keys[i].column)
                return cq_fail(e, CQ_EARG, "'%.100s' is there twice among the sorting columns", schema->fields[keys[i].column].name);
    }
    void *p;
    CQ_TRY(cq_mem_alloc(mem, (size_t)n * sizeof *s->keys, "the sort keys", &p, e));
    s->keys = p;
    memcpy(s->keys, keys, (size_t)n * sizeof *keys);
    s->n_keys = n;
    CQ_TRY(new_values(s, &s->last, e));
    return new_values(s, &s->saved, e);
}

void cq_sort_check_close(cq_sort_check *s)
{
    if (!s->mem) return;
    free_values(s, s->last);
    free_values(s, s->saved);
    cq_mem_free(s->mem, s->keys, (size_t)s->n_keys * sizeof *s->keys);
    memset(s, 0, sizeof *s);
}

static bool is_nan(cq_type t, cq_span v)
{
    const cq_type_info *f = cq_type_facts(t);
    if (!f->is_float) return false;
    if (f->order == CQ_ORDER_HALF) return (cq_load16(v.p) & 0x7FFF) > 0x7C00;
    float x;
    double y;
    if (f->width == 4) {
        memcpy(&x, v.p, 4);
        return x != x;
    }
    memcpy(&y, v.p, 8);
    return y != y;
}

static int key_cmp(cq_type t, bool descending, bool a_null, cq_span a, bool b_null, cq_span b)
{
    if (a_null || b_null) return a_null - b_null;
    int const c = cq_value_cmp(t, a, b);
    return descending ? -c : c;
}

static cq_span last_span(const cq_sort_check *s, int32_t k) { return cq_span_of(s->last[k].bytes.data, s->last[k].bytes.len); }

/* `row` comes after the remembered row in this key: an error that shows both. */
static cq_status out_of_order(const cq_field *f, bool descending, bool was_null, cq_span was, bool is_null, cq_span is, cq_err *e)
{
    char a[CQ_VALUE_TEXT_BYTES], b[CQ_VALUE_TEXT_BYTES];
    cq_value_text(f, is_null, is, a);
    cq_value_text(f, was_null, was, b);
    return cq_fail(e, CQ_EVALUE, "row out of order: '%.60s' is %s after %s, declared %s", f->name, a, b, descending ? "descending" : "ascending");
}

static cq_status check_value(const cq_field *f, bool is_null, cq_span v, cq_err *e)
{
    if (is_null) return CQ_OK;
    if (v.n > CQ_MAX_SORT_KEY_BYTES)
        return cq_fail(e, CQ_ELIMIT, "a sort key of %zu bytes in '%.100s'; at most %d are allowed", v.n, f->name, CQ_MAX_SORT_KEY_BYTES);
    if (is_nan(f->type, v)) return cq_fail(e, CQ_EVALUE, "NaN in the sorting column '%.100s' has no place in an order", f->name);
    return CQ_OK;
}

/* Room for a key of n bytes; never beyond the cap, which is what the plan counts. */
static cq_status need_key(cq_buf *b, size_t n, cq_err *e)
{
    if (n <= b->cap) return CQ_OK;
    return cq_buf_set_cap(b, cq_max_size(n, cq_min_size(b->cap * 2, CQ_MAX_SORT_KEY_BYTES)), e);
}

static cq_status remember(cq_sort_value *to, bool is_null, cq_span v, cq_err *e)
{
    if (!is_null) CQ_TRY(need_key(&to->bytes, v.n, e));
    to->is_null = is_null;
    to->bytes.len = 0;
    if (!is_null) cq_buf_put(&to->bytes, v.p, v.n);
    return CQ_OK;
}

cq_status cq_sort_check_row(cq_sort_check *s, cq_sort_value_fn value, const void *ctx, cq_err *e)
{
    int32_t first = 0; /* keys before it are equal to those of the last row */
    bool decided = !s->has_last;
    for (int32_t k = 0; k < s->n_keys; k++) {
        const cq_field *f = &s->schema->fields[s->keys[k].column];
        bool is_null;
        cq_span const v = value(ctx, s->keys[k].column, &is_null);
        CQ_TRY(check_value(f, is_null, v, e));
        if (decided) continue;
        int const c = key_cmp(f->type, s->keys[k].descending, s->last[k].is_null, last_span(s, k), is_null, v);
        if (c > 0) return out_of_order(f, s->keys[k].descending, s->last[k].is_null, last_span(s, k), is_null, v, e);
        decided = c < 0;
        first = decided ? k : k + 1;
    }
    for (int32_t k = first; k < s->n_keys; k++) { /* room first: then remembering cannot stop half way */
        bool is_null;
        cq_span const v = value(ctx, s->keys[k].column, &is_null);
        if (!is_null) CQ_TRY(need_key(&s->last[k].bytes, v.n, e));
    }
    for (int32_t k = first; k < s->n_keys; k++) {
        bool is_null;
        cq_span const v = value(ctx, s->keys[k].column, &is_null);
        CQ_TRY(remember(&s->last[k], is_null, v, e));
    }
    s->has_last = true;
    return CQ_OK;
}

/* -- batches ----------------------------------------------------------------------------------- */

typedef struct batch_row {
    const cq_batch *b;
    int64_t row;
    uint8_t ramp[8];
} batch_row;

static cq_span batch_value(const cq_vec *v, int64_t row, uint8_t ramp[8], bool *is_null)
{
    size_t const width = cq_type_facts(v->type)->width;
    *is_null = false;
    switch (v->shape) {
    case CQ_VEC_CONST:
        *is_null = v->is_null;
        return v->constant;
    case CQ_VEC_RAMP: {
        int64_t const x = v->start + row * v->step;
        memcpy(ramp, &x, 8);
        return cq_span_of(ramp, 8);
    }
    case CQ_VEC_FLAT:
    default:
        *is_null = v->validity && !v->validity[row];
        if (width) return cq_span_of((const uint8_t *)v->values + (size_t)row * width, width);
        return v->spans[row];
    }
}

/* Neighbours in order; strictly, so that no further key has a say. Vectorised by the compiler. */
static bool ordered_i64(const int64_t *v, int64_t n, bool descending, bool strictly)
{
    int64_t bad = 0;
    for (int64_t i = 1; i < n; i++) {
        int64_t const a = descending ? v[i] : v[i - 1], b = descending ? v[i - 1] : v[i];
        bad += strictly ? a >= b : a > b;
    }
    return bad == 0;
}

/* No value of keys [k, n) has to be looked at by itself, as NaN and overlong texts have. */
static bool values_are_fine(const cq_sort_check *s, const cq_batch *b, int32_t k)
{
    for (; k < s->n_keys; k++) {
        const cq_vec *v = &b->columns[s->keys[k].column];
        const cq_type_info *info = cq_type_facts(v->type);
        if (v->shape == CQ_VEC_FLAT && (info->is_float || info->physical == CQ_PQ_BYTE_ARRAY)) return false;
    }
    return true;
}

/* Rows of the batch cannot be out of order among themselves, and all but the first need no look:
 * constants, then an increasing ramp or an increasing column of such integers without nulls (the shapes
 * a series has), then keys of any order. */
static bool ordered_by_shape(const cq_sort_check *s, const cq_batch *b)
{
    int32_t k = 0;
    while (k < s->n_keys && b->columns[s->keys[k].column].shape == CQ_VEC_CONST) k++;
    if (k == s->n_keys) return true;
    const cq_vec *v = &b->columns[s->keys[k].column];
    bool const descending = s->keys[k].descending;
    if (!values_are_fine(s, b, k + 1)) return false;
    if (v->shape == CQ_VEC_RAMP) return descending ? v->step < 0 : v->step > 0;
    const cq_type_info *info = cq_type_facts(v->type);
    return v->shape == CQ_VEC_FLAT && info->physical == CQ_PQ_INT64 && info->is_signed && !v->validity && ordered_i64(v->values, b->n_rows, descending, k + 1 < s->n_keys);
}

static cq_status check_pair(const cq_sort_check *s, const cq_batch *b, int64_t row, cq_err *e)
{
    bool decided = row == 0 && !s->has_last;
    for (int32_t k = 0; k < s->n_keys; k++) {
        int32_t const column = s->keys[k].column;
        const cq_field *f = &s->schema->fields[column];
        uint8_t r1[8], r2[8];
        bool now_null, was_null;
        cq_span const now = batch_value(&b->columns[column], row, r1, &now_null);
        CQ_TRY(check_value(f, now_null, now, e));
        if (decided) continue;
        cq_span was;
        if (row == 0) {
            was = last_span(s, k);
            was_null = s->last[k].is_null;
        } else {
            was = batch_value(&b->columns[column], row - 1, r2, &was_null);
        }
        int const c = key_cmp(f->type, s->keys[k].descending, was_null, was, now_null, now);
        if (c > 0) return out_of_order(f, s->keys[k].descending, was_null, was, now_null, now, e);
        decided = c < 0;
    }
    return CQ_OK;
}

cq_status cq_sort_check_batch(const cq_sort_check *s, const cq_batch *b, cq_err *e)
{
    if (s->n_keys == 0 || b->n_rows == 0) return CQ_OK;
    int64_t const n = ordered_by_shape(s, b) ? 1 : b->n_rows;
    for (int64_t row = 0; row < n; row++) {
        cq_status const st = check_pair(s, b, row, e);
        if (st != CQ_OK) {
            cq_err_where(e, -1, row, -1, -1);
            return st;
        }
    }
    return CQ_OK;
}

static cq_span value_of_batch_row(const void *ctx, int32_t column, bool *is_null)
{
    const batch_row *r = ctx;
    uint8_t *ramp;
    const uint8_t *room = r->ramp;
    memcpy(&ramp, &room, sizeof ramp); /* scratch of the caller's struct */
    return batch_value(&r->b->columns[column], r->row, ramp, is_null);
}

cq_status cq_sort_check_take(cq_sort_check *s, const cq_batch *b, int64_t row, cq_err *e)
{
    if (s->n_keys == 0) return CQ_OK;
    batch_row r = {.b = b, .row = row};
    for (int32_t k = 0; k < s->n_keys; k++) {
        bool is_null;
        cq_span const v = value_of_batch_row(&r, s->keys[k].column, &is_null);
        CQ_TRY(remember(&s->last[k], is_null, v, e));
    }
    s->has_last = true;
    return CQ_OK;
}

/* -- explicit groups --------------------------------------------------------------------------- */

cq_status cq_sort_check_save(cq_sort_check *s, cq_err *e)
{
    s->has_saved = s->has_last;
    if (!s->has_last) return CQ_OK;
    for (int32_t k = 0; k < s->n_keys; k++) CQ_TRY(remember(&s->saved[k], s->last[k].is_null, last_span(s, k), e));
    return CQ_OK;
}

void cq_sort_check_restore(cq_sort_check *s)
{
    cq_sort_value *last = s->last;
    s->last = s->saved;
    s->saved = last;
    s->has_last = s->has_saved;
}
