/* The compact protocol's bytes, written out by hand from its specification. */
#include "base/err.h"
#include "format/thrift.h"

#include "cqtest.h"

static void fields_of_every_kind(void)
{
    uint8_t dst[200];
    cq_thrift t;
    cq_thrift_begin(&t, dst, sizeof dst);
    cq_thrift_i32(&t, 1, 1);
    cq_thrift_i64(&t, 3, -1);
    cq_thrift_bool(&t, 4, true);
    cq_thrift_bool(&t, 5, false);
    cq_thrift_i8(&t, 6, 64);
    cq_thrift_binary(&t, 7, "ab", 2);
    cq_thrift_i32(&t, 22, INT32_MIN);
    cq_thrift_i64(&t, 38, INT64_MIN); /* a step of 16 has a header of its own */
    cq_thrift_end(&t);
    static const uint8_t want[] = {0x15, 0x02, 0x26, 0x01, 0x11, 0x12, 0x13, 0x40, 0x18, 0x02, 'a', 'b', 0xF5, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F,
                                   0x06, 0x4C, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x00};
    CQT_EQ_U(cq_thrift_bytes(&t), sizeof want);
    CQT_EQ_MEM(dst, want, sizeof want);
}

static void structs_and_lists(void)
{
    uint8_t dst[200];
    cq_thrift t;
    cq_thrift_begin(&t, dst, sizeof dst);
    cq_thrift_struct(&t, 2);
    cq_thrift_i32(&t, 1, 0);
    cq_thrift_end(&t);
    cq_thrift_i32(&t, 3, 2); /* field numbers go on after the inner struct */
    cq_thrift_list(&t, 4, CQ_T_STRUCT, 2);
    cq_thrift_el_struct(&t);
    cq_thrift_end(&t);
    cq_thrift_el_struct(&t);
    cq_thrift_bool(&t, 1, true);
    cq_thrift_end(&t);
    cq_thrift_list(&t, 5, CQ_T_TRUE, 2);
    cq_thrift_el_bool(&t, true);
    cq_thrift_el_bool(&t, false);
    cq_thrift_list(&t, 6, CQ_T_BINARY, 1);
    cq_thrift_el_binary(&t, NULL, 0);
    cq_thrift_list(&t, 7, CQ_T_I64, 15);
    for (int i = 0; i < 15; i++) cq_thrift_el_int(&t, -i);
    cq_thrift_list(&t, 8, CQ_T_I32, 0);
    cq_thrift_end(&t);
    static const uint8_t want[] = {0x2C, 0x15, 0x00, 0x00, 0x15, 0x04, 0x19, 0x2C, 0x00, 0x11, 0x00, 0x19, 0x21, 0x01, 0x02, 0x19, 0x18, 0x00,
                                   0x19, 0xF6, 0x0F, 0,    1,    3,    5,    7,    9,    11,   13,   15,   17,   19,   21,   23,   25,   27,
                                   0x19, 0x05, 0x00};
    CQT_EQ_U(cq_thrift_bytes(&t), sizeof want);
    CQT_EQ_MEM(dst, want, sizeof want);
}

static void streamed_structs_go_on(void)
{
    uint8_t whole[60], parts[60];
    cq_thrift t;
    cq_thrift_begin(&t, whole, sizeof whole);
    cq_thrift_i64(&t, 2, 77);
    cq_thrift_i32(&t, 5, 1);
    cq_thrift_end(&t);
    size_t const n = cq_thrift_bytes(&t);
    cq_thrift_begin(&t, parts, sizeof parts);
    cq_thrift_i64(&t, 2, 77);
    size_t const first = cq_thrift_bytes(&t);
    cq_thrift_resume(&t, parts + first, sizeof parts - first, 2);
    cq_thrift_i32(&t, 5, 1);
    cq_thrift_end(&t);
    CQT_EQ_U(first + cq_thrift_bytes(&t), n);
    CQT_EQ_MEM(parts, whole, n);
}

void test_thrift(void)
{
    CQT_RUN(fields_of_every_kind);
    CQT_RUN(structs_and_lists);
    CQT_RUN(streamed_structs_go_on);
}
