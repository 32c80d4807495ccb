/* Column builders: the values of one column's open page, waiting to be encoded.
 *
 * A value is put, then the whole row is committed or aborted by the writer. Fixed-width values are
 * kept as they are; byte arrays are interned into the chunk's dictionary while that pays (`ids`),
 * and kept in PLAIN form afterwards (`values`). Fixed-length byte arrays are byte arrays whose PLAIN form
 * has no length before the bytes. Levels are kept only once a page has a null. */
#ifndef CQ_WRITE_COLBUF_H
#define CQ_WRITE_COLBUF_H

#include "base/buf.h"
#include "base/bytes.h"
#include "codec/dict.h"
#include "format/schema.h"
#include "format/vec.h"

/* How the open chunk stores its values from here on. A chunk begins at CQ_CHUNK_TRIAL and moves
 * right at most once: TRIAL -> DICT or DIRECT, DICT -> DIRECT. */
typedef enum cq_chunk_mode { CQ_CHUNK_TRIAL, CQ_CHUNK_DICT, CQ_CHUNK_DIRECT } cq_chunk_mode;

/* The byte-array bytes of the row being built, all columns together: shared by the builders. Fixed-length values are not
 * counted: every builder has room for its own. */
typedef struct cq_row_meter {
    size_t bytes, max_bytes;
    const char *advice; /* behind the text of an error that a value or row is too large; NULL: none */
} cq_row_meter;

typedef struct cq_colbuf {
    /* fixed at open */
    cq_type type;
    uint8_t width;          /* 1, 4, 8; 0: byte arrays */
    uint8_t prefix;         /* bytes of the length before a byte array in PLAIN form: 4, or 0 for fixed lengths */
    bool optional;
    size_t fixed_bytes;     /* byte arrays: the length of every value; 0: any */
    int32_t page_rows;      /* a page is cut at this many slots */
    size_t page_bytes;      /* or at this many PLAIN bytes of byte arrays in TRIAL and DIRECT mode */
    size_t max_value_bytes; /* fixed_bytes, where there are such */
    size_t headroom;        /* bytes kept free before the values, for the levels of the page body */
    cq_row_meter *row;      /* shared, or `unmetered` for fixed lengths */
    cq_row_meter unmetered;
    cq_mem *mem;

    /* the open page */
    cq_chunk_mode mode;
    bool full;              /* the page has to be cut before the next put */
    bool has_levels;        /* `levels` holds n_slots definition levels; otherwise all are the maximum */
    int32_t n_slots;        /* with the row being built */
    int32_t n_committed;    /* slots of whole rows */
    int32_t n_values;       /* slots that are not null */
    int32_t split;          /* >= 0: slots below it are `ids`, from it on `values`: the dictionary
                               is full and the page is cut there; -1: none */
    int32_t split_values;   /* ids below the split */
    cq_chunk_mode split_mode; /* the mode before the split */
    uint32_t page_entries;  /* dictionary entries before the page */
    size_t value_bytes;     /* byte arrays: PLAIN bytes of the page's values, in every mode */
    cq_buf levels;
    cq_buf values;          /* headroom, then values (fixed width) or PLAIN byte arrays */
    cq_buf ids;             /* byte arrays in TRIAL and DICT mode: uint32_t dictionary ids */
    cq_dict dict;

    /* undo of the row being built */
    uint32_t undo_entries;  /* dictionary entries before it */
    size_t undo_bytes;      /* value_bytes before it */
    size_t undo_row;        /* the length of its byte array, which the row meter may count */

    uint32_t last_id;       /* of the last value put; CQ_NO_ID: none */
    uint32_t epoch;         /* changes whenever ids given out before have died */
} cq_colbuf;

#define CQ_NO_ID UINT32_MAX

typedef struct cq_colbuf_opts {
    cq_type type;
    bool optional;
    int32_t fixed_bytes;    /* of the field */
    int32_t page_rows;
    size_t page_bytes, dict_bytes, max_value_bytes;
} cq_colbuf_opts;

/* Bytes of the definition levels of a page of optional values, with their length; at most. A
 * multiple of eight, so that the values behind stay aligned. */
size_t cq_colbuf_headroom(int32_t page_rows);

/* The most memory a builder with these options ever holds, apart from values beyond page_bytes. */
size_t cq_colbuf_memory(const cq_colbuf_opts *o);

void cq_colbuf_init(cq_colbuf *c, const cq_colbuf_opts *o, cq_row_meter *row, cq_mem *mem);
void cq_colbuf_reset(cq_colbuf *c);
/* Drops the open page and the dictionary: a new chunk begins. Keeps memory of ordinary size. */
void cq_colbuf_new_chunk(cq_colbuf *c);

/* -- one value of the row being built; at most one per row, never on a full page ------------- */

/* The general forms: any state. `v` has the type's width; fixed-length byte arrays go through put_bytes, with exactly
 * their length (CQ_EVALUE otherwise). A failed put changes nothing. */
cq_status cq_colbuf_put_fixed(cq_colbuf *c, const void *v, cq_err *e) CQ_MUST_CHECK;
cq_status cq_colbuf_put_null(cq_colbuf *c, cq_err *e) CQ_MUST_CHECK; /* CQ_EVALUE if required */
cq_status cq_colbuf_put_bytes(cq_colbuf *c, const void *p, size_t n, cq_err *e) CQ_MUST_CHECK;

/* Room for one byte array of n bytes that the caller fills at *dst before anything else is called
 * (an encoder writing straight into the page); cq_colbuf_commit_bytes with the same n puts it. */
cq_status cq_colbuf_reserve_bytes(cq_colbuf *c, size_t n, uint8_t **dst, cq_err *e) CQ_MUST_CHECK;
cq_status cq_colbuf_commit_bytes(cq_colbuf *c, size_t n, cq_err *e) CQ_MUST_CHECK;

/* A value by the id it got before: what cq_colbuf_last_id gave after a put, while
 * cq_colbuf_epoch is what it was then. */
cq_status cq_colbuf_put_id(cq_colbuf *c, uint32_t id, cq_err *e) CQ_MUST_CHECK;
static inline uint32_t cq_colbuf_last_id(const cq_colbuf *c) { return c->mode == CQ_CHUNK_DIRECT ? CQ_NO_ID : c->last_id; }
static inline uint32_t cq_colbuf_epoch(const cq_colbuf *c) { return c->epoch; }

/* Fast paths of cq_colbuf_put_fixed: the common case inline, everything else out of line. */
CQ_MUST_CHECK static inline cq_status cq_colbuf_put_u32(cq_colbuf *c, uint32_t v, cq_err *e)
{
    if (c->has_levels || c->full || c->values.cap - c->values.len < 4) return cq_colbuf_put_fixed(c, &v, e);
    memcpy(c->values.data + c->values.len, &v, 4);
    c->values.len += 4;
    c->n_values++;
    c->full = ++c->n_slots == c->page_rows;
    return CQ_OK;
}

CQ_MUST_CHECK static inline cq_status cq_colbuf_put_u64(cq_colbuf *c, uint64_t v, cq_err *e)
{
    if (c->has_levels || c->full || c->values.cap - c->values.len < 8) return cq_colbuf_put_fixed(c, &v, e);
    memcpy(c->values.data + c->values.len, &v, 8);
    c->values.len += 8;
    c->n_values++;
    c->full = ++c->n_slots == c->page_rows;
    return CQ_OK;
}

/* 32-bit and narrower signed integers; unsigned ones go through put_u32. */
CQ_MUST_CHECK static inline cq_status cq_colbuf_put_i32(cq_colbuf *c, int32_t v, cq_err *e)
{
    uint32_t u;
    memcpy(&u, &v, 4);
    return cq_colbuf_put_u32(c, u, e);
}

CQ_MUST_CHECK static inline cq_status cq_colbuf_put_i64(cq_colbuf *c, int64_t v, cq_err *e)
{
    uint64_t u;
    memcpy(&u, &v, 8);
    return cq_colbuf_put_u64(c, u, e);
}

CQ_MUST_CHECK static inline cq_status cq_colbuf_put_f32(cq_colbuf *c, float v, cq_err *e)
{
    uint32_t u;
    memcpy(&u, &v, 4);
    return cq_colbuf_put_u32(c, u, e);
}

CQ_MUST_CHECK static inline cq_status cq_colbuf_put_f64(cq_colbuf *c, double v, cq_err *e)
{
    uint64_t u;
    memcpy(&u, &v, 8);
    return cq_colbuf_put_u64(c, u, e);
}

CQ_MUST_CHECK static inline cq_status cq_colbuf_put_bool(cq_colbuf *c, bool v, cq_err *e)
{
    uint8_t const b = v;
    return cq_colbuf_put_fixed(c, &b, e);
}

/* -- rows, for the writer --------------------------------------------------------------------- */

static inline void cq_colbuf_commit(cq_colbuf *c)
{
    c->n_committed = c->n_slots;
    c->undo_row = 0;
}
/* Takes the value of the unfinished row back, if there is one. */
void cq_colbuf_abort(cq_colbuf *c);

/* Appends slots [from, from + n) of a vector, as far as the open page takes them: *done slots, all
 * committed; c->full then says whether a page has to be cut. The data was checked before (nulls,
 * lengths); failures are of memory only, and those slots before the failure stay. */
cq_status cq_colbuf_append_vec(cq_colbuf *c, const cq_vec *v, int64_t from, int64_t n, int64_t *done, cq_err *e) CQ_MUST_CHECK;

/* The value of the row being built: its bytes (fixed width or byte array); NULL span pointer for a
 * null. Borrowed until the next put. There must be one. */
cq_span cq_colbuf_last_value(const cq_colbuf *c, bool *is_null);

/* -- the page cut, for page_write -------------------------------------------------------------- */

/* TRIAL -> DIRECT for byte arrays: the ids of the open page become PLAIN values in front of those
 * behind a split, which ends; the dictionary is forgotten. Unchanged on failure. */
cq_status cq_colbuf_give_up_dict(cq_colbuf *c, cq_err *e) CQ_MUST_CHECK;

/* The page was taken: up to the split, which becomes the beginning of the next page, or whole. The
 * chunk goes on in `mode`. Oversized buffers shrink. Never fails. */
void cq_colbuf_page_done(cq_colbuf *c, cq_chunk_mode mode);

#endif
