/* Page compression: none, snappy, zstd. One codec per writer and kind in use, its context in one reserved block.
 *
 * zstd contexts are static (ZSTD_initStaticCCtx) with parameters chosen for the page size, so a
 * context never grows; frames carry the content size and windows are at most 8 MiB. snappy
 * allocates inside: its use is charged from a table while the codec is open. */
#ifndef CQ_CODEC_COMPRESS_H
#define CQ_CODEC_COMPRESS_H

#include "base/buf.h"

typedef enum cq_codec_kind { CQ_CODEC_NONE, CQ_CODEC_SNAPPY, CQ_CODEC_ZSTD } cq_codec_kind;
#define CQ_N_CODECS 3

#define CQ_LEVEL_DEFAULT INT32_MIN

typedef struct cq_codec cq_codec;

/* The level that will be used, or CQ_EARG: none and snappy take no level, zstd 1..19
 * (CQ_LEVEL_DEFAULT: 3). */
cq_status cq_codec_level(cq_codec_kind kind, int32_t level, int32_t *out, cq_err *e) CQ_MUST_CHECK;

/* What an open codec is charged for pages of up to page_bytes; pure. Input larger than page_bytes
 * compresses too, with the same context. */
size_t cq_codec_memory(cq_codec_kind kind, int32_t level, size_t page_bytes);

cq_status cq_codec_open(cq_codec **c, cq_codec_kind kind, int32_t level, size_t page_bytes, cq_mem *mem, cq_err *e) CQ_MUST_CHECK;
void cq_codec_free(cq_codec *c);

/* Upper bound of the compressed size of n bytes. */
size_t cq_codec_bound(cq_codec_kind kind, size_t n);

/* Compresses into dst of at least cq_codec_bound(n) bytes. Not called for CQ_CODEC_NONE. */
cq_status cq_codec_compress(cq_codec *c, cq_span src, uint8_t *dst, size_t cap, size_t *n_out, cq_err *e) CQ_MUST_CHECK;

#endif
