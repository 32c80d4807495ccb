/* Schemas: names that are refused, duplicates, copies, growth, memory that is not there. */
#include "base/err.h"
#include "format/limits.h"
#include "format/schema.h"

#include <stdio.h>

#include "cqtest.h"

static void names(void)
{
    static char longest[CQ_MAX_NAME_BYTES + 1];
    cq_mem mem;
    cq_schema s;
    cq_err e;
    memset(longest, 'n', sizeof longest);
    cq_mem_init(&mem, NULL, 1 << 20);
    cq_schema_init(&s, &mem);
    CQT_STATUS(cq_schema_check(&s, &e), CQ_EARG);
    CQT_STATUS(cq_schema_add(&s, "", 0, CQ_INT32, false, &e), CQ_EARG);
    CQT_STATUS(cq_schema_add(&s, longest, sizeof longest, CQ_INT32, false, &e), CQ_EARG);
    CQT_STATUS(cq_schema_add(&s, "a\0b", 3, CQ_INT32, false, &e), CQ_EARG);
    CQT_STATUS(cq_schema_add(&s, "\xC3", 1, CQ_INT32, false, &e), CQ_EARG);
    CQT_STATUS(cq_schema_add(&s, "a", 1, CQ_N_TYPES, false, &e), CQ_EARG);
    CQT_EQ_I(s.n_fields, 0);
    CQT_OK(cq_schema_add(&s, longest, CQ_MAX_NAME_BYTES, CQ_INT32, false, &e), &e);
    CQT_OK(cq_schema_add(&s, "gr\xC3\xB6\xC3\x9F" "e", 7, CQ_STRING, true, &e), &e);
    CQT_OK(cq_schema_check(&s, &e), &e);
    CQT_EQ_I(cq_schema_find(&s, "gr\xC3\xB6\xC3\x9F" "e", 7), 1);
    CQT_EQ_I(cq_schema_find(&s, "gr", 2), -1);
    CQT_EQ_I(s.fields[1].max_def, 1);
    CQT_EQ_I(s.fields[0].max_def, 0);
    CQT_EQ_U(s.bytes, CQ_MAX_NAME_BYTES + 7);
    CQT_OK(cq_schema_add(&s, "other", 5, CQ_BOOL, true, &e), &e);
    CQT_OK(cq_schema_add(&s, "gr\xC3\xB6\xC3\x9F" "e", 7, CQ_INT8, true, &e), &e);
    CQT_STATUS(cq_schema_check(&s, &e), CQ_EARG);
    CQT_IN_STR(e.msg, "gr\xC3\xB6\xC3\x9F" "e");
    cq_schema_reset(&s);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

static void copies_and_memory(void)
{
    cq_mem mem, other;
    cq_schema s;
    cq_err e;
    cq_mem_init(&mem, NULL, 1 << 20);
    cq_schema_init(&s, &mem);
    for (int i = 0; i < 100; i++) {
        char name[16];
        cq_field_spec f = {.name = name, .type = (cq_type)(i % CQ_N_TYPES), .optional = i % 2, .fixed_bytes = i + 1, .precision = i % 38 + 1, .field_id = i - 1};
        f.name_bytes = (size_t)snprintf(name, sizeof name, "f%d", i);
        f.scale = f.precision / 2;
        CQT_OK(cq_schema_add_field(&s, &f, &e), &e);
    }
    for (uint64_t k = 1;; k++) {
        cq_schema to;
        cq_mem_init(&other, NULL, 1 << 20);
        other.fail_at = k;
        cq_schema_init(&to, &other);
        cq_status const st = cq_schema_copy(&to, &s, &e);
        if (st == CQ_OK) {
            CQT(k > 100);
            for (int32_t i = 0; i < 100; i++) {
                CQT_EQ_STR(to.fields[i].name, s.fields[i].name);
                CQT(to.fields[i].name != s.fields[i].name);
                const cq_field *a = &to.fields[i], *b = &s.fields[i];
                CQT(a->type == b->type && a->optional == b->optional && a->max_def == b->max_def && a->fixed_bytes == b->fixed_bytes);
                CQT(a->precision == b->precision && a->scale == b->scale && a->field_id == b->field_id && a->field_id == i - 1);
            }
            CQT_EQ_U(to.bytes, s.bytes);
            cq_schema_reset(&to);
            CQT_EQ_U(cq_mem_used(&other), 0);
            break;
        }
        CQT_EQ_I(st, CQ_ENOMEM);
        CQT_EQ_U(cq_mem_used(&other), 0);
    }
    mem.fail_at = mem.n_requests + 1;
    CQT_STATUS(cq_schema_check(&s, &e), CQ_ENOMEM);
    cq_schema_reset(&s);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

static void types_have_facts(void)
{
    CQT(cq_type_facts(CQ_N_TYPES) == NULL);
    for (int t = 0; t < CQ_N_TYPES; t++) {
        const cq_type_info *f = cq_type_facts((cq_type)t);
        CQT(f != NULL && f->name != NULL);
        CQT(f->width == 0 || f->width == 1 || f->width == 4 || f->width == 8);
        CQT((f->width == 0) == (f->physical == CQ_PQ_BYTE_ARRAY || f->physical == CQ_PQ_FIXED_LEN_BYTE_ARRAY));
        CQT(f->bits <= f->width * 8);
    }
}

static cq_status add(cq_schema *s, cq_type type, int32_t fixed_bytes, int32_t precision, int32_t scale, int32_t field_id, cq_err *e)
{
    char name[16];
    cq_field_spec const f = {.name = name, .name_bytes = (size_t)snprintf(name, sizeof name, "c%d", (int)s->n_fields), .type = type, .fixed_bytes = fixed_bytes,
                             .precision = precision, .scale = scale, .field_id = field_id};
    return cq_schema_add_field(s, &f, e);
}

static void parameters(void)
{
    cq_mem mem;
    cq_schema s;
    cq_err e;
    cq_mem_init(&mem, NULL, 1 << 20);
    cq_schema_init(&s, &mem);
    static const int32_t bad[][5] = {
        {CQ_FIXED, 0, 0, 0, -1}, {CQ_FIXED, -1, 0, 0, -1}, {CQ_FIXED, CQ_MAX_FIXED_BYTES + 1, 0, 0, -1}, {CQ_DECIMAL32, 0, 0, 0, -1},
        {CQ_DECIMAL128, 0, 39, 0, -1}, {CQ_DECIMAL64, 0, 5, 6, -1}, {CQ_DECIMAL64, 0, 5, -1, -1}, {CQ_INT32, 0, 0, 0, -2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CQT_STATUS(add(&s, (cq_type)bad[i][0], bad[i][1], bad[i][2], bad[i][3], bad[i][4], &e), CQ_EARG);
        CQT_IN_STR(e.msg, "'c0'");
        CQT_EQ_I(s.n_fields, 0);
    }
    CQT_STATUS(cq_schema_add(&s, "d", 1, CQ_DECIMAL32, false, &e), CQ_EARG);
    CQT_STATUS(cq_schema_add(&s, "f", 1, CQ_FIXED, false, &e), CQ_EARG);
    static const struct {
        cq_type type;
        int32_t fixed_bytes, precision, scale;
        cq_type made;
        int32_t length;
        const char *text;
    } good[] = {
        {CQ_FIXED, 1, 0, 0, CQ_FIXED, 1, "binary[1]"},
        {CQ_FIXED, CQ_MAX_FIXED_BYTES, 7, 3, CQ_FIXED, CQ_MAX_FIXED_BYTES, "binary[1048576]"},
        {CQ_UUID, 99, 0, 0, CQ_UUID, 16, "uuid"},
        {CQ_FLOAT16, 99, 0, 0, CQ_FLOAT16, 2, "float16"},
        {CQ_STRING, 99, 0, 0, CQ_STRING, 0, "string"},
        {CQ_DECIMAL128, 0, 9, 9, CQ_DECIMAL32, 0, "decimal(9, 9)"},
        {CQ_DECIMAL32, 0, 10, 0, CQ_DECIMAL64, 0, "decimal(10, 0)"},
        {CQ_DECIMAL32, 0, 18, 2, CQ_DECIMAL64, 0, "decimal(18, 2)"},
        {CQ_DECIMAL32, 0, 19, 2, CQ_DECIMAL128, 9, "decimal(19, 2)"},
        {CQ_DECIMAL64, 0, 38, 38, CQ_DECIMAL128, 16, "decimal(38, 38)"},
        {CQ_DATE, 0, 0, 0, CQ_DATE, 0, "date"},
        {CQ_TIME_MS, 0, 0, 0, CQ_TIME_MS, 0, "time[ms]"},
        {CQ_TIME_NS_UTC, 0, 0, 0, CQ_TIME_NS_UTC, 0, "time[ns, UTC]"},
        {CQ_TIMESTAMP_S, 0, 0, 0, CQ_TIMESTAMP_S, 0, "timestamp[s]"},
        {CQ_TIMESTAMP_US_UTC, 0, 0, 0, CQ_TIMESTAMP_US_UTC, 0, "timestamp[us, UTC]"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[CQ_TYPE_TEXT_BYTES];
        CQT_OK(add(&s, good[i].type, good[i].fixed_bytes, good[i].precision, good[i].scale, (int32_t)i, &e), &e);
        const cq_field *f = &s.fields[i];
        CQT_EQ_I(f->type, good[i].made);
        CQT_EQ_I(f->fixed_bytes, good[i].length);
        CQT_EQ_I(f->precision, strchr(good[i].text, '(') ? good[i].precision : 0);
        CQT_EQ_STR(cq_field_type_text(f, text), good[i].text);
    }
    cq_schema_reset(&s);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

/* The least length whose largest number has that many nines. */
static void decimal_lengths(void)
{
    __extension__ typedef unsigned __int128 u128;
    u128 nines = 0;
    for (int32_t precision = 1; precision <= 38; precision++) {
        nines = nines * 10 + 9;
        int32_t n = 1;
        while (nines > ((u128)1 << (8 * n - 1)) - 1) n++;
        CQT_EQ_I(cq_decimal_bytes(precision), n);
        CQT_EQ_I(cq_type_of_decimal(precision), n <= 4 ? CQ_DECIMAL32 : n <= 8 ? CQ_DECIMAL64 : CQ_DECIMAL128);
    }
}

void test_schema(void)
{
    CQT_RUN(parameters);
    CQT_RUN(decimal_lengths);
    CQT_RUN(names);
    CQT_RUN(copies_and_memory);
    CQT_RUN(types_have_facts);
}
