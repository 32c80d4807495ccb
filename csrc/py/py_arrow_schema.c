/* Schemas through Arrow PyCapsules, both ways: module functions that the package's Schema is built on. */
#include "py_arrow.h"
#include "py_errors.h"
#include "py_schema.h"

#include "format/arrow_type.h"

#include <string.h>

/* -- in ------------------------------------------------------------------------------------------ */

/* (name, type as text, nullable) of one Arrow field. */
static PyObject *field_of(core_state *st, cq_schema *scratch, const struct ArrowSchema *s)
{
    cq_field_spec spec;
    cq_err e;
    cq_err_clear(&e);
    const char *name = s->name ? s->name : "";
    cq_status status = cq_arrow_to_field(s, &spec, &e);
    if (status == CQ_OK && spec.name_bytes == 0) { /* a type alone has no name */
        spec.name = "_";
        spec.name_bytes = 1;
    }
    if (status == CQ_OK) status = cq_schema_add_field(scratch, &spec, &e);
    if (status != CQ_OK) {
        PyObject *type = status == CQ_EUNSUPPORTED ? st->UnsupportedError : status == CQ_EFORMAT ? st->FormatError : st->SchemaError;
        PyObject *text = PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "surrogateescape"), *shown = text ? py_value_text(st, text) : NULL;
        if (shown) PyErr_Format(type, *name ? "column %U: %s" : "%.0U%s", shown, e.msg);
        Py_XDECREF(shown);
        Py_XDECREF(text);
        return NULL;
    }
    char text[CQ_TYPE_TEXT_BYTES];
    const cq_field *f = &scratch->fields[scratch->n_fields - 1];
    return Py_BuildValue("(ssO)", name, cq_field_type_text(f, text), f->optional ? Py_True : Py_False);
}

/* The columns of a struct schema, or the one that a type or field is. */
static PyObject *fields_of(core_state *st, const struct ArrowSchema *s, bool one)
{
    cq_mem mem;
    cq_schema scratch;
    cq_err e;
    cq_err_clear(&e);
    if (!one && cq_arrow_check_struct(s, &e) != CQ_OK) return py_raise(st, &e, NULL, NULL);
    cq_mem_init(&mem, NULL, UINT64_C(256) << 20);
    cq_schema_init(&scratch, &mem);
    PyObject *r = one ? field_of(st, &scratch, s) : PyList_New(0);
    for (int64_t i = 0; r && !one && i < s->n_children; i++) {
        PyObject *field = field_of(st, &scratch, s->children[i]);
        if (!field || PyList_Append(r, field) < 0) Py_CLEAR(r);
        Py_XDECREF(field);
    }
    cq_schema_reset(&scratch);
    cq_mem_close(&mem);
    return r;
}

/* The schema of a capsule, borrowed. */
static const struct ArrowSchema *borrow(PyObject *capsule)
{
    struct ArrowSchema *s = PyCapsule_IsValid(capsule, "arrow_schema") ? PyCapsule_GetPointer(capsule, "arrow_schema") : NULL;
    if (s && s->release) return s;
    PyErr_SetString(s ? PyExc_ValueError : PyExc_TypeError, s ? "the Arrow schema was consumed before" : "an Arrow capsule 'arrow_schema' is needed");
    return NULL;
}

PyObject *arrow_schema_fields(PyObject *module, PyObject *capsule)
{
    const struct ArrowSchema *s = borrow(capsule);
    return s ? fields_of(py_state(module), s, false) : NULL;
}

PyObject *arrow_schema_field(PyObject *module, PyObject *capsule)
{
    const struct ArrowSchema *s = borrow(capsule);
    return s ? fields_of(py_state(module), s, true) : NULL;
}

/* The stream stays in its capsule, unread: it can be written afterwards. */
PyObject *arrow_stream_schema(PyObject *module, PyObject *object)
{
    core_state *st = py_state(module);
    PyObject *capsule = PyObject_CallMethod(object, "__arrow_c_stream__", NULL), *r = NULL;
    if (!capsule) return NULL;
    struct ArrowSchema s;
    memset(&s, 0, sizeof s);
    if (arrow_peek_schema(st, capsule, &s) == 0) r = fields_of(st, &s, false);
    arrow_release_schema(&s);
    Py_DECREF(capsule);
    return r;
}

/* -- out ----------------------------------------------------------------------------------------- */

/* A consumer may release from any thread, without the interpreter: raw memory only. */

typedef struct owned_field {
    cq_arrow_field strings;
    char name[];
} owned_field;

static void release_field(struct ArrowSchema *s)
{
    PyMem_RawFree(s->private_data);
    s->release = NULL;
}

static void release_struct(struct ArrowSchema *s)
{
    for (int64_t i = 0; i < s->n_children; i++) {
        struct ArrowSchema *child = s->children[i];
        if (child && child->release) child->release(child);
        PyMem_RawFree(child);
    }
    PyMem_RawFree(s->children);
    s->release = NULL;
}

static struct ArrowSchema *new_field(const cq_field *f)
{
    struct ArrowSchema *s = PyMem_RawCalloc(1, sizeof *s);
    owned_field *own = s ? PyMem_RawCalloc(1, sizeof *own + f->name_bytes + 1) : NULL;
    if (!own) {
        PyMem_RawFree(s);
        return NULL;
    }
    cq_arrow_from_field(f, &own->strings);
    memcpy(own->name, f->name, f->name_bytes);
    s->format = own->strings.format;
    s->name = own->name;
    s->metadata = own->strings.metadata_bytes ? own->strings.metadata : NULL;
    s->flags = own->strings.flags;
    s->release = release_field;
    s->private_data = own;
    return s;
}

static bool fill_struct(struct ArrowSchema *s, const cq_schema *schema)
{
    s->format = "+s";
    s->name = "";
    s->release = release_struct;
    s->children = PyMem_RawCalloc((size_t)schema->n_fields, sizeof *s->children);
    if (!s->children) return false;
    for (; s->n_children < schema->n_fields; s->n_children++)
        if (!(s->children[s->n_children] = new_field(&schema->fields[s->n_children]))) return false;
    return true;
}

static void free_capsule(PyObject *capsule)
{
    if (!PyCapsule_IsValid(capsule, "arrow_schema")) return; /* renamed: whoever did that has taken it over */
    struct ArrowSchema *s = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (s->release) s->release(s);
    PyMem_RawFree(s);
}

PyObject *make_arrow_schema(PyObject *module, PyObject *fields)
{
    cq_mem mem;
    cq_schema schema;
    PyObject *capsule = NULL;
    cq_mem_init(&mem, NULL, UINT64_C(256) << 20);
    cq_schema_init(&schema, &mem);
    if (py_schema_fill(py_state(module), &schema, fields, NULL, NULL) == 0) {
        struct ArrowSchema *s = PyMem_RawCalloc(1, sizeof *s);
        bool const made = s && fill_struct(s, &schema);
        if (!made) PyErr_NoMemory();
        if (made) capsule = PyCapsule_New(s, "arrow_schema", free_capsule);
        if (!capsule && s) {
            if (s->release) s->release(s);
            PyMem_RawFree(s);
        }
    }
    cq_schema_reset(&schema);
    cq_mem_close(&mem);
    return capsule;
}
