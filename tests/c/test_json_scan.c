/* The JSON scanner: numbers against strtof and the plain twins, texts, structure, every error with
 * its place, and all of it with windows so small that every token crosses their end. */
#define _GNU_SOURCE
#include "checkpoint_help.h"

#include "checkpoint/decimal.h"

#include <math.h>

/* The decimal of a text without exponent sign trickery: a parser of its own. */
static cq_decimal parse(const char *t)
{
    cq_decimal d = {0};
    bool fraction = false;
    if (*t == '-') d.negative = true, t++;
    for (; *t && *t != 'e' && *t != 'E'; t++) {
        if (*t == '.') fraction = true;
        else cq_decimal_digit(&d, (uint8_t)(*t - '0'), fraction);
    }
    if (*t) d.exp10 += strtoll(t + 1, NULL, 10);
    return d;
}

static void same_number(const char *t)
{
    float a = 0, b = 0, want = strtof(t, NULL);
    cq_decimal const d = parse(t);
    bool const ok_a = cq_decimal_to_f32(&d, &a), ok_b = cq_decimal_to_f32_plain(&d, &b);
    CQT_MSG(ok_a == ok_b && ok_a == !isinf(want), "%.100s: %d %d, strtof %g", t, ok_a, ok_b, (double)want);
    if (!ok_a) return;
    CQT_MSG(memcmp(&a, &want, 4) == 0, "%.100s: %.9g, strtof %.9g", t, (double)a, (double)want);
    CQT_MSG(memcmp(&b, &want, 4) == 0, "%.100s: plain twin %.9g, strtof %.9g", t, (double)b, (double)want);
}

static float random_float(void)
{
    uint32_t const bits = (uint32_t)cqt_rand() & 0x7FFFFFFFu;
    float f;
    memcpy(&f, &bits, 4);
    return isfinite(f) ? f : 1.5F;
}

static void numbers_random(void)
{
    char t[256];
    for (int i = 0; i < 20000; i++) {
        switch (cqt_rand_below(5)) {
        case 0: snprintf(t, sizeof t, "%.*e", (int)cqt_rand_below(40), (double)random_float()); break;
        case 1: snprintf(t, sizeof t, "%.*f", (int)cqt_rand_below(60), (double)random_float()); break;
        case 2: snprintf(t, sizeof t, "%llu.%llu", (unsigned long long)(cqt_rand() >> cqt_rand_below(64)), (unsigned long long)(cqt_rand() >> cqt_rand_below(64))); break;
        case 3: snprintf(t, sizeof t, "%llue%d", (unsigned long long)(cqt_rand() >> cqt_rand_below(64)), (int)cqt_rand_below(120) - 70); break;
        default: snprintf(t, sizeof t, "0.%0*d%llu", (int)cqt_rand_below(50) + 1, 0, (unsigned long long)cqt_rand());
        }
        same_number(t);
    }
}

/* Texts on, just below and just above the border of two floats. */
static void numbers_at_borders(void)
{
    char t[512], low[512];
    for (int i = 0; i < 3000; i++) {
        float const f = i == 0 ? 0 : random_float(), g = nextafterf(f, INFINITY);
        double const border = isinf(g) ? 0x1.ffffffp127 : ((double)f + (double)g) / 2;
        snprintf(t, sizeof t, "%.160e", border);
        char *e = strchr(t, 'e');
        same_number(t);
        size_t const n = (size_t)(e - t);
        snprintf(low, sizeof low, "%.*s%s1%s", (int)n, t, cqt_rand_below(2) ? "" : "00000000000000000000000000000", e);
        same_number(low);
        /* One less in the last digit that is not 0. */
        size_t k = n;
        while (t[k - 1] == '0') k--;
        if (t[k - 1] != '.') {
            t[k - 1]--;
            same_number(t);
        }
    }
    static const char *const texts[] = {
        "0", "-0", "-0.0", "0e999999999", "1e-999999999999", "-1e-46", "7.0064923216240853546186479164495e-46", "7.0064923216240853546186479164496e-46",
        "340282346638528859811704183484516925440.0", "340282356779733661637539395458142568447.9", "340282356779733661637539395458142568448",
        "1e38", "3.5e38", "1e39", "1e400", "16777217", "16777216.999999999999", "9007199791611904.5", "0.1", "123.4", "1.17549435e-38", "1.1754942e-38", "1e-45", "1.4e-45",
        "8388609.5", "8388608.49999999999999999999999999999999999999999999", "33554433", "33554434.0000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) same_number(texts[i]);
}

static void numbers_small_path(void)
{
    char t[64];
    for (int i = 0; i < 200000; i++) {
        uint64_t const m = cqt_rand() % 10000000000000000000u >> cqt_rand_below(64);
        unsigned const places = (unsigned)cqt_rand_below(20);
        float f;
        if (!cq_small_decimal_to_f32(m, places, &f)) continue;
        snprintf(t, sizeof t, "%llue-%u", (unsigned long long)m, places);
        float const want = strtof(t, NULL);
        CQT_MSG(memcmp(&f, &want, 4) == 0, "%s: %.9g, strtof %.9g", t, (double)f, (double)want);
    }
}

#define HEAD "{\"metrics\":{\"m\":{\"frequency\":60,\"start\":1000,\"data\":["
#define TAIL "]}}}"

/* A text scanned with many windows: always the same outcome. */
static scanned scan_all(const char *t, size_t n)
{
    scanned first = scan_bytes(CQ_CHECKPOINT_JSON, t, n, 65536, 1000);
    for (size_t window = 16; window < 200; window += 1 + window / 40) {
        scanned r = scan_bytes(CQ_CHECKPOINT_JSON, t, n, window, 1 + window % 7);
        CQT_MSG(r.status == first.status && r.e.offset == first.e.offset && strcmp(r.e.msg, first.e.msg) == 0, "window %zu: %d at %lld '%s', else %d at %lld '%s'", window, r.status,
                (long long)r.e.offset, r.e.msg, first.status, (long long)first.e.offset, first.e.msg);
        if (r.text) CQT_EQ_STR(r.text, first.text);
        CQT_EQ_U(r.info.xxh64, first.info.xxh64);
        CQT_EQ_U(r.info.trailing_bytes, first.info.trailing_bytes);
        free(r.text);
    }
    return first;
}

static void gives(const char *t, const char *want)
{
    scanned r = scan_all(t, strlen(t));
    CQT_MSG(r.status == CQ_OK, "%.200s: at %lld: %s", t, (long long)r.e.offset, r.e.msg);
    CQT_EQ_STR(r.text, want);
    CQT_EQ_U(r.info.xxh64, cq_xxh64(t, strlen(t), 0));
    free(r.text);
}

static void fails(const char *t, int64_t offset, const char *part)
{
    scanned r = scan_all(t, strlen(t));
    CQT_MSG(r.status == CQ_EFORMAT, "%.200s: status %d: %s", t, r.status, r.text ? r.text : r.e.msg);
    CQT_MSG(strstr(r.e.msg, part), "%.200s: '%s', expected '%s'", t, r.e.msg, part);
    CQT_MSG(r.e.offset == offset, "%.200s: '%s' at %lld, expected %lld", t, r.e.msg, (long long)r.e.offset, (long long)offset);
}

static void values(void)
{
    gives(HEAD "1,2.5,-3,null,0,-0,1e2,1.5E-1,2e+0" TAIL, "m|node|||1000|60|9| 1 2.5 -3 - 0 -0 100 0.150000006 2\n");
    gives(HEAD " \n1 ,\t2\r, null " TAIL, "m|node|||1000|60|3| 1 2 -\n");
    gives(HEAD TAIL, "m|node|||1000|60|0|\n");
    gives(HEAD "  " TAIL, "m|node|||1000|60|0|\n");
    gives(HEAD "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000001e89" TAIL, "m|node|||1000|60|1| 1\n");
    gives(HEAD "100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000e-89" TAIL, "m|node|||1000|60|1| 1\n");
    gives(HEAD "340282346638528859811704183484516925440.0,1e-60" TAIL, "m|node|||1000|60|2| 3.40282347e+38 0\n");
    gives("{\"metrics\":{\"m\":{\"data\":null,\"frequency\":1,\"start\":-5}}}", "m|node|||-5|1|0|\n");
}

static void number_errors(void)
{
    int64_t const at = (int64_t)strlen(HEAD);
    static const struct { const char *t; int64_t offset; const char *part; } bad[] = {
        {"1,,2", 2, "',' where a number or null"}, {"1,]", 2, "']' where a number"}, {"01", 1, "leading zero"}, {"-01", 2, "leading zero"},
        {"-", 1, "a digit"}, {"+1", 0, "a number"}, {".5", 0, "a number"}, {"1.", 2, "a digit"}, {"1.e3", 2, "a digit"}, {"1e", 2, "a digit"}, {"1e+", 3, "a digit"},
        {"1 2", 2, "',' or ']'"}, {"nul", 3, "null"}, {"nulll", 4, "',' or ']'"}, {"NaN", 0, "'N'"}, {"-null", 1, "a digit"}, {"\"1\"", 0, "'\"'"}, {"[1]", 0, "'['"},
        {"true", 0, "'t'"}, {"0x10", 1, "'x'"}, {"1e39", 0, "beyond float32"}, {"7,340282356779733661637539395458142568448", 2, "beyond float32"},
        {"1_000", 1, "'_'"}, {"1,\x01", 2, "byte 0x01"}, {"1\xC3\xA4", 1, "byte 0xC3"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char t[512];
        snprintf(t, sizeof t, HEAD "%s" TAIL, bad[i].t);
        fails(t, at + bad[i].offset, bad[i].part);
    }
}

static void texts(void)
{
#define NAMED(name) "{\"metrics\":{\"" name "\":{\"frequency\":1,\"start\":0,\"data\":[1]}}}"
    gives(NAMED("\\u0041\\n\\\"\\\\\\/\\b\\f\\r\\t"), "A\n\"\\/\b\f\r\t|node|||0|1|1| 1\n");
    gives(NAMED("gr\xC3\xB6\xC3\x9F" "e \\u00b5\\u20AC\\uD83D\\ude80"), "gr\xC3\xB6\xC3\x9F" "e \xC2\xB5\xE2\x82\xAC\xF0\x9F\x9A\x80|node|||0|1|1| 1\n");
    gives(NAMED(""), "|node|||0|1|1| 1\n");
    fails(NAMED("\\uD83D"), 19, "surrogate");
    fails(NAMED("\\uD83Dx"), 19, "surrogate");
    fails(NAMED("\\uD83D\\n"), 20, "surrogate");
    fails(NAMED("\\uD83D\\uD83D"), 25, "surrogate");
    fails(NAMED("\\uDE80"), 19, "surrogate");
    fails(NAMED("\\u12g4"), 17, "hexadecimal");
    fails(NAMED("\\x41"), 14, "an escape");
    fails(NAMED("a\nb"), 14, "control character 0x0A");
    fails(NAMED("a\xFF"), 16, "not UTF-8");
    fails(NAMED("\xED\xA0\x80"), 17, "not UTF-8");
    fails(NAMED("a\\u0000b"), 23, "NUL");
    gives("{\"x\":\"\\u0000\xC3\xA4\",\"metrics\":{}}", "");
    fails("{\"x\":\"\xC3\",\"metrics\":{}}", 8, "not UTF-8");
    fails("{\"x\":\"abc", 9, "ends inside a text");
}

static void long_texts(void)
{
    bytes b = {0};
    char big[70000];
    memset(big, 'n', sizeof big);
    for (int over = 0; over < 2; over++) {
        b.n = 0;
        put_text(&b, "{\"metrics\":{\"");
        put(&b, big, 65535 + (size_t)over);
        put_text(&b, "\":{\"frequency\":1,\"start\":0,\"data\":[1]}}}");
        scanned r = scan_bytes(CQ_CHECKPOINT_JSON, b.p, b.n, 4096, 10);
        CQT_EQ_I(r.status, over ? CQ_EFORMAT : CQ_OK);
        if (over) CQT_IN_STR(r.e.msg, "65535");
        else CQT(strlen(r.text) > 65535);
        free(r.text);
    }
    /* A skipped text may be of any size; a bad byte in it is found all the same. */
    for (int bad = 0; bad < 2; bad++) {
        b.n = 0;
        put_text(&b, "{\"x\":\"");
        for (int i = 0; i < 200; i++) put(&b, big, sizeof big);
        put_text(&b, bad ? "\xE2\x82" : "\xE2\x82\xAC");
        put(&b, big, sizeof big);
        put_text(&b, "\"}");
        scanned r = scan_bytes(CQ_CHECKPOINT_JSON, b.p, b.n, 4096, 10);
        CQT_EQ_I(r.status, bad ? CQ_EFORMAT : CQ_OK);
        free(r.text);
    }
    free(b.p);
}

static void structure(void)
{
    gives("{}", "");
    gives(" \n{ } \n", "");
    gives("{\"metrics\":null,\"children\":null,\"from\":1,\"to\":-2}", "");
    gives("{\"metrics\":{},\"children\":{\"core1\":{},\"\":{\"children\":{\"x/y\":{\"metrics\":{\"m\":{\"start\":1,\"data\":[null],\"frequency\":2}}}}}}}", "m|x/y||/x/y/|1|2|1| -\n");
    gives("{\"a\":[[],{},[{\"b\":[1,{\"c\":null}]}],true,false,null,-1.5E-3,\"x\"],\"metrics\":{\"m\":{\"unit\":{\"x\":[1]},\"frequency\":1,\"start\":0,\"data\":[4],\"z\":{}}}}", "m|node|||0|1|1| 4\n");
    gives("{\"metrics\":{\"b\":{\"frequency\":1,\"start\":0,\"data\":[1]},\"a\":{\"frequency\":1,\"start\":0,\"data\":[2]},\"aa\":{\"frequency\":1,\"start\":0,\"data\":[3]}}}",
          "a|node|||0|1|1| 2\naa|node|||0|1|1| 3\nb|node|||0|1|1| 1\n");
    gives("{\"children\":{\"cpu3\":{\"metrics\":{\"m\":{\"frequency\":1,\"start\":0,\"data\":[1]}}},\"hwthread3\":{\"metrics\":{\"m\":{\"frequency\":1,\"start\":0,\"data\":[2]}}}}}",
          "m|hwthread|3|cpu3/|0|1|1| 1\nm|hwthread|3|hwthread3/|0|1|1| 2\n");
}

static void structure_errors(void)
{
    static const struct { const char *t; int64_t offset; const char *part; } bad[] = {
        {" ", 1, "the file ends where the '{'"}, {"[]", 0, "'['"}, {"null", 0, "'n'"}, {"{", 1, "ends where"}, {"{\"a\"}", 4, "':'"}, {"{\"a\":}", 5, "a value"}, {"{\"a\":1,}", 7, "a key"},
        {"{a:1}", 1, "a key"}, {"{\"a\":1 \"b\":2}", 7, "',' or '}'"}, {"{\"a\":[1,]}", 8, "a value"}, {"{\"a\":[1}}", 7, "',' or ']'"}, {"{\"a\":{\"b\":1]}", 11, "',' or '}'"},
        {"{\"a\":[}", 6, "a value or ']'"}, {"{\"a\":{]}", 6, "a key or '}'"}, {"{\"a\":{,}}", 6, "a key"}, {"{\"a\":[1 2]}", 8, "',' or ']'"}, {"{\"a\":tru}", 8, "true"}, {"{\"a\":falsy}", 9, "false"},
        {"{\"metrics\":[]}", 11, "an object as metrics"}, {"{\"children\":1}", 12, "an object as children"}, {"{\"metrics\":{\"m\":null}}", 16, "a metric's '{'"}, {"{\"children\":{\"c\":null}}", 17, "a child's '{'"},
        {"{\"from\":1.0}", 9, "an integer as from"}, {"{\"from\":1e3}", 9, "an integer as from"}, {"{\"from\":null}", 8, "an integer as from"}, {"{\"to\":\"1\"}", 6, "an integer as to"},
        {"{\"to\":9223372036854775808}", 24, "beyond 64 bits"}, {"{\"from\":1,\"from\":1}", 17, "'from' is twice"}, {"{\"metrics\":{},\"metrics\":{}}", 24, "'metrics' is twice"},
        {"{\"children\":{},\"children\":{}}", 26, "'children' is twice"},
        {"{\"metrics\":{\"m\":{\"start\":1,\"data\":[]}}}", 37, "without 'frequency'"}, {"{\"metrics\":{\"m\":{\"frequency\":1,\"data\":[]}}}", 41, "without 'start'"},
        {"{\"metrics\":{\"m\":{\"frequency\":1,\"start\":1}}}", 41, "without 'data'"}, {"{\"metrics\":{\"m\":{\"frequency\":0,\"start\":1,\"data\":[]}}}", 51, "a frequency of 0"},
        {"{\"metrics\":{\"m\":{\"frequency\":-60,\"start\":1,\"data\":[]}}}", 53, "a frequency of -60"}, {"{\"metrics\":{\"m\":{\"frequency\":60.0,\"start\":1,\"data\":[]}}}", 31, "an integer as frequency"},
        {"{\"metrics\":{\"m\":{\"start\":1,\"start\":1,\"data\":[]}}}", 35, "'start' is twice"}, {"{\"metrics\":{\"m\":{\"data\":[],\"data\":[]}}}", 34, "'data' is twice"},
        {"{\"metrics\":{\"m\":{\"data\":{},\"data\":[]}}}", 24, "an array as data"},
        {"{\"metrics\":{\"m\":{\"frequency\":4611686018427387904,\"start\":0,\"data\":[1,2]}}}", 72, "beyond 64 bits"},
        {"{\"metrics\":{\"m\":{\"frequency\":1,\"start\":9223372036854775807,\"data\":[1]}}}", 70, "beyond 64 bits"},
        {"\xEF\xBB\xBF{}", 0, "byte 0xEF"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) fails(bad[i].t, bad[i].offset, bad[i].part);
    /* Found only when everything is sorted, so without a place. */
    fails("{\"metrics\":{\"m\":{\"frequency\":1,\"start\":1,\"data\":[]},\"m\":{\"frequency\":1,\"start\":1,\"data\":[]}}}", -1, "metric 'm' is twice");
    fails("{\"children\":{\"c\":{},\"b\":{},\"\\u0063\":{}}}", -1, "child 'c' is twice");
    gives("{\"children\":{\"a\":{\"children\":{\"c\":{}}},\"c\":{}}}", "");
}

static void trailing(void)
{
    static const struct { const char *t; uint64_t n; } cases[] = {{"{}", 0}, {"{}\n", 0}, {"{} \n\r\t ", 0}, {"{}x", 1}, {"{} {}", 2}, {"{}  ]  ", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scanned r = scan_all(cases[i].t, strlen(cases[i].t));
        CQT_EQ_I(r.status, CQ_OK);
        CQT_EQ_U(r.info.trailing_bytes, cases[i].n);
        CQT_EQ_U(r.info.xxh64, cq_xxh64(cases[i].t, strlen(cases[i].t), 0));
        free(r.text);
    }
}

static void depth_bombs(void)
{
    static const char *const units[] = {"[", "{\"a\":", "{\"children\":{\"c\":", "{\"metrics\":"};
    for (size_t k = 0; k < 4; k++) {
        bytes b = {0};
        put_text(&b, k == 0 ? "{\"a\":" : "");
        for (int i = 0; i < 100000; i++) put_text(&b, units[k]);
        scanned r = scan_bytes(CQ_CHECKPOINT_JSON, b.p, b.n, 4096, 1);
        CQT_EQ_I(r.status, CQ_EFORMAT);
        cqt_note("at %lld: %s", (long long)r.e.offset, r.e.msg);
        free(b.p);
    }
    /* The deepest that is taken. */
    bytes b = {0};
    for (int i = 0; i < 62; i++) put_text(&b, "{\"children\":{\"c\":");
    put_text(&b, "{\"metrics\":{\"m\":{\"frequency\":1,\"start\":1,\"data\":[3]}}}");
    for (int i = 0; i < 62; i++) put_text(&b, "}}");
    scanned r = scan_bytes(CQ_CHECKPOINT_JSON, b.p, b.n, 4096, 1);
    CQT_OK(r.status, &r.e);
    CQT_IN_STR(r.text, "|c/c/c/");
    free(r.text);
    free(b.p);
}

/* Long runs of ordinary values through the fast path, compared with strtof. */
static void many_values(void)
{
    bytes b = {0}, want = {0};
    char t[64];
    put_text(&b, HEAD);
    for (int i = 0; i < 20000; i++) {
        if (i) put_text(&b, cqt_rand_below(50) ? "," : " ,\n");
        switch (cqt_rand_below(12)) {
        case 0: snprintf(t, sizeof t, "null"); break;
        case 1: snprintf(t, sizeof t, "%.17g", (double)random_float() * 1e-3); break;
        case 2: snprintf(t, sizeof t, "%.*f", (int)cqt_rand_below(12), (double)(int64_t)(cqt_rand() >> 40) / 77); break;
        default: snprintf(t, sizeof t, "%s%d.%d", cqt_rand_below(4) ? "" : "-", (int)cqt_rand_below(5000), (int)cqt_rand_below(10));
        }
        put_text(&b, t);
        snprintf(t, sizeof t, t[0] == 'n' ? " -" : " %.9g", (double)strtof(t, NULL));
        put_text(&want, t);
    }
    put_text(&b, TAIL);
    put(&want, "\n", 2);
    for (size_t window = 128; window < 100000; window *= 3) {
        scanned r = scan_bytes(CQ_CHECKPOINT_JSON, b.p, b.n, window, window / 10);
        CQT_OK(r.status, &r.e);
        CQT_EQ_STR(strchr(r.text, ' '), (char *)want.p);
        free(r.text);
    }
    free(b.p);
    free(want.p);
}

void test_json_scan(void)
{
    CQT_RUN(numbers_random);
    CQT_RUN(numbers_at_borders);
    CQT_RUN(numbers_small_path);
    CQT_RUN(values);
    CQT_RUN(number_errors);
    CQT_RUN(texts);
    CQT_RUN(long_texts);
    CQT_RUN(structure);
    CQT_RUN(structure_errors);
    CQT_RUN(trailing);
    CQT_RUN(depth_bombs);
    CQT_RUN(many_values);
}
