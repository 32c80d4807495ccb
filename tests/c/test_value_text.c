/* Values as error messages show them: every type, odd values, and texts that have to be cut. */
#include "base/bytes.h"
#include "base/err.h"
#include "format/value_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cqtest.h"

static void shows(cq_type type, const void *p, size_t n, const char *want)
{
    cq_field const f = {.name = "x", .name_bytes = 1, .type = type, .field_id = -1};
    char buf[CQ_VALUE_TEXT_BYTES];
    cq_value_text(&f, false, cq_span_of(p, n), buf);
    CQT_EQ_STR(buf, want);
}

static void shows_i32(cq_type type, int32_t v, const char *want) { shows(type, &v, 4, want); }
static void shows_i64(cq_type type, int64_t v, const char *want) { shows(type, &v, 8, want); }
static void shows_half(uint16_t v, const char *want) { shows(CQ_FLOAT16, &v, 2, want); }

static void numbers(void)
{
    uint8_t const yes = 1, no = 0;
    float const tenth = 0.1f;
    double const d = 0.1, third = 1.0 / 3, inf = HUGE_VAL;
    shows(CQ_BOOL, &yes, 1, "True");
    shows(CQ_BOOL, &no, 1, "False");
    shows_i32(CQ_INT8, -128, "-128");
    shows_i32(CQ_UINT32, -1, "4294967295");
    shows_i64(CQ_INT64, INT64_MIN, "-9223372036854775808");
    shows_i64(CQ_UINT64, -1, "18446744073709551615");
    shows(CQ_FLOAT32, &tenth, 4, "0.1");
    shows(CQ_FLOAT64, &d, 8, "0.1");
    shows(CQ_FLOAT64, &third, 8, "0.3333333333333333");
    shows(CQ_FLOAT64, &inf, 8, "inf");
    shows_half(0x3C00, "1.0");
    shows_half(0xC248, "-3.141");
    shows_half(0x7BFF, "6.55e+04");
    shows_half(0x8000, "-0.0");
    shows_half(0x0001, "5.96e-08");
    shows_half(0x7C00, "inf");
    char buf[CQ_VALUE_TEXT_BYTES];
    cq_field const f = {.type = CQ_STRING};
    cq_value_text(&f, true, cq_span_of(NULL, 0), buf);
    CQT_EQ_STR(buf, "None");
}

/* Every half and many floats come back as they were from what is shown. */
static void floats_are_told_apart(void)
{
    cq_field f = {.type = CQ_FLOAT16};
    char buf[CQ_VALUE_TEXT_BYTES], before[CQ_VALUE_TEXT_BYTES] = "";
    for (uint32_t h = 0; h < 0x7C00; h++) {
        uint16_t const v = (uint16_t)h;
        cq_value_text(&f, false, cq_span_of(&v, 2), buf);
        CQT(strcmp(buf, before) != 0);
        memcpy(before, buf, sizeof before);
    }
    for (int i = 0; i < 2000; i++) {
        uint64_t const bits = cqt_rand();
        double d;
        float s;
        memcpy(&d, &bits, 8);
        memcpy(&s, &bits, 4);
        if (isnan(d) || isnan(s)) continue;
        f.type = CQ_FLOAT64;
        cq_value_text(&f, false, cq_span_of(&d, 8), buf);
        CQT_EQ_F(strtod(buf, NULL), d);
        f.type = CQ_FLOAT32;
        cq_value_text(&f, false, cq_span_of(&s, 4), buf);
        CQT_EQ_F((double)strtof(buf, NULL), (double)s);
    }
}

static void shows_decimal(int32_t precision, int32_t scale, const void *p, size_t n, const char *want)
{
    cq_field const f = {.type = cq_type_of_decimal(precision), .precision = precision, .scale = scale};
    char buf[CQ_VALUE_TEXT_BYTES];
    cq_value_text(&f, false, cq_span_of(p, n), buf);
    CQT_EQ_STR(buf, want);
}

static void decimals(void)
{
    int32_t const i = -5, zero = 0, big = 999999999;
    int64_t const l = INT64_C(-123456789012345678);
    shows_decimal(9, 2, &i, 4, "-0.05");
    shows_decimal(9, 0, &i, 4, "-5");
    shows_decimal(9, 9, &big, 4, "0.999999999");
    shows_decimal(3, 3, &zero, 4, "0.000");
    shows_decimal(18, 4, &l, 8, "-12345678901234.5678");
    uint8_t minus_one[9], largest[16], most_negative[16] = {0x80};
    memset(minus_one, 0xFF, sizeof minus_one);
    memset(largest, 0xFF, sizeof largest);
    largest[0] = 0x7F;
    shows_decimal(20, 1, minus_one, 9, "-0.1");
    shows_decimal(38, 0, largest, 16, "170141183460469231731687303715884105727");
    shows_decimal(38, 38, largest, 16, "1.70141183460469231731687303715884105727");
    shows_decimal(38, 10, most_negative, 16, "-17014118346046923173168730371.5884105728");
}

static void times(void)
{
    shows_i32(CQ_DATE, 0, "1970-01-01");
    shows_i32(CQ_DATE, -1, "1969-12-31");
    shows_i32(CQ_DATE, 11016, "2000-02-29");
    shows_i32(CQ_DATE, 47541, "2100-03-01");
    shows_i32(CQ_DATE, -719528, "0000-01-01");
    shows_i32(CQ_TIME_MS, 86399999, "23:59:59.999");
    shows_i32(CQ_TIME_MS, -1, "-1");
    shows_i64(CQ_TIME_US_UTC, 1, "00:00:00.000001Z");
    shows_i64(CQ_TIME_NS, 86400000000000, "86400000000000");
    shows_i64(CQ_TIMESTAMP_MS, 1700000000123, "2023-11-14 22:13:20.123");
    shows_i64(CQ_TIMESTAMP_S_UTC, 1700000000000, "2023-11-14 22:13:20.000Z"); /* stored in ms */
    shows_i64(CQ_TIMESTAMP_US_UTC, -1, "1969-12-31 23:59:59.999999Z");
    shows_i64(CQ_TIMESTAMP_NS, INT64_MIN, "1677-09-21 00:12:43.145224192");
    shows_i64(CQ_TIMESTAMP_MS, INT64_MAX, "292278994-08-17 07:12:55.807");
    shows_i64(CQ_TIMESTAMP_MS_UTC, INT64_MIN, "-292275055-05-16 16:47:04.192Z");
}

/* Day after day over two cycles of the calendar. */
static void calendar(void)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t day = -719528;
    for (int year = 0; year < 800; year++)
        for (int month = 0; month < 12; month++) {
            bool const leap = month == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for (int d = 1; d <= lengths[month] + leap; d++, day++) {
                char want[32];
                (void)snprintf(want, sizeof want, "%04d-%02d-%02d", year, month + 1, d);
                shows_i32(CQ_DATE, day, want);
            }
        }
}

static void bytes(void)
{
    uint8_t b[64], text[64];
    for (size_t i = 0; i < sizeof b; i++) b[i] = (uint8_t)(i + 250);
    memset(text, 'a', sizeof text);
    shows(CQ_BINARY, b, 0, "x''");
    shows(CQ_BSON, b, 3, "x'fafbfc'");
    shows(CQ_FIXED, b, 20, "x'fafbfcfdfeff000102030405060708090a0b0c0d'");
    shows(CQ_FIXED, b, 21, "x'fafbfcfdfeff000102030405060708090a0b0c0d'..");
    shows(CQ_UUID, b, 16, "fafbfcfd-feff-0001-0203-040506070809");
    shows(CQ_STRING, text, 40, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'");
    shows(CQ_JSON, text, 41, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'..");
    memcpy(text + 38, "\xE2\x82\xAC", 3); /* cut through */
    shows(CQ_ENUM, text, 41, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'..");
    shows(CQ_STRING, "", 0, "''");
}

void test_value_text(void)
{
    CQT_RUN(numbers);
    CQT_RUN(floats_are_told_apart);
    CQT_RUN(decimals);
    CQT_RUN(times);
    CQT_RUN(calendar);
    CQT_RUN(bytes);
}
