/* Little-endian loads and stores, checked narrowing, small integer helpers.
 *
 * Narrowing casts live here and nowhere else: a caller states by the helper's name why the value
 * fits, and debug builds assert it. */
#ifndef CQ_BASE_BYTES_H
#define CQ_BASE_BYTES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ccpq is built for little-endian machines"
#endif

static inline uint16_t cq_load16(const void *p) { uint16_t v; memcpy(&v, p, 2); return v; }
static inline uint32_t cq_load32(const void *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static inline uint64_t cq_load64(const void *p) { uint64_t v; memcpy(&v, p, 8); return v; }
static inline void cq_store16(void *p, uint16_t v) { memcpy(p, &v, 2); }
static inline void cq_store32(void *p, uint32_t v) { memcpy(p, &v, 4); }
static inline void cq_store64(void *p, uint64_t v) { memcpy(p, &v, 8); }

/* The value is known to fit (a cap of limits.h, a checked count). */
static inline uint8_t cq_u8(uint64_t v) { assert(v <= UINT8_MAX); return (uint8_t)v; }
static inline uint16_t cq_u16(uint64_t v) { assert(v <= UINT16_MAX); return (uint16_t)v; }
static inline uint32_t cq_u32(uint64_t v) { assert(v <= UINT32_MAX); return (uint32_t)v; }
static inline int32_t cq_i32(int64_t v) { assert(v >= INT32_MIN && v <= INT32_MAX); return (int32_t)v; }
static inline int64_t cq_i64(uint64_t v) { assert(v <= INT64_MAX); return (int64_t)v; }

/* The low bits are meant: hashes, zigzag, byte extraction, wrap-around arithmetic. */
static inline uint8_t cq_low8(uint64_t v) { return (uint8_t)(v & 0xFFu); }
static inline uint16_t cq_low16(uint64_t v) { return (uint16_t)(v & 0xFFFFu); }
static inline uint32_t cq_low32(uint64_t v) { return (uint32_t)(v & 0xFFFFFFFFu); }
static inline int32_t cq_wrap_i32(uint32_t v) { int32_t r; memcpy(&r, &v, 4); return r; }
static inline int64_t cq_wrap_i64(uint64_t v) { int64_t r; memcpy(&r, &v, 8); return r; }

static inline bool cq_add_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool cq_mul_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_mul_overflow(a, b, out); }

/* Bits needed to hold v: 0 for 0. */
static inline unsigned cq_bit_width64(uint64_t v) { return v ? 64u - (unsigned)__builtin_clzll(v) : 0u; }
static inline unsigned cq_bit_width32(uint32_t v) { return v ? 32u - (unsigned)__builtin_clz(v) : 0u; }

static inline size_t cq_min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t cq_max_size(size_t a, size_t b) { return a > b ? a : b; }
static inline int64_t cq_min_i64(int64_t a, int64_t b) { return a < b ? a : b; }

#endif
