/* Arrays in memory: any stride, byte order and alignment against items read one by one, masks, bytes and texts of fixed
 * room, scratch within its bound, memory that is borrowed. */
#include "write/column_import.h"

#include "base/utf8.h"
#include "import_help.h"

typedef struct work {
    cq_mem mem;
    cq_arena arena;
    cq_import im;
    cq_vec v;
    cq_err e;
} work;

/* A block of just the promised scratch. */
static cq_status read_all(work *w, const cq_field *f, const cq_strided *s)
{
    cq_status st = cq_import_strided(&w->im, f, s, &w->e);
    if (st != CQ_OK) return st;
    size_t const block = (size_t)s->n * cq_import_row_bytes(&w->im) + CQ_IMPORT_EXTRA + CQ_ARENA_HEADER;
    cq_mem_init(&w->mem, NULL, cq_mem_charge_of(block));
    cq_arena_init(&w->arena, &w->mem, block);
    CQT_EQ_I(cq_import_length(&w->im), s->n);
    return cq_import_read(&w->im, 0, s->n, &w->arena, &w->v, &w->e);
}

static void done(work *w)
{
    cq_arena_reset(&w->arena);
    CQT_EQ_U(cq_mem_used(&w->mem), 0);
}

/* -- numbers --------------------------------------------------------------------------------------------------------- */

static const struct { cq_strided_kind kind; size_t item; cq_type type; } kinds[] = {
    {CQ_STRIDED_BOOL, 1, CQ_BOOL}, {CQ_STRIDED_INT, 1, CQ_INT8}, {CQ_STRIDED_INT, 2, CQ_INT16}, {CQ_STRIDED_INT, 4, CQ_INT32}, {CQ_STRIDED_INT, 8, CQ_INT64},
    {CQ_STRIDED_UINT, 1, CQ_UINT8}, {CQ_STRIDED_UINT, 2, CQ_UINT16}, {CQ_STRIDED_UINT, 4, CQ_UINT32}, {CQ_STRIDED_UINT, 8, CQ_UINT64}, {CQ_STRIDED_FLOAT, 2, CQ_FLOAT16},
    {CQ_STRIDED_FLOAT, 4, CQ_FLOAT32}, {CQ_STRIDED_FLOAT, 8, CQ_FLOAT64}, {CQ_STRIDED_DATETIME, 8, CQ_TIMESTAMP_NS}};

/* The item as it is stored. */
static void stored_item(const cq_strided *s, int64_t i, uint8_t to[8])
{
    const uint8_t *p = (const uint8_t *)s->base + i * s->stride;
    memset(to, 0, 8);
    for (size_t k = 0; k < s->item_bytes; k++) to[s->swapped ? s->item_bytes - 1 - k : k] = p[k];
    if (s->kind == CQ_STRIDED_BOOL) to[0] = to[0] != 0;
    if (s->kind == CQ_STRIDED_INT && s->item_bytes < 8 && to[s->item_bytes - 1] & 0x80) memset(to + s->item_bytes, 0xFF, 8 - s->item_bytes);
}

static void any_stride_and_order(void)
{
    enum { MOST = 70 };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int round = 0; round < 200; round++) {
            size_t const item = kinds[k].item, odd = cqt_rand_below(4) ? 0 : cqt_rand_below(8);
            int64_t const n = 1 + (int64_t)cqt_rand_below(MOST), step = (int64_t)cqt_rand_below(4);
            int64_t stride = round % 4 == 0 ? (int64_t)item : round % 4 == 1 ? 0 : round % 4 == 2 ? step * (int64_t)item : (int64_t)cqt_rand_below(40);
            bool const down = stride > 0 && cqt_rand_below(3) == 0;
            size_t const bytes = odd + (size_t)(n - 1) * (size_t)stride + item;
            uint8_t *memory = malloc(bytes), mask[MOST * 3];
            CQT(memory != NULL);
            cqt_rand_bytes(memory, bytes);
            if (kinds[k].kind == CQ_STRIDED_BOOL && round % 2) memset(memory, 1, bytes);
            for (size_t i = 0; i < sizeof mask; i++) mask[i] = cqt_rand_below(4) ? 0 : (uint8_t)cqt_rand();
            cq_strided s = {.base = memory + odd + (down ? (size_t)(n - 1) * (size_t)stride : 0), .stride = down ? -stride : stride, .n = n, .kind = kinds[k].kind,
                            .item_bytes = item, .swapped = cqt_rand_below(2), .unit = CQ_STRIDED_NS};
            if (cqt_rand_below(2)) {
                s.mask = mask + (round % 3) * MOST;
                s.mask_stride = cqt_rand_below(2) ? 1 : cqt_rand_below(2) ? 0 : round % 3 ? -1 : 3;
                if (s.mask_stride < 0) s.mask += n - 1;
            }
            cq_field const f = ih_field(kinds[k].type, true, 0, 0);
            work w;
            CQT_OK(read_all(&w, &f, &s), &w.e);
            for (int64_t i = 0; i < n; i++) {
                uint8_t want[8];
                cq_span got = {0};
                stored_item(&s, i, want);
                bool const nat = kinds[k].kind == CQ_STRIDED_DATETIME && cq_load64(want) == (uint64_t)INT64_MIN;
                bool const null = nat || (s.mask && s.mask[i * s.mask_stride]);
                CQT(ih_value(&w.v, i, &got) == !null);
                if (!null) CQT_EQ_MEM(got.p, want, got.n);
            }
            int64_t const from = (int64_t)cqt_rand_below((uint64_t)n), rows = 1 + (int64_t)cqt_rand_below((uint64_t)(n - from)); /* and a chunk of it */
            cq_arena_clear(&w.arena);
            CQT_OK(cq_import_read(&w.im, from, rows, &w.arena, &w.v, &w.e), &w.e);
            for (int64_t i = 0; i < rows; i++) {
                uint8_t want[8];
                cq_span got = {0};
                stored_item(&s, from + i, want);
                if (ih_value(&w.v, i, &got)) CQT_EQ_MEM(got.p, want, got.n);
            }
            done(&w);
            free(memory);
        }
}

static void contiguous_items_are_borrowed(void)
{
    static const uint64_t items[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t no_mask[8];
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        size_t const item = kinds[k].item;
        if (kinds[k].kind == CQ_STRIDED_BOOL || kinds[k].type == CQ_FLOAT16 || item < 4) continue; /* not as they are stored */
        cq_strided s = {.base = items, .stride = (int64_t)item, .n = 8, .kind = kinds[k].kind, .item_bytes = item, .unit = CQ_STRIDED_NS, .mask = no_mask, .mask_stride = 1};
        cq_field const f = ih_field(kinds[k].type, false, 0, 0);
        work w;
        CQT_OK(read_all(&w, &f, &s), &w.e);
        CQT(w.v.values == items && w.v.validity == NULL);
        CQT_EQ_U(cq_mem_used(&w.mem), 0);
        CQT_OK(cq_import_read(&w.im, 3, 5, &w.arena, &w.v, &w.e), &w.e);
        CQT(w.v.values == (const uint8_t *)items + 3 * item);
        done(&w);
    }
    static const uint8_t flags[4] = {1, 0, 0, 1};
    cq_strided const s = {.base = flags, .stride = 1, .n = 4, .kind = CQ_STRIDED_BOOL, .item_bytes = 1};
    cq_field const f = ih_field(CQ_BOOL, false, 0, 0);
    work w;
    CQT_OK(read_all(&w, &f, &s), &w.e);
    CQT(w.v.values == flags);
    done(&w);
}

static void items_that_no_kind_has(void)
{
    static const struct { cq_strided_kind kind; size_t item; } bad[] = {
        {CQ_STRIDED_BOOL, 2}, {CQ_STRIDED_INT, 0}, {CQ_STRIDED_INT, 3}, {CQ_STRIDED_UINT, 16}, {CQ_STRIDED_FLOAT, 1}, {CQ_STRIDED_FLOAT, 10}, {CQ_STRIDED_FLOAT, 16},
        {CQ_STRIDED_DATETIME, 4}, {CQ_STRIDED_TEXT, 6}, {CQ_STRIDED_TEXT, SIZE_MAX - 3}, {CQ_STRIDED_BYTES, SIZE_MAX}, {CQ_STRIDED_VOID, (size_t)INT32_MAX + 1}};
    cq_field const f = ih_field(CQ_STRING, false, 0, 0);
    cq_import im;
    cq_err e;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cq_strided const s = {.stride = 1, .kind = bad[i].kind, .item_bytes = bad[i].item};
        CQT_STATUS(cq_import_strided(&im, &f, &s, &e), CQ_EARG);
        CQT_IN_STR(e.msg, "bytes, which its type has not");
    }
    cq_strided const none = {.stride = 8, .n = 1, .kind = CQ_STRIDED_TEXT, .item_bytes = 8}, minus = {.base = &im, .stride = 8, .n = -1, .kind = CQ_STRIDED_TEXT, .item_bytes = 8};
    CQT_STATUS(cq_import_strided(&im, &f, &none, &e), CQ_EARG);
    CQT_STATUS(cq_import_strided(&im, &f, &minus, &e), CQ_EARG);
}

static void rows_that_are_not_there(void)
{
    static const int64_t items[3] = {1, 2, 3};
    cq_strided const s = {.base = items, .stride = 8, .n = 3, .kind = CQ_STRIDED_INT, .item_bytes = 8};
    cq_field const f = ih_field(CQ_INT64, false, 0, 0);
    work w;
    CQT_OK(read_all(&w, &f, &s), &w.e);
    static const int64_t bad[][2] = {{-1, 1}, {0, 0}, {0, -1}, {0, 4}, {3, 1}, {4, 1}, {1, INT64_MAX}, {INT64_MAX, INT64_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CQT_STATUS(cq_import_read(&w.im, bad[i][0], bad[i][1], &w.arena, &w.v, &w.e), CQ_EARG);
    done(&w);
}

/* -- bytes ----------------------------------------------------------------------------------------------------------- */

static void bytes_of_fixed_room(void)
{
    static const char items[] = "abcd" "ab\0\0" "\0\0\0\0" "a\0b\0";
    static const size_t stripped[4] = {4, 2, 0, 3};
    cq_strided s = {.base = items, .stride = 4, .n = 4, .kind = CQ_STRIDED_BYTES, .item_bytes = 4};
    cq_field f = ih_field(CQ_BINARY, true, 0, 0);
    work w;
    CQT_OK(read_all(&w, &f, &s), &w.e);
    for (int i = 0; i < 4; i++) {
        CQT_EQ_U(w.v.spans[i].n, stripped[i]);
        CQT(w.v.spans[i].p == (const uint8_t *)items + 4 * i);
    }
    done(&w);
    f = ih_field(CQ_FIXED, true, 4, 0); /* as long as the column's values: nothing is taken off */
    CQT_OK(read_all(&w, &f, &s), &w.e);
    for (int i = 0; i < 4; i++) CQT_EQ_U(w.v.spans[i].n, 4);
    done(&w);
    f = ih_field(CQ_FIXED, true, 2, 0);
    s.base = items + 4;
    s.n = 3;
    CQT_STATUS(read_all(&w, &f, &s), CQ_EVALUE);
    CQT_EQ_I(w.e.row, 1);
    CQT_EQ_STR(w.e.msg, "0 bytes in a binary[2] column, whose values have 2");
    done(&w);
    s.kind = CQ_STRIDED_VOID;
    s.base = items;
    s.n = 4;
    f = ih_field(CQ_BINARY, true, 0, 0);
    CQT_OK(read_all(&w, &f, &s), &w.e);
    for (int i = 0; i < 4; i++) CQT_EQ_U(w.v.spans[i].n, 4);
    done(&w);
    s.stride = -4;
    s.base = items + 12;
    CQT_OK(read_all(&w, &f, &s), &w.e);
    CQT(w.v.spans[3].p == (const uint8_t *)items);
    done(&w);
    f = ih_field(CQ_UUID, true, 0, 0);
    CQT_STATUS(cq_import_strided(&w.im, &f, &s, &w.e), CQ_ETYPE);
    f = ih_field(CQ_STRING, true, 0, 0);
    CQT_STATUS(cq_import_strided(&w.im, &f, &s, &w.e), CQ_ETYPE);
    CQT_EQ_STR(w.e.msg, "an array of V4 in a string column; decode it, or declare the column 'binary'");
}

/* -- text ------------------------------------------------------------------------------------------------------------ */

static size_t plain_utf8(uint32_t c, uint8_t *to)
{
    if (c < 0x80) return to[0] = (uint8_t)c, 1;
    if (c < 0x800) return to[0] = (uint8_t)(0xC0 | c >> 6), to[1] = (uint8_t)(0x80 | (c & 63)), 2;
    if (c < 0x10000) return to[0] = (uint8_t)(0xE0 | c >> 12), to[1] = (uint8_t)(0x80 | (c >> 6 & 63)), to[2] = (uint8_t)(0x80 | (c & 63)), 3;
    return to[0] = (uint8_t)(0xF0 | c >> 18), to[1] = (uint8_t)(0x80 | (c >> 12 & 63)), to[2] = (uint8_t)(0x80 | (c >> 6 & 63)), to[3] = (uint8_t)(0x80 | (c & 63)), 4;
}

static uint32_t some_character(void)
{
    static const uint32_t borders[] = {0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF, 0};
    if (cqt_rand_below(2)) return (uint32_t)(1 + cqt_rand_below(0x7F));
    return borders[cqt_rand_below(10)];
}

static void texts_of_fixed_room(void)
{
    enum { MOST = 40, CHARS = 9 };
    for (int round = 0; round < 300; round++) {
        uint32_t items[MOST][CHARS];
        uint8_t mask[MOST];
        bool const swapped = cqt_rand_below(2);
        size_t const chars = cqt_rand_below(CHARS + 1);
        cq_strided s = {.base = items, .stride = sizeof items[0], .n = 1 + (int64_t)cqt_rand_below(MOST), .kind = CQ_STRIDED_TEXT, .item_bytes = 4 * chars, .swapped = swapped};
        for (int64_t i = 0; i < s.n; i++) {
            size_t const len = cqt_rand_below(chars + 1);
            mask[i] = cqt_rand_below(5) == 0;
            for (size_t k = 0; k < CHARS; k++) items[i][k] = k < len ? some_character() : 0;
            for (size_t k = 0; swapped && k < CHARS; k++) items[i][k] = __builtin_bswap32(items[i][k]);
            if (mask[i] && chars) items[i][0] = 0xDDDDDDDD; /* no character, of a null */
        }
        s.mask = mask;
        s.mask_stride = 1;
        cq_field const f = ih_field(CQ_STRING, true, 0, 0);
        work w;
        CQT_OK(read_all(&w, &f, &s), &w.e);
        for (int64_t i = 0; i < s.n; i++) {
            uint8_t want[4 * CHARS];
            size_t n = 0, len = chars;
            cq_span got = {0};
            CQT(ih_value(&w.v, i, &got) == !mask[i]);
            if (mask[i]) continue;
            while (len > 0 && items[i][len - 1] == 0) len--;
            for (size_t k = 0; k < len; k++) n += plain_utf8(swapped ? __builtin_bswap32(items[i][k]) : items[i][k], want + n);
            CQT_EQ_U(got.n, n);
            CQT_EQ_MEM(got.p, want, n);
            CQT(cq_utf8_valid(got.p, got.n));
        }
        done(&w);
    }
}

static void what_is_no_character(void)
{
    static const struct { uint32_t c; const char *text; } cases[] = {
        {0xD800, "a text with a lone surrogate (U+D800) at index 1, which no UTF-8 can hold"}, {0xDFFF, "lone surrogate (U+DFFF) at index 1"},
        {0x110000, "a text with 0x00110000 at index 1, which is no character"}, {0xFFFFFFFF, "0xffffffff at index 1"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            uint32_t items[6] = {'a', 'b', 'c', 'd', cases[i].c, 'f'};
            for (int k = 0; swapped && k < 6; k++) items[k] = __builtin_bswap32(items[k]);
            cq_strided const s = {.base = items, .stride = 12, .n = 2, .kind = CQ_STRIDED_TEXT, .item_bytes = 12, .swapped = swapped};
            cq_field const f = ih_field(CQ_JSON, true, 0, 0);
            work w;
            CQT_STATUS(read_all(&w, &f, &s), CQ_EVALUE);
            CQT_EQ_I(w.e.row, 1);
            CQT_IN_STR(w.e.msg, cases[i].text);
            CQT_OK(cq_import_read(&w.im, 0, 1, &w.arena, &w.v, &w.e), &w.e);
            done(&w);
        }
}

static void every_request_may_fail(void)
{
    static const uint32_t text[6] = {'a', 0x20AC, 0, 'b', 'c', 'd'};
    static const int16_t numbers[6] = {1, 2, 3, 4, 5, 6};
    static const int64_t times[3] = {INT64_MIN, 1, 2};
    static const uint8_t mask[3] = {0, 1, 0};
    static const cq_strided sources[] = {
        {.base = text, .stride = 8, .n = 3, .kind = CQ_STRIDED_TEXT, .item_bytes = 8, .mask = mask, .mask_stride = 1},
        {.base = numbers, .stride = 4, .n = 3, .kind = CQ_STRIDED_INT, .item_bytes = 2, .mask = mask, .mask_stride = 1},
        {.base = numbers, .stride = 4, .n = 3, .kind = CQ_STRIDED_FLOAT, .item_bytes = 2, .mask = mask, .mask_stride = 1},
        {.base = times, .stride = 8, .n = 3, .kind = CQ_STRIDED_DATETIME, .item_bytes = 8, .unit = CQ_STRIDED_DAY},
        {.base = times, .stride = 8, .n = 3, .kind = CQ_STRIDED_BYTES, .item_bytes = 8}};
    static const cq_type types[] = {CQ_STRING, CQ_DECIMAL128, CQ_FLOAT16, CQ_DATE, CQ_BINARY};
    for (int k = 0; k < 5; k++)
        for (uint64_t fail = 1;; fail++) {
            cq_field const f = ih_field(types[k], true, 30, 3);
            work w;
            cq_mem_init(&w.mem, NULL, 1 << 20);
            cq_arena_init(&w.arena, &w.mem, 1);
            CQT_OK(cq_import_strided(&w.im, &f, &sources[k], &w.e), &w.e);
            w.mem.fail_at = fail;
            cq_status const st = cq_import_read(&w.im, 0, 3, &w.arena, &w.v, &w.e);
            bool const failed = w.mem.n_requests >= fail;
            CQT_EQ_I(st, failed ? CQ_ENOMEM : CQ_OK);
            done(&w);
            if (!failed) break;
        }
}

void test_strided_import(void)
{
    CQT_RUN(any_stride_and_order);
    CQT_RUN(contiguous_items_are_borrowed);
    CQT_RUN(items_that_no_kind_has);
    CQT_RUN(rows_that_are_not_there);
    CQT_RUN(bytes_of_fixed_room);
    CQT_RUN(texts_of_fixed_room);
    CQT_RUN(what_is_no_character);
    CQT_RUN(every_request_may_fail);
}
