/* The promise of the memory limit: at the smallest limit that a plan accepts, no data makes a writer ask for more, for
 * any number of columns; the number that a refusal names would do. */
#include "writer_fixture.h"

#include "format/limits.h"

static void name_column(char *name, size_t cap, int32_t i) { (void)snprintf(name, cap, "column_%d", (int)i); }

typedef struct wide {
    cq_mem schema_mem, mem;
    cq_schema schema;
    cq_writer_opts o;
    cq_sort_key keys[4];
    wf_sink sink;
    cq_writer *w;
    cq_err e;
    uint8_t *text;
} wide;

typedef cq_type (*type_fn)(int32_t column);

static cq_type all_strings(int32_t i) { return i < 0 ? CQ_INT64 : CQ_STRING; }
static cq_type all_doubles(int32_t i) { return i < 0 ? CQ_INT64 : CQ_FLOAT64; }
static cq_type mixed(int32_t i) { return (cq_type)((i + 11) % CQ_N_TYPES); }
static cq_type fixed_or_text(int32_t i) { return i % 3 == 2 ? CQ_STRING : CQ_FIXED; }
static cq_type all_fixed(int32_t i) { return i % 4 == 3 ? CQ_UUID : CQ_FIXED; }

/* Lengths below and above those of pages; not too many bytes in a row. */
static int32_t fixed_length(int32_t i, int32_t n_columns)
{
    static const int32_t lengths[] = {1, 70000, 12, 700, 5000, 20000, 64, 4096};
    return n_columns <= 40 ? lengths[i % 8] : lengths[i % 8] % 200 + 1;
}

static void wide_schema(wide *x, int32_t n, type_fn type, bool optional)
{
    memset(x, 0, sizeof *x);
    cq_mem_init(&x->schema_mem, NULL, UINT64_C(1) << 30);
    cq_schema_init(&x->schema, &x->schema_mem);
    for (int32_t i = 0; i < n; i++) {
        char name[32];
        name_column(name, sizeof name, i);
        cq_type const t = type(i);
        cq_field_spec const f = {.name = name, .name_bytes = strlen(name), .type = t, .optional = optional, .fixed_bytes = fixed_length(i, n), .field_id = i,
                                 .precision = t == CQ_DECIMAL32 ? 9 : t == CQ_DECIMAL64 ? 18 : 19 + i % 20, .scale = i % 5};
        CQT_OK(cq_schema_add_field(&x->schema, &f, &x->e), &x->e);
    }
    x->o.codec = CQ_CODEC_SNAPPY;
    x->o.level = CQ_LEVEL_DEFAULT;
    x->o.spill_dir = "/tmp";
}

/* Behind the open: bytes for values, and memory as if a batch was being made of foreign columns all the time. */
static void wide_opened(wide *x)
{
    const cq_plan *plan = cq_writer_plan(x->w);
    size_t const n = cq_max_size(plan->max_value_bytes, plan->max_fixed_bytes);
    x->text = wf_alloc(n + 8);
    memset(x->text, 'q', n);
    CQT_OK(cq_mem_charge(&x->mem, plan->batch_bytes, "the batch", &x->e), &x->e);
}

static void wide_open(wide *x, uint64_t limit)
{
    cq_mem_init(&x->mem, NULL, limit);
    CQT_OK(cq_writer_open(&x->w, &x->schema, &x->o, wf_sink_of(&x->sink), &x->mem, &x->e), &x->e);
    wide_opened(x);
}

static void wide_close(wide *x)
{
    CQT_OK(cq_writer_close(x->w, NULL, 0, &x->e), &x->e);
    cq_mem_uncharge(&x->mem, cq_writer_plan(x->w)->batch_bytes);
    cq_writer_free(x->w);
    CQT_EQ_U(cq_mem_used(&x->mem), 0);
    CQT(cq_mem_peak(&x->mem) <= x->mem.limit);
    cqt_note("%d columns: %" PRIu64 " KiB of %" PRIu64 " KiB used", (int)x->schema.n_fields, cq_mem_peak(&x->mem) >> 10, x->mem.limit >> 10);
    free(x->text);
    free(x->sink.data);
    wf_schema_free(&x->schema, &x->schema_mem);
}

/* What a column gets in a row: the natures that fill a plan's parts. */
typedef enum nature { ALL_NEW, FEW, NULLS, SOMETIMES_HUGE, LONG, N_NATURES } nature;

static cq_status put_one(wide *x, int32_t i, nature kind, int64_t row, size_t huge)
{
    const cq_field *f = &x->schema.fields[i];
    cq_colbuf *c = cq_writer_column(x->w, i);
    uint64_t const v = kind == FEW ? cqt_rand_below(9) : cqt_rand();
    if (kind == NULLS && f->optional && row % 1000) return cq_colbuf_put_null(c, &x->e);
    switch (cq_type_facts(f->type)->width) {
    case 1: return cq_colbuf_put_bool(c, v & 1, &x->e);
    case 4: return cq_colbuf_put_u32(c, cq_low32(v), &x->e);
    case 8: return cq_colbuf_put_u64(c, v, &x->e);
    default: break;
    }
    size_t n = kind == LONG ? 300 : 12;
    if (huge) n = huge;
    if (f->fixed_bytes) n = (size_t)f->fixed_bytes;
    if (cqt_rand_below(2)) {
        memcpy(x->text, &v, 8);
        cq_status const st = cq_colbuf_put_bytes(c, x->text, n, &x->e);
        memset(x->text, 'q', 8);
        return st;
    }
    uint8_t *to;
    CQ_TRY(cq_colbuf_reserve_bytes(c, n, &to, &x->e));
    memset(to, 'z', n);
    memcpy(to, &v, cq_min_size(n, 8));
    return cq_colbuf_commit_bytes(c, n, &x->e);
}

/* The bytes of a row are spent on one column or on all of them. */
static void put_row(wide *x, nature kind, int64_t row)
{
    const cq_plan *plan = cq_writer_plan(x->w);
    int32_t const n = x->schema.n_fields;
    bool const is_huge = kind == SOMETIMES_HUGE && cqt_rand_below(4) == 0, spread = cqt_rand_below(2);
    int32_t const at = (int32_t)cqt_rand_below((uint64_t)n);
    size_t const all = plan->max_row_bytes > 12 * (size_t)n ? plan->max_row_bytes - 12 * (size_t)n : 0;
    bool const abort = is_huge && cqt_rand_below(2);
    for (int32_t i = 0; i < n; i++) {
        size_t huge = is_huge && spread ? all / (size_t)n : is_huge && i == at ? cq_min_size(all, plan->max_value_bytes) : 0;
        if (huge < 12) huge = 0;
        CQT_OK(put_one(x, i, kind, row, huge), &x->e);
    }
    if (abort) {
        cq_writer_abort_row(x->w);
        return;
    }
    CQT_OK(cq_writer_end_row(x->w, &x->e), &x->e);
    if (cq_writer_due(x->w)) CQT_OK(cq_writer_settle(x->w, &x->e), &x->e);
}

static uint64_t least_limit(const wide *x)
{
    return wf_least_limit(&x->schema, &x->o);
}

/* The smallest limit whose plan has the same pages and dictionaries: nothing is left over in it. */
static uint64_t tight_limit(const wide *x, uint64_t limit)
{
    cq_plan want, got;
    cq_err e;
    int32_t level;
    CQT_OK(cq_codec_level(x->o.codec, x->o.level, &level, &e), &e);
    cq_plan_opts const po = {.codec = x->o.codec, .level = level, .data_page_bytes = x->o.data_page_bytes};
    CQT_OK(cq_plan_make(&want, &x->schema, &po, limit, &e), &e);
    uint64_t lo = 0;
    while (limit - lo > 256) {
        uint64_t const mid = lo + (limit - lo) / 2;
        bool const same = cq_plan_make(&got, &x->schema, &po, mid, &e) == CQ_OK && got.page_bytes == want.page_bytes && got.dict_bytes == want.dict_bytes;
        if (same)
            limit = mid;
        else
            lo = mid;
    }
    return limit;
}

static void worst_data(int32_t n_columns, type_fn type, bool optional, cq_codec_kind codec, int64_t page_bytes, int64_t n_values, uint64_t more)
{
    wide x;
    wide_schema(&x, n_columns, type, optional);
    x.o.codec = codec;
    x.o.data_page_bytes = page_bytes;
    x.o.row_group_size = n_values / n_columns / 3 + 1;
    uint64_t const least = least_limit(&x);
    wide_open(&x, more ? tight_limit(&x, least + more) : least);
    int64_t const n = n_values / n_columns + 1;
    for (int64_t row = 0; row < n;) { /* natures change in the middle of pages */
        nature const kind = (nature)cqt_rand_below(N_NATURES);
        int64_t const until = row + 1 + (int64_t)cqt_rand_below((uint64_t)(n / 4 + 1));
        for (; row < n && row < until; row++) put_row(&x, kind, row);
    }
    wide_close(&x);
}

static void worst_data_of_few_columns(void)
{
    for (int32_t n = 1; n <= 40; n = n * 2 + 1) {
        worst_data(n, all_strings, true, CQ_CODEC_SNAPPY, 0, 60000, 0);
        worst_data(n, all_strings, false, CQ_CODEC_NONE, 0, 30000, 300 << 10);
        worst_data(n, mixed, true, CQ_CODEC_ZSTD, 0, 30000, 100 << 10);
        worst_data(n, all_doubles, true, CQ_CODEC_SNAPPY, 0, 60000, 0);
        worst_data(n, fixed_or_text, true, n % 2 ? CQ_CODEC_SNAPPY : CQ_CODEC_NONE, 0, 10000, n % 4 ? 0 : 2 << 20);
        worst_data(n, all_fixed, false, CQ_CODEC_SNAPPY, n % 4 ? 0 : 100, 10000, 200 << 10);
        worst_data(n, all_strings, false, CQ_CODEC_SNAPPY, 100, 15000, 1 + cqt_rand_below(16 << 20)); /* tiny pages, large dictionaries */
    }
}

static void worst_data_of_many_columns(void)
{
    worst_data(300, all_strings, true, CQ_CODEC_SNAPPY, 0, 60000, 0);
    worst_data(300, mixed, true, CQ_CODEC_NONE, 0, 60000, 3 << 20);
    worst_data(100, all_strings, true, CQ_CODEC_NONE, 64, 20000, 40 << 20);
    worst_data(2000, mixed, false, CQ_CODEC_SNAPPY, 0, 200000, 0);
    worst_data(2000, all_strings, true, CQ_CODEC_SNAPPY, 0, 100000, 20 << 20);
}

/* Large values of aborted rows, in one column after the other, leave no memory behind. */
static void aborted_values_take_nothing(void)
{
    wide x;
    wide_schema(&x, 12, all_strings, false);
    wide_open(&x, least_limit(&x) + (1 << 20));
    size_t const n = cq_writer_plan(x.w)->max_value_bytes;
    for (int32_t i = 0; i < 12; i++) {
        uint8_t *to;
        CQT_OK(cq_colbuf_put_bytes(cq_writer_column(x.w, i), x.text, n, &x.e), &x.e);
        cq_writer_abort_row(x.w);
        CQT_OK(cq_colbuf_reserve_bytes(cq_writer_column(x.w, i), n, &to, &x.e), &x.e);
        cq_writer_abort_row(x.w);
        CQT_STATUS(cq_colbuf_put_bytes(cq_writer_column(x.w, i), x.text, n + 1, &x.e), CQ_ELIMIT);
        CQT_STATUS(cq_colbuf_reserve_bytes(cq_writer_column(x.w, i), n + 1, &to, &x.e), CQ_ELIMIT);
    }
    for (int32_t i = 0; i < 12; i++) CQT_OK(cq_colbuf_put_bytes(cq_writer_column(x.w, i), x.text, n / 12, &x.e), &x.e);
    CQT_OK(cq_writer_end_row(x.w, &x.e), &x.e);
    if (cq_writer_due(x.w)) CQT_OK(cq_writer_settle(x.w, &x.e), &x.e);
    wide_close(&x);
}

/* Batches whose columns have their large values in different rows. */
static void large_values_of_a_batch(void)
{
    enum { COLUMNS = 6, ROWS = 40 };
    wide x;
    wide_schema(&x, COLUMNS, all_strings, false);
    wide_open(&x, least_limit(&x) + (2 << 20));
    size_t const n = cq_writer_plan(x.w)->max_value_bytes;
    uint8_t *bytes = wf_alloc(n + ROWS);
    cqt_rand_bytes(bytes, 4096);
    static cq_span spans[COLUMNS][ROWS];
    for (int round = 0; round < 20; round++) {
        cq_vec v[COLUMNS];
        for (int32_t i = 0; i < COLUMNS; i++) {
            for (int64_t row = 0; row < ROWS; row++) {
                bool const large = (row + i + round) % 8 == 0;
                spans[i][row] = cq_span_of(bytes + row, large ? n - 40 : 1);
            }
            v[i] = cq_vec_spans(CQ_STRING, spans[i], NULL);
        }
        cq_batch const b = {ROWS, v};
        CQT_OK(cq_writer_write_batch(x.w, &b, &x.e), &x.e);
    }
    free(bytes);
    wide_close(&x);
}

/* Long keys, kept whole for each sorting column and for an explicit group. */
static void long_sort_keys(void)
{
    wide x;
    wide_schema(&x, 4, all_strings, false);
    for (int32_t i = 0; i < 4; i++) x.keys[i].column = i;
    x.o.sorting = x.keys;
    x.o.n_sorting = 4;
    wide_open(&x, least_limit(&x));
    size_t const cap = cq_min_size(cq_writer_plan(x.w)->max_row_bytes / 4, CQ_MAX_SORT_KEY_BYTES);
    for (int64_t row = 0; row < 200; row++) {
        size_t const n = 40 + (size_t)row * (cap - 40) / 199;
        if (row % 50 == 0) CQT_OK(cq_writer_begin_group(x.w, &x.e), &x.e);
        for (int32_t i = 0; i < 4; i++) CQT_OK(cq_colbuf_put_bytes(cq_writer_column(x.w, i), x.text, n, &x.e), &x.e);
        CQT_OK(cq_writer_end_row(x.w, &x.e), &x.e);
        if (cq_writer_due(x.w)) CQT_OK(cq_writer_settle(x.w, &x.e), &x.e);
        if (row % 50 == 49) CQT_OK(cq_writer_end_group(x.w, &x.e), &x.e);
    }
    wide_close(&x);
}

/* Thousands of groups: indexes and footer go through their window. */
static void many_groups(void)
{
    wide x;
    wide_schema(&x, 3, mixed, true);
    x.o.row_group_size = 1;
    wide_open(&x, least_limit(&x));
    for (int64_t row = 0; row < 6000; row++) put_row(&x, LONG, row);
    wide_close(&x);
}

/* Writers of one budget: each has its share for sure, parked pages take what is left over. */
static void shared_budget(void)
{
    enum { WRITERS = 3, ROWS = 4000 };
    static wide x[WRITERS];
    cq_mem parent;
    uint64_t share = 0;
    cq_mem_init(&parent, NULL, 1);
    for (int i = 0; i < WRITERS; i++) {
        wide_schema(&x[i], 1 + 2 * i, i == 1 ? mixed : all_strings, i % 2);
        x[i].o.codec = CQ_CODEC_NONE;
        if (least_limit(&x[i]) > share) share = least_limit(&x[i]);
    }
    parent.limit = WRITERS * share + (1 << 20);
    for (int i = 0; i < WRITERS; i++) {
        x[i].o.memory_limit = share;
        cq_mem_init(&x[i].mem, &parent, parent.limit);
        CQT_OK(cq_mem_reserve(&x[i].mem, share, &x[i].e), &x[i].e);
        CQT_OK(cq_writer_open(&x[i].w, &x[i].schema, &x[i].o, wf_sink_of(&x[i].sink), &x[i].mem, &x[i].e), &x[i].e);
        wide_opened(&x[i]);
    }
    cq_mem late;
    cq_err e;
    cq_mem_init(&late, &parent, share);
    CQT_STATUS(cq_mem_reserve(&late, share, &e), CQ_EBUDGET);
    for (int64_t row = 0; row < ROWS; row++)
        for (int i = 0; i < WRITERS; i++) put_row(&x[i], (nature)cqt_rand_below(N_NATURES), row);
    for (int i = 0; i < WRITERS; i++) {
        wide_close(&x[i]);
        cq_mem_close(&x[i].mem);
    }
    CQT_EQ_U(cq_mem_used(&parent), 0);
    CQT(cq_mem_peak(&parent) <= parent.limit);
}

void test_writer_budget(void)
{
    CQT_RUN(shared_budget);
    CQT_RUN(worst_data_of_few_columns);
    CQT_RUN(worst_data_of_many_columns);
    CQT_RUN(aborted_values_take_nothing);
    CQT_RUN(large_values_of_a_batch);
    CQT_RUN(long_sort_keys);
    CQT_RUN(many_groups);
}
