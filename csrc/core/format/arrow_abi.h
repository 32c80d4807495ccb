/* The structs of the Arrow C data interface and the C stream interface, as their specification gives them:
 * https://arrow.apache.org/docs/format/CDataInterface.html. Other headers may define them too, under the same guards. */
#ifndef CQ_FORMAT_ARROW_ABI_H
#define CQ_FORMAT_ARROW_ABI_H

#include <stdint.h>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;   /* the type */
    const char *name;     /* UTF-8; NULL is "" */
    const char *metadata; /* int32 number of pairs, then each int32 length and bytes of key and value; may be NULL */
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary; /* of the values; `format` is then the index's */
    void (*release)(struct ArrowSchema *);  /* NULL: released */
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count; /* null_count -1: not counted */
    int64_t offset;             /* slots before the first one, in every buffer */
    int64_t n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out); /* 0 or an errno value */
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);    /* released array: the end */
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

#endif
