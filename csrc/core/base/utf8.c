/* UTF-8 validation: ASCII eight bytes at a time, everything else by the table of the Unicode
 * standard (chapter 3, table 3-7) written as comparisons. */
#include "base/utf8.h"

#include "base/bytes.h"

static bool is_cont(uint8_t c) { return (c & 0xC0u) == 0x80u; }

/* Bytes of the valid character at p, 0: none. */
static size_t char_bytes(const uint8_t *p, size_t left)
{
    uint8_t const c = p[0];
    if (c < 0x80) return 1;
    if (c < 0xC2) return 0;
    if (c < 0xE0) return left >= 2 && is_cont(p[1]) ? 2 : 0;
    if (c < 0xF0) {
        if (left < 3 || !is_cont(p[1]) || !is_cont(p[2])) return 0;
        if (c == 0xE0 && p[1] < 0xA0) return 0;
        if (c == 0xED && p[1] >= 0xA0) return 0;
        return 3;
    }
    if (c > 0xF4 || left < 4 || !is_cont(p[1]) || !is_cont(p[2]) || !is_cont(p[3])) return 0;
    if (c == 0xF0 && p[1] < 0x90) return 0;
    if (c == 0xF4 && p[1] >= 0x90) return 0;
    return 4;
}

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The first byte from i on that is not ASCII, or n. The last bytes are looked at through a word that ends with them. */
static size_t skip_ascii(const uint8_t *p, size_t i, size_t n)
{
    for (; n - i >= 8; i += 8) {
        uint64_t const high = cq_load64(p + i) & HIGH_BITS;
        if (high) return i + (size_t)__builtin_ctzll(high) / 8;
    }
    if (n >= 8 && i < n) {
        uint64_t const high = (cq_load64(p + n - 8) & HIGH_BITS) >> (8 * (8 - (n - i)));
        return high ? i + (size_t)__builtin_ctzll(high) / 8 : n;
    }
    while (i < n && p[i] < 0x80) i++;
    return i;
}

size_t cq_utf8_valid_prefix(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t i = 0;
    for (;;) {
        i = skip_ascii(p, i, n);
        if (i == n) return n;
        do {
            size_t const k = char_bytes(p + i, n - i);
            if (!k) return i;
            i += k;
        } while (i < n && p[i] >= 0x80);
    }
}
