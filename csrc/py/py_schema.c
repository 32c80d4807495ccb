/* Fields as the package gives them, tuples of names and numbers, into a schema of the core. */
#include "py_schema.h"

#include "py_errors.h"

#include "base/bytes.h"

#include <string.h>

/* "decimal" is found as the first of its three types: the precision decides. */
static int find_type(PyObject *name, cq_type *out)
{
    for (int i = 0; i < CQ_N_TYPES; i++) {
        if (PyUnicode_CompareWithASCIIString(name, cq_type_facts((cq_type)i)->name) != 0) continue;
        *out = (cq_type)i;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "the writer has no column type %R", name);
    return -1;
}

static int schema_error(core_state *st, const cq_err *e)
{
    if (e->code == CQ_EARG)
        PyErr_SetString(st->SchemaError, e->msg);
    else
        (void)py_raise(st, e, NULL, NULL);
    return -1;
}

/* An int or None; -1 for None. */
static int field_id(PyObject *ids, Py_ssize_t i, int32_t *out)
{
    *out = -1;
    PyObject *id = ids ? PyTuple_GET_ITEM(ids, i) : Py_None;
    if (id == Py_None) return 0;
    long n = PyLong_AsLong(id);
    if (n == -1 && PyErr_Occurred()) return -1;
    if (n < 0 || n > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "a field id is between 0 and 2147483647");
        return -1;
    }
    *out = cq_i32(n);
    return 0;
}

/* One (name, type name, optional, a, b, members): a is the length of "fixed" or the precision of "decimal", b the scale;
 * members says whether a text column takes members of an Enum. */
static int add_field(core_state *st, cq_schema *schema, PyObject *field, PyObject *ids, Py_ssize_t i, bool *takes_members)
{
    PyObject *name, *type_name;
    int optional, a = 0, b = 0, members = 0;
    cq_field_spec spec;
    cq_err e;
    memset(&spec, 0, sizeof spec);
    if (!PyTuple_Check(field)) {
        PyErr_SetString(PyExc_TypeError, "a field is a tuple (name, type, optional, a, b, members)");
        return -1;
    }
    if (!PyArg_ParseTuple(field, "UUp|iip:field", &name, &type_name, &optional, &a, &b, &members)) return -1;
    if (takes_members) *takes_members = members != 0;
    if (find_type(type_name, &spec.type) < 0 || field_id(ids, i, &spec.field_id) < 0) return -1;
    PyObject *utf8 = PyUnicode_AsUTF8String(name);
    if (!utf8) return -1;
    spec.name = PyBytes_AS_STRING(utf8);
    spec.name_bytes = (size_t)PyBytes_GET_SIZE(utf8);
    spec.optional = optional != 0;
    spec.fixed_bytes = spec.precision = a;
    spec.scale = b;
    cq_status s = cq_schema_add_field(schema, &spec, &e);
    Py_DECREF(utf8);
    return s == CQ_OK ? 0 : schema_error(st, &e);
}

int py_schema_fill(core_state *st, cq_schema *schema, PyObject *fields, PyObject *field_ids, bool **takes_members)
{
    /* Tuples of our own: truth values of the caller's objects are asked on the way, and could change a list. */
    PyObject *list = PySequence_Tuple(fields), *ids = NULL;
    if (!list) return -1;
    Py_ssize_t const n = PyTuple_GET_SIZE(list);
    int r = 0;
    if (takes_members && !(*takes_members = PyMem_Calloc((size_t)n + 1, sizeof **takes_members))) r = (PyErr_NoMemory(), -1);
    if (r == 0 && field_ids && field_ids != Py_None) {
        ids = PySequence_Tuple(field_ids);
        r = ids ? 0 : -1;
        if (ids && PyTuple_GET_SIZE(ids) != n) {
            PyErr_SetString(PyExc_ValueError, "field_ids needs an id or None for every field");
            r = -1;
        }
    }
    for (Py_ssize_t i = 0; r == 0 && i < n; i++)
        r = add_field(st, schema, PyTuple_GET_ITEM(list, i), ids, i, takes_members ? &(*takes_members)[i] : NULL);
    Py_XDECREF(ids);
    Py_DECREF(list);
    cq_err e;
    if (r == 0 && cq_schema_check(schema, &e) != CQ_OK) r = schema_error(st, &e);
    return r;
}
