/* The dictionary's hash table. See dict.h for the contract.
 *
 * Linear probing; slots hold id + 1 and the values stay in `plain`. The table is what inserting the
 * ids 0, 1, 2, ... in order makes of it, at any moment: growth resizes the block and inserts all
 * ids anew from `plain` or `hashes` (so there is never an old table beside the new one), and taking
 * the newest entry away is emptying its slot, because no later insertion probed across it. */
#include "codec/dict.h"

#include "base/bytes.h"

#include <sys/auxv.h>

#define CQ_INLINE static inline __attribute__((always_inline))

enum { FIRST_SLOTS = 64, LEAST_SLOTS = 16, FIRST_BYTES = 512 };

static const uint64_t mix_a = UINT64_C(0x9E3779B97F4A7C15), mix_b = UINT64_C(0xD6E8FEB86659FD93);

/* Both halves of the 128-bit product: every bit of either factor reaches every bit of the result. */
CQ_INLINE uint64_t fold_mul(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 const m = (u128)a * b;
    return (uint64_t)(m >> 64) ^ (uint64_t)(m & UINT64_MAX);
}

CQ_INLINE uint32_t hash_fixed(const cq_dict *d, uint64_t v)
{
    return cq_low32(fold_mul(v ^ d->key[0], d->key[1]));
}

/* 4..16 bytes as two overlapping halves, without a branch on the length. */
CQ_INLINE uint64_t front(const uint8_t *p, size_t n)
{
    return (uint64_t)cq_load32(p) << 32 | cq_load32(p + (n >> 3 << 2));
}

CQ_INLINE uint64_t back(const uint8_t *p, size_t n)
{
    return (uint64_t)cq_load32(p + n - 4) << 32 | cq_load32(p + n - 4 - (n >> 3 << 2));
}

CQ_INLINE uint32_t hash_bytes(const cq_dict *d, const uint8_t *p, size_t n)
{
    uint64_t h = d->key[0] ^ n * mix_a, a, b = 0;
    if (n > 16) {
        for (size_t i = 0; i < n - 16; i += 16) h = fold_mul(cq_load64(p + i) ^ h, cq_load64(p + i + 8) ^ d->key[1]);
        a = cq_load64(p + n - 16);
        b = cq_load64(p + n - 8);
    } else if (n >= 4) {
        a = front(p, n);
        b = back(p, n);
    } else {
        a = n ? (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 | p[n - 1] : 0;
    }
    return cq_low32(fold_mul(a ^ h, b ^ d->key[1]));
}

CQ_INLINE bool same_bytes(const uint8_t *x, const uint8_t *y, size_t n)
{
    if (n > 16) return memcmp(x, y, n) == 0;
    if (n >= 4) return ((front(x, n) ^ front(y, n)) | (back(x, n) ^ back(y, n))) == 0;
    return n == 0 || (x[0] == y[0] && x[n / 2] == y[n / 2] && x[n - 1] == y[n - 1]);
}

/* The table for as many entries as allowed. */
static uint32_t slots_for(uint32_t n_entries)
{
    uint32_t s = LEAST_SLOTS;
    while (s / 2 < n_entries) s *= 2;
    return s;
}

/* `lists`: how many lists of four bytes an entry there are. */
static uint64_t bytes_for(unsigned lists, uint32_t slots, uint64_t entries, uint64_t plain)
{
    return cq_mem_charge_of((size_t)slots * 4) + cq_mem_charge_of(plain) + lists * cq_mem_charge_of(entries * 4);
}

/* The most entries that fit. Byte arrays get at least half of the memory for their bytes, which is
 * the better use up to a mean length of 12 to 28 bytes: then entries run out first. */
static cq_dict_limits caps(size_t width, unsigned lists, size_t bytes)
{
    cq_dict_limits best = {0, 0};
    if (bytes > INT32_MAX) bytes = INT32_MAX;
    for (uint32_t slots = LEAST_SLOTS; slots / 2 <= CQ_DICT_MAX_ENTRIES; slots *= 2) {
        uint64_t entries = slots / 2, plain;
        uint64_t const fixed = bytes_for(lists, slots, entries, 0);
        if (fixed >= bytes) break;
        uint64_t const left = bytes - fixed;
        plain = left < CQ_MEM_LARGE ? left : cq_max_size(left & ~(size_t)4095, CQ_MEM_LARGE - 1);
        if (width) {
            if (plain / width < entries) entries = plain / width;
            plain = entries * width;
        } else {
            if (left < bytes / 2) break;
            if (plain < 8) continue;
        }
        if (entries > best.max_entries) {
            best.max_entries = cq_u32(entries);
            best.max_bytes = plain;
        }
    }
    return best;
}

cq_dict_limits cq_dict_caps(unsigned width, size_t bytes) { return caps(width, width ? 0 : 2, bytes); }
cq_dict_limits cq_dict_caps_fixed(size_t fixed_bytes, size_t bytes) { return caps(fixed_bytes, 1, bytes); }

void cq_dict_init(cq_dict *d, cq_mem *mem, unsigned width, cq_dict_limits limits)
{
    memset(d, 0, sizeof *d);
    d->mem = mem;
    d->width = width;
    d->limits = limits;
    cq_buf_init(&d->plain, mem);
    cq_buf_init(&d->offsets, mem);
    cq_buf_init(&d->hashes, mem);
    /* 16 random bytes that the kernel gave the process; the address keeps two dictionaries apart. */
    unsigned long const at = getauxval(AT_RANDOM);
    uint64_t seed[2] = {mix_a, mix_b};
    if (at) memcpy(seed, (const void *)(uintptr_t)at, sizeof seed);
    d->key[0] = fold_mul(seed[0] ^ (uintptr_t)d, mix_a);
    d->key[1] = fold_mul(seed[1] ^ (uintptr_t)d, mix_b) | 1;
}

void cq_dict_init_fixed(cq_dict *d, cq_mem *mem, size_t fixed_bytes, cq_dict_limits limits)
{
    cq_dict_init(d, mem, 0, limits);
    d->fixed_bytes = fixed_bytes;
}

void cq_dict_reset(cq_dict *d)
{
    cq_buf_reset(&d->plain);
    cq_buf_reset(&d->offsets);
    cq_buf_reset(&d->hashes);
    cq_mem_free(d->mem, d->table, (size_t)d->n_slots * 4);
    d->table = NULL;
    d->n_slots = d->n_entries = d->last = 0;
}

void cq_dict_clear(cq_dict *d)
{
    if (d->n_entries) memset(d->table, 0, (size_t)d->n_slots * 4);
    d->plain.len = d->offsets.len = d->hashes.len = 0;
    d->n_entries = d->last = 0;
}

CQ_INLINE uint32_t hash_of(const cq_dict *d, uint32_t id) { return cq_load32(d->hashes.data + (size_t)id * 4); }

static uint32_t hash_of_entry(const cq_dict *d, uint32_t id)
{
    if (d->width == 4) return hash_fixed(d, cq_load32(d->plain.data + (size_t)id * 4));
    if (d->width == 8) return hash_fixed(d, cq_load64(d->plain.data + (size_t)id * 8));
    return hash_of(d, id);
}

/* By four: inserting anew costs as much as the first time, and sparse tables are the faster ones. */
static cq_status grow_table(cq_dict *d, cq_err *e)
{
    uint32_t const last = slots_for(d->limits.max_entries);
    uint32_t want = d->n_slots ? d->n_slots * 4 : FIRST_SLOTS;
    if (want > last) want = last;
    uint32_t *t = cq_mem_resize(d->mem, d->table, (size_t)d->n_slots * 4, (size_t)want * 4);
    if (!t) return cq_mem_error(d->mem, "a dictionary", e);
    memset(t, 0, (size_t)want * 4);
    for (uint32_t id = 0; id < d->n_entries; id++) {
        uint32_t s = hash_of_entry(d, id) & (want - 1);
        while (t[s]) s = (s + 1) & (want - 1);
        t[s] = id + 1;
    }
    d->table = t;
    d->n_slots = want;
    return CQ_OK;
}

/* Room for `extra` bytes, by doubling, never beyond `most`: there lies what cq_dict_caps counted. */
static cq_status grow(cq_buf *b, size_t extra, size_t most, cq_err *e)
{
    size_t const want = cq_max_size(b->len + extra, b->cap ? b->cap * 2 : FIRST_BYTES);
    return cq_buf_set_cap(b, cq_min_size(want, most), e);
}

/* Everything a new entry of n PLAIN bytes may need; the limits allow it. After this nothing fails. */
static cq_status make_room(cq_dict *d, size_t n, cq_err *e)
{
    if (n > d->plain.cap - d->plain.len) CQ_TRY(grow(&d->plain, n, d->limits.max_bytes, e));
    if (d->width == 0) {
        size_t const most = (size_t)d->limits.max_entries * 4;
        if (!d->fixed_bytes && d->offsets.cap == d->offsets.len) CQ_TRY(grow(&d->offsets, 4, most, e));
        if (d->hashes.cap == d->hashes.len) CQ_TRY(grow(&d->hashes, 4, most, e));
    }
    if (d->n_entries >= d->n_slots / 2) CQ_TRY(grow_table(d, e));
    return CQ_OK;
}

static void take_slot(cq_dict *d, uint32_t hash)
{
    uint32_t s = hash & (d->n_slots - 1);
    while (d->table[s]) s = (s + 1) & (d->n_slots - 1);
    d->table[s] = ++d->n_entries;
}

static bool is_full(const cq_dict *d, size_t n)
{
    return d->n_entries >= d->limits.max_entries || n > d->limits.max_bytes - d->plain.len;
}

static bool is_entry(const cq_dict *d, uint32_t id, const void *p, size_t n)
{
    cq_span const s = cq_dict_entry(d, id);
    return s.n == n && same_bytes(s.p, p, n);
}

/* The first two places are looked at together, with no branch between them: with half of the slots
 * taken, one in four values is not in its first place, and no processor can foretell which. An empty
 * place is read as id 0, whose value is then nowhere in the table but where it belongs. */
cq_status cq_dict_put_bytes(cq_dict *d, const void *p, size_t n, uint32_t *id, bool *full, cq_err *e)
{
    uint32_t const h = hash_bytes(d, p, n), mask = d->n_slots - 1;
    *full = false;
    if (d->n_entries) {
        if (d->last < d->n_entries && hash_of(d, d->last) == h && is_entry(d, d->last, p, n)) {
            *id = d->last;
            return CQ_OK;
        }
        uint32_t const a = d->table[h & mask], b = d->table[(h + 1) & mask];
        uint32_t const in_a = hash_of(d, a - (a != 0)) == h, in_b = hash_of(d, b - (b != 0)) == h;
        uint32_t const slot = (a & (0 - in_a)) | (b & (0 - (in_b & ~in_a)));
        if (slot && is_entry(d, slot - 1, p, n)) {
            *id = d->last = slot - 1;
            return CQ_OK;
        }
        for (uint32_t s = h & mask; d->table[s]; s = (s + 1) & mask) {
            uint32_t const at = d->table[s] - 1;
            if (hash_of(d, at) == h && is_entry(d, at, p, n)) {
                *id = d->last = at;
                return CQ_OK;
            }
        }
    }
    size_t const prefix = d->fixed_bytes ? 0 : 4;
    if (n > d->limits.max_bytes || is_full(d, prefix + n)) {
        *full = true;
        return CQ_OK;
    }
    CQ_TRY(make_room(d, prefix + n, e));
    if (prefix) {
        uint32_t const at = cq_u32(d->plain.len), len = cq_u32(n);
        cq_buf_put(&d->plain, &len, 4);
        cq_buf_put(&d->offsets, &at, 4);
    }
    cq_buf_put(&d->plain, p, n);
    cq_buf_put(&d->hashes, &h, 4);
    *id = d->last = d->n_entries;
    take_slot(d, h);
    return CQ_OK;
}

CQ_INLINE uint64_t value_at(const void *v, size_t i, unsigned width)
{
    return width == 4 ? cq_load32((const uint8_t *)v + 4 * i) : cq_load64((const uint8_t *)v + 8 * i);
}

/* Values i.. while they are in the first or second place; returns the number of the one that is not.
 * Nothing of the dictionary changes here, so all of it stays in registers. */
CQ_INLINE size_t put_known(const cq_dict *d, const void *v, size_t i, size_t n, uint32_t *ids, unsigned width)
{
    const uint32_t *const table = d->table;
    const uint8_t *const plain = d->plain.data;
    uint32_t const mask = d->n_slots - 1;
    uint64_t const key0 = d->key[0], key1 = d->key[1];
    uint32_t id = 0;
    uint64_t before = value_at(plain, 0, width); /* the value of id */
    for (; i < n; i++) {
        uint64_t const x = value_at(v, i, width);
        if (x != before) {
            uint32_t const h = cq_low32(fold_mul(x ^ key0, key1));
            uint32_t const a = table[h & mask], b = table[(h + 1) & mask];
            uint32_t const in_a = value_at(plain, a - (a != 0), width) == x;
            uint32_t const in_b = value_at(plain, b - (b != 0), width) == x;
            uint32_t const slot = (a & (0 - in_a)) | (b & (0 - in_b));
            if (slot == 0) break;
            id = slot - 1;
            before = x;
        }
        ids[i] = id;
    }
    return i;
}

/* Finds the value or adds it. *have false with CQ_OK: it is new and the limits do not allow it. */
CQ_INLINE cq_status put_one(cq_dict *d, uint64_t x, unsigned width, uint32_t *id, bool *have, cq_err *e)
{
    uint32_t const h = hash_fixed(d, x);
    uint32_t mask = d->n_slots - 1, s = h & mask;
    *have = true;
    if (d->n_slots) {
        for (; d->table[s]; s = (s + 1) & mask) {
            *id = d->table[s] - 1;
            if (value_at(d->plain.data, *id, width) == x) return CQ_OK;
        }
    }
    *have = !is_full(d, width);
    if (!*have) return CQ_OK;
    uint32_t const n_slots = d->n_slots;
    CQ_TRY(make_room(d, width, e));
    *id = d->n_entries;
    cq_buf_put(&d->plain, &x, width);
    if (d->n_slots == n_slots)
        d->table[s] = ++d->n_entries; /* the search ended at its place */
    else
        take_slot(d, h);
    return CQ_OK;
}

CQ_INLINE cq_status put_fixed(cq_dict *d, const void *v, size_t n, uint32_t *ids, size_t *done, unsigned width, cq_err *e)
{
    size_t i = 0;
    for (bool have = true; have; i += have) {
        if (d->n_entries) i = put_known(d, v, i, n, ids, width);
        *done = i;
        if (i == n) break;
        CQ_TRY(put_one(d, value_at(v, i, width), width, &ids[i], &have, e));
    }
    return CQ_OK;
}

cq_status cq_dict_put_u32s(cq_dict *d, const uint32_t *v, size_t n, uint32_t *ids, size_t *done, cq_err *e)
{
    return put_fixed(d, v, n, ids, done, 4, e);
}

cq_status cq_dict_put_u64s(cq_dict *d, const uint64_t *v, size_t n, uint32_t *ids, size_t *done, cq_err *e)
{
    return put_fixed(d, v, n, ids, done, 8, e);
}

void cq_dict_truncate(cq_dict *d, uint32_t n)
{
    while (d->n_entries > n) {
        uint32_t const id = d->n_entries - 1;
        uint32_t s = hash_of_entry(d, id) & (d->n_slots - 1);
        while (d->table[s] != id + 1) s = (s + 1) & (d->n_slots - 1);
        d->table[s] = 0;
        d->n_entries = id;
        if (d->width) {
            d->plain.len = (size_t)id * d->width;
        } else {
            d->plain.len = d->fixed_bytes ? (size_t)id * d->fixed_bytes : cq_load32(d->offsets.data + (size_t)id * 4);
            d->hashes.len = (size_t)id * 4;
            d->offsets.len = d->fixed_bytes ? 0 : (size_t)id * 4;
        }
    }
}
