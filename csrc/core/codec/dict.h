/* A dictionary of distinct values in order of first use: 4-byte, 8-byte, or byte-array values, the
 * latter of any lengths or all of one.
 *
 * Open addressing at a load of at most one half. What it may hold is fixed by cq_dict_caps from a
 * number of bytes, so that whether a value fits never depends on the state of memory; it never
 * uses more than those bytes, growth included. Fixed-width values are compared as bits: NaNs of
 * different payload are different, and so are -0 and +0. The hash is keyed for each dictionary: ids
 * do not depend on it, and input made to collide does not. */
#ifndef CQ_CODEC_DICT_H
#define CQ_CODEC_DICT_H

#include "base/buf.h"

#define CQ_DICT_MAX_ENTRIES (UINT32_C(1) << 20)

typedef struct cq_dict_limits {
    uint32_t max_entries; /* at most CQ_DICT_MAX_ENTRIES */
    size_t max_bytes;     /* of PLAIN encoded entries (byte arrays of any lengths: 4 + length each); below 2^31 */
} cq_dict_limits;

typedef struct cq_dict {
    cq_mem *mem;
    unsigned width;   /* 4, 8, or 0: byte arrays */
    size_t fixed_bytes; /* width 0: length of every entry, which then has no length prefix; 0: any length */
    cq_dict_limits limits;
    cq_buf plain;     /* the entries as the dictionary page holds them: PLAIN */
    cq_buf offsets;   /* byte arrays of any length: uint32_t start of each entry's length prefix in `plain` */
    cq_buf hashes;    /* width 0: uint32_t hash of each entry, so that growth and lookups rarely touch bytes */
    uint32_t *table;  /* entry id + 1, 0: empty */
    uint32_t n_slots; /* of the table: 0 or a power of two */
    uint32_t n_entries;
    uint32_t last;    /* width 0: the id given last; may be beyond n_entries */
    uint64_t key[2];  /* of the hash */
} cq_dict;

/* What fits into `bytes` of memory at every moment. max_entries 0: no dictionary is possible. */
cq_dict_limits cq_dict_caps(unsigned width, size_t bytes);
/* The same for byte arrays of one length, above 0. */
cq_dict_limits cq_dict_caps_fixed(size_t fixed_bytes, size_t bytes);

void cq_dict_init(cq_dict *d, cq_mem *mem, unsigned width, cq_dict_limits limits);
void cq_dict_init_fixed(cq_dict *d, cq_mem *mem, size_t fixed_bytes, cq_dict_limits limits);
/* Frees everything; usable again. */
void cq_dict_reset(cq_dict *d);
/* Forgets the entries, keeps the memory. */
void cq_dict_clear(cq_dict *d);

/* The id of the value (of fixed_bytes, where the dictionary has them), which is added if it is new. `*full` becomes true, and nothing is added,
 * where the limits do not allow another entry; a failure is only one of memory. */
cq_status cq_dict_put_bytes(cq_dict *d, const void *p, size_t n, uint32_t *id, bool *full, cq_err *e) CQ_MUST_CHECK;

/* Ids of n fixed-width values; stops before the first that does not fit: *done values have ids. */
cq_status cq_dict_put_u32s(cq_dict *d, const uint32_t *v, size_t n, uint32_t *ids, size_t *done, cq_err *e) CQ_MUST_CHECK;
cq_status cq_dict_put_u64s(cq_dict *d, const uint64_t *v, size_t n, uint32_t *ids, size_t *done, cq_err *e) CQ_MUST_CHECK;

/* Takes the entries with id >= n away again, newest first. Never fails. */
void cq_dict_truncate(cq_dict *d, uint32_t n);

/* The bytes of an entry of a byte-array dictionary (without the length prefix); borrowed until the
 * next put. */
static inline cq_span cq_dict_entry(const cq_dict *d, uint32_t id)
{
    if (d->fixed_bytes) return cq_span_of(d->plain.data + (size_t)id * d->fixed_bytes, d->fixed_bytes);
    uint32_t at, n;
    memcpy(&at, d->offsets.data + (size_t)id * 4, 4);
    memcpy(&n, d->plain.data + at, 4);
    return cq_span_of(d->plain.data + at + 4, n);
}

#endif
