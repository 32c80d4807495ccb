/* Building schemas: see schema.h. Names are kept in one block per field. */
#include "format/schema.h"

#include "base/bytes.h"
#include "base/utf8.h"
#include "format/limits.h"

#include <stdio.h>
#include <stdlib.h>

void cq_schema_init(cq_schema *s, cq_mem *mem)
{
    memset(s, 0, sizeof *s);
    s->mem = mem;
}

static char *name_block(const cq_field *f)
{
    char *p;
    memcpy(&p, &f->name, sizeof p); /* the schema owns it; fields show it as const */
    return p;
}

void cq_schema_reset(cq_schema *s)
{
    for (int32_t i = 0; i < s->n_fields; i++) cq_mem_free(s->mem, name_block(&s->fields[i]), s->fields[i].name_bytes + 1);
    cq_mem_free(s->mem, s->fields, (size_t)s->cap_fields * sizeof *s->fields);
    s->fields = NULL;
    s->n_fields = s->cap_fields = 0;
    s->bytes = 0;
}

static cq_status check_name(const char *name, size_t n, cq_err *e)
{
    if (n == 0) return cq_fail(e, CQ_EARG, "a column name is empty");
    if (n > CQ_MAX_NAME_BYTES) return cq_fail(e, CQ_EARG, "a column name of %zu bytes; at most %d are allowed", n, CQ_MAX_NAME_BYTES);
    if (memchr(name, 0, n)) return cq_fail(e, CQ_EARG, "a column name has a NUL character");
    if (!cq_utf8_valid(name, n)) return cq_fail(e, CQ_EARG, "a column name is not valid UTF-8");
    return CQ_OK;
}

/* Length of the values and decimal digits, as the type has them. */
static cq_status set_parameters(cq_field *f, const cq_field_spec *spec, cq_err *e)
{
    if (f->type == CQ_DECIMAL32 || f->type == CQ_DECIMAL64 || f->type == CQ_DECIMAL128) {
        if (spec->precision < 1 || spec->precision > CQ_MAX_DECIMAL_DIGITS)
            return cq_fail(e, CQ_EARG, "column '%.100s': a decimal has 1 to %d digits, not %d", f->name, CQ_MAX_DECIMAL_DIGITS, (int)spec->precision);
        if (spec->scale < 0 || spec->scale > spec->precision)
            return cq_fail(e, CQ_EARG, "column '%.100s': the scale of a decimal of %d digits is 0 to %d, not %d", f->name, (int)spec->precision,
                           (int)spec->precision, (int)spec->scale);
        f->precision = spec->precision;
        f->scale = spec->scale;
        f->type = cq_type_of_decimal(spec->precision);
        if (f->type == CQ_DECIMAL128) f->fixed_bytes = cq_decimal_bytes(spec->precision);
    } else if (f->type == CQ_FIXED) {
        if (spec->fixed_bytes < 1 || spec->fixed_bytes > CQ_MAX_FIXED_BYTES)
            return cq_fail(e, CQ_EARG, "column '%.100s': a fixed length is 1 to %d bytes, not %d", f->name, CQ_MAX_FIXED_BYTES, (int)spec->fixed_bytes);
        f->fixed_bytes = spec->fixed_bytes;
    } else if (f->type == CQ_UUID) {
        f->fixed_bytes = 16;
    } else if (f->type == CQ_FLOAT16) {
        f->fixed_bytes = 2;
    }
    if (spec->field_id < -1) return cq_fail(e, CQ_EARG, "column '%.100s': a field id is 0 or above, not %d", f->name, (int)spec->field_id);
    f->field_id = spec->field_id;
    return CQ_OK;
}

cq_status cq_schema_add_field(cq_schema *s, const cq_field_spec *spec, cq_err *e)
{
    CQ_TRY(check_name(spec->name, spec->name_bytes, e));
    if (!cq_type_facts(spec->type)) return cq_fail(e, CQ_EARG, "unknown column type %d", (int)spec->type);
    if (s->n_fields >= CQ_MAX_COLUMNS) return cq_fail(e, CQ_EARG, "more than %d columns", CQ_MAX_COLUMNS);
    if (s->n_fields == s->cap_fields) {
        int32_t const cap = s->cap_fields ? s->cap_fields * 2 : 16;
        void *p = cq_mem_resize(s->mem, s->fields, (size_t)s->cap_fields * sizeof *s->fields, (size_t)cap * sizeof *s->fields);
        if (!p) return cq_mem_error(s->mem, "the schema", e);
        s->fields = p;
        s->cap_fields = cap;
    }
    void *copy;
    CQ_TRY(cq_mem_alloc(s->mem, spec->name_bytes + 1, "the schema", &copy, e));
    memcpy(copy, spec->name, spec->name_bytes);
    cq_field f = {.name = copy, .name_bytes = spec->name_bytes, .type = spec->type, .optional = spec->optional, .max_def = spec->optional};
    cq_status const st = set_parameters(&f, spec, e);
    if (st != CQ_OK) {
        cq_mem_free(s->mem, copy, spec->name_bytes + 1);
        return st;
    }
    s->fields[s->n_fields++] = f;
    s->bytes += spec->name_bytes;
    return CQ_OK;
}

cq_status cq_schema_add(cq_schema *s, const char *name, size_t name_bytes, cq_type type, bool optional, cq_err *e)
{
    cq_field_spec const spec = {.name = name, .name_bytes = name_bytes, .type = type, .optional = optional, .field_id = -1};
    return cq_schema_add_field(s, &spec, e);
}

static int by_name(const void *a, const void *b)
{
    const cq_field *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

cq_status cq_schema_check(const cq_schema *s, cq_err *e)
{
    if (s->n_fields == 0) return cq_fail(e, CQ_EARG, "a schema needs at least one column");
    size_t const bytes = (size_t)s->n_fields * sizeof(const cq_field *);
    void *p;
    CQ_TRY(cq_mem_alloc(s->mem, bytes, "the schema", &p, e));
    const cq_field **sorted = p;
    for (int32_t i = 0; i < s->n_fields; i++) sorted[i] = &s->fields[i];
    qsort(p, (size_t)s->n_fields, sizeof *sorted, by_name);
    cq_status st = CQ_OK;
    for (int32_t i = 1; i < s->n_fields && st == CQ_OK; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            st = cq_fail(e, CQ_EARG, "column '%.200s' is there twice", sorted[i]->name);
    cq_mem_free(s->mem, p, bytes);
    return st;
}

cq_status cq_schema_copy(cq_schema *to, const cq_schema *from, cq_err *e)
{
    for (int32_t i = 0; i < from->n_fields; i++) {
        const cq_field *f = &from->fields[i];
        cq_field_spec const spec = {.name = f->name, .name_bytes = f->name_bytes, .type = f->type, .optional = f->optional, .fixed_bytes = f->fixed_bytes,
                                    .precision = f->precision, .scale = f->scale, .field_id = f->field_id};
        cq_status const st = cq_schema_add_field(to, &spec, e);
        if (st != CQ_OK) {
            cq_schema_reset(to);
            return st;
        }
    }
    return CQ_OK;
}

int32_t cq_schema_find(const cq_schema *s, const char *name, size_t name_bytes)
{
    for (int32_t i = 0; i < s->n_fields; i++)
        if (s->fields[i].name_bytes == name_bytes && memcmp(s->fields[i].name, name, name_bytes) == 0) return i;
    return -1;
}

const char *cq_field_type_text(const cq_field *f, char buf[CQ_TYPE_TEXT_BYTES])
{
    static const char *const units[] = {[CQ_UNIT_NONE] = "", [CQ_UNIT_S] = "s", [CQ_UNIT_MS] = "ms", [CQ_UNIT_US] = "us", [CQ_UNIT_NS] = "ns"};
    const cq_type_info *info = cq_type_facts(f->type);
    if (info->logical == CQ_PQ_LOGICAL_DECIMAL)
        (void)snprintf(buf, CQ_TYPE_TEXT_BYTES, "decimal(%d, %d)", (int)f->precision, (int)f->scale);
    else if (f->type == CQ_FIXED)
        (void)snprintf(buf, CQ_TYPE_TEXT_BYTES, "binary[%d]", (int)f->fixed_bytes);
    else if (info->unit != CQ_UNIT_NONE)
        (void)snprintf(buf, CQ_TYPE_TEXT_BYTES, "%s[%s%s]", info->logical == CQ_PQ_LOGICAL_TIME ? "time" : "timestamp", units[info->unit], info->utc ? ", UTC" : "");
    else
        (void)snprintf(buf, CQ_TYPE_TEXT_BYTES, "%s", info->name);
    return buf;
}
