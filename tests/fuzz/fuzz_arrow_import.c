/* Fuzz target: bytes as an Arrow type and an array of it, read into a column.
 *
 * The input says the column, the type (one of a list, or a format string of its own), dictionary and run ends, lengths,
 * offsets and the content of every buffer; each buffer is a block of exactly the size that the interface asks for, so that
 * a byte too many is seen. What the interface cannot tell is kept true: the last offset is within the bytes, and the sizes
 * of a view's buffers are not above the real ones. Everything else may be anything.
 *
 * What is read has to be the same in chunks of any size, within the promised scratch; an error names a row, and the rows
 * in front of it are readable. tests/fuzz/arrow_corpus.py makes the corpus. */
#include "base/utf8.h"
#include "write/column_import.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

/* -- the input ------------------------------------------------------------------------------------------------------- */

typedef struct input {
    const uint8_t *p;
    size_t left;
    void *blocks[64];
    size_t n_blocks;
} input;

static uint8_t next(input *in)
{
    if (!in->left) return 0;
    in->left--;
    return *in->p++;
}

static void *block(input *in, size_t n)
{
    void *p = calloc(1, n ? n : 1);
    must(p && in->n_blocks < 64, "blocks");
    return in->blocks[in->n_blocks++] = p;
}

/* A block of n bytes, exactly, of the input's next ones; zeros behind its end. */
static uint8_t *buffer(input *in, size_t n)
{
    uint8_t *p = malloc(n);
    must((p || !n) && in->n_blocks < 64, "blocks");
    in->blocks[in->n_blocks++] = p;
    size_t const k = n < in->left ? n : in->left;
    if (k) memcpy(p, in->p, k);
    if (n > k) memset(p + k, 0, n - k);
    in->p += k;
    in->left -= k;
    return p;
}

/* -- schema ---------------------------------------------------------------------------------------------------------- */

static const char *const formats[] = {
    "n", "b", "c", "C", "s", "S", "i", "I", "l", "L", "e", "f", "g", "u", "U", "vu", "z", "Z", "vz", "w:5", "w:16", "tdD", "tdm", "tts", "ttm", "ttu", "ttn", "tss:", "tsm:UTC",
    "tsu:", "tsn:Z", "d:7,2,32", "d:12,3,64", "d:9,2", "d:30,5", "d:25,3,256"};
#define N_FORMATS (sizeof formats / sizeof formats[0])

static void release_schema(struct ArrowSchema *s) { s->release = NULL; }
static void release_array(struct ArrowArray *a) { a->release = NULL; }

static struct ArrowSchema *new_schema(input *in, const char *format)
{
    struct ArrowSchema *s = block(in, sizeof *s);
    s->format = format;
    s->name = "x";
    s->release = release_schema;
    return s;
}

static struct ArrowSchema *read_schema(input *in)
{
    static const char *const indexes[] = {"c", "C", "s", "S", "i", "I", "l", "L"};
    static const char *const ends[] = {"s", "i", "l", "i"};
    uint8_t const which = next(in), wrap = next(in);
    const char *format = formats[which % N_FORMATS];
    if (which == 0xFF) { /* a format string of its own */
        char *text = (char *)buffer(in, 12);
        text[11] = '\0';
        format = text;
    }
    struct ArrowSchema *s = new_schema(in, format);
    if (wrap & 1) {
        struct ArrowSchema *index = new_schema(in, indexes[wrap >> 2 & 7]);
        index->dictionary = s;
        s = index;
    }
    if (wrap & 2) {
        struct ArrowSchema *runs = new_schema(in, "+r");
        runs->n_children = 2;
        runs->children = block(in, 2 * sizeof *runs->children);
        runs->children[0] = new_schema(in, ends[wrap >> 5 & 3]);
        runs->children[1] = s;
        s = runs;
    }
    return s;
}

static void read_field(input *in, cq_field *f)
{
    static const char name[] = "x";
    uint8_t const type = next(in), a = next(in), b = next(in);
    memset(f, 0, sizeof *f);
    f->name = name;
    f->name_bytes = 1;
    f->type = (cq_type)(type % CQ_N_TYPES);
    f->optional = f->max_def = type >> 7;
    f->field_id = -1;
    if (cq_type_facts(f->type)->logical == CQ_PQ_LOGICAL_DECIMAL) {
        f->precision = a % 38 + 1;
        f->scale = b % (f->precision + 1);
        f->type = cq_type_of_decimal(f->precision);
        if (f->type == CQ_DECIMAL128) f->fixed_bytes = cq_decimal_bytes(f->precision);
    }
    if (f->type == CQ_FIXED) f->fixed_bytes = a % 40 + 1;
    if (f->type == CQ_UUID) f->fixed_bytes = 16;
    if (f->type == CQ_FLOAT16) f->fixed_bytes = 2;
}

/* -- arrays ---------------------------------------------------------------------------------------------------------- */

static void fill_offsets(input *in, struct ArrowArray *a, size_t slots, size_t width)
{
    uint8_t const bytes = next(in);
    uint8_t *offsets = buffer(in, (slots + 1) * width), *last = offsets + slots * width;
    if (width == 8 && (int64_t)cq_load64(last) > bytes) cq_store64(last, bytes);
    if (width == 4 && (int32_t)cq_load32(last) > bytes) cq_store32(last, bytes);
    a->buffers[1] = offsets;
    a->buffers[2] = buffer(in, bytes);
}

static void fill_views(input *in, struct ArrowArray *a, size_t slots)
{
    int64_t const variadic = a->n_buffers - 3;
    uint8_t *sizes = block(in, (size_t)variadic * 8);
    a->buffers[1] = buffer(in, slots * 16);
    for (int64_t i = 0; i < variadic; i++) {
        uint8_t const bytes = next(in), less = next(in);
        cq_store64(sizes + i * 8, (uint64_t)(int64_t)((int)bytes - (less > 200 ? less - 200 : 0)));
        a->buffers[2 + i] = buffer(in, bytes);
    }
    a->buffers[a->n_buffers - 1] = sizes;
}

/* One lie about the struct, which has to be seen before a buffer is. */
static void lie(struct ArrowArray *a, uint8_t which)
{
    static const int64_t numbers[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX / 3, INT64_MAX - 70};
    int64_t const v = numbers[which % 5];
    switch (which / 5 % 10) {
    case 0: a->length = v; break;
    case 1: a->offset = v; break;
    case 2: a->null_count = v == -1 ? -2 : v; break;
    case 3: a->n_buffers = v < 0 || a->n_buffers > 3 ? -1 : a->n_buffers - 1; break; /* of views the last buffer would be another */
    case 4: a->n_children = v; break;
    case 5: a->buffers = NULL; break;
    case 6: a->release = NULL; break;
    case 7: a->dictionary = NULL; break;
    case 8: a->children = NULL; break;
    default:
        if (a->n_buffers > 0) a->buffers[which % a->n_buffers] = NULL;
        break;
    }
}

static struct ArrowArray *new_array(input *in, int64_t n_buffers)
{
    struct ArrowArray *a = block(in, sizeof *a);
    a->length = next(in);
    a->offset = next(in) % 70;
    a->n_buffers = n_buffers;
    a->buffers = block(in, (size_t)n_buffers * sizeof *a->buffers);
    a->release = release_array;
    return a;
}

/* An array without dictionary and run ends. */
static struct ArrowArray *read_flat(input *in, cq_arrow_layout layout, size_t width)
{
    static const uint8_t counts[] = {[CQ_ARROW_NO_BUFFERS] = 0, [CQ_ARROW_BITS] = 2, [CQ_ARROW_FIXED] = 2, [CQ_ARROW_OFFSETS32] = 3, [CQ_ARROW_OFFSETS64] = 3,
                                     [CQ_ARROW_VIEWS] = 3};
    uint8_t const nulls = next(in);
    struct ArrowArray *a = new_array(in, counts[layout] + (layout == CQ_ARROW_VIEWS ? nulls >> 2 & 3 : 0));
    size_t const slots = (size_t)(a->offset + a->length);
    if (layout == CQ_ARROW_NO_BUFFERS) return a;
    if (nulls & 1) a->buffers[0] = buffer(in, (slots + 7) / 8);
    a->null_count = nulls & 2 ? a->length / 2 : nulls & 1 ? -1 : 0;
    switch (layout) {
    case CQ_ARROW_BITS: a->buffers[1] = buffer(in, (slots + 7) / 8); break;
    case CQ_ARROW_OFFSETS32: fill_offsets(in, a, slots, 4); break;
    case CQ_ARROW_OFFSETS64: fill_offsets(in, a, slots, 8); break;
    case CQ_ARROW_VIEWS: fill_views(in, a, slots); break;
    default: a->buffers[1] = buffer(in, slots * width); break;
    }
    return a;
}

static struct ArrowArray *read_array(input *in, const cq_arrow_type *t)
{
    struct ArrowArray *runs = NULL, *index = NULL;
    if (t->is_run_end) {
        runs = new_array(in, 0);
        runs->n_children = 2;
        runs->children = block(in, 2 * sizeof *runs->children);
        runs->children[0] = read_flat(in, CQ_ARROW_FIXED, (size_t)t->run_end_width);
    }
    if (t->is_dictionary) index = read_flat(in, CQ_ARROW_FIXED, (size_t)t->index_width);
    struct ArrowArray *a = read_flat(in, t->layout, (size_t)t->width);
    uint8_t const which = next(in);
    if (which & 1) lie(which & 2 && index ? index : which & 4 && runs ? runs : which & 8 && runs ? runs->children[0] : a, which >> 4 | next(in));
    if (index) index->dictionary = index->dictionary ? NULL : a;
    if (runs && runs->children) runs->children[1] = index ? index : a;
    return runs ? runs : index ? index : a;
}

/* -- reading --------------------------------------------------------------------------------------------------------- */

/* What a row is, in a number: nulls are 1. Every byte of the value is looked at. */
static uint64_t row_hash(const cq_vec *v, int64_t i)
{
    size_t const width = cq_type_facts(v->type)->width;
    must(v->shape != CQ_VEC_RAMP, "shape");
    bool const is_const = v->shape == CQ_VEC_CONST;
    if (is_const ? v->is_null : v->validity && !v->validity[i]) return 1;
    cq_span const s = is_const ? v->constant : width ? cq_span_of((const uint8_t *)v->values + (size_t)i * width, width) : v->spans[i];
    uint64_t h = s.n + 17;
    must(!width || s.n == width, "width of a value");
    must(width != 1 || s.p[0] <= 1, "a bool is 0 or 1");
    for (size_t k = 0; k < s.n; k++) h = (h ^ s.p[k]) * UINT64_C(0x100000001B3);
    return h > 1 ? h : 2;
}

static void check_values(const cq_field *f, const cq_vec *v, int64_t n)
{
    bool const text = f->type == CQ_STRING || f->type == CQ_JSON || f->type == CQ_ENUM;
    must(v->type == f->type, "type");
    for (int64_t i = 0; i < n && v->shape == CQ_VEC_FLAT; i++) {
        if (v->validity && !v->validity[i]) continue;
        if (text) must(cq_utf8_valid(v->spans[i].p, v->spans[i].n), "texts are UTF-8");
        if (f->fixed_bytes) must(v->spans[i].n == (size_t)f->fixed_bytes, "fixed lengths");
    }
}

static cq_status read_chunk(cq_import *im, const cq_field *f, int64_t from, int64_t n, uint64_t *hashes, cq_err *e)
{
    size_t const bytes = (size_t)n * cq_import_row_bytes(im) + CQ_IMPORT_EXTRA + CQ_ARENA_HEADER;
    cq_mem mem;
    cq_arena arena;
    cq_vec v;
    cq_mem_init(&mem, NULL, cq_mem_charge_of(bytes));
    cq_arena_init(&arena, &mem, bytes);
    cq_status const st = cq_import_read(im, from, n, &arena, &v, e);
    if (st == CQ_OK) {
        check_values(f, &v, n);
        for (int64_t i = 0; i < n; i++) hashes[i] = row_hash(&v, i);
    } else {
        must(st == CQ_EFORMAT || st == CQ_EVALUE || st == CQ_ERANGE, "an error of the data");
        must(e->row >= from && e->row < from + n, "the row of an error");
        must(e->msg[0] && cq_utf8_valid(e->msg, strlen(e->msg)), "the text of an error");
    }
    cq_arena_reset(&arena);
    must(cq_mem_used(&mem) == 0, "memory is given back");
    return st;
}

static void read_all(cq_import *im, const cq_field *f, input *in)
{
    int64_t const n = cq_import_length(im);
    uint64_t whole[256], part[256];
    cq_err e, again;
    if (n == 0) return;
    must(n < 256, "length");
    cq_status const st = read_chunk(im, f, 0, n, whole, &e);
    int64_t const good = st == CQ_OK ? n : e.row;
    if (st != CQ_OK) must(read_chunk(im, f, e.row, 1, part, &again) != CQ_OK, "a bad row is bad alone");
    if (st != CQ_OK && good > 0 && read_chunk(im, f, 0, good, whole, &again) != CQ_OK) {
        must(again.row < e.row, "of two errors the first");
        return;
    }
    for (int64_t from = 0; from < good;) {
        int64_t const k = cq_min_i64(1 + next(in) % 40, good - from);
        must(read_chunk(im, f, from, k, part, &again) == CQ_OK, "part of good rows");
        for (int64_t i = 0; i < k; i++) must(part[i] == whole[from + i], "the same values");
        from += k;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    input in = {.p = data, .left = n};
    cq_field f;
    cq_arrow_type t;
    cq_import im;
    cq_err e;
    read_field(&in, &f);
    struct ArrowSchema *s = read_schema(&in);
    if (cq_arrow_type_parse(s, &t, &e) == CQ_OK) {
        cq_status const st = cq_import_arrow_type(&im, &f, s, &e);
        must(st == CQ_OK || (st == CQ_ETYPE && e.msg[0] && cq_utf8_valid(e.msg, strlen(e.msg))), "a type or a refusal");
        if (st == CQ_OK) {
            struct ArrowArray *a = read_array(&in, &t);
            cq_status const entered = cq_import_arrow_array(&im, a, &e);
            must(entered == CQ_OK || entered == CQ_EFORMAT, "an array or a refusal");
            if (entered == CQ_OK) read_all(&im, &f, &in);
        }
    } else {
        must(e.code == CQ_EFORMAT || e.code == CQ_EUNSUPPORTED, "a refusal");
        must(e.msg[0] && cq_utf8_valid(e.msg, strlen(e.msg)), "the text of a refusal");
    }
    for (size_t i = 0; i < in.n_blocks; i++) free(in.blocks[i]);
    return 0;
}
