/* What fits what: the table of types, integers at every border, floats, times, decimals against digits on paper; rows of
 * what does not fit, nulls that hide it, and the texts of the refusals. */
#include "write/column_import.h"

#include <float.h>
#include <math.h>

#include "import_help.h"

__extension__ typedef __int128 i128;

#define SLOTS 100

typedef struct work {
    cq_mem mem;
    cq_arena arena;
    cq_import im;
    cq_vec v;
    cq_err e;
} work;

static void work_init(work *w)
{
    cq_mem_init(&w->mem, NULL, UINT64_C(1) << 24);
    cq_arena_init(&w->arena, &w->mem, 4096);
}

static void work_free(work *w)
{
    cq_arena_reset(&w->arena);
    CQT_EQ_U(cq_mem_used(&w->mem), 0);
}

static cq_strided array_of(cq_strided_kind kind, const void *base, size_t item, int64_t n)
{
    cq_strided s = {.base = base, .stride = (int64_t)item, .n = n, .kind = kind, .item_bytes = item};
    return s;
}

/* All items, in a block of just the promised scratch. */
static cq_status read_strided(work *w, const cq_field *f, const cq_strided *s)
{
    cq_status const st = cq_import_strided(&w->im, f, s, &w->e);
    if (st != CQ_OK) return st;
    size_t const block = (size_t)s->n * cq_import_row_bytes(&w->im) + CQ_IMPORT_EXTRA + CQ_ARENA_HEADER;
    cq_arena_reset(&w->arena);
    cq_arena_init(&w->arena, &w->mem, block);
    w->mem.limit = cq_mem_charge_of(block);
    return cq_import_read(&w->im, 0, s->n, &w->arena, &w->v, &w->e);
}

/* -- the table ------------------------------------------------------------------------------------------------------- */

enum { N_SOURCES = 18 };

static const struct { const char *format; cq_strided_kind kind; size_t item; cq_strided_unit unit; } sources[N_SOURCES] = {
    {"n", 0, 0, 0}, {"b", 0, 0, 0}, {"c", 0, 0, 0}, {"L", 0, 0, 0}, {"e", 0, 0, 0}, {"g", 0, 0, 0}, {"d:5,2", 0, 0, 0}, {"tdD", 0, 0, 0}, {"ttu", 0, 0, 0},
    {"tsu:", 0, 0, 0}, {"tsu:UTC", 0, 0, 0}, {"u", 0, 0, 0}, {"z", 0, 0, 0}, {"w:16", 0, 0, 0}, {"w:4", 0, 0, 0},
    {NULL, CQ_STRIDED_DATETIME, 8, CQ_STRIDED_DAY}, {NULL, CQ_STRIDED_DATETIME, 8, CQ_STRIDED_US}, {NULL, CQ_STRIDED_TEXT, 8, 0}};

/* A column for each source in the order above: '+' takes it. */
static const struct { cq_type type; const char *takes; } table[] = {
    /*                  nbcLegdDtTZuzWwDUs : null bool i8 u64 f16 f64 decimal date time ts tsUTC text binary [16] [4] D64 us64 U */
    {CQ_BOOL,            "++................"},
    {CQ_INT8,            "+.++.............."}, {CQ_INT64, "+.++.............."}, {CQ_UINT32, "+.++.............."},
    {CQ_FLOAT16,         "+.++++............"}, {CQ_FLOAT32, "+.++++............"}, {CQ_FLOAT64, "+.++++............"},
    {CQ_DECIMAL32,       "+.++..+..........."}, {CQ_DECIMAL64, "+.++..+..........."}, {CQ_DECIMAL128, "+.++..+..........."},
    {CQ_DATE,            "+......+.......+.."},
    {CQ_TIME_US,         "+.......+........."}, {CQ_TIME_NS_UTC, "+.......+........."},
    {CQ_TIMESTAMP_US,    "+.++.....+.....++."}, {CQ_TIMESTAMP_S, "+.++.....+.....++."},
    {CQ_TIMESTAMP_NS_UTC, "+.++......+....++."},
    {CQ_STRING,          "+..........+.....+"}, {CQ_JSON, "+..........+.....+"}, {CQ_ENUM, "+..........+.....+"},
    {CQ_BINARY,          "+...........+++..."}, {CQ_BSON, "+...........+++..."},
    {CQ_FIXED,           "+...........+.+..."}, {CQ_UUID, "+...........++...."},
};

static void the_table_of_types(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (int k = 0; k < N_SOURCES; k++) {
            ih_pool p = {0};
            cq_import im;
            cq_err e;
            cq_type const t = table[i].type;
            cq_field const f = ih_field(t, false, t == CQ_FIXED ? 4 : t == CQ_DECIMAL32 ? 9 : t == CQ_DECIMAL64 ? 18 : 38, 2);
            cq_strided s = array_of(sources[k].kind, NULL, sources[k].item, 0);
            s.unit = sources[k].unit;
            cq_status const st = sources[k].format ? cq_import_arrow_type(&im, &f, ih_schema(&p, sources[k].format), &e) : cq_import_strided(&im, &f, &s, &e);
            cq_status const want = table[i].takes[k] == '+' ? CQ_OK : CQ_ETYPE;
            CQT_MSG(st == want, "source %d into %s: %d %s", k, cq_type_facts(t)->name, (int)st, st == CQ_OK ? "" : e.msg);
            if (st != CQ_OK) CQT_IN_STR(e.msg, "an array of ");
            if (st != CQ_OK) CQT_IN_STR(e.msg, " column");
            ih_free(&p);
        }
}

static void refusals_have_advice(void)
{
    static const struct { const char *format; cq_type type; const char *text; } cases[] = {
        {"g", CQ_INT32, "an array of Arrow float64 in an int32 column; a float is never cut to an int: cast the array to one if that is meant"},
        {"c", CQ_BOOL, "an array of Arrow int8 in a bool column; cast it to bool if a truth value is meant"},
        {"u", CQ_UINT8, "an array of Arrow string in a uint8 column; text is never read as a number"},
        {"vz", CQ_STRING, "an array of Arrow binary_view in a string column; decode it, or declare the column 'binary'"},
        {"U", CQ_BINARY, "an array of Arrow large_string in a binary column; encode it, or declare the column 'string'"},
        {"tsn:", CQ_TIMESTAMP_NS_UTC,
         "an array of Arrow timestamp[ns] without a time zone in a timestamp[ns, UTC] column; no time zone is guessed: give the values theirs, or declare the column without UTC"},
        {"tsn:Asia/Tokyo", CQ_TIMESTAMP_NS,
         "an array of Arrow timestamp[ns] with a time zone in a timestamp[ns] column; declare the column with UTC, or take the time zone off the values if local times are meant"},
        {"tdm", CQ_TIMESTAMP_S, "an array of Arrow date64 in a timestamp[s] column; cast it to a timestamp if midnight is meant"},
        {"u", CQ_UUID, "an array of Arrow string in a uuid column; give the 16 bytes of each UUID"},
        {"w:3", CQ_UUID, "an array of Arrow binary[3] in a uuid column: a UUID has 16 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ih_pool p = {0};
        cq_import im;
        cq_err e;
        cq_field const f = ih_field(cases[i].type, true, 0, 0);
        CQT_STATUS(cq_import_arrow_type(&im, &f, ih_schema(&p, cases[i].format), &e), CQ_ETYPE);
        CQT_EQ_STR(e.msg, cases[i].text);
        ih_free(&p);
    }
}

/* -- one value among others ------------------------------------------------------------------------------------------ */

/* An array of zeros with one value somewhere: it is taken and becomes `want`, or is refused with its row; masked, it is a
 * null in either case. */
static void check_one(work *w, const cq_field *f, cq_strided s, const void *value, cq_status status, cq_span want)
{
    uint8_t items[SLOTS * 8] = {0}, mask[SLOTS] = {0};
    int64_t const n = 1 + (int64_t)cqt_rand_below(SLOTS), at = (int64_t)cqt_rand_below((uint64_t)n);
    memcpy(items + (size_t)at * s.item_bytes, value, s.item_bytes);
    s.base = items;
    s.n = n;
    CQT_EQ_I(read_strided(w, f, &s), status);
    cq_span got;
    if (status == CQ_OK) {
        for (int64_t i = 0; i < n; i++) CQT(ih_value(&w->v, i, &got));
        CQT(ih_value(&w->v, at, &got));
        CQT_EQ_U(got.n, want.n);
        CQT_EQ_MEM(got.p, want.p, want.n);
    } else {
        CQT_EQ_I(w->e.row, at);
        CQT(w->e.msg[0] != 0);
    }
    mask[at] = 1;
    s.mask = mask;
    s.mask_stride = 1;
    CQT_OK(read_strided(w, f, &s), &w->e);
    for (int64_t i = 0; i < n; i++) CQT(ih_value(&w->v, i, &got) == (i != at));
}

/* -- integers -------------------------------------------------------------------------------------------------------- */

static i128 int_least(int bits, bool is_signed) { return is_signed ? -((i128)1 << (bits - 1)) : 0; }
static i128 int_most(int bits, bool is_signed) { return ((i128)1 << (bits - is_signed)) - 1; }

static void integers_at_every_border(void)
{
    static const cq_type targets[] = {CQ_INT8, CQ_INT16, CQ_INT32, CQ_INT64, CQ_UINT8, CQ_UINT16, CQ_UINT32, CQ_UINT64};
    work w;
    work_init(&w);
    for (int source = 0; source < 8; source++)
        for (int target = 0; target < 8; target++) {
            bool const from_signed = source < 4, to_signed = target < 4;
            int const from_bits = 8 << source % 4, to_bits = 8 << target % 4;
            cq_field const f = ih_field(targets[target], true, 0, 0);
            for (int border = 0; border < 17; border++)
                for (int delta = -1; delta <= 1; delta++) {
                    int const bits = 8 << (border / 2) % 4;
                    i128 v = border == 16 ? 0 : border < 8 ? (border % 2 ? int_least(bits, true) : int_most(bits, true)) : (border % 2 ? 0 : int_most(bits, false));
                    v += delta;
                    if (v < int_least(from_bits, from_signed) || v > int_most(from_bits, from_signed)) continue;
                    bool const fits = v >= int_least(to_bits, to_signed) && v <= int_most(to_bits, to_signed);
                    uint64_t const raw = (uint64_t)v;
                    cq_strided const s = array_of(from_signed ? CQ_STRIDED_INT : CQ_STRIDED_UINT, NULL, (size_t)from_bits / 8, 0);
                    check_one(&w, &f, s, &raw, fits ? CQ_OK : CQ_ERANGE, cq_span_of(&raw, to_bits == 64 ? 8 : 4));
                }
        }
    work_free(&w);
}

static void texts_of_ranges(void)
{
    static const struct { cq_strided_kind kind; int64_t v; cq_type type; const char *text; } cases[] = {
        {CQ_STRIDED_INT, 128, CQ_INT8, "128 does not fit int8 (-128 to 127)"},
        {CQ_STRIDED_INT, -1, CQ_UINT64, "-1 does not fit uint64 (0 to 18446744073709551615)"},
        {CQ_STRIDED_UINT, -1, CQ_INT64, "18446744073709551615 does not fit int64 (-9223372036854775808 to 9223372036854775807)"},
        {CQ_STRIDED_INT, (INT64_C(1) << 53) + 1, CQ_FLOAT64, "9007199254740993 is not exact as a float; cast it to float64 if rounding is meant"},
        {CQ_STRIDED_UINT, -1, CQ_TIMESTAMP_NS, "18446744073709551615 (uint64) is beyond what timestamp[ns] holds"},
        {CQ_STRIDED_INT, INT64_MAX, CQ_TIMESTAMP_S_UTC, "9223372036854775807 (int64) is beyond what timestamp[s, UTC] holds"},
    };
    work w;
    work_init(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cq_field const f = ih_field(cases[i].type, true, 0, 0);
        cq_strided const s = array_of(cases[i].kind, &cases[i].v, 8, 1);
        CQT(read_strided(&w, &f, &s) != CQ_OK);
        CQT_EQ_STR(w.e.msg, cases[i].text);
        CQT_EQ_I(w.e.row, 0);
    }
    work_free(&w);
}

/* -- floats ---------------------------------------------------------------------------------------------------------- */

static void integers_into_floats(void)
{
    static const struct { int64_t v; bool is_unsigned; cq_status st; double d; } cases[] = {
        {0, false, CQ_OK, 0}, {-1, false, CQ_OK, -1}, {INT64_C(1) << 53, false, CQ_OK, 0x1p53}, {(INT64_C(1) << 53) + 1, false, CQ_EVALUE, 0},
        {(INT64_C(1) << 53) + 2, false, CQ_OK, 0x1p53 + 2}, {-(INT64_C(1) << 53) - 1, false, CQ_EVALUE, 0}, {INT64_MIN, false, CQ_OK, -0x1p63},
        {INT64_MAX, false, CQ_EVALUE, 0}, {INT64_MIN, true, CQ_OK, 0x1p63}, {-1, true, CQ_EVALUE, 0}, {-2048, true, CQ_OK, 0x1p64 - 2048}};
    work w;
    work_init(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float const single = (float)cases[i].d;
        cq_strided const s = array_of(cases[i].is_unsigned ? CQ_STRIDED_UINT : CQ_STRIDED_INT, NULL, 8, 0);
        cq_field f = ih_field(CQ_FLOAT64, true, 0, 0);
        check_one(&w, &f, s, &cases[i].v, cases[i].st, cq_span_of(&cases[i].d, 8));
        f = ih_field(CQ_FLOAT32, true, 0, 0); /* rounds as a float does */
        check_one(&w, &f, s, &cases[i].v, cases[i].st, cq_span_of(&single, 4));
    }
    for (int source = 0; source < 6; source++) { /* the narrower ones are exact */
        bool const is_signed = source < 3;
        int const bits = 8 << source % 3;
        for (int top = 0; top < 2; top++) {
            i128 const v = top ? int_most(bits, is_signed) : int_least(bits, is_signed);
            uint64_t const raw = (uint64_t)v;
            double const d = (double)v;
            float const single = (float)d;
            cq_strided const s = array_of(is_signed ? CQ_STRIDED_INT : CQ_STRIDED_UINT, NULL, (size_t)bits / 8, 0);
            cq_field f = ih_field(CQ_FLOAT64, true, 0, 0);
            check_one(&w, &f, s, &raw, CQ_OK, cq_span_of(&d, 8));
            f = ih_field(CQ_FLOAT32, true, 0, 0);
            check_one(&w, &f, s, &raw, CQ_OK, cq_span_of(&single, 4));
        }
    }
    static const struct { int32_t v; cq_status st; uint16_t half; } halves[] = {{0, CQ_OK, 0}, {-2, CQ_OK, 0xC000}, {2049, CQ_OK, 0x6800}, {65504, CQ_OK, 0x7BFF}, {65519, CQ_OK, 0x7BFF},
                                                                              {65520, CQ_ERANGE, 0}, {-70000, CQ_ERANGE, 0}};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        cq_field const f = ih_field(CQ_FLOAT16, true, 0, 0);
        check_one(&w, &f, array_of(CQ_STRIDED_INT, NULL, 4, 0), &halves[i].v, halves[i].st, cq_span_of(&halves[i].half, 2));
    }
    work_free(&w);
}

static double half_by_definition(uint32_t h)
{
    int const exponent = (int)(h >> 10 & 31), fraction = (int)(h & 1023);
    double const m = exponent == 31 ? (fraction ? (double)NAN : HUGE_VAL) : exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return h & 0x8000 ? -m : m;
}

/* All of them, into the wider ones and back. */
static void every_half(void)
{
    static uint16_t halves[65536];
    static double doubles[65536];
    work w;
    work_init(&w);
    for (uint32_t i = 0; i < 65536; i++) halves[i] = (uint16_t)i;
    cq_strided s = array_of(CQ_STRIDED_FLOAT, halves, 2, 65536);
    cq_field f = ih_field(CQ_FLOAT32, false, 0, 0);
    CQT_OK(read_strided(&w, &f, &s), &w.e);
    for (uint32_t i = 0; i < 65536; i++) {
        double const want = half_by_definition(i), got = ih_float(&w.v, i);
        if (isnan(want))
            CQT(isnan(got));
        else
            CQT_EQ_F(got, want);
    }
    f = ih_field(CQ_FLOAT64, false, 0, 0);
    CQT_OK(read_strided(&w, &f, &s), &w.e);
    for (uint32_t i = 0; i < 65536; i++) doubles[i] = ih_float(&w.v, i);
    s = array_of(CQ_STRIDED_FLOAT, doubles, 8, 65536);
    f = ih_field(CQ_FLOAT16, false, 0, 0);
    CQT_OK(read_strided(&w, &f, &s), &w.e);
    for (uint32_t i = 0; i < 65536; i++) {
        CQT_EQ_U(w.v.spans[i].n, 2);
        uint16_t const back = cq_load16(w.v.spans[i].p);
        if (isnan(half_by_definition(i)))
            CQT(isnan(half_by_definition(back)));
        else
            CQT_EQ_U(back, i);
    }
    work_free(&w);
}

static void floats_into_narrower_ones(void)
{
    static const struct { double d; cq_status st; } cases[] = {
        {0.0, CQ_OK}, {-0.0, CQ_OK}, {0.1, CQ_OK}, {1e-50, CQ_OK}, {3.4028234663852886e38, CQ_OK}, {3.4028235677973362e38, CQ_OK}, {3.4028235677973366e38, CQ_ERANGE},
        {-1e39, CQ_ERANGE}, {DBL_MAX, CQ_ERANGE}, {HUGE_VAL, CQ_OK}, {-HUGE_VAL, CQ_OK}};
    work w;
    work_init(&w);
    cq_field f = ih_field(CQ_FLOAT32, true, 0, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float const want = (float)cases[i].d;
        check_one(&w, &f, array_of(CQ_STRIDED_FLOAT, NULL, 8, 0), &cases[i].d, cases[i].st, cq_span_of(&want, 4));
    }
    CQT(strstr(w.e.msg, "does not fit float32 (at most 3.4028235e+38 in magnitude)") != NULL);
    double const nan = (double)NAN;
    cq_strided s = array_of(CQ_STRIDED_FLOAT, &nan, 8, 1);
    CQT_OK(read_strided(&w, &f, &s), &w.e);
    CQT(isnan(ih_float(&w.v, 0)));

    static const struct { float f; cq_status st; uint16_t half; } halves[] = {
        {1.0F, CQ_OK, 0x3C00}, {65519.0F, CQ_OK, 0x7BFF}, {65520.0F, CQ_ERANGE, 0}, {-1e30F, CQ_ERANGE, 0}, {1e-10F, CQ_OK, 0}, {HUGE_VALF, CQ_OK, 0x7C00}};
    f = ih_field(CQ_FLOAT16, true, 0, 0);
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++)
        check_one(&w, &f, array_of(CQ_STRIDED_FLOAT, NULL, 4, 0), &halves[i].f, halves[i].st, cq_span_of(&halves[i].half, 2));
    CQT(strstr(w.e.msg, "does not fit float16 (at most 65504 in magnitude)") != NULL);
    float const third = 1.0F / 3;
    double const wide = (double)third;
    f = ih_field(CQ_FLOAT64, true, 0, 0);
    check_one(&w, &f, array_of(CQ_STRIDED_FLOAT, NULL, 4, 0), &third, CQ_OK, cq_span_of(&wide, 8));
    work_free(&w);
}

/* -- times ----------------------------------------------------------------------------------------------------------- */

static const int64_t unit_ns[] = {INT64_C(604800000000000), INT64_C(86400000000000), INT64_C(3600000000000), INT64_C(60000000000), 1000000000, 1000000, 1000, 1};

/* Every unit of datetime64, some multiples, into every timestamp, against 128 bits. */
static void datetimes_into_timestamps(void)
{
    static const cq_type types[] = {CQ_TIMESTAMP_S, CQ_TIMESTAMP_MS, CQ_TIMESTAMP_US, CQ_TIMESTAMP_NS, CQ_TIMESTAMP_S_UTC, CQ_TIMESTAMP_MS_UTC, CQ_TIMESTAMP_US_UTC, CQ_TIMESTAMP_NS_UTC};
    static const int64_t declared_ns[] = {1000000000, 1000000, 1000, 1}, stored_ns[] = {1000000, 1000000, 1000, 1};
    static const int32_t multiples[] = {0, 1, 3, 25, 1000, 1500};
    work w;
    work_init(&w);
    for (int t = 0; t < 8; t++)
        for (int unit = 0; unit < 8; unit++)
            for (int m = 0; m < 6; m++)
                for (int i = 0; i < 40; i++) {
                    int64_t const steps = multiples[m] ? multiples[m] : 1;
                    i128 const tick = (i128)unit_ns[unit] * steps;
                    int64_t v = (int64_t)cqt_rand() >> cqt_rand_below(64);
                    if (i % 2) v = (int64_t)((i128)v / 1000000000 * (declared_ns[t % 4] / (tick < declared_ns[t % 4] ? (int64_t)tick : declared_ns[t % 4])));
                    if (i == 0) v = INT64_MAX;
                    if (i == 2) v = INT64_MIN + 1;
                    if (i == 4 && tick >= 2 * stored_ns[t % 4]) v = INT64_MAX / (int64_t)(tick / stored_ns[t % 4]) + (int64_t)cqt_rand_below(2);
                    if (v == INT64_MIN) v = 0; /* NaT has a test of its own */
                    i128 const ns = (i128)v * tick, stored = ns / stored_ns[t % 4];
                    bool const whole = ns % declared_ns[t % 4] == 0, fits = stored >= INT64_MIN && stored <= INT64_MAX;
                    int64_t const want = fits ? (int64_t)stored : 0;
                    cq_field const f = ih_field(types[t], true, 0, 0);
                    cq_strided s = array_of(CQ_STRIDED_DATETIME, NULL, 8, 0);
                    s.unit = (cq_strided_unit)unit;
                    s.multiplier = multiples[m];
                    check_one(&w, &f, s, &v, !whole ? CQ_EVALUE : fits ? CQ_OK : CQ_ERANGE, cq_span_of(&want, 8));
                }
    work_free(&w);
}

static void steps_that_cannot_be_counted(void)
{
    work w;
    work_init(&w);
    cq_field f = ih_field(CQ_TIMESTAMP_NS, true, 0, 0);
    cq_strided s = array_of(CQ_STRIDED_DATETIME, NULL, 8, 0);
    s.multiplier = INT32_MAX;
    CQT_STATUS(cq_import_strided(&w.im, &f, &s, &w.e), CQ_EUNSUPPORTED);
    CQT_IN_STR(w.e.msg, "datetime64[2147483647W]");
    s.multiplier = 15000; /* can be, of the source; not in milliseconds of a column of seconds any more */
    s.unit = CQ_STRIDED_WEEK;
    CQT_OK(cq_import_strided(&w.im, &f, &s, &w.e), &w.e);
    f = ih_field(CQ_TIMESTAMP_S, true, 0, 0);
    CQT_OK(cq_import_strided(&w.im, &f, &s, &w.e), &w.e);
    work_free(&w);
}

static void not_a_time_is_null(void)
{
    static const int64_t items[5] = {INT64_MIN, 7, 8, INT64_MIN, 9};
    static const uint8_t mask[5] = {0, 1, 0, 0, 0};
    work w;
    work_init(&w);
    cq_field const f = ih_field(CQ_TIMESTAMP_MS, true, 0, 0);
    cq_strided s = array_of(CQ_STRIDED_DATETIME, items, 8, 5);
    for (int with_mask = 0; with_mask < 2; with_mask++)
        for (int unit = CQ_STRIDED_S; unit <= CQ_STRIDED_MS; unit++) {
            cq_span got;
            s.unit = (cq_strided_unit)unit;
            s.mask = with_mask ? mask : NULL;
            s.mask_stride = 1;
            CQT_OK(read_strided(&w, &f, &s), &w.e);
            for (int64_t i = 0; i < 5; i++) {
                bool const null = items[i] == INT64_MIN || (with_mask && mask[i]);
                CQT(ih_value(&w.v, i, &got) == !null);
                if (!null) CQT_EQ_I(ih_int(&w.v, i), items[i] * (unit == CQ_STRIDED_S ? 1000 : 1));
            }
        }
    CQT_OK(cq_import_read(&w.im, 2, 1, &w.arena, &w.v, &w.e), &w.e);
    CQT(w.v.validity == NULL || w.v.validity[0]);
    work_free(&w);
}

static void dates(void)
{
    work w;
    work_init(&w);
    cq_field const f = ih_field(CQ_DATE, true, 0, 0);
    static const struct { int64_t v; cq_status st; } days[] = {{0, CQ_OK}, {-719162, CQ_OK}, {INT32_MAX, CQ_OK}, {INT32_MIN, CQ_OK}, {(int64_t)INT32_MAX + 1, CQ_ERANGE}, {(int64_t)INT32_MIN - 1, CQ_ERANGE}};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        cq_strided s = array_of(CQ_STRIDED_DATETIME, NULL, 8, 0);
        s.unit = CQ_STRIDED_DAY;
        check_one(&w, &f, s, &days[i].v, days[i].st, cq_span_of(&days[i].v, 4));
    }
    int64_t const weeks = -3, want = -21, too_many = INT32_MAX / 7 + 1;
    cq_strided s = array_of(CQ_STRIDED_DATETIME, NULL, 8, 0);
    s.unit = CQ_STRIDED_WEEK;
    check_one(&w, &f, s, &weeks, CQ_OK, cq_span_of(&want, 4));
    check_one(&w, &f, s, &too_many, CQ_ERANGE, cq_span_of(NULL, 0));
    work_free(&w);
}

/* An Arrow array of 8- or 4-byte values, with no nulls. */
static cq_status read_arrow(work *w, ih_pool *p, const cq_field *f, const char *format, const void *values, int64_t n)
{
    struct ArrowArray *a = ih_array(p, n, 2);
    a->buffers[1] = values;
    cq_status st = cq_import_arrow_type(&w->im, f, ih_schema(p, format), &w->e);
    if (st == CQ_OK) st = cq_import_arrow_array(&w->im, a, &w->e);
    return st == CQ_OK ? cq_import_read(&w->im, 0, n, &w->arena, &w->v, &w->e) : st;
}

static void arrow_dates_and_times(void)
{
    static const struct { const char *format; cq_type type; int64_t v; cq_status st; int64_t want; const char *text; } cases[] = {
        {"tdm", CQ_DATE, 86400000, CQ_OK, 1, ""}, {"tdm", CQ_DATE, -86400000, CQ_OK, -1, ""},
        {"tdm", CQ_DATE, 86400001, CQ_EVALUE, 0, "1970-01-02 00:00:00.001 (Arrow date64) would be cut in a date column; round it first if that is meant"},
        {"tdm", CQ_DATE, (INT64_C(1) << 31) * 86400000, CQ_ERANGE, 0, "is beyond what date holds"},
        {"tdD", CQ_DATE, -5, CQ_OK, -5, ""},
        {"tts", CQ_TIME_MS, 86399, CQ_OK, 86399000, ""}, {"tts", CQ_TIME_MS, 86400, CQ_ERANGE, 0, "86400 (Arrow time32[s]) is no time of day"},
        {"tts", CQ_TIME_NS, 1, CQ_OK, 1000000000, ""}, {"tts", CQ_TIME_MS, -1, CQ_ERANGE, 0, "no time of day"},
        {"ttm", CQ_TIME_MS, 86399999, CQ_OK, 86399999, ""}, {"ttm", CQ_TIME_MS, 86400000, CQ_ERANGE, 0, "no time of day"}, {"ttm", CQ_TIME_MS, -1, CQ_ERANGE, 0, "no time of day"},
        {"ttm", CQ_TIME_US_UTC, 5, CQ_OK, 5000, ""},
        {"ttu", CQ_TIME_US, INT64_C(86399999999), CQ_OK, INT64_C(86399999999), ""}, {"ttu", CQ_TIME_US, INT64_C(86400000000), CQ_ERANGE, 0, "no time of day"},
        {"ttu", CQ_TIME_US, INT64_MIN, CQ_ERANGE, 0, "no time of day"}, {"ttu", CQ_TIME_US, INT64_MAX, CQ_ERANGE, 0, "no time of day"},
        {"ttu", CQ_TIME_MS, 3000, CQ_OK, 3, ""}, {"ttu", CQ_TIME_MS, 3001, CQ_EVALUE, 0, "would be cut in a time[ms] column"},
        {"ttn", CQ_TIME_MS, INT64_C(86399999000000), CQ_OK, 86399999, ""}, {"ttn", CQ_TIME_MS, INT64_C(86400000000000), CQ_ERANGE, 0, "no time of day"},
        {"ttn", CQ_TIME_US, 1, CQ_EVALUE, 0, "would be cut"}, {"ttn", CQ_TIME_NS_UTC, 1, CQ_OK, 1, ""},
        {"tsn:UTC", CQ_TIMESTAMP_US_UTC, -1000, CQ_OK, -1, ""}, {"tsn:UTC", CQ_TIMESTAMP_US_UTC, -1001, CQ_EVALUE, 0, "would be cut in a timestamp[us, UTC] column"},
        {"tsm:", CQ_TIMESTAMP_S, 1000, CQ_OK, 1000, ""}, {"tsm:", CQ_TIMESTAMP_S, 1001, CQ_EVALUE, 0, "would be cut"},
        {"tss:", CQ_TIMESTAMP_NS, INT64_C(9223372037), CQ_ERANGE, 0, "is beyond what timestamp[ns] holds"},
        {"tss:", CQ_TIMESTAMP_NS, INT64_C(-9223372036), CQ_OK, INT64_C(-9223372036000000000), ""},
    };
    work w;
    work_init(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ih_pool p = {0};
        cq_field const f = ih_field(cases[i].type, true, 0, 0);
        CQT_EQ_I(read_arrow(&w, &p, &f, cases[i].format, &cases[i].v, 1), cases[i].st);
        if (cases[i].st == CQ_OK)
            CQT_EQ_I(ih_int(&w.v, 0), cases[i].want);
        else
            CQT_IN_STR(w.e.msg, cases[i].text);
        ih_free(&p);
    }
    work_free(&w);
}

static void integers_into_timestamps(void)
{
    work w;
    work_init(&w);
    static const int64_t v = 1700000000, ms = INT64_C(1700000000000);
    uint32_t const narrow = 1700000000;
    int8_t const small = -5;
    int64_t const small_ms = -5000, most = INT64_MAX;
    cq_field f = ih_field(CQ_TIMESTAMP_S_UTC, true, 0, 0);
    check_one(&w, &f, array_of(CQ_STRIDED_INT, NULL, 8, 0), &v, CQ_OK, cq_span_of(&ms, 8));
    check_one(&w, &f, array_of(CQ_STRIDED_UINT, NULL, 4, 0), &narrow, CQ_OK, cq_span_of(&ms, 8));
    check_one(&w, &f, array_of(CQ_STRIDED_INT, NULL, 1, 0), &small, CQ_OK, cq_span_of(&small_ms, 8));
    f = ih_field(CQ_TIMESTAMP_US, true, 0, 0);
    check_one(&w, &f, array_of(CQ_STRIDED_INT, NULL, 8, 0), &v, CQ_OK, cq_span_of(&v, 8));
    check_one(&w, &f, array_of(CQ_STRIDED_UINT, NULL, 4, 0), &narrow, CQ_OK, cq_span_of(&v, 8));
    check_one(&w, &f, array_of(CQ_STRIDED_UINT, NULL, 8, 0), &most, CQ_OK, cq_span_of(&most, 8));
    uint64_t const beyond = (uint64_t)INT64_MAX + 1;
    check_one(&w, &f, array_of(CQ_STRIDED_UINT, NULL, 8, 0), &beyond, CQ_ERANGE, cq_span_of(NULL, 0));
    work_free(&w);
}

/* -- decimals -------------------------------------------------------------------------------------------------------- */

/* A whole number as digits, the first one highest; n 0: it is 0. */
typedef struct paper {
    int n;
    uint8_t digit[160];
} paper;

static void paper_strip(paper *d)
{
    int zeros = 0;
    while (zeros < d->n && d->digit[zeros] == 0) zeros++;
    memmove(d->digit, d->digit + zeros, (size_t)(d->n - zeros));
    d->n -= zeros;
}

/* Little-endian two's complement. */
static void paper_bytes(const paper *d, bool negative, uint8_t *to, size_t n)
{
    memset(to, 0, n);
    for (int i = 0; i < d->n; i++) {
        unsigned carry = d->digit[i];
        for (size_t k = 0; k < n; k++) {
            carry += to[k] * 10u;
            to[k] = (uint8_t)(carry & 0xFF);
            carry >>= 8;
        }
        CQT_EQ_U(carry, 0);
    }
    unsigned carry = negative;
    for (size_t k = 0; negative && k < n; k++) {
        carry += (uint8_t)~to[k];
        to[k] = (uint8_t)(carry & 0xFF);
        carry >>= 8;
    }
}

static cq_status paper_rescale(paper *d, int from_scale, int precision, int scale)
{
    for (; from_scale < scale && d->n > 0 && d->n < 150; from_scale++) d->digit[d->n++] = 0;
    for (; from_scale > scale && d->n > 0; from_scale--)
        if (d->digit[--d->n] != 0) return CQ_EVALUE;
    paper_strip(d);
    return d->n > precision ? CQ_ERANGE : CQ_OK;
}

static void decimals_on_paper(void)
{
    static const struct { int bits, digits; } widths[] = {{32, 9}, {64, 18}, {128, 38}, {256, 76}};
    int taken = 0, refused = 0;
    work w;
    work_init(&w);
    for (int round = 0; round < 60000; round++) {
        ih_pool p = {0};
        char format[32];
        int const k = (int)cqt_rand_below(4), digits = 1 + (int)cqt_rand_below((uint64_t)widths[k].digits), from_scale = (int)cqt_rand_below((uint64_t)digits + 10) - 5;
        int const precision = 1 + (int)cqt_rand_below(38), scale = (int)cqt_rand_below((uint64_t)precision + 1);
        bool negative = cqt_rand_below(2);
        paper d = {.n = (int)cqt_rand_below((uint64_t)digits + 1)};
        int const zeros = (int)cqt_rand_below((uint64_t)d.n + 1); /* at the end */
        for (int i = 0; i < d.n; i++) d.digit[i] = i < d.n - zeros ? (uint8_t)cqt_rand_below(10) : 0;
        paper_strip(&d);
        negative = negative && d.n > 0;
        uint8_t *raw = ih_alloc(&p, (size_t)widths[k].bits / 8), want[16];
        paper_bytes(&d, negative, raw, (size_t)widths[k].bits / 8);
        (void)snprintf(format, sizeof format, "d:%d,%d,%d", digits, from_scale, widths[k].bits);
        cq_field const f = ih_field(CQ_DECIMAL32, false, precision, scale);
        cq_status const st = paper_rescale(&d, from_scale, precision, scale);
        cq_status const got = read_arrow(&w, &p, &f, format, raw, 1);
        CQT_MSG(got == st, "%s into (%d, %d): %d, expected %d: %s", format, precision, scale, (int)got, (int)st, got ? w.e.msg : "");
        if (st == CQ_OK) {
            cq_span v;
            paper_bytes(&d, negative, want, 16);
            CQT(ih_value(&w.v, 0, &v));
            if (cq_type_facts(f.type)->width) {
                CQT_EQ_MEM(v.p, want, v.n);
            } else {
                CQT_EQ_U(v.n, (size_t)f.fixed_bytes);
                for (size_t i = 0; i < v.n; i++) CQT_EQ_U(v.p[i], want[v.n - 1 - i]);
            }
            taken++;
        } else {
            CQT_EQ_I(w.e.row, 0);
            refused++;
        }
        cq_arena_clear(&w.arena);
        ih_free(&p);
    }
    CQT(taken > 1000 && refused > 1000);
    work_free(&w);
}

static void integers_into_decimals(void)
{
    work w;
    work_init(&w);
    uint64_t const most = UINT64_MAX;
    int64_t const least = INT64_MIN;
    int32_t const cents = 123, stored = 12300;
    uint8_t want[9] = {0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    cq_field f = ih_field(CQ_DECIMAL128, true, 20, 0);
    CQT_EQ_I(f.fixed_bytes, 9);
    check_one(&w, &f, array_of(CQ_STRIDED_UINT, NULL, 8, 0), &most, CQ_OK, cq_span_of(want, 9));
    uint8_t const low[9] = {0xFF, 0x80};
    check_one(&w, &f, array_of(CQ_STRIDED_INT, NULL, 8, 0), &least, CQ_OK, cq_span_of(low, 9));
    f = ih_field(CQ_DECIMAL32, true, 5, 2);
    check_one(&w, &f, array_of(CQ_STRIDED_INT, NULL, 4, 0), &cents, CQ_OK, cq_span_of(&stored, 4));
    int32_t const too_large = -1000;
    check_one(&w, &f, array_of(CQ_STRIDED_INT, NULL, 4, 0), &too_large, CQ_ERANGE, cq_span_of(NULL, 0));
    uint8_t const byte = 255;
    int32_t const byte_stored = 25500;
    check_one(&w, &f, array_of(CQ_STRIDED_UINT, NULL, 1, 0), &byte, CQ_OK, cq_span_of(&byte_stored, 4));
    work_free(&w);
}

static void texts_of_decimals(void)
{
    static const struct { const char *format; int64_t v; int32_t precision, scale; const char *text; } cases[] = {
        {"d:18,3,64", -1234567, 6, 2, "-1234.567 has more digits behind the point than decimal(6, 2); round it first if that is meant"},
        {"d:18,3,64", 1234560, 5, 2, "1234.560 does not fit decimal(5, 2)"},
        {"d:18,3,64", 5, 5, 2, "0.005 has more digits behind the point than decimal(5, 2); round it first if that is meant"},
        {"d:18,-3,64", 5, 3, 0, "5E+3 does not fit decimal(3, 0)"},
        {"d:18,90,64", -5, 3, 0, "-5E-90 has more digits behind the point than decimal(3, 0); round it first if that is meant"},
        {"d:18,0,64", INT64_MIN, 3, 0, "-9223372036854775808 does not fit decimal(3, 0)"},
        {"L", -1, 3, 0, "18446744073709551615 does not fit decimal(3, 0)"},
    };
    work w;
    work_init(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ih_pool p = {0};
        cq_field const f = ih_field(CQ_DECIMAL32, true, cases[i].precision, cases[i].scale);
        CQT(read_arrow(&w, &p, &f, cases[i].format, &cases[i].v, 1) != CQ_OK);
        CQT_EQ_STR(w.e.msg, cases[i].text);
        ih_free(&p);
    }
    work_free(&w);
}

/* A producer whose values are beyond the precision that it declares. */
static void values_beyond_their_declared_digits(void)
{
    ih_pool p = {0};
    work w;
    work_init(&w);
    uint8_t raw[32];
    memset(raw, 0xFF, sizeof raw);
    raw[31] = 0x7F;
    cq_field const f = ih_field(CQ_DECIMAL128, true, 38, 0);
    CQT_STATUS(read_arrow(&w, &p, &f, "d:5,0,256", raw, 1), CQ_ERANGE);
    CQT_IN_STR(w.e.msg, "57896044618658097711785492504343953926634992332820282019728792003956564819967 does not fit decimal(38, 0)");
    raw[15] = 0x7F;
    CQT_STATUS(read_arrow(&w, &p, &f, "d:5,0", raw, 1), CQ_ERANGE);
    memset(raw, 0, sizeof raw);
    raw[31] = 0x80;
    CQT_STATUS(read_arrow(&w, &p, &f, "d:5,0,256", raw, 1), CQ_ERANGE);
    raw[15] = 0x80;
    CQT_STATUS(read_arrow(&w, &p, &f, "d:5,-2", raw, 1), CQ_ERANGE);
    CQT_EQ_STR(w.e.msg, "-170141183460469231731687303715884105728E+2 does not fit decimal(38, 0)");
    ih_free(&p);
    work_free(&w);
}

void test_value_import(void)
{
    CQT_RUN(the_table_of_types);
    CQT_RUN(refusals_have_advice);
    CQT_RUN(integers_at_every_border);
    CQT_RUN(texts_of_ranges);
    CQT_RUN(integers_into_floats);
    CQT_RUN(every_half);
    CQT_RUN(floats_into_narrower_ones);
    CQT_RUN(datetimes_into_timestamps);
    CQT_RUN(steps_that_cannot_be_counted);
    CQT_RUN(not_a_time_is_null);
    CQT_RUN(dates);
    CQT_RUN(arrow_dates_and_times);
    CQT_RUN(integers_into_timestamps);
    CQT_RUN(decimals_on_paper);
    CQT_RUN(integers_into_decimals);
    CQT_RUN(texts_of_decimals);
    CQT_RUN(values_beyond_their_declared_digits);
}
