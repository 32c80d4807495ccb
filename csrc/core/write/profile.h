/* Profiles: which of the format's younger parts a file may use. Here is only the choice; what follows from it is
 * decided where it is used (encode_choice.c: encodings, page_write.c: pages, writer.c: version). */
#ifndef CQ_WRITE_PROFILE_H
#define CQ_WRITE_PROFILE_H

#include <stdint.h>

/* default: version 1 pages; PLAIN, RLE_DICTIONARY, DELTA_BINARY_PACKED.
 * compat:  the same without DELTA_BINARY_PACKED, for readers of before 2021.
 * modern:  version 2 files and pages, whose values stay raw where the codec does not make them smaller, and
 *          BYTE_STREAM_SPLIT for FLOAT and DOUBLE. */
typedef enum cq_profile { CQ_PROFILE_DEFAULT, CQ_PROFILE_COMPAT, CQ_PROFILE_MODERN } cq_profile;

static inline int32_t cq_profile_version(cq_profile p) { return p == CQ_PROFILE_MODERN ? 2 : 1; }

#endif
