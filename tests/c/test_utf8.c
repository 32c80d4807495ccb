/* UTF-8 validation against arithmetic: every code point, every pair and triple of bytes, the borders
 * of four, and positions of the first fault behind ASCII of every length. */
#include "base/utf8.h"

#include "cqtest.h"

/* Bytes of the character at p by decoding and asking whether the number needs that length. */
static size_t model_char(const uint8_t *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (n == 0) return 0;
    size_t const k = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (k == 0 || k > n) return 0;
    uint32_t cp = k == 1 ? p[0] : p[0] & (0x7fu >> k);
    for (size_t i = 1; i < k; i++) {
        if (p[i] >> 6 != 2) return 0;
        cp = cp << 6 | (p[i] & 0x3fu);
    }
    return cp < least[k] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff) ? 0 : k;
}

static size_t model_prefix(const uint8_t *p, size_t n)
{
    size_t i = 0, k;
    while ((k = model_char(p + i, n - i)) > 0) i += k;
    return i;
}

static size_t encode(uint32_t cp, uint8_t *p)
{
    if (cp < 0x80) {
        p[0] = (uint8_t)cp;
        return 1;
    }
    if (cp < 0x800) {
        p[0] = (uint8_t)(0xc0 | cp >> 6);
        p[1] = (uint8_t)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        p[0] = (uint8_t)(0xe0 | cp >> 12);
        p[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
        p[2] = (uint8_t)(0x80 | (cp & 0x3f));
        return 3;
    }
    p[0] = (uint8_t)(0xf0 | cp >> 18);
    p[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
    p[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
    p[3] = (uint8_t)(0x80 | (cp & 0x3f));
    return 4;
}

static void every_code_point(void)
{
    uint8_t b[4];
    for (uint32_t cp = 0; cp < 0x200000; cp++) {
        bool const valid = cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);
        size_t const n = encode(cp, b);
        CQT_MSG(cq_utf8_valid(b, n) == valid, "U+%04X", cp);
        for (size_t cut = 1; cut < n; cut++) CQT_EQ_U(cq_utf8_valid_prefix(b, cut), 0);
    }
}

static void every_short_sequence(void)
{
    uint8_t b[4];
    CQT(cq_utf8_valid(NULL, 0));
    for (uint32_t x = 0; x < 1u << 24; x++) {
        b[0] = (uint8_t)(x >> 16);
        b[1] = (uint8_t)(x >> 8);
        b[2] = (uint8_t)x;
        if (b[0] < 0x80 && x % 97) continue; /* the same as two bytes */
        if (cq_utf8_valid_prefix(b, 3) != model_prefix(b, 3)) CQT_FAIL("%02x %02x %02x", b[0], b[1], b[2]);
    }
    static const uint8_t marks[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    for (uint32_t x = 0; x < 1u << 16; x++) {
        for (size_t c = 0; c < sizeof marks; c++) {
            for (size_t d = 0; d < sizeof marks; d++) {
                b[0] = (uint8_t)(x >> 8);
                b[1] = (uint8_t)x;
                b[2] = marks[c];
                b[3] = marks[d];
                if (cq_utf8_valid_prefix(b, 4) != model_prefix(b, 4))
                    CQT_FAIL("%02x %02x %02x %02x", b[0], b[1], b[2], b[3]);
            }
        }
    }
}

static void faults_anywhere(void)
{
    uint8_t b[200];
    for (int round = 0; round < 20000; round++) {
        size_t n = 0;
        while (n < 150) {
            uint64_t const r = cqt_rand();
            uint32_t const cp = r % 8 ? (uint32_t)(r >> 20) % 0x7f : (uint32_t)(r >> 20) % 0xd800;
            n += encode(cp, b + n);
        }
        CQT(cq_utf8_valid(b, n));
        size_t const at = (size_t)cqt_rand_below(n);
        b[at] = (uint8_t)cqt_rand();
        size_t const shift = (size_t)cqt_rand_below(9);
        CQT_EQ_U(cq_utf8_valid_prefix(b + shift, n - shift), model_prefix(b + shift, n - shift));
    }
}

void test_utf8(void)
{
    CQT_RUN(every_code_point);
    CQT_RUN(every_short_sequence);
    CQT_RUN(faults_anywhere);
}
