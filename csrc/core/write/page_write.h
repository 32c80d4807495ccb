/* From a full builder to a finished page: choice of the encoding, levels, values, compression,
 * CRC, header, statistics. One coder with its scratch memory serves all columns of a writer.
 *
 * A page is a pure function of the builder's content and its chunk's mode: nothing here looks at
 * other columns, at memory in use or at the clock. */
#ifndef CQ_WRITE_PAGE_WRITE_H
#define CQ_WRITE_PAGE_WRITE_H

#include "codec/compress.h"
#include "format/metadata.h"
#include "write/colbuf.h"
#include "write/plan.h"
#include "write/profile.h"

typedef struct cq_page_coder {
    cq_mem *mem;
    cq_profile profile;
    cq_codec *codecs[CQ_N_CODECS]; /* of each kind in use; NULL for CQ_CODEC_NONE */
    cq_codec_kind kind;            /* of the page at hand, with its codec */
    cq_codec *codec;
    cq_buf assembly;   /* a body put together; the sample while choosing */
    cq_buf ids;        /* dictionary ids of a page of fixed-width values */
    cq_buf out;        /* compressed bytes; ordinary size out_ordinary */
    size_t out_ordinary;
} cq_page_coder;

/* Opens the codecs that the plan names; `level` is zstd's. */
cq_status cq_page_coder_open(cq_page_coder *k, const cq_plan *plan, cq_profile profile, int32_t level, cq_mem *mem, cq_err *e) CQ_MUST_CHECK;
void cq_page_coder_close(cq_page_coder *k);
/* Gives the memory of an oversized page back. Never fails. */
void cq_page_coder_shrink(cq_page_coder *k);

typedef struct cq_page {
    cq_page_meta meta;
    uint8_t header[CQ_PAGE_HEADER_BYTES];
    size_t header_bytes;
    cq_span body;      /* borrowed until the coder or the builder is used again */
    cq_chunk_mode mode_after; /* what the chunk goes on with once the page is parked */
} cq_page;

/* What has to be taken back when a page could not be kept: the state before cq_page_encode. */
typedef struct cq_page_undo {
    cq_chunk_mode mode;
    uint32_t dict_entries;
} cq_page_undo;

/* Encodes the builder's open page (up to its split) for a chunk with that codec. May turn a chunk on
 * trial into a direct one. On failure the builder's values are untouched. */
cq_status cq_page_encode(cq_page_coder *k, cq_codec_kind kind, cq_colbuf *c, bool chunk_continues, cq_page *page, cq_page_undo *undo, cq_err *e) CQ_MUST_CHECK;
/* Brings the builder's dictionary back to where it was, so that encoding can be tried again. */
void cq_page_take_back(cq_colbuf *c, const cq_page_undo *undo);

/* The dictionary page of a finished chunk. */
cq_status cq_page_encode_dict(cq_page_coder *k, cq_codec_kind kind, const cq_colbuf *c, cq_page *page, cq_err *e) CQ_MUST_CHECK;

#endif
