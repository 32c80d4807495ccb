/* Arrow's types: format strings of every kind and of none, dictionaries, run ends, metadata; the columns they are, and
 * the way back; tables and batches. */
#include "format/arrow_type.h"

#include "format/limits.h"
#include "import_help.h"

static cq_status parse(const char *format, cq_arrow_type *t, cq_err *e)
{
    ih_pool p = {0};
    cq_status const st = cq_arrow_type_parse(ih_schema(&p, format), t, e);
    ih_free(&p);
    return st;
}

static void every_format(void)
{
    static const struct { const char *format, *text; cq_arrow_kind kind; cq_arrow_layout layout; int32_t width; } cases[] = {
        {"n", "null", CQ_ARROW_NULL, CQ_ARROW_NO_BUFFERS, 0}, {"b", "bool", CQ_ARROW_BOOL, CQ_ARROW_BITS, 0},
        {"c", "int8", CQ_ARROW_INT, CQ_ARROW_FIXED, 1}, {"C", "uint8", CQ_ARROW_INT, CQ_ARROW_FIXED, 1},
        {"s", "int16", CQ_ARROW_INT, CQ_ARROW_FIXED, 2}, {"S", "uint16", CQ_ARROW_INT, CQ_ARROW_FIXED, 2},
        {"i", "int32", CQ_ARROW_INT, CQ_ARROW_FIXED, 4}, {"I", "uint32", CQ_ARROW_INT, CQ_ARROW_FIXED, 4},
        {"l", "int64", CQ_ARROW_INT, CQ_ARROW_FIXED, 8}, {"L", "uint64", CQ_ARROW_INT, CQ_ARROW_FIXED, 8},
        {"e", "float16", CQ_ARROW_FLOAT, CQ_ARROW_FIXED, 2}, {"f", "float32", CQ_ARROW_FLOAT, CQ_ARROW_FIXED, 4},
        {"g", "float64", CQ_ARROW_FLOAT, CQ_ARROW_FIXED, 8},
        {"u", "string", CQ_ARROW_STRING, CQ_ARROW_OFFSETS32, 0}, {"U", "large_string", CQ_ARROW_STRING, CQ_ARROW_OFFSETS64, 0},
        {"vu", "string_view", CQ_ARROW_STRING, CQ_ARROW_VIEWS, 0},
        {"z", "binary", CQ_ARROW_BINARY, CQ_ARROW_OFFSETS32, 0}, {"Z", "large_binary", CQ_ARROW_BINARY, CQ_ARROW_OFFSETS64, 0},
        {"vz", "binary_view", CQ_ARROW_BINARY, CQ_ARROW_VIEWS, 0}, {"w:42", "binary[42]", CQ_ARROW_BINARY, CQ_ARROW_FIXED, 42},
        {"d:7,2,32", "decimal32(7, 2)", CQ_ARROW_DECIMAL, CQ_ARROW_FIXED, 4}, {"d:18,0,64", "decimal64(18, 0)", CQ_ARROW_DECIMAL, CQ_ARROW_FIXED, 8},
        {"d:38,38", "decimal128(38, 38)", CQ_ARROW_DECIMAL, CQ_ARROW_FIXED, 16}, {"d:5,-3", "decimal128(5, -3)", CQ_ARROW_DECIMAL, CQ_ARROW_FIXED, 16},
        {"d:76,10,256", "decimal256(76, 10)", CQ_ARROW_DECIMAL, CQ_ARROW_FIXED, 32},
        {"tdD", "date32", CQ_ARROW_DATE, CQ_ARROW_FIXED, 4}, {"tdm", "date64", CQ_ARROW_DATE, CQ_ARROW_FIXED, 8},
        {"tts", "time32[s]", CQ_ARROW_TIME, CQ_ARROW_FIXED, 4}, {"ttm", "time32[ms]", CQ_ARROW_TIME, CQ_ARROW_FIXED, 4},
        {"ttu", "time64[us]", CQ_ARROW_TIME, CQ_ARROW_FIXED, 8}, {"ttn", "time64[ns]", CQ_ARROW_TIME, CQ_ARROW_FIXED, 8},
        {"tss:", "timestamp[s] without a time zone", CQ_ARROW_TIMESTAMP, CQ_ARROW_FIXED, 8},
        {"tsn:Europe/Berlin", "timestamp[ns] with a time zone", CQ_ARROW_TIMESTAMP, CQ_ARROW_FIXED, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cq_arrow_type t;
        cq_err e;
        char text[CQ_ARROW_TEXT_BYTES];
        CQT_OK(parse(cases[i].format, &t, &e), &e);
        CQT_EQ_STR(cq_arrow_type_text(&t, text), cases[i].text);
        CQT(t.kind == cases[i].kind && t.layout == cases[i].layout && t.width == cases[i].width);
        CQT(!t.is_dictionary && !t.is_run_end);
    }
}

static void formats_that_mean_nothing(void)
{
    static const char *const formats[] = {
        "", "x", "bb", "ll", "v", "vx", "vuu", "uu", "w", "w:", "w:-1", "w:x", "w:1x", "w:99999999999", "w:2147483648", "d", "d:", "d:,", "d:5", "d:5,", "d:5,2,", "d:5,2,x",
        "d:5,2,16", "d:5,2,128,", "d:0,0", "d:-1,0", "d:39,2", "d:400,2", "d:10,2,32", "d:19,2,64", "d:77,0,256", "d:5,200", "d:5,-200", "d:99999999999,1", "t", "td", "tdx",
        "tdDD", "tt", "ttx", "ttmm", "ts", "tss", "tsx:", "tD", "tDx", "ti", "tix", "tx", "+", "+x", "+v", "+vx", "n\x01\xFF n"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        cq_arrow_type t;
        cq_err e;
        cq_status const st = parse(formats[i], &t, &e);
        CQT_MSG(st == CQ_EFORMAT, "'%s' is %d", formats[i], (int)st);
        CQT_IN_STR(e.msg, "format string");
        for (const char *p = e.msg; *p; p++) CQT(*p >= ' ' && *p <= '~');
    }
    char *endless = malloc(1 << 20);
    cq_arrow_type t;
    cq_err e;
    CQT(endless != NULL);
    memset(endless, '9', 1 << 20);
    memcpy(endless, "w:", 2);
    endless[(1 << 20) - 1] = '\0';
    CQT_STATUS(parse(endless, &t, &e), CQ_EFORMAT);
    CQT_IN_STR(e.msg, "99...'");
    free(endless);
}

static void types_without_a_column(void)
{
    static const struct { const char *format, *part; } cases[] = {
        {"+l", "list"}, {"+L", "list"}, {"+vl", "list view"}, {"+vL", "list view"}, {"+w:3", "list"}, {"+s", "struct"}, {"+m", "map"}, {"+ud:1,2", "union"},
        {"+us:1", "union"}, {"tDs", "duration"}, {"tDn", "int64"}, {"tiM", "interval"}, {"tiD", "interval"}, {"tin", "interval"}, {"w:0", "cast it to binary"},
        {"w:1048577", "1048576"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cq_arrow_type t;
        cq_err e;
        CQT_STATUS(parse(cases[i].format, &t, &e), CQ_EUNSUPPORTED);
        CQT_IN_STR(e.msg, cases[i].part);
    }
}

/* -- dictionaries and run ends --------------------------------------------------------------------------------------- */

static void dictionaries_and_runs(void)
{
    static const char *const indexes[] = {"c", "C", "s", "S", "i", "I", "l", "L"};
    ih_pool p = {0};
    cq_arrow_type t;
    cq_err e;
    char text[CQ_ARROW_TEXT_BYTES];
    for (int i = 0; i < 8; i++) {
        CQT_OK(cq_arrow_type_parse(ih_dictionary_schema(&p, indexes[i], "vu"), &t, &e), &e);
        CQT(t.is_dictionary && t.kind == CQ_ARROW_STRING && t.index_width == 1 << i / 2 && t.index_signed == (i % 2 == 0));
    }
    CQT_EQ_STR(cq_arrow_type_text(&t, text), "dictionary<uint64, string_view>");
    CQT_OK(cq_arrow_type_parse(ih_run_schema(&p, "s", ih_dictionary_schema(&p, "C", "d:76,10,256")), &t, &e), &e);
    CQT(t.is_run_end && t.run_end_width == 2 && t.is_dictionary && t.kind == CQ_ARROW_DECIMAL);
    CQT_EQ_STR(cq_arrow_type_text(&t, text), "run_end_encoded<dictionary<uint8, decimal256(76, 10)>>");
    ih_free(&p);
}

static void broken_dictionaries_and_runs(void)
{
    ih_pool p = {0};
    cq_arrow_type t;
    cq_err e;
    CQT_STATUS(cq_arrow_type_parse(ih_dictionary_schema(&p, "u", "u"), &t, &e), CQ_EFORMAT);
    CQT_STATUS(cq_arrow_type_parse(ih_dictionary_schema(&p, "c", "+s"), &t, &e), CQ_EUNSUPPORTED);
    CQT_STATUS(cq_arrow_type_parse(ih_dictionary_schema(&p, "c", "??"), &t, &e), CQ_EFORMAT);
    struct ArrowSchema *s = ih_dictionary_schema(&p, "c", "u");
    s->dictionary->dictionary = ih_schema(&p, "u");
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EUNSUPPORTED);
    s->dictionary->dictionary = NULL;
    s->dictionary->release = NULL;
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);

    static const char *const ends[] = {"c", "S", "I", "L", "u", "f", "tdD"};
    for (int i = 0; i < 7; i++) CQT_STATUS(cq_arrow_type_parse(ih_run_schema(&p, ends[i], ih_schema(&p, "u")), &t, &e), CQ_EFORMAT);
    CQT_STATUS(cq_arrow_type_parse(ih_run_schema(&p, "i", ih_run_schema(&p, "i", ih_schema(&p, "u"))), &t, &e), CQ_EUNSUPPORTED);
    CQT_STATUS(cq_arrow_type_parse(ih_run_schema(&p, "i", ih_schema(&p, "+l")), &t, &e), CQ_EUNSUPPORTED);
    s = ih_run_schema(&p, "i", ih_schema(&p, "u"));
    s->dictionary = ih_schema(&p, "u");
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);
    s = ih_run_schema(&p, "i", ih_schema(&p, "u"));
    s->children[0]->dictionary = ih_schema(&p, "u");
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);
    s->n_children = 3;
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);
    s->n_children = 2;
    s->children[1] = NULL;
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);
    s->children = NULL;
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);
    s->n_children = -1;
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);

    s = ih_schema(&p, "u");
    s->n_children = 1;
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);
    s = ih_schema(&p, "u");
    s->format = NULL;
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);
    CQT_STATUS(cq_arrow_type_parse(NULL, &t, &e), CQ_EFORMAT);
    s = ih_schema(&p, "u");
    s->release = NULL;
    CQT_STATUS(cq_arrow_type_parse(s, &t, &e), CQ_EFORMAT);
    CQT_IN_STR(e.msg, "released");
    ih_free(&p);
}

/* -- columns --------------------------------------------------------------------------------------------------------- */

/* Metadata in the interface's form, from pairs of texts. */
static char *metadata(ih_pool *p, const char *const *texts, int n_pairs)
{
    size_t n = 4;
    for (int i = 0; i < 2 * n_pairs; i++) n += 4 + strlen(texts[i]);
    char *m = ih_alloc(p, n), *at = m + 4;
    cq_store32(m, (uint32_t)n_pairs);
    for (int i = 0; i < 2 * n_pairs; i++) {
        cq_store32(at, cq_u32(strlen(texts[i])));
        memcpy(at + 4, texts[i], strlen(texts[i]));
        at += 4 + strlen(texts[i]);
    }
    return m;
}

/* Every column type, out and in again. */
static void columns_and_back(void)
{
    for (int type = 0; type < CQ_N_TYPES; type++)
        for (int optional = 0; optional < 2; optional++) {
            ih_pool p = {0};
            cq_err e;
            cq_arrow_field a;
            cq_field_spec back;
            int32_t const digits = type == CQ_DECIMAL32 ? 9 : type == CQ_DECIMAL64 ? 18 : 38, param = type == CQ_FIXED ? CQ_MAX_FIXED_BYTES : digits;
            cq_field f = ih_field((cq_type)type, optional, param, digits);
            f.field_id = type % 3 ? INT32_MAX : type % 2 - 1;
            cq_arrow_from_field(&f, &a);
            struct ArrowSchema *s = ih_schema(&p, a.format);
            s->flags = a.flags;
            if (a.metadata_bytes) {
                char *m = ih_alloc(&p, a.metadata_bytes);
                memcpy(m, a.metadata, a.metadata_bytes);
                s->metadata = m;
            }
            CQT_OK(cq_arrow_to_field(s, &back, &e), &e);
            CQT_EQ_STR(back.name, "x");
            CQT(back.optional == f.optional && back.field_id == f.field_id);
            cq_type want = f.type;
            if (want == CQ_ENUM) want = CQ_STRING; /* Arrow has no word for these */
            if (want == CQ_BSON) want = CQ_BINARY;
            if (want >= CQ_TIME_MS_UTC && want <= CQ_TIME_NS_UTC) want = (cq_type)(want - CQ_TIME_MS_UTC + CQ_TIME_MS);
            CQT_EQ_I(back.type, want);
            CQT_EQ_I(back.precision, f.precision);
            CQT_EQ_I(back.scale, f.scale);
            if (type == CQ_FIXED) CQT_EQ_I(back.fixed_bytes, CQ_MAX_FIXED_BYTES);
            ih_free(&p);
        }
}

static void extensions_and_ids(void)
{
    static const struct { const char *format, *name; cq_type type; } cases[] = {
        {"w:16", "arrow.uuid", CQ_UUID}, {"w:15", "arrow.uuid", CQ_FIXED}, {"u", "arrow.json", CQ_JSON}, {"vu", "arrow.json", CQ_JSON}, {"z", "arrow.json", CQ_BINARY},
        {"c", "arrow.bool8", CQ_BOOL}, {"C", "arrow.bool8", CQ_UINT8}, {"u", "", CQ_STRING}};
    static const struct { const char *text; int32_t id; } ids[] = {{"0", 0}, {"7", 7}, {"2147483647", INT32_MAX}, {"2147483648", -1}, {"-2", -1}, {"", -1}, {"1x", -1}, {"123456789012345", -1}};
    ih_pool p = {0};
    cq_err e;
    cq_field_spec f;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const texts[] = {"a", "b", "ARROW:extension:name", cases[i].name, "ARROW:extension:metadata", ""};
        struct ArrowSchema *s = ih_schema(&p, cases[i].format);
        s->metadata = metadata(&p, texts, 3);
        CQT_OK(cq_arrow_to_field(s, &f, &e), &e);
        CQT_EQ_I(f.type, cases[i].type);
        struct ArrowSchema *d = ih_dictionary_schema(&p, "c", cases[i].format); /* the metadata is the dictionary's or its values' */
        d->metadata = s->metadata;
        CQT_OK(cq_arrow_to_field(d, &f, &e), &e);
        CQT_EQ_I(f.type, cases[i].type);
        d->metadata = NULL;
        d->dictionary->metadata = s->metadata;
        CQT_OK(cq_arrow_to_field(ih_run_schema(&p, "i", d), &f, &e), &e);
        CQT_EQ_I(f.type, cases[i].type);
    }
    {
        const char *const texts[] = {"ARROW:extension:name", "somebody.else"};
        struct ArrowSchema *s = ih_schema(&p, "l"), *d = ih_dictionary_schema(&p, "c", "u");
        cq_arrow_type t;
        s->metadata = d->dictionary->metadata = metadata(&p, texts, 1);
        CQT_STATUS(cq_arrow_to_field(s, &f, &e), CQ_EUNSUPPORTED);
        CQT(strstr(e.msg, "extension type 'somebody.else': declare the column's type to write its storage (int64)") != NULL);
        CQT_STATUS(cq_arrow_to_field(d, &f, &e), CQ_EUNSUPPORTED);
        CQT_STATUS(cq_arrow_to_field(ih_run_schema(&p, "i", d), &f, &e), CQ_EUNSUPPORTED);
        CQT_OK(cq_arrow_type_parse(s, &t, &e), &e);
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const char *const texts[] = {"PARQUET:field_id", ids[i].text};
        struct ArrowSchema *s = ih_schema(&p, "l");
        s->flags = 0;
        s->metadata = metadata(&p, texts, 1);
        CQT_OK(cq_arrow_to_field(s, &f, &e), &e);
        CQT_EQ_I(f.field_id, ids[i].id);
        CQT(!f.optional);
    }
    static const char minus_pairs[] = "\xFF\xFF\xFF\xFF", minus_text[] = "\1\0\0\0\xFE\xFF\xFF\xFF";
    struct ArrowSchema *s = ih_schema(&p, "l");
    s->metadata = minus_pairs;
    CQT_STATUS(cq_arrow_to_field(s, &f, &e), CQ_EFORMAT);
    s->metadata = minus_text;
    CQT_STATUS(cq_arrow_to_field(s, &f, &e), CQ_EFORMAT);
    s->metadata = NULL;
    s->name = NULL;
    CQT_OK(cq_arrow_to_field(s, &f, &e), &e);
    CQT_EQ_STR(f.name, "");
    ih_free(&p);
}

static void types_that_make_no_column(void)
{
    static const char *const formats[] = {"n", "d:39,2,256", "d:5,-1", "d:5,6"};
    ih_pool p = {0};
    cq_err e;
    cq_field_spec f;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) CQT_STATUS(cq_arrow_to_field(ih_schema(&p, formats[i]), &f, &e), CQ_EUNSUPPORTED);
    ih_free(&p);
}

/* -- tables ---------------------------------------------------------------------------------------------------------- */

typedef struct table {
    ih_pool p;
    struct ArrowSchema *schema;
    struct ArrowArray *batch;
} table;

/* Two columns, rows [2, 7) of nine slots. */
static void make_table(table *t)
{
    static const int seeds[9] = {1, 2, 3, 4, 5, 6, 0, 1, 2};
    cq_arrow_type type = {.kind = CQ_ARROW_INT, .layout = CQ_ARROW_FIXED, .width = 8, .is_signed = true};
    memset(t, 0, sizeof *t);
    t->schema = ih_schema(&t->p, "+s");
    t->schema->n_children = 2;
    t->schema->children = ih_alloc(&t->p, 2 * sizeof *t->schema->children);
    t->batch = ih_array(&t->p, 5, 1);
    t->batch->offset = 2;
    t->batch->n_children = 2;
    t->batch->children = ih_alloc(&t->p, 2 * sizeof *t->batch->children);
    for (int i = 0; i < 2; i++) {
        t->schema->children[i] = ih_schema(&t->p, "l");
        t->batch->children[i] = ih_flat(&t->p, &type, seeds, 9, 0);
    }
}

#define REFUSED(change, status, text)                                                                                  \
    do {                                                                                                               \
        table t;                                                                                                       \
        cq_err e;                                                                                                      \
        make_table(&t);                                                                                                \
        change;                                                                                                        \
        cq_status st_ = cq_arrow_check_struct(t.schema, &e);                                                           \
        if (st_ == CQ_OK) st_ = cq_arrow_check_batch(t.schema, t.batch, &e);                                           \
        CQT_EQ_I(st_, status);                                                                                         \
        if (st_ != CQ_OK) CQT_IN_STR(e.msg, text);                                                                     \
        ih_free(&t.p);                                                                                                 \
    } while (0)

static void tables_and_batches(void)
{
    static const uint8_t none_null[] = {0x7C}, one_null[] = {0x6C};
    REFUSED((void)0, CQ_OK, "");
    REFUSED(t.schema->format = "u", CQ_EFORMAT, "where a table");
    REFUSED(t.schema->release = NULL, CQ_EFORMAT, "released");
    REFUSED(t.schema->children[1] = NULL, CQ_EFORMAT, "no schema");
    REFUSED(t.schema->children[1]->release = NULL, CQ_EFORMAT, "released");
    REFUSED(t.schema->children[0]->format = NULL, CQ_EFORMAT, "without a format");
    REFUSED(t.schema->n_children = CQ_MAX_COLUMNS + 1, CQ_ELIMIT, "65537");
    REFUSED(t.schema->n_children = -1, CQ_EFORMAT, "children");
    REFUSED(t.schema->n_children = 1, CQ_EFORMAT, "2 columns where its schema has 1");
    REFUSED(t.batch->release = NULL, CQ_EFORMAT, "released");
    REFUSED(t.batch->length = -1, CQ_EFORMAT, "-1 rows");
    REFUSED(t.batch->offset = -1, CQ_EFORMAT, "from -1 on");
    REFUSED(t.batch->offset = INT64_MAX, CQ_EFORMAT, "rows from");
    REFUSED(t.batch->length = 8, CQ_EFORMAT, "10 rows whose column 0 has 9");
    REFUSED(t.batch->children[1]->length = 6, CQ_EFORMAT, "column 1 has 6");
    REFUSED(t.batch->children[1] = NULL, CQ_EFORMAT, "column 1 is released");
    REFUSED(t.batch->children[0]->release = NULL, CQ_EFORMAT, "column 0 is released");
    REFUSED(t.batch->children = NULL, CQ_EFORMAT, "columns");
    REFUSED(t.batch->n_children = 3, CQ_EFORMAT, "columns");
    REFUSED(t.batch->n_buffers = 0, CQ_EFORMAT, "0 buffers");
    REFUSED(t.batch->buffers = NULL, CQ_EFORMAT, "buffers");
    REFUSED(t.batch->null_count = 6, CQ_EFORMAT, "6 null rows of 5");
    REFUSED(t.batch->null_count = -2, CQ_EFORMAT, "-2 null rows");
    REFUSED(t.batch->null_count = 1, CQ_EFORMAT, "null as a whole");
    REFUSED((t.batch->null_count = -1, t.batch->buffers[0] = one_null), CQ_EFORMAT, "null as a whole");
    REFUSED((t.batch->null_count = -1, t.batch->buffers[0] = none_null), CQ_OK, "");
    REFUSED((t.batch->null_count = 0, t.batch->buffers[0] = one_null), CQ_OK, "");
}

void test_arrow_type(void)
{
    CQT_RUN(every_format);
    CQT_RUN(formats_that_mean_nothing);
    CQT_RUN(types_without_a_column);
    CQT_RUN(dictionaries_and_runs);
    CQT_RUN(broken_dictionaries_and_runs);
    CQT_RUN(columns_and_back);
    CQT_RUN(extensions_and_ids);
    CQT_RUN(types_that_make_no_column);
    CQT_RUN(tables_and_batches);
}
