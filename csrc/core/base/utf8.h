/* UTF-8 well-formedness (no surrogates, no overlong forms, at most U+10FFFF). */
#ifndef CQ_BASE_UTF8_H
#define CQ_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The number of leading bytes that form whole valid characters; n when all is valid. */
size_t cq_utf8_valid_prefix(const void *p, size_t n);
static inline bool cq_utf8_valid(const void *p, size_t n) { return cq_utf8_valid_prefix(p, n) == n; }

#endif
