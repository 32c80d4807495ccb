/* Which encoding a page gets: measured on a sample with the file's own codec where there is one.
 *
 * A dictionary is admitted by profit at a chunk's first page and given up at most once: when it is
 * full, or when a page brings more new entries than it repeats old ones. Where that gains, integers take
 * DELTA_BINARY_PACKED (not in profile compat) and floats of 4 and 8 bytes BYTE_STREAM_SPLIT (in profile
 * modern only: Spark's vectorised reader throws on it in releases of before mid-2026).
 *
 * In compat and default the dictionary's pages are the first ones of a chunk, and what follows it is another encoding
 * for good. In modern a page of floats may be stored as byte streams before the dictionary is admitted and between its
 * pages. */
#ifndef CQ_WRITE_ENCODE_CHOICE_H
#define CQ_WRITE_ENCODE_CHOICE_H

#include "write/page_write.h"

typedef struct cq_choice {
    cq_pq_encoding encoding;
    unsigned bit_width;   /* of dictionary indexes */
    const uint32_t *ids;  /* RLE_DICTIONARY: the page's indexes */
    cq_chunk_mode mode_after;
} cq_choice;

/* For fixed-width values. `chunk_continues`: the page was cut because it is full, so more pages of
 * its kind are likely. Sets c->mode and the dictionary as the choice says. */
cq_status cq_choose_fixed(cq_page_coder *k, cq_colbuf *c, bool chunk_continues, cq_choice *out, cq_err *e) CQ_MUST_CHECK;
/* For byte arrays, whose ids were made as they came. */
cq_status cq_choose_bytes(cq_page_coder *k, cq_colbuf *c, cq_choice *out, cq_err *e) CQ_MUST_CHECK;

/* Width of the indexes of a dictionary of n entries: at least 1. Under zstd whole bytes, because
 * the codec finds repeats only where indexes are aligned; a single entry stays at 1. */
unsigned cq_index_width(cq_codec_kind kind, uint32_t n_entries);

#endif
