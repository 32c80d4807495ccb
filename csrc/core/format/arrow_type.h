/* Arrow's types, as the schemas of producers state them, and the columns that correspond to them.
 *
 * A producer is not trusted: format strings, metadata and children are checked here. What the C data interface does
 * not tell (how long a string or a buffer is) has to be believed. */
#ifndef CQ_FORMAT_ARROW_TYPE_H
#define CQ_FORMAT_ARROW_TYPE_H

#include "format/arrow_abi.h"
#include "format/schema.h"

/* What the values are; how wide and in which buffers is beside it. */
typedef enum cq_arrow_kind {
    CQ_ARROW_NULL, CQ_ARROW_BOOL, CQ_ARROW_INT, CQ_ARROW_FLOAT, CQ_ARROW_DECIMAL, CQ_ARROW_DATE, CQ_ARROW_TIME, CQ_ARROW_TIMESTAMP,
    CQ_ARROW_STRING, CQ_ARROW_BINARY
} cq_arrow_kind;

typedef enum cq_arrow_layout {
    CQ_ARROW_NO_BUFFERS, CQ_ARROW_BITS, CQ_ARROW_FIXED, CQ_ARROW_OFFSETS32, CQ_ARROW_OFFSETS64, CQ_ARROW_VIEWS
} cq_arrow_layout;

typedef struct cq_arrow_type {
    /* of the values: where dictionary or run ends stand before them, those of the dictionary or the runs */
    cq_arrow_kind kind;
    cq_arrow_layout layout;
    int32_t width;             /* CQ_ARROW_FIXED: bytes of a value, 1 to CQ_MAX_FIXED_BYTES */
    bool is_signed;            /* of integers */
    cq_unit unit;              /* of times and timestamps; CQ_UNIT_MS of a date of 64 bits, CQ_UNIT_NONE of days */
    bool has_zone;             /* of timestamps */
    int32_t precision, scale;  /* of decimals; the scale may be negative */
    bool is_uuid, is_json;     /* extension types that are columns of their own */
    /* how slots find their value: slot -> run -> index -> value */
    bool is_run_end;
    int32_t run_end_width;     /* 2, 4, 8 */
    bool is_dictionary;
    int32_t index_width;       /* 1, 2, 4, 8 */
    bool index_signed;
} cq_arrow_type;

/* CQ_EUNSUPPORTED with advice for types that no column holds (nested, duration, interval, union), CQ_EFORMAT for
 * what breaks the interface, released schemas too. */
cq_status cq_arrow_type_parse(const struct ArrowSchema *s, cq_arrow_type *out, cq_err *e) CQ_MUST_CHECK;

/* "dictionary<int8, string>", "timestamp[us, with zone]": for texts. Returns `buf`. */
#define CQ_ARROW_TEXT_BYTES 96
const char *cq_arrow_type_text(const cq_arrow_type *t, char buf[CQ_ARROW_TEXT_BYTES]);

/* The column that a schema made of this Arrow field has. The name is borrowed from `s`; nullability is the flag's;
 * zones become UTC; dictionaries and run ends give way to their values; the metadata's PARQUET:field_id is kept.
 * CQ_EUNSUPPORTED where there is no such column: a type of nulls, decimals beyond 38 digits or with a negative scale,
 * extension types that say more than their storage does. */
cq_status cq_arrow_to_field(const struct ArrowSchema *s, cq_field_spec *out, cq_err *e) CQ_MUST_CHECK;

/* The strings of the Arrow field that stands for a column. */
typedef struct cq_arrow_field {
    char format[32];
    char metadata[128];        /* in the interface's binary form */
    size_t metadata_bytes;     /* 0: none */
    int64_t flags;
} cq_arrow_field;
void cq_arrow_from_field(const cq_field *f, cq_arrow_field *out);

/* A schema of columns: a struct ("+s") with children, none of them NULL or released. */
cq_status cq_arrow_check_struct(const struct ArrowSchema *s, cq_err *e) CQ_MUST_CHECK;
/* A batch of such a schema: as many children, none of them NULL or released, each with slots for all rows
 * [offset, offset + length) of the batch, none of which is null. A child's own slots follow from column_import.h. */
cq_status cq_arrow_check_batch(const struct ArrowSchema *s, const struct ArrowArray *a, cq_err *e) CQ_MUST_CHECK;

#endif
