/* Page compression by libzstd and libsnappy. Everything zstd needs is one block, sized by zstd's own
 * estimate for the parameters and never resized; see compress.h for what is charged. */
#include "codec/compress.h"

#include "base/bytes.h"

#include <snappy-c.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

enum { LEVEL_DEFAULT = 3, LEVEL_MAX = 19, WINDOW_LOG_MAX = 23, PAGE_MIN = 4096 };

/* What snappy_compress allocates for its time, for any input of 64 KiB and more, in libsnappy 1.2: a
 * hash table of 2^15 u16, a fragment of input (65,536) and one of output (76,490). 1.1 has half of the
 * table. The blocks are one malloc, above glibc's mmap threshold: page-rounded. */
static const size_t snappy_bytes = (size_t)52 * 4096;

struct cq_codec {
    cq_mem *mem;
    cq_codec_kind kind;
    int32_t level;
    size_t charged;      /* to mem, for allocations inside the library */
    void *block;         /* zstd: the context's memory */
    size_t block_bytes;
    ZSTD_CCtx *zstd;     /* inside block */
};

cq_status cq_codec_level(cq_codec_kind kind, int32_t level, int32_t *out, cq_err *e)
{
    if (kind != CQ_CODEC_ZSTD) {
        if (level != CQ_LEVEL_DEFAULT) return cq_fail(e, CQ_EARG, "only zstd takes a compression level");
        *out = CQ_LEVEL_DEFAULT; /* which every codec takes */
        return CQ_OK;
    }
    if (level == CQ_LEVEL_DEFAULT) level = LEVEL_DEFAULT;
    if (level < 1 || level > LEVEL_MAX)
        return cq_fail(e, CQ_EARG, "zstd compression level %d is not in 1..%d", (int)level, (int)LEVEL_MAX);
    *out = level;
    return CQ_OK;
}

static int32_t level_of(int32_t level) { return level == CQ_LEVEL_DEFAULT ? LEVEL_DEFAULT : level; }

/* Pure: the same for a level and a page size, whatever is compressed later. */
static ZSTD_compressionParameters params_for(int32_t level, size_t page_bytes)
{
    ZSTD_compressionParameters p = ZSTD_getCParams(level_of(level), cq_max_size(page_bytes, PAGE_MIN), 0);
    if (p.windowLog > WINDOW_LOG_MAX) p.windowLog = WINDOW_LOG_MAX;
    return p;
}

static size_t block_for(int32_t level, size_t page_bytes)
{
    return ZSTD_estimateCCtxSize_usingCParams(params_for(level, page_bytes));
}

size_t cq_codec_memory(cq_codec_kind kind, int32_t level, size_t page_bytes)
{
    size_t const own = sizeof(struct cq_codec);
    switch (kind) {
    case CQ_CODEC_SNAPPY: return own + snappy_bytes;
    case CQ_CODEC_ZSTD: return own + (size_t)cq_mem_charge_of(block_for(level, page_bytes));
    case CQ_CODEC_NONE: break;
    }
    return own;
}

static cq_status zstd_set(ZSTD_CCtx *z, ZSTD_cParameter key, unsigned value, cq_err *e)
{
    size_t const r = ZSTD_CCtx_setParameter(z, key, (int)value); /* lint: zstd's parameters fit */
    if (ZSTD_isError(r)) return cq_fail(e, CQ_ESTATE, "zstd parameter %d: %s", (int)key, ZSTD_getErrorName(r));
    return CQ_OK;
}

static cq_status open_zstd(cq_codec *c, size_t page_bytes, cq_err *e)
{
    ZSTD_compressionParameters const p = params_for(c->level, page_bytes);
    c->block_bytes = block_for(c->level, page_bytes);
    c->block = cq_mem_resize(c->mem, NULL, 0, c->block_bytes);
    if (!c->block) {
        c->block_bytes = 0;
        return cq_mem_error(c->mem, "a compression context", e);
    }
    c->zstd = ZSTD_initStaticCCtx(c->block, c->block_bytes);
    if (!c->zstd) return cq_fail(e, CQ_ESTATE, "zstd: no context of %zu bytes", c->block_bytes);
    /* The level decides only what a parameter of value 0 ("by the level") means. */
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_compressionLevel, (unsigned)c->level, e)); /* lint: checked at open */
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_windowLog, p.windowLog, e));
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_chainLog, p.chainLog, e));
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_hashLog, p.hashLog, e));
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_searchLog, p.searchLog, e));
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_minMatch, p.minMatch, e));
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_targetLength, p.targetLength, e));
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_strategy, p.strategy, e));
    CQ_TRY(zstd_set(c->zstd, ZSTD_c_contentSizeFlag, 1, e));
    return zstd_set(c->zstd, ZSTD_c_checksumFlag, 0, e);
}

cq_status cq_codec_open(cq_codec **out, cq_codec_kind kind, int32_t level, size_t page_bytes, cq_mem *mem, cq_err *e)
{
    cq_status st;
    void *p = NULL;
    *out = NULL;
    CQ_TRY(cq_codec_level(kind, level, &level, e));
    CQ_TRY(cq_mem_alloc(mem, sizeof(struct cq_codec), "a compression codec", &p, e));
    cq_codec *c = p;
    c->mem = mem;
    c->kind = kind;
    c->level = level;
    if (kind == CQ_CODEC_ZSTD) CQ_GO(open_zstd(c, page_bytes, e));
    if (kind == CQ_CODEC_SNAPPY) {
        CQ_GO(cq_mem_charge(mem, snappy_bytes, "snappy", e));
        c->charged = snappy_bytes;
    }
    *out = c;
    return CQ_OK;
done:
    cq_codec_free(c);
    return st;
}

void cq_codec_free(cq_codec *c)
{
    if (!c) return;
    cq_mem *const mem = c->mem;
    cq_mem_free(mem, c->block, c->block_bytes);
    if (c->charged) cq_mem_uncharge(mem, c->charged);
    cq_mem_free(mem, c, sizeof *c);
}

size_t cq_codec_bound(cq_codec_kind kind, size_t n)
{
    switch (kind) {
    case CQ_CODEC_SNAPPY: return snappy_max_compressed_length(n);
    case CQ_CODEC_ZSTD: return ZSTD_compressBound(n);
    case CQ_CODEC_NONE: break;
    }
    return n;
}

cq_status cq_codec_compress(cq_codec *c, cq_span src, uint8_t *dst, size_t cap, size_t *n_out, cq_err *e)
{
    if (c->kind == CQ_CODEC_ZSTD) {
        size_t const r = ZSTD_compress2(c->zstd, dst, cap, src.p, src.n);
        if (ZSTD_isError(r)) return cq_fail(e, CQ_ESTATE, "zstd: %s", ZSTD_getErrorName(r));
        *n_out = r;
        return CQ_OK;
    }
    if (c->kind == CQ_CODEC_SNAPPY) {
        size_t n = cap;
        if (snappy_compress((const char *)src.p, src.n, (char *)dst, &n) != SNAPPY_OK)
            return cq_fail(e, CQ_ESTATE, "snappy: no room in %zu bytes for %zu", cap, src.n);
        *n_out = n;
        return CQ_OK;
    }
    return cq_fail(e, CQ_ESTATE, "no codec to compress with");
}
