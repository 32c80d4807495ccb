/* CRC-32 (IEEE 802.3, as in gzip and the Parquet page header) and XXH64.
 *
 * Both are part of file formats, so they are ours and never a library's. The fast paths give the
 * same results as the plain twins kept in checksum.c, which the tests compare. */
#ifndef CQ_BASE_CHECKSUM_H
#define CQ_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC of `n` bytes that follow bytes with CRC `crc`; start with 0. */
uint32_t cq_crc32(uint32_t crc, const void *p, size_t n);
/* The portable twin, by tables. */
uint32_t cq_crc32_plain(uint32_t crc, const void *p, size_t n);

uint64_t cq_xxh64(const void *p, size_t n, uint64_t seed);

/* XXH64 over a stream of pieces. */
typedef struct cq_xxh64_state {
    uint64_t acc[4], seed, total;
    uint8_t tail[32];
    size_t n_tail;
} cq_xxh64_state;
void cq_xxh64_init(cq_xxh64_state *s, uint64_t seed);
void cq_xxh64_update(cq_xxh64_state *s, const void *p, size_t n);
uint64_t cq_xxh64_digest(const cq_xxh64_state *s);

#endif
