/* A schema of flat columns: names, types, optional or required. Immutable once built; names are
 * copied. Levels follow from it: max definition level 1 for optional leaves, 0 for required ones;
 * max repetition level 0 (nested types raise both). */
#ifndef CQ_FORMAT_SCHEMA_H
#define CQ_FORMAT_SCHEMA_H

#include "base/buf.h"
#include "format/types.h"

typedef struct cq_field {
    const char *name; /* UTF-8, NUL-terminated, owned by the schema */
    size_t name_bytes;
    cq_type type;
    bool optional;
    uint8_t max_def, max_rep;
    int32_t fixed_bytes;      /* fixed-length byte arrays: length of every value; 0 otherwise */
    int32_t precision, scale; /* decimals; 0 otherwise */
    int32_t field_id;         /* -1: none */
} cq_field;

/* What a field is made of. `fixed_bytes` is for CQ_FIXED; the precision decides which of the three decimal types it is,
 * whichever is given. Parameters that the type does not have are not looked at. */
typedef struct cq_field_spec {
    const char *name;
    size_t name_bytes;
    cq_type type;
    bool optional;
    int32_t fixed_bytes, precision, scale;
    int32_t field_id;         /* 0 and above; -1: none */
} cq_field_spec;

typedef struct cq_schema {
    cq_mem *mem;
    cq_field *fields;
    int32_t n_fields, cap_fields;
    size_t bytes; /* of all names */
} cq_schema;

void cq_schema_init(cq_schema *s, cq_mem *mem);
void cq_schema_reset(cq_schema *s);
/* CQ_EARG for an empty, duplicate, too long or ill-formed name (no NUL, valid UTF-8), and for parameters out of range:
 * 1 to CQ_MAX_FIXED_BYTES bytes, 1 to 38 digits, a scale of 0 to the precision. Duplicates are found by
 * cq_schema_check, once for all fields. */
cq_status cq_schema_add_field(cq_schema *s, const cq_field_spec *f, cq_err *e) CQ_MUST_CHECK;
/* The same for types without parameters. */
cq_status cq_schema_add(cq_schema *s, const char *name, size_t name_bytes, cq_type type, bool optional, cq_err *e) CQ_MUST_CHECK;
/* At least one field, no name twice. */
cq_status cq_schema_check(const cq_schema *s, cq_err *e) CQ_MUST_CHECK;
/* A copy on another budget. */
cq_status cq_schema_copy(cq_schema *to, const cq_schema *from, cq_err *e) CQ_MUST_CHECK;
/* -1: no such field. */
int32_t cq_schema_find(const cq_schema *s, const char *name, size_t name_bytes);

/* The type as users write it, without the mark of optional ones: "decimal(12, 2)", "binary[16]", "timestamp[us, UTC]".
 * Returns `buf`. */
#define CQ_TYPE_TEXT_BYTES 48
const char *cq_field_type_text(const cq_field *f, char buf[CQ_TYPE_TEXT_BYTES]);

#endif
