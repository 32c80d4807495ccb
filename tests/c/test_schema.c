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
        CQT_OK(cq_schema_add(&s, name, (size_t)snprintf(name, sizeof name, "f%d", i), (cq_type)(i % CQ_N_TYPES), i % 2, &e), &e);
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
                CQT(to.fields[i].type == s.fields[i].type && to.fields[i].optional == s.fields[i].optional);
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
        CQT((f->width == 0) == (f->physical == CQ_PQ_BYTE_ARRAY));
        CQT(f->bits <= f->width * 8);
    }
}

void test_schema(void)
{
    CQT_RUN(names);
    CQT_RUN(copies_and_memory);
    CQT_RUN(types_have_facts);
}
