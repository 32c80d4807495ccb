/* Rows by position (tuple, list, NamedTuple by its field names) and by key (dict, any mapping).
 *
 * A mapping's values are put in the order of its keys. That every column has exactly one value is
 * seen from the builders: one slot more than the committed ones. */
#include "py_rows.h"

#include "py_errors.h"

#include <string.h>

enum { IDENTS_PER_COLUMN = 64, IDENTS_IN_ALL = 1024 };

static inline bool has_value(const column *c) { return c->buf->n_slots != c->buf->n_committed; }

/* Only a converter that has run user code can have made `v` invalid; it then holds the value. */
static conv_result fail_at(table *t, int32_t i, PyObject *v, conv_result r)
{
    PyObject *value = t->x.held ? t->x.held : Py_NewRef(v);
    t->x.held = NULL;
    t->failed_column = i;
    Py_XSETREF(t->failed_value, value);
    return r;
}

static conv_result fail_row(table *t, PyObject *row, conv_result r) { return fail_at(t, -1, row, r); }

/* -- a table's life ---------------------------------------------------------------------------- */

/* String columns share a bounded pool, so that a thousand columns hold no more strings than ten. */
static int make_pool(table *t)
{
    size_t n_strings = 0;
    for (int32_t i = 0; i < t->n; i++) n_strings += t->columns[i].type == CQ_STRING;
    if (n_strings == 0 || n_strings > IDENTS_IN_ALL) return 0;
    size_t each = IDENTS_PER_COLUMN;
    while (each * n_strings > IDENTS_IN_ALL) each /= 2;
    t->pool = PyMem_Calloc(each * n_strings, sizeof *t->pool);
    if (!t->pool) {
        PyErr_NoMemory();
        return -1;
    }
    t->n_pool = each * n_strings;
    ident *next = t->pool;
    for (int32_t i = 0; i < t->n; i++) {
        if (t->columns[i].type != CQ_STRING) continue;
        t->columns[i].idents = next;
        t->columns[i].idents_mask = each - 1;
        next += each;
    }
    return 0;
}

static int make_column(table *t, cq_writer *w, int32_t i)
{
    const cq_field *f = &cq_writer_schema(w)->fields[i];
    column *c = &t->columns[i];
    PyObject *name = PyUnicode_DecodeUTF8(f->name, (Py_ssize_t)f->name_bytes, "strict");
    if (!name) return -1;
    PyUnicode_InternInPlace(&name);
    c->name = name;
    c->type = f->type;
    c->optional = f->optional;
    c->convert = convert_for(f->type);
    if (!c->convert) {
        char text[CQ_TYPE_TEXT_BYTES];
        PyErr_Format(t->x.st->UnsupportedError, "column %R: rows of type %s cannot be converted yet", name, cq_field_type_text(f, text));
        return -1;
    }
    c->buf = cq_writer_column(w, i);
    PyTuple_SET_ITEM(t->names, i, Py_NewRef(name));
    PyObject *number = PyLong_FromLong(i);
    if (!number) return -1;
    int r = PyDict_SetItem(t->index, name, number);
    Py_DECREF(number);
    return r;
}

int table_init(table *t, core_state *st, cq_writer *w)
{
    int32_t n = cq_writer_schema(w)->n_fields;
    size_t size = (size_t)n;
    t->x.st = st;
    t->failed_column = -1;
    t->columns = PyMem_Calloc(size, sizeof *t->columns);
    t->keys = PyMem_Calloc(size, sizeof *t->keys);
    t->key_column = PyMem_Calloc(size, sizeof *t->key_column);
    if (!t->columns || !t->keys || !t->key_column) {
        PyErr_NoMemory();
        return -1;
    }
    t->n = n;
    t->names = PyTuple_New(n);
    t->index = PyDict_New();
    if (!t->names || !t->index) return -1;
    for (int32_t i = 0; i < n; i++)
        if (make_column(t, w, i) < 0) return -1;
    return make_pool(t);
}

int table_traverse(table *t, visitproc visit, void *arg)
{
    for (int32_t i = 0; i < t->n; i++) Py_VISIT(t->columns[i].name);
    for (size_t i = 0; i < t->n_pool; i++) Py_VISIT(t->pool[i].object);
    if (t->keys)
        for (int32_t i = 0; i < t->n; i++) Py_VISIT(t->keys[i]);
    Py_VISIT(t->names);
    Py_VISIT(t->index);
    Py_VISIT(t->named_type);
    Py_VISIT(t->failed_value);
    Py_VISIT(t->x.refused_text);
    Py_VISIT(t->x.held);
    return 0;
}

void table_drop_idents(table *t)
{
    for (size_t i = 0; i < t->n_pool; i++) Py_CLEAR(t->pool[i].object);
}

void table_clear(table *t)
{
    table_drop_idents(t);
    Py_CLEAR(t->named_type);
    Py_CLEAR(t->failed_value);
    Py_CLEAR(t->x.refused_text);
    Py_CLEAR(t->x.held);
    Py_CLEAR(t->names);
    Py_CLEAR(t->index);
    if (t->keys)
        for (int32_t i = 0; i < t->n; i++) Py_CLEAR(t->keys[i]);
    for (int32_t i = 0; i < t->n; i++) Py_CLEAR(t->columns[i].name);
    layout_clear(&t->named);
    PyMem_Free(t->pool);
    PyMem_Free(t->columns);
    PyMem_Free(t->keys);
    PyMem_Free(t->key_column);
    memset(t, 0, sizeof *t);
}

void table_row_aborted(table *t)
{
    for (int32_t i = 0; i < t->n; i++) convert_row_aborted(&t->columns[i]);
}

/* -- layouts ----------------------------------------------------------------------------------- */

void layout_clear(layout *l)
{
    PyMem_Free(l->column_of);
    PyMem_Free(l->absent);
    memset(l, 0, sizeof *l);
}

/* The column of a name: -1 unknown, -2 with an exception pending. */
static int32_t find_column(const table *t, PyObject *name)
{
    PyObject *number = PyDict_GetItemWithError(t->index, name);
    if (!number) return PyErr_Occurred() ? -2 : -1;
    return cq_i32(PyLong_AsLong(number));
}

static conv_result refuse_unknown(table *t, PyObject *name)
{
    PyObject *hint = py_did_you_mean(name, t->names), *text = hint ? py_value_text(t->x.st, name) : NULL;
    conv_result r = text ? convert_refuse(&t->x, t->x.st->RowValueError, "there is no column %U%U", text, hint) : CONV_RAISED;
    Py_XDECREF(hint);
    Py_XDECREF(text);
    return r;
}

static conv_result fill_layout(table *t, PyObject *names, layout *l)
{
    conv_result r = CONV_OK;
    uint8_t *seen = PyMem_Calloc((size_t)t->n, 1);
    if (!seen) return PyErr_NoMemory(), CONV_RAISED;
    for (Py_ssize_t k = 0; r == CONV_OK && k < l->n; k++) {
        PyObject *name = PyTuple_GET_ITEM(names, k);
        int32_t i = find_column(t, name);
        if (i == -2)
            r = CONV_RAISED;
        else if (i < 0)
            r = refuse_unknown(t, name);
        else if (seen[i])
            r = convert_refuse(&t->x, t->x.st->RowValueError, "column %R is given twice", name);
        else
            seen[l->column_of[k] = i] = 1;
    }
    for (int32_t i = 0; r == CONV_OK && i < t->n; i++) {
        if (seen[i]) continue;
        if (t->columns[i].optional)
            l->absent[l->n_absent++] = i;
        else
            r = convert_refuse(&t->x, t->x.st->RowValueError,
                               "the required column %R is missing; declare it '%s?' to allow nulls", t->columns[i].name,
                               cq_type_facts(t->columns[i].type)->name);
    }
    PyMem_Free(seen);
    return r;
}

conv_result layout_make(table *t, PyObject *names, layout *out)
{
    memset(out, 0, sizeof *out);
    PyObject *tuple = PySequence_Tuple(names);
    if (!tuple) return CONV_RAISED;
    conv_result r = CONV_RAISED;
    out->n = PyTuple_GET_SIZE(tuple);
    out->column_of = PyMem_Calloc((size_t)out->n + 1, sizeof *out->column_of);
    out->absent = PyMem_Calloc((size_t)t->n, sizeof *out->absent);
    if (out->column_of && out->absent)
        r = fill_layout(t, tuple, out);
    else
        PyErr_NoMemory();
    Py_DECREF(tuple);
    if (r != CONV_OK) layout_clear(out);
    return r;
}

/* -- by position ------------------------------------------------------------------------------- */

static conv_result refuse_length(table *t, PyObject *row, Py_ssize_t n, Py_ssize_t wanted)
{
    return fail_row(t, row, convert_refuse(&t->x, t->x.st->RowValueError, "%zd values in the row, %zd are needed", n, wanted));
}

static conv_result put_absent(table *t, const layout *l)
{
    for (int32_t k = 0; k < l->n_absent; k++) {
        int32_t i = l->absent[k];
        conv_result r = convert_null(&t->x, &t->columns[i], Py_None);
        if (r != CONV_OK) return fail_at(t, i, Py_None, r);
    }
    return CONV_OK;
}

/* A tuple keeps its items alive, whatever user code does. */
static conv_result put_tuple(table *t, PyObject *row)
{
    if (PY_UNLIKELY(PyTuple_GET_SIZE(row) != t->n)) return refuse_length(t, row, PyTuple_GET_SIZE(row), t->n);
    column *c = t->columns;
    for (int32_t i = 0; i < t->n; i++, c++) {
        PyObject *v = PyTuple_GET_ITEM(row, i);
        conv_result r = c->convert(&t->x, c, v);
        if (PY_UNLIKELY(r != CONV_OK)) return fail_at(t, i, v, r);
    }
    return CONV_OK;
}

static conv_result put_tuple_as(table *t, PyObject *row, const layout *l)
{
    if (PyTuple_GET_SIZE(row) != l->n) return refuse_length(t, row, PyTuple_GET_SIZE(row), l->n);
    for (Py_ssize_t k = 0; k < l->n; k++) {
        PyObject *v = PyTuple_GET_ITEM(row, k);
        column *c = &t->columns[l->column_of[k]];
        conv_result r = c->convert(&t->x, c, v);
        if (PY_UNLIKELY(r != CONV_OK)) return fail_at(t, l->column_of[k], v, r);
    }
    return put_absent(t, l);
}

/* A list may be changed by user code while it is read. */
static conv_result put_list(table *t, PyObject *row, const layout *l)
{
    Py_ssize_t wanted = l ? l->n : t->n;
    if (PyList_GET_SIZE(row) != wanted) return refuse_length(t, row, PyList_GET_SIZE(row), wanted);
    for (Py_ssize_t k = 0; k < wanted; k++) {
        if (k >= PyList_GET_SIZE(row)) return refuse_length(t, row, PyList_GET_SIZE(row), wanted);
        int32_t i = l ? l->column_of[k] : cq_i32(k);
        column *c = &t->columns[i];
        PyObject *v = PyList_GET_ITEM(row, k);
        conv_result r = c->convert(&t->x, c, v);
        if (PY_UNLIKELY(r != CONV_OK)) return fail_at(t, i, v, r);
    }
    return l ? put_absent(t, l) : CONV_OK;
}

/* -- by key ------------------------------------------------------------------------------------ */

/* The first few keys that are no columns, as text; nothing is put after this. */
static conv_result refuse_keys(table *t, PyObject *row, PyObject *keys)
{
    PyObject *first = NULL, *list = PyUnicode_FromString(""), *hint = NULL;
    conv_result r = CONV_RAISED;
    Py_ssize_t n_unknown = 0;
    for (Py_ssize_t k = 0; list && k < PyList_GET_SIZE(keys); k++) {
        PyObject *key = PyList_GET_ITEM(keys, k);
        int32_t i = find_column(t, key);
        if (i == -2) goto done;
        if (i >= 0) continue;
        if (!first) first = key;
        if (n_unknown++ >= 3) continue;
        PyObject *text = py_value_text(t->x.st, key);
        if (!text) goto done;
        Py_XSETREF(list, PyUnicode_FromFormat("%U%s%U", list, n_unknown > 1 ? ", " : "", text));
        Py_DECREF(text);
    }
    if (!list || !first) goto done;
    hint = n_unknown == 1 ? py_did_you_mean(first, t->names) : PyUnicode_FromString("");
    if (!hint) goto done;
    r = convert_refuse(&t->x, t->x.st->RowValueError, "unknown key%s %U%s%U", n_unknown > 1 ? "s" : "", list,
                       n_unknown > 3 ? ", ..." : "", hint);
done:
    if (r == CONV_RAISED && !PyErr_Occurred()) r = convert_refuse(&t->x, t->x.st->RowValueError, "the row changed while it was read");
    Py_XDECREF(list);
    Py_XDECREF(hint);
    return fail_row(t, row, r);
}

static conv_result refuse_dict_keys(table *t, PyObject *row)
{
    PyObject *keys = PyDict_Keys(row);
    if (!keys) return CONV_RAISED;
    conv_result r = refuse_keys(t, row, keys);
    Py_DECREF(keys);
    return r;
}

/* Columns that no key gave. */
static conv_result put_missing(table *t)
{
    for (int32_t i = 0; i < t->n; i++) {
        column *c = &t->columns[i];
        if (has_value(c)) continue;
        conv_result r = c->optional
            ? convert_null(&t->x, c, Py_None)
            : convert_refuse(&t->x, t->x.st->RowValueError, "the key is missing; declare the column '%s?' to allow that",
                             cq_type_facts(c->type)->name);
        if (r != CONV_OK) return fail_at(t, i, Py_None, r);
    }
    return CONV_OK;
}

static conv_result put_pair(table *t, int32_t i, PyObject *v)
{
    column *c = &t->columns[i];
    if (PY_UNLIKELY(has_value(c)))
        return fail_at(t, i, v, convert_refuse(&t->x, t->x.st->RowValueError, "the row gives this column twice"));
    conv_result r = c->convert(&t->x, c, v);
    return PY_LIKELY(r == CONV_OK) ? CONV_OK : fail_at(t, i, v, r);
}

/* A key that is not the object seen at its place last. Comparing keys may run user code: key and
 * value are held. */
__attribute__((noinline)) static conv_result put_found(table *t, PyObject *row, Py_ssize_t k, PyObject *key, PyObject *v)
{
    if (k < t->n && t->keys[k] && convert_same_text(key, t->columns[t->key_column[k]].name))
        return put_pair(t, t->key_column[k], v);
    Py_INCREF(key);
    Py_INCREF(v);
    int32_t i = find_column(t, key);
    conv_result r = i == -2 ? CONV_RAISED : i < 0 ? refuse_dict_keys(t, row) : put_pair(t, i, v);
    if (i >= 0 && k < t->n && PyUnicode_CheckExact(key)) {
        t->key_column[k] = i;
        Py_XSETREF(t->keys[k], Py_NewRef(key));
    }
    Py_DECREF(key);
    Py_DECREF(v);
    return r;
}

/* User code may change the dict meanwhile: a column that gets a second value or none is noticed. */
static conv_result put_dict(table *t, PyObject *row)
{
    Py_ssize_t pos = 0, k = 0;
    PyObject *key, *v;
    while (PyDict_Next(row, &pos, &key, &v)) {
        conv_result r = PY_LIKELY(k < t->n && t->keys[k] == key) ? put_pair(t, t->key_column[k], v) : put_found(t, row, k, key, v);
        if (PY_UNLIKELY(r != CONV_OK)) return r;
        k++;
    }
    return k == t->n ? CONV_OK : put_missing(t);
}

static conv_result put_mapping(table *t, PyObject *row)
{
    PyObject *keys = PyMapping_Keys(row);
    if (!keys) return CONV_RAISED;
    conv_result r = CONV_OK;
    for (Py_ssize_t k = 0; r == CONV_OK && k < PyList_GET_SIZE(keys); k++) {
        int32_t i = find_column(t, PyList_GET_ITEM(keys, k));
        PyObject *v = NULL;
        if (i >= 0 && !(v = PyObject_GetItem(row, PyList_GET_ITEM(keys, k)))) i = -2;
        r = i >= 0 ? put_pair(t, i, v) : i == -2 ? CONV_RAISED : refuse_keys(t, row, keys);
        Py_XDECREF(v);
    }
    Py_DECREF(keys);
    return r == CONV_OK ? put_missing(t) : r;
}

/* -- everything else --------------------------------------------------------------------------- */

/* Whether an attribute is there; exceptions but AttributeError stay pending (-1). */
static int has_attribute(PyObject *v, const char *name)
{
    PyObject *a = py_attribute(v, name);
    Py_XDECREF(a);
    return a ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* The layout of a tuple subclass with `_fields`, resolved once per class. */
static conv_result put_named(table *t, PyObject *row)
{
    PyObject *tp = (PyObject *)Py_TYPE(row);
    if (t->named_type != tp) {
        PyObject *fields = py_attribute(tp, "_fields");
        if (!fields) return PyErr_Occurred() ? CONV_RAISED : put_tuple(t, row);
        layout fresh;
        conv_result r = layout_make(t, fields, &fresh);
        Py_DECREF(fields);
        if (r != CONV_OK) return fail_row(t, row, r);
        layout_clear(&t->named);
        t->named = fresh;
        Py_XSETREF(t->named_type, Py_NewRef(tp));
    }
    return put_tuple_as(t, row, &t->named);
}

static conv_result refuse_row(table *t, PyObject *row)
{
    const char *advice = "rows are tuples, lists or mappings";
    int is_dataclass = has_attribute(row, "__dataclass_fields__");
    if (is_dataclass < 0) return CONV_RAISED;
    if (PyUnicode_Check(row) || PyBytes_Check(row) || PyByteArray_Check(row))
        advice = "is it a file, or a list of names, that is iterated? Rows are tuples, lists or mappings";
    else if (is_dataclass)
        advice = "write vars(row), or dataclasses.astuple(row)";
    else if (PyIter_Check(row))
        advice = "an iterator is not a row; write tuple(row)";
    PyObject *text = py_value_text(t->x.st, row);
    if (!text) return CONV_RAISED;
    conv_result r = convert_refuse(&t->x, t->x.st->RowTypeError, "%U (%.100s) is not a row: %s", text, Py_TYPE(row)->tp_name, advice);
    Py_DECREF(text);
    return fail_row(t, row, r);
}

__attribute__((noinline)) static conv_result put_uncommon(table *t, PyObject *row, const layout *given)
{
    PyTypeObject *tp = Py_TYPE(row);
    if (PyTuple_Check(row)) {
        int named = given ? 0 : has_attribute((PyObject *)tp, "_fields");
        if (named < 0) return CONV_RAISED;
        return named ? put_named(t, row) : given ? put_tuple_as(t, row, given) : put_tuple(t, row);
    }
    if (PyList_Check(row)) return put_list(t, row, given);
    if (PyUnicode_Check(row) || PyBytes_Check(row)) return refuse_row(t, row);
    /* A subclass that defines its own look-up is asked; defaultdict is not, it would grow. */
    if (PyDict_Check(row) && tp->tp_as_mapping->mp_subscript == PyDict_Type.tp_as_mapping->mp_subscript) return put_dict(t, row);
    if (PyMapping_Check(row)) {
        int keys = has_attribute(row, "keys");
        if (keys < 0) return CONV_RAISED;
        if (keys) return put_mapping(t, row);
    }
    return refuse_row(t, row);
}

conv_result table_put(table *t, PyObject *row, const layout *given)
{
    if (PY_LIKELY(PyTuple_CheckExact(row))) return given ? put_tuple_as(t, row, given) : put_tuple(t, row);
    if (PyDict_CheckExact(row)) return put_dict(t, row);
    if (PyList_CheckExact(row)) return put_list(t, row, given);
    return put_uncommon(t, row, given);
}
