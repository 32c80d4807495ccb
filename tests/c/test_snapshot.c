/* The scanner of binary snapshots: what it finds, every proper prefix of a file refused, counts
 * beyond the file, names, depth, NaN payloads, and random damage. */
#define _GNU_SOURCE
#include "checkpoint_help.h"

#define WINDOW 131072

static bytes sample(void)
{
    bytes b = {0};
    float const v[] = {1.5F, -2, 3};
    put_u32(&b, CQ_SNAPSHOT_MAGIC);
    put_i64(&b, 1000);
    put_i64(&b, -7);
    put_u32(&b, 2); /* metrics of the root */
    put_metric(&b, "load", 60, 1000, 3);
    put(&b, v, sizeof v);
    put_metric(&b, "", 1, -5, 0);
    put_u32(&b, 2); /* children */
    put_name(&b, "socket0");
    put_u32(&b, 0);
    put_u32(&b, 1);
    put_name(&b, "core12");
    put_u32(&b, 1);
    put_metric(&b, "gr\xC3\xB6\xC3\x9F" "e", 30, 0, 1);
    put(&b, v, 4);
    put_u32(&b, 0);
    put_name(&b, "none");
    put_u32(&b, 0);
    put_u32(&b, 0);
    return b;
}

static void finds(void)
{
    bytes b = sample();
    scanned r = scan_bytes(CQ_CHECKPOINT_SNAPSHOT, b.p, b.n, WINDOW, 2);
    CQT_OK(r.status, &r.e);
    CQT_EQ_STR(r.text, "|node|||-5|1|0|\ngr\xC3\xB6\xC3\x9F" "e|core|12|socket0/core12/|0|30|1| 1.5\nload|node|||1000|60|3| 1.5 -2 3\n");
    CQT(r.info.has_from && r.info.has_to);
    CQT_EQ_I(r.info.from, 1000);
    CQT_EQ_I(r.info.to, -7);
    CQT_EQ_U(r.info.n_series, 3);
    CQT_EQ_U(r.info.n_values, 4);
    CQT_EQ_U(r.info.trailing_bytes, 0);
    CQT_EQ_U(r.info.xxh64, cq_xxh64(b.p, b.n, 0));
    free(r.text);

    put(&b, "\n\0\0", 3);
    r = scan_bytes(CQ_CHECKPOINT_UNKNOWN, b.p, b.n, WINDOW, 2);
    CQT_OK(r.status, &r.e);
    CQT_EQ_I(r.info.kind, CQ_CHECKPOINT_SNAPSHOT);
    CQT_EQ_U(r.info.trailing_bytes, 3);
    CQT_EQ_U(r.info.xxh64, cq_xxh64(b.p, b.n, 0));
    free(r.text);
    free(b.p);
}

static void kinds_by_content(void)
{
    scanned r = scan_bytes(CQ_CHECKPOINT_UNKNOWN, " {}", 3, WINDOW, 2);
    CQT_OK(r.status, &r.e);
    CQT_EQ_I(r.info.kind, CQ_CHECKPOINT_JSON);
    free(r.text);
    r = scan_bytes(CQ_CHECKPOINT_UNKNOWN, "\x01\xA7\x1D\xCC....", 8, WINDOW, 2);
    CQT_EQ_I(r.status, CQ_EUNSUPPORTED);
    CQT_IN_STR(r.e.msg, "write-ahead log");
    r = scan_bytes(CQ_CHECKPOINT_UNKNOWN, "", 0, WINDOW, 2);
    CQT_EQ_I(r.status, CQ_EFORMAT);
    CQT_EQ_I(cq_checkpoint_kind_of("1.json"), CQ_CHECKPOINT_JSON);
    CQT_EQ_I(cq_checkpoint_kind_of("x/1.bin"), CQ_CHECKPOINT_SNAPSHOT);
    CQT_EQ_I(cq_checkpoint_kind_of("current.wal"), CQ_CHECKPOINT_WAL);
    CQT_EQ_I(cq_checkpoint_kind_of("1.bin.tmp"), CQ_CHECKPOINT_UNKNOWN);
}

static void refuses_prefixes_of(cq_checkpoint_kind kind, bytes b, size_t whole)
{
    for (size_t n = 0; n < whole; n++) {
        scanned r = scan_bytes(kind, b.p, n, WINDOW, 100);
        CQT_MSG(r.status == CQ_EFORMAT, "%zu of %zu bytes: status %d", n, b.n, r.status);
        CQT_MSG(r.e.offset >= 0 && r.e.offset <= (int64_t)n && r.e.msg[0], "%zu bytes: '%s' at %lld", n, r.e.msg, (long long)r.e.offset);
    }
    scanned r = scan_bytes(kind, b.p, whole, WINDOW, 100);
    CQT_OK(r.status, &r.e);
    free(r.text);
    free(b.p);
}

static void truncated(void)
{
    bytes b = sample();
    refuses_prefixes_of(CQ_CHECKPOINT_SNAPSHOT, b, b.n);
    if (access(GOLDEN, R_OK) != 0) CQT_SKIP("no golden checkpoints at %s", GOLDEN);
    static const char *const bins[] = {"bin-deep/fritz/f0204/1700006400.bin", "overlap/meggie/m02/1700007000.bin"};
    static const char *const texts[] = {"json-deep/fritz/f0204/1700006400.json", "overlap/meggie/m01/1700006400.json", "json-foreign/fritz/f0204/1700007120.json"};
    char path[512];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, GOLDEN "/%s", bins[i]);
        b = load_file(path);
        refuses_prefixes_of(CQ_CHECKPOINT_SNAPSHOT, b, b.n);
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, GOLDEN "/%s", texts[i]);
        b = load_file(path);
        size_t n = b.n;
        while (b.p[n - 1] != '}') n--;
        refuses_prefixes_of(CQ_CHECKPOINT_JSON, b, n);
    }
}

static void fails(bytes b, int64_t offset, const char *part)
{
    scanned r = scan_bytes(CQ_CHECKPOINT_SNAPSHOT, b.p, b.n, WINDOW, 100);
    CQT_MSG(r.status == CQ_EFORMAT, "status %d, expected '%s'", r.status, part);
    CQT_IN_STR(r.e.msg, part);
    CQT_EQ_I(r.e.offset, offset);
    free(b.p);
}

static bytes metric(const char *name, int64_t frequency, int64_t start, uint64_t n)
{
    bytes b = {0};
    put_head(&b);
    put_u32(&b, 1);
    put_metric(&b, name, frequency, start, n);
    put_i64(&b, 0);
    put_i64(&b, 0);
    return b;
}

static void errors(void)
{
    bytes b = {0};
    put_text(&b, "{\"metrics\":{}}        ");
    fails(b, 0, "not a snapshot");
    b = (bytes){0};
    put_head(&b);
    put_u32(&b, 0xFFFFFFFFu);
    fails(b, 20, "4294967295 metrics where 0 bytes");
    b = (bytes){0};
    put_head(&b);
    put_u32(&b, 0);
    put_u32(&b, 2);
    put(&b, "0123456789abcdef012", 19);
    fails(b, 24, "2 children where 19 bytes");
    fails(metric("m", 60, 0, 5), 43, "5 values where 16 bytes");
    fails(metric("m", 60, 0, 0xFFFFFFFFu), 43, "4294967295 values");
    fails(metric("m", 0, 0, 1), 27, "frequency of 0");
    fails(metric("m", INT64_MIN, 0, 1), 27, "frequency of -9223372036854775808");
    fails(metric("m", INT64_MAX, 1, 1), 27, "beyond 64 bits");
    fails(metric("m", INT64_MAX / 2 + 1, 0, 2), 27, "beyond 64 bits");
    fails(metric("m", 1, INT64_MAX, 1), 27, "beyond 64 bits");
    fails(metric("a\xFF", 1, 0, 1), 26, "not UTF-8");
    b = metric("a.b", 1, 0, 1);
    b.p[27] = 0;
    fails(b, 26, "NUL");
    /* Twice in one object: only sorting finds it. */
    b = (bytes){0};
    put_head(&b);
    put_u32(&b, 2);
    put_metric(&b, "m", 1, 0, 0);
    put_metric(&b, "m", 1, 5, 0);
    put_u32(&b, 0);
    fails(b, -1, "metric 'm' is twice in one node");
    b = (bytes){0};
    put_head(&b);
    put_u32(&b, 0);
    put_u32(&b, 3);
    for (int i = 0; i < 3; i++) {
        put_name(&b, i == 1 ? "core10" : "core1");
        put_i64(&b, 0);
    }
    fails(b, -1, "child 'core1' is twice in one node");
}

static void deep(void)
{
    for (int levels = CQ_MAX_TREE_DEPTH; levels < CQ_MAX_TREE_DEPTH + 2; levels++) {
        bytes b = {0};
        put_head(&b);
        for (int i = 0; i < levels; i++) {
            put_u32(&b, 0);
            put_u32(&b, 1);
            put_name(&b, "c");
        }
        put_i64(&b, 0);
        scanned r = scan_bytes(CQ_CHECKPOINT_SNAPSHOT, b.p, b.n, WINDOW, 100);
        CQT_EQ_I(r.status, levels > CQ_MAX_TREE_DEPTH ? CQ_EFORMAT : CQ_OK);
        if (r.status) CQT_IN_STR(r.e.msg, "levels deep");
        free(r.text);
        free(b.p);
    }
}

static void large_names(void)
{
    char *name = malloc(65536);
    memset(name, 'x', 65536);
    name[65535] = 0;
    for (int levels = 1; levels <= 2; levels++) {
        bytes b = {0};
        put_head(&b);
        for (int i = 0; i < levels; i++) {
            put_u32(&b, 0);
            put_u32(&b, 1);
            put_name(&b, name);
        }
        put_u32(&b, 1);
        put_metric(&b, name, 1, 0, 1);
        put_i64(&b, 0);
        scanned r = scan_bytes(CQ_CHECKPOINT_SNAPSHOT, b.p, b.n, WINDOW, 100);
        CQT_EQ_I(r.status, levels > 1 ? CQ_EFORMAT : CQ_OK);
        if (levels > 1) CQT_IN_STR(r.e.msg, "names on a path");
        free(r.text);
        free(b.p);
    }
    free(name);
}

/* No sample whatever the NaN; every other bit pattern comes through. */
static void bit_patterns(void)
{
    static const uint32_t bits[] = {0x7FC00000u, 0x7F800001u, 0xFFC00000u, 0xFFFFFFFFu, 0x7FFFFFFFu, 0x7F800000u, 0xFF800000u, 0x80000000u, 1, 0x007FFFFFu};
    bytes b = metric("m", 1, 0, 10);
    b.n -= 16;
    put(&b, bits, sizeof bits);
    put_u32(&b, 0);
    scanned r = scan_bytes(CQ_CHECKPOINT_SNAPSHOT, b.p, b.n, WINDOW, 100);
    CQT_OK(r.status, &r.e);
    CQT_EQ_STR(r.text, "m|node|||0|1|10| - - - - - inf -inf -0 1.40129846e-45 1.17549421e-38\n");
    free(r.text);
    free(b.p);
}

/* Whatever one changes, it is read or refused. */
static void damaged_at_random(void)
{
    bytes const b = sample();
    bytes json = {0};
    put_text(&json, "{\"metrics\":{\"a\":{\"frequency\":60,\"start\":100,\"data\":[1.5,null,-2e3]},\"b\":{\"data\":[],\"start\":0,\"frequency\":1}},\"children\":{\"core1\":{\"metrics\":{\"a\":{\"frequency\":1,\"start\":0,\"data\":[0.1]}}}}}");
    for (int i = 0; i < 6000; i++) {
        bytes const *from = i % 2 ? &b : &json;
        uint8_t *p = malloc(from->n);
        memcpy(p, from->p, from->n);
        for (uint64_t k = 1 + cqt_rand_below(3); k > 0; k--) {
            size_t const at = (size_t)cqt_rand_below(from->n);
            p[at] = cqt_rand_below(2) ? (uint8_t)cqt_rand() : from->p[cqt_rand_below(from->n)];
        }
        scanned r = scan_bytes(i % 2 ? CQ_CHECKPOINT_SNAPSHOT : CQ_CHECKPOINT_JSON, p, from->n, WINDOW, 100);
        CQT(r.status == CQ_OK || (r.status == CQ_EFORMAT && r.e.msg[0]));
        free(r.text);
        free(p);
    }
    free(b.p);
    free(json.p);
}

void test_snapshot(void)
{
    CQT_RUN(finds);
    CQT_RUN(kinds_by_content);
    CQT_RUN(truncated);
    CQT_RUN(errors);
    CQT_RUN(deep);
    CQT_RUN(large_names);
    CQT_RUN(bit_patterns);
    CQT_RUN(damaged_at_random);
}
