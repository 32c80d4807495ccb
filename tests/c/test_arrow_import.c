/* Arrow arrays as vectors: every type in every layout at every offset against what the seeds are, scratch within its
 * bound, memory that is borrowed, texts, and producers that break the interface. */
#include "write/column_import.h"

#include "import_help.h"

#define ROWS 150

static const char *const flat_formats[] = {
    "n", "b", "c", "C", "s", "S", "i", "I", "l", "L", "e", "f", "g", "u", "U", "vu", "z", "Z", "vz", "w:5", "w:16", "tdD", "tdm", "tts", "ttm", "ttu", "ttn", "tss:", "tsm:UTC",
    "tsu:", "tsn:Europe/Berlin", "d:7,2,32", "d:12,3,64", "d:9,2", "d:18,4", "d:30,5", "d:25,3,256", "d:3,1,256"};
#define N_FORMATS (sizeof flat_formats / sizeof flat_formats[0])

/* -- every layout ---------------------------------------------------------------------------------------------------- */

/* Rows [from, from + n) are what the seeds say, in a block of just the promised scratch. */
static void check_read(cq_import *im, const cq_field *f, const int *seeds, int64_t from, int64_t n)
{
    size_t const block = (size_t)n * cq_import_row_bytes(im) + CQ_IMPORT_EXTRA + CQ_ARENA_HEADER;
    cq_mem mem;
    cq_arena arena;
    cq_err e;
    cq_vec v;
    cq_mem_init(&mem, NULL, cq_mem_charge_of(block));
    cq_arena_init(&arena, &mem, block);
    CQT_OK(cq_import_read(im, from, n, &arena, &v, &e), &e);
    CQT_EQ_I(v.type, f->type);
    for (int64_t i = 0; i < n; i++) {
        uint8_t want[64];
        cq_span got;
        int const seed = im->arrow.type.kind == CQ_ARROW_NULL ? IH_NULL : seeds[from + i];
        bool const is_value = ih_value(&v, i, &got);
        CQT_MSG(is_value == (seed != IH_NULL), "row %lld of [%lld, +%lld) is %s", (long long)(from + i), (long long)from, (long long)n, is_value ? "no null" : "null");
        if (!is_value) continue;
        size_t const k = ih_stored(&im->arrow.type, f, seed, want);
        CQT_EQ_U(got.n, k);
        if (k) CQT_EQ_MEM(got.p, want, k);
    }
    cq_arena_reset(&arena);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

static void check_array(const cq_field *f, const struct ArrowSchema *s, const struct ArrowArray *a, const int *seeds, int64_t n)
{
    cq_import im;
    cq_err e;
    CQT_OK(cq_import_arrow_type(&im, f, s, &e), &e);
    CQT_OK(cq_import_arrow_array(&im, a, &e), &e);
    CQT_EQ_I(cq_import_length(&im), n);
    if (n == 0) return;
    check_read(&im, f, seeds, 0, n);
    for (int i = 0; i < 12; i++) {
        int64_t const from = (int64_t)cqt_rand_below((uint64_t)n);
        check_read(&im, f, seeds, from, 1 + (int64_t)cqt_rand_below((uint64_t)(n - from)));
    }
    int64_t const from = (int64_t)cqt_rand_below((uint64_t)n), k = (int64_t)cqt_rand_below((uint64_t)(n - from)); /* part of a batch */
    CQT_OK(cq_import_arrow_rows(&im, a, from, k, &e), &e);
    CQT_EQ_I(cq_import_length(&im), k);
    if (k) check_read(&im, f, seeds + from, 0, k);
    if (k > 1) check_read(&im, f, seeds + from, 1, k - 1);
    CQT_STATUS(cq_import_arrow_rows(&im, a, from, n - from + 1, &e), CQ_EFORMAT);
    CQT_EQ_I(cq_import_length(&im), 0);
}

/* A field for the format: the column that it is, or one of text where it is none (nulls). */
static cq_field field_for(const struct ArrowSchema *s)
{
    cq_field_spec spec;
    cq_err e;
    if (cq_arrow_to_field(s, &spec, &e) != CQ_OK) return ih_field(CQ_STRING, true, 0, 0);
    return ih_field(spec.type, true, spec.precision ? spec.precision : spec.fixed_bytes, spec.scale);
}

/* Runs of equal seeds, nulls in the amount that is asked for: 0 none, 1 some, 2 all. */
static void make_seeds(int *seeds, int64_t n, int nulls)
{
    for (int64_t i = 0; i < n;) {
        int const seed = nulls == 2 || (nulls == 1 && cqt_rand_below(4) == 0) ? IH_NULL : (int)cqt_rand_below(IH_SEEDS);
        for (int64_t end = i + 1 + (int64_t)(cqt_rand_below(3) ? 0 : cqt_rand_below(20)); i < end && i < n; i++) seeds[i] = seed;
    }
}

static int64_t some_offset(void)
{
    static const int64_t offsets[] = {0, 0, 1, 3, 7, 8, 9, 63, 64, 65};
    return offsets[cqt_rand_below(10)];
}

static void flat_arrays(void)
{
    for (size_t k = 0; k < N_FORMATS; k++)
        for (int round = 0; round < 8; round++) {
            ih_pool p = {0};
            int seeds[ROWS];
            int64_t const n = round == 7 ? 0 : 1 + (int64_t)cqt_rand_below(ROWS);
            cq_arrow_type t;
            cq_err e;
            struct ArrowSchema *s = ih_schema(&p, flat_formats[k]);
            cq_field const f = field_for(s);
            make_seeds(seeds, n, round % 3);
            CQT_OK(cq_arrow_type_parse(s, &t, &e), &e);
            check_array(&f, s, ih_flat(&p, &t, seeds, n, some_offset()), seeds, n);
            ih_free(&p);
        }
}

static void dictionaries(void)
{
    static const char *const indexes[] = {"c", "C", "s", "S", "i", "I", "l", "L"};
    for (size_t k = 0; k < N_FORMATS; k++)
        for (int round = 0; round < 8; round++) {
            ih_pool p = {0};
            int seeds[ROWS];
            int64_t const n = round == 7 ? 0 : 1 + (int64_t)cqt_rand_below(ROWS);
            cq_arrow_type t;
            cq_err e;
            struct ArrowSchema *s = ih_dictionary_schema(&p, indexes[round], flat_formats[k]);
            cq_field const f = field_for(s);
            make_seeds(seeds, n, round % 3);
            CQT_OK(cq_arrow_type_parse(s, &t, &e), &e);
            check_array(&f, s, ih_dictionary(&p, &t, seeds, n, some_offset(), t.index_width), seeds, n);
            ih_free(&p);
        }
}

static void run_ends(void)
{
    static const char *const ends_formats[] = {"s", "i", "l"};
    for (size_t k = 0; k < N_FORMATS; k++)
        for (int round = 0; round < 12; round++) {
            ih_pool p = {0};
            int seeds[ROWS], run_seeds[ROWS + 2];
            int64_t ends[ROWS + 2];
            int64_t const n = round == 11 ? 0 : 1 + (int64_t)cqt_rand_below(ROWS), offset = some_offset();
            bool const in_dictionary = round % 2;
            cq_arrow_type t;
            cq_err e;
            struct ArrowSchema *values = in_dictionary ? ih_dictionary_schema(&p, "C", flat_formats[k]) : ih_schema(&p, flat_formats[k]);
            struct ArrowSchema *s = ih_run_schema(&p, ends_formats[round % 3], values);
            cq_field const f = field_for(s);
            make_seeds(seeds, n, round / 3 % 3);
            CQT_OK(cq_arrow_type_parse(s, &t, &e), &e);
            int64_t const n_runs = ih_runs_of(seeds, n, offset, run_seeds, ends);
            struct ArrowArray *a = in_dictionary ? ih_dictionary(&p, &t, run_seeds, n_runs, some_offset(), 1) : ih_flat(&p, &t, run_seeds, n_runs, some_offset());
            check_array(&f, s, ih_run_array(&p, n, offset, ends, n_runs, t.run_end_width, a), seeds, n);
            ih_free(&p);
        }
}

/* -- one array at hand ----------------------------------------------------------------------------------------------- */

typedef struct column {
    ih_pool p;
    struct ArrowSchema *schema;
    struct ArrowArray *array;
    cq_arrow_type type;
    cq_field field;
    cq_mem mem;
    cq_arena arena;
    cq_import im;
    cq_vec v;
    cq_err e;
} column;

static void column_init(column *c)
{
    memset(&c->p, 0, sizeof c->p);
    cq_mem_init(&c->mem, NULL, UINT64_C(1) << 24);
    cq_arena_init(&c->arena, &c->mem, 65536);
}

static void column_free(column *c)
{
    cq_arena_reset(&c->arena);
    CQT_EQ_U(cq_mem_used(&c->mem), 0);
    ih_free(&c->p);
}

static void column_of(column *c, const char *format, const int *seeds, int64_t n, int64_t offset)
{
    column_init(c);
    c->schema = ih_schema(&c->p, format);
    CQT_OK(cq_arrow_type_parse(c->schema, &c->type, &c->e), &c->e);
    c->field = field_for(c->schema);
    c->array = ih_flat(&c->p, &c->type, seeds, n, offset);
}

/* Type, array and a read of all rows, up to the first error. */
static cq_status column_read(column *c)
{
    cq_status st = cq_import_arrow_type(&c->im, &c->field, c->schema, &c->e);
    if (st == CQ_OK) st = cq_import_arrow_array(&c->im, c->array, &c->e);
    if (st == CQ_OK && cq_import_length(&c->im) > 0) st = cq_import_read(&c->im, 0, cq_import_length(&c->im), &c->arena, &c->v, &c->e);
    return st;
}

/* -- borrowed memory ------------------------------------------------------------------------------------------------- */

static void numbers_are_borrowed(void)
{
    static const char *const formats[] = {"l", "L", "g", "f", "i", "I", "tdD", "tsu:UTC", "ttm", "ttu"};
    static const int seeds[6] = {0, 1, 2, 3, 4, 5};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        column c;
        column_of(&c, formats[i], seeds, 6, 4);
        CQT_OK(column_read(&c), &c.e);
        CQT(c.v.values == (const uint8_t *)c.array->buffers[1] + 4 * c.type.width && c.v.validity == NULL);
        CQT_EQ_U(cq_mem_used(&c.mem), 0);
        uint8_t *apart = ih_alloc(&c.p, 10 * (size_t)c.type.width + 1); /* at an odd address it is copied */
        memcpy(apart + 1, c.array->buffers[1], 10 * (size_t)c.type.width);
        c.array->buffers[1] = apart + 1;
        CQT_OK(column_read(&c), &c.e);
        CQT(cq_mem_used(&c.mem) > 0);
        CQT((uintptr_t)c.v.values % 8 == 0);
        CQT_EQ_MEM(c.v.values, apart + 1 + 4 * c.type.width, 6 * (size_t)c.type.width);
        column_free(&c);
    }
}

static void a_null_count_of_zero_is_believed(void)
{
    static const uint8_t nonsense[] = {0, 0};
    static const int seeds[3] = {1, 2, 3};
    column c;
    column_of(&c, "l", seeds, 3, 0);
    c.array->buffers[0] = nonsense;
    CQT_OK(column_read(&c), &c.e);
    CQT(c.v.validity == NULL);
    column_free(&c);
}

static void dictionary_entries_are_told(void)
{
    static const int seeds[6] = {5, 5, 5, 1, 1, 5};
    column c;
    column_of(&c, "u", seeds, 6, 0);
    CQT_OK(column_read(&c), &c.e);
    CQT(!c.v.repeats);
    column_free(&c);
    column_init(&c);
    c.schema = ih_dictionary_schema(&c.p, "c", "u");
    CQT_OK(cq_arrow_type_parse(c.schema, &c.type, &c.e), &c.e);
    c.field = field_for(c.schema);
    c.array = ih_dictionary(&c.p, &c.type, seeds, 6, 0, 1);
    CQT_OK(column_read(&c), &c.e);
    CQT(c.v.repeats && c.v.spans[0].p == c.v.spans[1].p && c.v.spans[0].p == c.v.spans[5].p);
    column_free(&c);
}

/* -- texts ----------------------------------------------------------------------------------------------------------- */

/* Three texts of the given bytes, cut as given, in one of the layouts: 0 offsets, 1 large, 2 dictionary of as many. */
static void texts_of(column *c, const char *bytes, int32_t a, int32_t b, int32_t n, int layout)
{
    int32_t const cuts[4] = {0, a, b, n};
    column_init(c);
    struct ArrowArray *array = ih_array(&c->p, 3, 3);
    bool const wide = layout == 1;
    uint8_t *offsets = ih_alloc(&c->p, wide ? 32 : 16), *data = ih_alloc(&c->p, (size_t)n);
    for (int i = 0; i < 4; i++) {
        if (wide)
            cq_store64(offsets + i * 8, (uint64_t)cuts[i]);
        else
            cq_store32(offsets + i * 4, (uint32_t)cuts[i]);
    }
    memcpy(data, bytes, (size_t)n);
    array->buffers[1] = offsets;
    array->buffers[2] = data;
    c->schema = ih_schema(&c->p, wide ? "U" : "u");
    c->array = array;
    if (layout == 2) {
        uint8_t *index = ih_alloc(&c->p, 3);
        c->schema = ih_dictionary_schema(&c->p, "c", "u");
        c->array = ih_array(&c->p, 3, 2);
        for (int i = 0; i < 3; i++) index[i] = (uint8_t)i;
        c->array->buffers[1] = index;
        c->array->dictionary = array;
    }
    c->field = ih_field(CQ_STRING, true, 0, 0);
}

static void texts_are_utf8(void)
{
    for (int layout = 0; layout < 3; layout++) {
        column c;
        texts_of(&c, "a\xC3\xBC" "b", 1, 3, 4, layout);
        CQT_OK(column_read(&c), &c.e);
        column_free(&c);
        texts_of(&c, "a\xC3\xBC" "b", 2, 3, 4, layout); /* valid as a whole, cut inside of a character */
        CQT_STATUS(column_read(&c), CQ_EVALUE);
        CQT_EQ_I(c.e.row, 0);
        CQT_IN_STR(c.e.msg, "not UTF-8 at byte 1 of 2 (0xc3)");
        CQT_IN_STR(c.e.msg, "'binary'");
        column_free(&c);
        texts_of(&c, "a\xC3\xBC\xFF", 1, 3, 4, layout);
        CQT_STATUS(column_read(&c), CQ_EVALUE);
        CQT_EQ_I(c.e.row, 2);
        uint8_t valid = 3;
        c.array->buffers[0] = &valid; /* as a null it is nobody's */
        c.array->null_count = 1;
        CQT_OK(column_read(&c), &c.e);
        c.array->buffers[0] = NULL;
        c.array->null_count = 0;
        CQT_OK(cq_import_arrow_array(&c.im, c.array, &c.e), &c.e);
        CQT_OK(cq_import_read(&c.im, 0, 2, &c.arena, &c.v, &c.e), &c.e);
        CQT_STATUS(cq_import_read(&c.im, 1, 2, &c.arena, &c.v, &c.e), CQ_EVALUE);
        CQT_EQ_I(c.e.row, 2);
        cq_import_trust(&c.im, true);
        CQT_OK(cq_import_read(&c.im, 0, 3, &c.arena, &c.v, &c.e), &c.e);
        c.field = ih_field(CQ_BINARY, true, 0, 0);
        c.schema = layout == 2 ? ih_dictionary_schema(&c.p, "c", "z") : ih_schema(&c.p, layout ? "Z" : "z");
        CQT_OK(column_read(&c), &c.e);
        column_free(&c);
    }
}

static void views_are_utf8(void)
{
    static const int seeds[4] = {1, 5, 4, 3};
    column c;
    column_of(&c, "vu", seeds, 4, 1);
    CQT_OK(column_read(&c), &c.e);
    uint8_t copy[5 * 16], bytes[256];
    memcpy(copy, c.array->buffers[1], sizeof copy);
    copy[16 * 4 + 4] = 0xFF; /* inside of the view itself */
    c.array->buffers[1] = copy;
    CQT_STATUS(column_read(&c), CQ_EVALUE);
    CQT_EQ_I(c.e.row, 3);
    memcpy(bytes, c.array->buffers[3], 4 * 64);
    bytes[0] = 0x80;
    c.array->buffers[3] = bytes;
    CQT_STATUS(column_read(&c), CQ_EVALUE);
    CQT_EQ_I(c.e.row, 1);
    column_free(&c);
}

/* Entries that no slot refers to may be anything. */
static void unused_entries_are_nobodys(void)
{
    for (int large = 0; large < 2; large++) {
        column c;
        int64_t const entries = large ? 100 : 3; /* many more than slots: they are not looked at as a whole */
        column_init(&c);
        c.schema = ih_dictionary_schema(&c.p, "i", "u");
        c.field = ih_field(CQ_STRING, true, 0, 0);
        c.array = ih_array(&c.p, 2, 2);
        uint8_t *index = ih_alloc(&c.p, 8), *offsets = ih_alloc(&c.p, (size_t)(entries + 1) * 4), *data = ih_alloc(&c.p, (size_t)entries);
        for (int64_t i = 0; i <= entries; i++) cq_store32(offsets + i * 4, (uint32_t)i);
        memset(data, 'x', (size_t)entries);
        data[1] = 0xFF;
        cq_store32(index, 2);
        c.array->buffers[1] = index;
        c.array->dictionary = ih_array(&c.p, entries, 3);
        c.array->dictionary->buffers[1] = offsets;
        c.array->dictionary->buffers[2] = data;
        CQT_OK(column_read(&c), &c.e);
        cq_store32(index + 4, 1);
        CQT_STATUS(column_read(&c), CQ_EVALUE);
        CQT_EQ_I(c.e.row, 1);
        column_free(&c);
    }
}

static void fixed_lengths(void)
{
    static const int seeds[3] = {1, 2, 3};
    column c;
    column_of(&c, "z", seeds, 3, 0);
    c.field = ih_field(CQ_FIXED, true, 1, 0);
    CQT_STATUS(column_read(&c), CQ_EVALUE);
    CQT_EQ_I(c.e.row, 1);
    CQT_EQ_STR(c.e.msg, "5 bytes in a binary[1] column, whose values have 1");
    c.array->length = 1;
    CQT_OK(column_read(&c), &c.e);
    c.field = ih_field(CQ_UUID, true, 0, 0);
    CQT_STATUS(column_read(&c), CQ_EVALUE);
    column_free(&c);
    column_of(&c, "w:16", seeds, 3, 0);
    c.field = ih_field(CQ_UUID, true, 0, 0);
    CQT_OK(column_read(&c), &c.e);
    c.field = ih_field(CQ_BINARY, true, 0, 0);
    CQT_OK(column_read(&c), &c.e);
    CQT_EQ_U(c.v.spans[2].n, 16);
    c.field = ih_field(CQ_FIXED, true, 15, 0);
    CQT_STATUS(column_read(&c), CQ_ETYPE);
    CQT_EQ_STR(c.e.msg, "an array of Arrow binary[16] in a binary[15] column: every value has another length");
    column_free(&c);
}

/* -- hostile producers ----------------------------------------------------------------------------------------------- */

/* One change to a good array of the format; what becomes of it. */
#define BROKEN(format, change, status, text)                                                                           \
    do {                                                                                                               \
        static const int seeds_[5] = {5, IH_NULL, 4, 5, 1};                                                            \
        column c;                                                                                                      \
        column_of(&c, format, seeds_, 5, 2);                                                                           \
        struct ArrowArray *a = c.array;                                                                                \
        CQT_OK(column_read(&c), &c.e);                                                                                 \
        change;                                                                                                        \
        CQT_EQ_I(column_read(&c), status);                                                                             \
        if ((status) != CQ_OK) CQT_IN_STR(c.e.msg, text);                                                              \
        if ((status) != CQ_OK) CQT_IN_STR(c.e.msg, "the Arrow producer gave");                                         \
        column_free(&c);                                                                                               \
    } while (0)

static void broken_counts(void)
{
    static const char *const formats[] = {"b", "l", "u", "U", "vz", "w:5", "d:9,2"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const char *f = formats[i];
        BROKEN(f, a->release = NULL, CQ_EFORMAT, "released");
        BROKEN(f, a->length = -1, CQ_EFORMAT, "length -1");
        BROKEN(f, a->length = INT64_MIN, CQ_EFORMAT, "length");
        BROKEN(f, a->length = INT64_MAX, CQ_EFORMAT, "slots from 2 on");
        BROKEN(f, a->length = INT64_MAX - 2, CQ_EFORMAT, "slots from 2 on");
        BROKEN(f, a->length = INT64_MAX / 16, CQ_EFORMAT, "slots from 2 on");
        BROKEN(f, a->offset = -1, CQ_EFORMAT, "from -1 on");
        BROKEN(f, a->offset = INT64_MAX, CQ_EFORMAT, "slots from");
        BROKEN(f, a->offset = INT64_MAX / 32, CQ_EFORMAT, "slots from");
        BROKEN(f, a->null_count = -2, CQ_EFORMAT, "-2 nulls in 5");
        BROKEN(f, a->null_count = 6, CQ_EFORMAT, "6 nulls in 5");
        BROKEN(f, (a->null_count = 1, a->buffers[0] = NULL), CQ_EFORMAT, "without its buffer of validity");
        if (i < 4) BROKEN(f, (a->null_count = -1, a->buffers[0] = NULL), CQ_OK, ""); /* of these any bytes are values */
        BROKEN(f, a->buffers[1] = NULL, CQ_EFORMAT, "without its buffer of values");
        BROKEN(f, a->buffers = NULL, CQ_EFORMAT, "without its list of buffers");
        BROKEN(f, a->n_buffers = -1, CQ_EFORMAT, "-1 buffers");
        BROKEN(f, a->n_buffers = 1, CQ_EFORMAT, "1 buffers, its type has");
        BROKEN(f, a->n_children = 1, CQ_EFORMAT, "1 children");
        BROKEN(f, a->dictionary = a, CQ_EFORMAT, "with a dictionary");
        if (strcmp(f, "vz") != 0) BROKEN(f, a->n_buffers = 4, CQ_EFORMAT, "4 buffers");
    }
    BROKEN("n", a->n_buffers = 2, CQ_EFORMAT, "2 buffers");
}

static void empty_arrays_need_no_buffers(void)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        column c;
        column_of(&c, flat_formats[i], NULL, 0, 0);
        for (int64_t k = 0; k < c.array->n_buffers; k++) c.array->buffers[k] = NULL;
        CQT_OK(column_read(&c), &c.e);
        CQT_EQ_I(cq_import_length(&c.im), 0);
        CQT_STATUS(cq_import_read(&c.im, 0, 1, &c.arena, &c.v, &c.e), CQ_EARG);
        column_free(&c);
    }
}

/* Offset i of the array, counted in its buffer. */
static void set_offset(struct ArrowArray *a, int i, int64_t v, bool wide)
{
    uint8_t *p;
    memcpy(&p, &a->buffers[1], sizeof p); /* the test's own memory */
    if (wide)
        cq_store64(p + i * 8, (uint64_t)v);
    else
        cq_store32(p + i * 4, (uint32_t)v);
}

static void broken_offsets(void)
{
    for (int wide = 0; wide < 2; wide++) {
        const char *f = wide ? "Z" : "u";
        BROKEN(f, a->buffers[2] = NULL, CQ_EFORMAT, "without its buffer of bytes");
        BROKEN(f, set_offset(a, 2, -1, wide), CQ_EFORMAT, "offsets go from -1");
        BROKEN(f, set_offset(a, 2, INT32_MIN, wide), CQ_EFORMAT, "offsets go from -2147483648");
        BROKEN(f, set_offset(a, 7, 0, wide), CQ_EFORMAT, "offsets go from 5 to 0");
        BROKEN(f, set_offset(a, 7, -5, wide), CQ_EFORMAT, "offsets go from 5 to -5");
        BROKEN(f, set_offset(a, 4, 0, wide), CQ_EFORMAT, "offsets from 48 to 0");
        BROKEN(f, set_offset(a, 4, -1, wide), CQ_EFORMAT, "offsets from 48 to -1");
        BROKEN(f, set_offset(a, 4, INT32_MIN, wide), CQ_EFORMAT, "offsets from 48 to -2147483648");
        BROKEN(f, set_offset(a, 4, INT32_MAX, wide), CQ_EFORMAT, "to 2147483647, of");
        BROKEN(f, set_offset(a, 0, -100, wide), CQ_OK, ""); /* before the array's first slot */
        if (wide) BROKEN(f, set_offset(a, 4, INT64_MAX, wide), CQ_EFORMAT, "offsets from");
        if (wide) BROKEN(f, set_offset(a, 4, INT64_MIN, wide), CQ_EFORMAT, "offsets from");
    }
}

static void errors_of_offsets_name_the_row(void)
{
    static const int seeds[5] = {5, 4, 4, 5, 1};
    column c;
    column_of(&c, "u", seeds, 5, 0);
    set_offset(c.array, 4, 1, false);
    CQT_STATUS(column_read(&c), CQ_EFORMAT);
    CQT_EQ_I(c.e.row, 3);
    CQT_STATUS(cq_import_read(&c.im, 2, 3, &c.arena, &c.v, &c.e), CQ_EFORMAT);
    CQT_EQ_I(c.e.row, 3);
    CQT_STATUS(cq_import_read(&c.im, 3, 1, &c.arena, &c.v, &c.e), CQ_EFORMAT);
    CQT_EQ_I(c.e.row, 3);
    CQT_OK(cq_import_read(&c.im, 0, 3, &c.arena, &c.v, &c.e), &c.e);
    column_free(&c);
}

static void set_view(struct ArrowArray *a, int i, int32_t size, int32_t buffer, int32_t at)
{
    uint8_t *p;
    memcpy(&p, &a->buffers[1], sizeof p);
    cq_store32(p + i * 16, (uint32_t)size);
    cq_store32(p + i * 16 + 8, (uint32_t)buffer);
    cq_store32(p + i * 16 + 12, (uint32_t)at);
}

static void broken_views(void)
{
    static int64_t sizes[2] = {50, -1};
    static const char *const formats[] = {"vu", "vz"};
    for (int i = 0; i < 2; i++) {
        const char *f = formats[i];
        BROKEN(f, set_view(a, 4, -1, 0, 0), CQ_EFORMAT, "a view of -1 bytes");
        BROKEN(f, set_view(a, 4, INT32_MIN, 0, 0), CQ_EFORMAT, "a view of");
        BROKEN(f, set_view(a, 4, 13, -1, 0), CQ_EFORMAT, "at 0 of buffer -1");
        BROKEN(f, set_view(a, 4, 13, 2, 0), CQ_EFORMAT, "of buffer 2");
        BROKEN(f, set_view(a, 4, 13, INT32_MAX, 0), CQ_EFORMAT, "of buffer 2147483647");
        BROKEN(f, set_view(a, 4, 13, 0, -1), CQ_EFORMAT, "at -1 of buffer 0");
        BROKEN(f, set_view(a, 4, 13, 0, INT32_MAX), CQ_EFORMAT, "at 2147483647");
        BROKEN(f, set_view(a, 4, INT32_MAX, 0, 0), CQ_EFORMAT, "a view of 2147483647 bytes");
        BROKEN(f, set_view(a, 4, INT32_MAX, 0, INT32_MAX), CQ_EFORMAT, "a view of 2147483647 bytes");
        BROKEN(f, (a->buffers[4] = sizes, set_view(a, 4, 13, 0, 38)), CQ_EFORMAT, "a view of 13 bytes at 38");
        BROKEN(f, (a->buffers[4] = sizes, set_view(a, 4, 13, 1, 0)), CQ_EFORMAT, "of buffer 1");
        BROKEN(f, a->buffers[2] = NULL, CQ_EFORMAT, "of buffer 0, which is not there");
        BROKEN(f, a->buffers[4] = NULL, CQ_EFORMAT, "without its buffer of buffer sizes");
        BROKEN(f, a->n_buffers = 2, CQ_EFORMAT, "2 buffers, its type has 3 or more");
        BROKEN(f, (a->n_buffers = 3, a->buffers[2] = NULL), CQ_EFORMAT, "of buffer 0");
    }
}

/* The same for a dictionary, plain and behind run ends. */
static void coded_column(column *c, const char *index, const char *format, const int *seeds, int64_t n)
{
    column_init(c);
    c->schema = ih_dictionary_schema(&c->p, index, format);
    CQT_OK(cq_arrow_type_parse(c->schema, &c->type, &c->e), &c->e);
    c->field = field_for(c->schema);
    c->array = ih_dictionary(&c->p, &c->type, seeds, n, 2, c->type.index_width);
}

#define BROKEN_DICTIONARY(index, change, status, text)                                                                 \
    do {                                                                                                               \
        static const int seeds_[5] = {5, IH_NULL, 4, 5, 1};                                                            \
        static const char *const formats_[] = {"u", "vu", "l", "w:5", "b"};                                            \
        for (int f_ = 0; f_ < 5; f_++) {                                                                               \
            column c;                                                                                                  \
            coded_column(&c, index, formats_[f_], seeds_, 5);                                                          \
            struct ArrowArray *a = c.array;                                                                            \
            uint8_t *at;                                                                                               \
            memcpy(&at, &a->buffers[1], sizeof at);                                                                    \
            at += 4 * c.type.index_width; /* slot 2 */                                                                 \
            CQT_OK(column_read(&c), &c.e);                                                                             \
            change;                                                                                                    \
            CQT_EQ_I(column_read(&c), status);                                                                         \
            if ((status) != CQ_OK) CQT_IN_STR(c.e.msg, text);                                                          \
            column_free(&c);                                                                                           \
        }                                                                                                              \
    } while (0)

static void broken_dictionaries(void)
{
    BROKEN_DICTIONARY("c", at[0] = 9, CQ_EFORMAT, "index 9 into a dictionary of 9 values");
    BROKEN_DICTIONARY("c", at[0] = 0x80, CQ_EFORMAT, "index -128 into");
    BROKEN_DICTIONARY("C", at[0] = 0xFF, CQ_EFORMAT, "index 255 into");
    BROKEN_DICTIONARY("s", cq_store16(at, 0x8000), CQ_EFORMAT, "index -32768 into");
    BROKEN_DICTIONARY("S", cq_store16(at, 0xFFFF), CQ_EFORMAT, "index 65535 into");
    BROKEN_DICTIONARY("i", cq_store32(at, 0xFFFFFFFF), CQ_EFORMAT, "index -1 into");
    BROKEN_DICTIONARY("I", cq_store32(at, 0xFFFFFFFF), CQ_EFORMAT, "index 4294967295 into");
    BROKEN_DICTIONARY("l", cq_store64(at, UINT64_C(0x100000000)), CQ_EFORMAT, "index 4294967296 into");
    BROKEN_DICTIONARY("l", cq_store64(at, UINT64_MAX), CQ_EFORMAT, "index -1 into");
    BROKEN_DICTIONARY("L", cq_store64(at, UINT64_C(1) << 63), CQ_EFORMAT, "index -9223372036854775808 into");
    BROKEN_DICTIONARY("c", a->dictionary = NULL, CQ_EFORMAT, "no array of dictionary values");
    BROKEN_DICTIONARY("c", a->dictionary->release = NULL, CQ_EFORMAT, "released");
    BROKEN_DICTIONARY("c", a->dictionary->length = -1, CQ_EFORMAT, "array of dictionary values of length -1");
    BROKEN_DICTIONARY("c", a->dictionary->length = 0, CQ_EFORMAT, "into a dictionary of 0 values");
    BROKEN_DICTIONARY("c", a->dictionary->buffers[1] = NULL, CQ_EFORMAT, "without its buffer of values");
    BROKEN_DICTIONARY("c", a->dictionary->dictionary = a, CQ_EFORMAT, "a dictionary with a dictionary");
    BROKEN_DICTIONARY("c", (a->dictionary->n_buffers = 0), CQ_EFORMAT, "0 buffers");
    BROKEN_DICTIONARY("c", a->n_buffers = 3, CQ_EFORMAT, "array of dictionary indexes of 3 buffers");
    BROKEN_DICTIONARY("c", a->buffers[1] = NULL, CQ_EFORMAT, "without its buffer of values");
    BROKEN_DICTIONARY("c", (a->null_count = 2, a->buffers[0] = NULL), CQ_EFORMAT, "validity");
}

/* All null, for which no dictionary is needed. */
static void an_empty_dictionary(void)
{
    static const int seeds[3] = {IH_NULL, 1, IH_NULL};
    static const char *const formats[] = {"u", "vu", "l", "b"};
    for (int i = 0; i < 4; i++) {
        static const uint8_t all_null[1];
        column c;
        coded_column(&c, "c", formats[i], seeds, 3);
        c.array->buffers[0] = all_null;
        c.array->dictionary->length = 0;
        c.array->dictionary->buffers[1] = NULL;
        CQT_OK(column_read(&c), &c.e);
        cq_span s;
        for (int64_t k = 0; k < 3; k++) CQT(!ih_value(&c.v, k, &s));
        column_free(&c);
    }
}

/* Broken entries are found where a slot refers to them, and only there. */
static void broken_entries(void)
{
    static const int seeds[6] = {5, 5, 4, 5, 1, 1};
    column c;
    coded_column(&c, "c", "u", seeds, 6); /* entries 6 5 null 4 3 2 1 0 6 behind three slots */
    set_offset(c.array->dictionary, 3 + 4, -7, false); /* the end of 4, the beginning of 3 */
    CQT_STATUS(column_read(&c), CQ_EFORMAT);
    CQT_EQ_I(c.e.row, 2);
    CQT_OK(cq_import_read(&c.im, 3, 3, &c.arena, &c.v, &c.e), &c.e);
    column_free(&c);
    coded_column(&c, "c", "vz", seeds, 6);
    set_view(c.array->dictionary, 3 + 3, 13, 7, 0);
    CQT_STATUS(column_read(&c), CQ_EFORMAT);
    CQT_EQ_I(c.e.row, 2);
    CQT_OK(cq_import_read(&c.im, 3, 3, &c.arena, &c.v, &c.e), &c.e);
    column_free(&c);
}

static void run_column(column *c, const char *ends_format, const char *format, const int *seeds, int64_t n, int64_t offset)
{
    int run_seeds[ROWS + 2];
    int64_t ends[ROWS + 2];
    column_init(c);
    c->schema = ih_run_schema(&c->p, ends_format, ih_schema(&c->p, format));
    CQT_OK(cq_arrow_type_parse(c->schema, &c->type, &c->e), &c->e);
    c->field = field_for(c->schema);
    int64_t const n_runs = ih_runs_of(seeds, n, offset, run_seeds, ends);
    c->array = ih_run_array(&c->p, n, offset, ends, n_runs, c->type.run_end_width, ih_flat(&c->p, &c->type, run_seeds, n_runs, 1));
}

static void set_end(struct ArrowArray *a, int i, int64_t v, int32_t width)
{
    uint8_t *p;
    memcpy(&p, &a->children[0]->buffers[1], sizeof p);
    memcpy(p + i * width, &v, (size_t)width);
}

/* Runs up to 2 and 3 before the array, then up to 5, 6, 8. */
#define BROKEN_RUNS(change, status, text)                                                                              \
    do {                                                                                                               \
        static const int seeds_[5] = {5, 5, IH_NULL, 4, 4};                                                            \
        static const char *const ends_[] = {"s", "i", "l"};                                                            \
        for (int k_ = 0; k_ < 3; k_++) {                                                                               \
            column c;                                                                                                  \
            run_column(&c, ends_[k_], "u", seeds_, 5, 3);                                                              \
            struct ArrowArray *a = c.array;                                                                            \
            int32_t const w = c.type.run_end_width;                                                                    \
            CQT_OK(column_read(&c), &c.e);                                                                             \
            change;                                                                                                    \
            CQT_EQ_I(w == 0 ? CQ_OK : column_read(&c), status);                                                        \
            if ((status) != CQ_OK) CQT_IN_STR(c.e.msg, text);                                                          \
            column_free(&c);                                                                                           \
        }                                                                                                              \
    } while (0)

static void broken_runs(void)
{
    BROKEN_RUNS(set_end(a, 4, 7, w), CQ_EFORMAT, "run ends up to 7 for an array that ends at 8");
    BROKEN_RUNS(set_end(a, 4, -1, w), CQ_EFORMAT, "do not increase: -1 after 6");
    BROKEN_RUNS(set_end(a, 4, 9, w), CQ_OK, "");
    BROKEN_RUNS(set_end(a, 3, 5, w), CQ_EFORMAT, "do not increase");
    BROKEN_RUNS(set_end(a, 3, 4, w), CQ_EFORMAT, "do not increase");
    BROKEN_RUNS(set_end(a, 3, -32768, w), CQ_EFORMAT, "do not increase");
    BROKEN_RUNS(set_end(a, 2, 6, w), CQ_EFORMAT, "do not increase");
    BROKEN_RUNS(set_end(a, 1, 5, w), CQ_EFORMAT, "do not increase");
    BROKEN_RUNS(set_end(a, 1, -3, w), CQ_EFORMAT, "do not increase");
    BROKEN_RUNS(set_end(a, 0, 30, w), CQ_EFORMAT, "do not increase: 3 after 30"); /* of slots that are not the array's */
    BROKEN_RUNS(set_end(a, 0, 0, w), CQ_EFORMAT, "do not increase: 0 after 0");
    BROKEN_RUNS(set_end(a, 0, -5, w), CQ_EFORMAT, "do not increase: -5 after 0");
    BROKEN_RUNS(a->children[0]->length = 0, CQ_EFORMAT, "run ends up to 0");
    BROKEN_RUNS(a->children[0]->length = 4, CQ_EFORMAT, "run ends up to 6");
    BROKEN_RUNS(a->children[0]->length = 6, CQ_EFORMAT, "6 run ends for 5 values");
    BROKEN_RUNS(a->children[1]->length = 4, CQ_EFORMAT, "5 run ends for 4 values");
    BROKEN_RUNS(a->children[0]->null_count = 1, CQ_EFORMAT, "validity");
    BROKEN_RUNS((a->children[0]->null_count = 1, a->children[0]->buffers[0] = "\x1F"), CQ_EFORMAT, "run ends that are null");
    BROKEN_RUNS(a->children[0]->dictionary = a, CQ_EFORMAT, "run ends with a dictionary");
    BROKEN_RUNS(a->children[0] = NULL, CQ_EFORMAT, "no array of run ends");
    BROKEN_RUNS(a->children[1] = NULL, CQ_EFORMAT, "no array of run values");
    BROKEN_RUNS(a->children[1]->release = NULL, CQ_EFORMAT, "released");
    BROKEN_RUNS(a->children = NULL, CQ_EFORMAT, "2 children");
    BROKEN_RUNS(a->n_children = 1, CQ_EFORMAT, "1 children");
    BROKEN_RUNS(a->n_buffers = 1, CQ_EFORMAT, "1 buffers");
    BROKEN_RUNS(a->dictionary = a, CQ_EFORMAT, "a dictionary of its own");
    BROKEN_RUNS(a->length = 6, CQ_EFORMAT, "up to 8 for an array that ends at 9");
    BROKEN_RUNS(a->offset = 4, CQ_EFORMAT, "up to 8 for an array that ends at 9");
    BROKEN_RUNS(a->length = -1, CQ_EFORMAT, "length -1");
}

/* The row is the first one of the run whose value is wrong. */
static void errors_behind_runs_name_the_row(void)
{
    static const int seeds[8] = {1, 1, 1, 4, 4, 2, 2, 2};
    column c;
    run_column(&c, "i", "z", seeds, 8, 3);
    c.field = ih_field(CQ_FIXED, true, 1, 0);
    CQT_STATUS(column_read(&c), CQ_EVALUE);
    CQT_EQ_I(c.e.row, 3);
    CQT_STATUS(cq_import_read(&c.im, 2, 3, &c.arena, &c.v, &c.e), CQ_EVALUE);
    CQT_EQ_I(c.e.row, 3);
    CQT_STATUS(cq_import_read(&c.im, 4, 4, &c.arena, &c.v, &c.e), CQ_EVALUE);
    CQT_EQ_I(c.e.row, 4);
    set_end(c.array, 3, 6, 4); /* as far as the run before: somebody writes to it */
    CQT_STATUS(cq_import_read(&c.im, 0, 8, &c.arena, &c.v, &c.e), CQ_ECHANGED);
    column_free(&c);
}

/* -- faults ---------------------------------------------------------------------------------------------------------- */

static void every_request_may_fail(void)
{
    static const int seeds[12] = {1, IH_NULL, 2, 2, 5, 4, IH_NULL, IH_NULL, 3, 0, 1, 1};
    static const char *const formats[] = {"u", "vu", "b", "c", "e", "d:30,5", "tdm", "w:5"};
    for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++)
        for (uint64_t fail = 1;; fail++) {
            int run_seeds[16];
            int64_t ends[16];
            column c;
            column_init(&c);
            c.schema = ih_run_schema(&c.p, "i", ih_dictionary_schema(&c.p, "c", formats[k]));
            CQT_OK(cq_arrow_type_parse(c.schema, &c.type, &c.e), &c.e);
            c.field = field_for(c.schema);
            int64_t const n_runs = ih_runs_of(seeds, 12, 2, run_seeds, ends);
            c.array = ih_run_array(&c.p, 12, 2, ends, n_runs, 4, ih_dictionary(&c.p, &c.type, run_seeds, n_runs, 1, 1));
            cq_arena_init(&c.arena, &c.mem, 1); /* every piece is a request */
            c.mem.fail_at = fail;
            cq_status const st = column_read(&c);
            bool const failed = c.mem.n_requests >= fail;
            CQT_EQ_I(st, failed ? CQ_ENOMEM : CQ_OK);
            cq_arena_clear(&c.arena);
            c.mem.fail_at = 0;
            CQT_OK(cq_import_read(&c.im, 0, 12, &c.arena, &c.v, &c.e), &c.e); /* and the column is as good as before */
            for (int64_t i = 0; i < 12; i++) {
                cq_span s;
                CQT(ih_value(&c.v, i, &s) == (seeds[i] != IH_NULL));
            }
            column_free(&c);
            if (!failed) break;
        }
}

void test_arrow_import(void)
{
    CQT_RUN(flat_arrays);
    CQT_RUN(dictionaries);
    CQT_RUN(run_ends);
    CQT_RUN(numbers_are_borrowed);
    CQT_RUN(a_null_count_of_zero_is_believed);
    CQT_RUN(dictionary_entries_are_told);
    CQT_RUN(texts_are_utf8);
    CQT_RUN(views_are_utf8);
    CQT_RUN(unused_entries_are_nobodys);
    CQT_RUN(fixed_lengths);
    CQT_RUN(broken_counts);
    CQT_RUN(empty_arrays_need_no_buffers);
    CQT_RUN(broken_offsets);
    CQT_RUN(errors_of_offsets_name_the_row);
    CQT_RUN(broken_views);
    CQT_RUN(broken_dictionaries);
    CQT_RUN(an_empty_dictionary);
    CQT_RUN(broken_entries);
    CQT_RUN(broken_runs);
    CQT_RUN(errors_behind_runs_name_the_row);
    CQT_RUN(every_request_may_fail);
}
