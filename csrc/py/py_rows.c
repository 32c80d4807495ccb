/* Rows by position (tuple, list), by key (dict, any mapping) and by the names of their class
 * (NamedTuple, dataclass and the like, sqlite3.Row); names become columns in py_layout.c.
 *
 * A mapping's values are put in the order of its keys. That every column has exactly one value is
 * seen from the builders: one slot more than the committed ones. */
#include "py_rows.h"

#include "py_errors.h"

#include <string.h>

enum {
    IDENTS_PER_COLUMN = 64,
    IDENTS_IN_ALL = 1024,
    EXTRA_KEYS = 64,     /* keys that are no columns and are known again */
    EXTRA_KEY_CHARS = 64 /* none longer is kept */
};

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
    for (int32_t i = 0; i < t->n; i++) n_strings += convert_has_idents(t->columns[i].type);
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
        if (!convert_has_idents(t->columns[i].type)) continue;
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
    if (convert_bind(t->x.st, c, f, cq_writer_column(w, i), t->strict) < 0) return -1;
    PyTuple_SET_ITEM(t->names, i, Py_NewRef(c->name));
    PyObject *number = PyLong_FromLong(i);
    if (!number) return -1;
    int r = PyDict_SetItem(t->index, c->name, number);
    Py_DECREF(number);
    return r;
}

int table_init(table *t, core_state *st, cq_writer *w, bool strict, bool ignore_extra)
{
    int32_t n = cq_writer_schema(w)->n_fields;
    size_t size = (size_t)n, n_keys = size + (ignore_extra ? EXTRA_KEYS : 0);
    t->x.st = st;
    t->strict = strict;
    t->ignore_extra = ignore_extra;
    t->failed_column = -1;
    t->columns = PyMem_Calloc(size, sizeof *t->columns);
    t->keys = PyMem_Calloc(n_keys, sizeof *t->keys);
    t->key_column = PyMem_Calloc(n_keys, sizeof *t->key_column);
    if (!t->columns || !t->keys || !t->key_column) {
        PyErr_NoMemory();
        return -1;
    }
    t->n = n;
    t->n_keys = (Py_ssize_t)n_keys;
    t->names = PyTuple_New(n);
    t->index = PyDict_New();
    if (!t->names || !t->index) return -1;
    for (int32_t i = 0; i < n; i++)
        if (make_column(t, w, i) < 0) return -1;
    return make_pool(t);
}

int table_traverse(table *t, visitproc visit, void *arg)
{
    for (int32_t i = 0; i < t->n; i++) {
        int r = convert_traverse(&t->columns[i], visit, arg);
        if (r) return r;
    }
    for (size_t i = 0; i < t->n_pool; i++) Py_VISIT(t->pool[i].object);
    for (Py_ssize_t k = 0; k < t->n_keys; k++) Py_VISIT(t->keys[k]);
    for (int k = 0; k < ROW_CLASSES; k++) {
        Py_VISIT(t->classes[k].type);
        Py_VISIT(t->classes[k].names);
    }
    Py_VISIT(t->names);
    Py_VISIT(t->index);
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
    for (int k = 0; k < ROW_CLASSES; k++) row_class_clear(&t->classes[k]);
    Py_CLEAR(t->failed_value);
    Py_CLEAR(t->x.refused_text);
    Py_CLEAR(t->x.held);
    Py_CLEAR(t->names);
    Py_CLEAR(t->index);
    for (Py_ssize_t k = 0; k < t->n_keys; k++) Py_CLEAR(t->keys[k]);
    for (int32_t i = 0; i < t->n; i++) convert_clear(&t->columns[i]);
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

/* -- by position ------------------------------------------------------------------------------- */

/* The last part of the name of an object's type. */
static const char *short_name(PyObject *o)
{
    const char *name = Py_TYPE(o)->tp_name, *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

/* The names of a row's values, in their order, cut. Values that are left out have none here. */
static PyObject *names_text(const table *t, const layout *l)
{
    enum { MOST = 80 };
    PyObject *text = PyUnicode_FromString("");
    Py_ssize_t const n = l ? l->n : t->n;
    for (Py_ssize_t k = 0; text && k < n && PyUnicode_GET_LENGTH(text) <= MOST; k++) {
        int32_t const i = l ? l->column_of[k] : cq_i32(k);
        PyObject *name = i < 0 ? PyUnicode_FromString("(left out)") : PyObject_Repr(t->columns[i].name);
        if (name) Py_XSETREF(text, PyUnicode_FromFormat("%U%s%U", text, k ? ", " : "", name));
        if (!name) Py_CLEAR(text);
        Py_XDECREF(name);
    }
    if (!text || PyUnicode_GET_LENGTH(text) <= MOST) return text;
    PyObject *head = PyUnicode_Substring(text, 0, MOST - 3);
    if (head) Py_XSETREF(text, PyUnicode_FromFormat("%U...", head));
    if (!head) Py_CLEAR(text);
    Py_XDECREF(head);
    return text;
}

static conv_result refuse_length(table *t, PyObject *row, Py_ssize_t n, const layout *l)
{
    const char *advice = "";
    Py_ssize_t const wanted = l ? l->n : t->n;
    if (PyTuple_Check(row) && n == 2 && strcmp(short_name(PyTuple_GET_ITEM(row, 1)), "Series") == 0)
        advice = "; iterrows() gives pairs of an index and a Series: use write_arrow(df)";
    PyObject *names = *advice ? PyUnicode_FromString(advice) : names_text(t, l);
    if (!names) return CONV_RAISED;
    conv_result r = convert_refuse(&t->x, t->x.st->RowValueError, "%zd value%s in the row, %zd %s needed%s%U", n, n == 1 ? "" : "s", wanted,
                                   wanted == 1 ? "is" : "are", *advice ? "" : ": ", names);
    Py_DECREF(names);
    return fail_row(t, row, r);
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
    if (PY_UNLIKELY(PyTuple_GET_SIZE(row) != t->n)) return refuse_length(t, row, PyTuple_GET_SIZE(row), NULL);
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
    if (PyTuple_GET_SIZE(row) != l->n) return refuse_length(t, row, PyTuple_GET_SIZE(row), l);
    for (Py_ssize_t k = 0; k < l->n; k++) {
        int32_t i = l->column_of[k];
        if (i < 0) continue;
        PyObject *v = PyTuple_GET_ITEM(row, k);
        column *c = &t->columns[i];
        conv_result r = c->convert(&t->x, c, v);
        if (PY_UNLIKELY(r != CONV_OK)) return fail_at(t, i, v, r);
    }
    return put_absent(t, l);
}

/* A list may be changed by user code while it is read. */
static conv_result put_list(table *t, PyObject *row, const layout *l)
{
    Py_ssize_t wanted = l ? l->n : t->n;
    if (PyList_GET_SIZE(row) != wanted) return refuse_length(t, row, PyList_GET_SIZE(row), l);
    for (Py_ssize_t k = 0; k < wanted; k++) {
        if (k >= PyList_GET_SIZE(row)) return refuse_length(t, row, PyList_GET_SIZE(row), l);
        int32_t i = l ? l->column_of[k] : cq_i32(k);
        if (i < 0) continue;
        column *c = &t->columns[i];
        PyObject *v = PyList_GET_ITEM(row, k);
        conv_result r = c->convert(&t->x, c, v);
        if (PY_UNLIKELY(r != CONV_OK)) return fail_at(t, i, v, r);
    }
    return l ? put_absent(t, l) : CONV_OK;
}

/* An item or attribute that was fetched; takes the reference. */
static inline conv_result put_fetched(table *t, int32_t i, PyObject *v)
{
    column *c = &t->columns[i];
    conv_result r = c->convert(&t->x, c, v);
    if (PY_UNLIKELY(r != CONV_OK)) (void)fail_at(t, i, v, r);
    Py_DECREF(v);
    return r;
}

static conv_result put_sequence(table *t, PyObject *row, const layout *l)
{
    Py_ssize_t n = PySequence_Size(row);
    if (n < 0) return CONV_RAISED;
    if (n != l->n) return refuse_length(t, row, n, l);
    for (Py_ssize_t k = 0; k < l->n; k++) {
        if (l->column_of[k] < 0) continue;
        PyObject *v = PySequence_GetItem(row, k);
        conv_result r = v ? put_fetched(t, l->column_of[k], v) : CONV_RAISED;
        if (PY_UNLIKELY(r != CONV_OK)) return r;
    }
    return put_absent(t, l);
}

/* -- by attribute ------------------------------------------------------------------------------ */

/* Whether the pending AttributeError is about this attribute of this row; one from inside a
 * property or __getattr__ that looked for something else is not. Taken away if so. */
static bool is_missing(PyObject *row, PyObject *name)
{
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return false;
    PyObject *error = compat_take_exception();
    PyObject *about = py_attribute(error, "obj"), *what = py_attribute(error, "name");
    bool yes = about == row && what && PyUnicode_Check(what) && PyUnicode_Compare(what, name) == 0;
    Py_XDECREF(about);
    Py_XDECREF(what);
    PyErr_Clear();
    if (yes)
        Py_DECREF(error);
    else
        compat_set_exception(error);
    return yes;
}

static conv_result put_missing_attribute(table *t, PyObject *row, PyObject *name, int32_t i)
{
    if (!is_missing(row, name)) return CONV_RAISED;
    column *c = &t->columns[i];
    conv_result r = c->optional
        ? convert_null(&t->x, c, Py_None)
        : convert_refuse(&t->x, t->x.st->RowValueError, "the attribute is missing; declare the column '%s?' to allow that",
                         c->type_text);
    return r == CONV_OK ? r : fail_at(t, i, Py_None, r);
}

/* Looking an attribute up may run user code, which cannot reach this table: the writer is busy. */
static conv_result put_attributes(table *t, PyObject *row, const row_class *rc)
{
    const layout *l = &rc->by_name;
    for (Py_ssize_t k = 0; k < l->n; k++) {
        int32_t i = l->column_of[k];
        if (i < 0) continue;
        PyObject *name = PyTuple_GET_ITEM(rc->names, k), *v = NULL;
        if (rc->slots && rc->slots[k] > 0) v = Py_XNewRef(*(PyObject **)((char *)row + rc->slots[k]));
        if (!v) v = PyObject_GetAttr(row, name);
        conv_result r = PY_LIKELY(v != NULL) ? put_fetched(t, i, v) : put_missing_attribute(t, row, name, i);
        if (PY_UNLIKELY(r != CONV_OK)) return r;
    }
    return put_absent(t, l);
}

/* -- by key ------------------------------------------------------------------------------------ */

static conv_result refuse_change(table *t)
{
    return convert_refuse(&t->x, t->x.st->RowValueError, "the row changed while it was read");
}

/* The first few keys that are no columns, as text; nothing is put after this. */
static conv_result refuse_keys(table *t, PyObject *row, PyObject *keys)
{
    PyObject *first = NULL, *list = PyUnicode_FromString(""), *hint = NULL;
    conv_result r = CONV_RAISED;
    Py_ssize_t n_unknown = 0;
    for (Py_ssize_t k = 0; list && k < PyList_GET_SIZE(keys); k++) {
        PyObject *key = PyList_GET_ITEM(keys, k);
        int32_t i = layout_find(t, key);
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
    r = convert_refuse(&t->x, t->x.st->RowValueError, "unknown key%s %U%s%U%s", n_unknown > 1 ? "s" : "", list,
                       n_unknown > 3 ? ", ..." : "", hint, PyUnicode_GET_LENGTH(hint) ? "" : "; extra='ignore' leaves such out");
done:
    if (r == CONV_RAISED && !PyErr_Occurred()) r = refuse_change(t);
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
                             c->type_text);
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

static void remember_key(table *t, Py_ssize_t k, PyObject *key, int32_t i)
{
    if (k >= t->n_keys || !PyUnicode_CheckExact(key) || (i < 0 && PyUnicode_GET_LENGTH(key) > EXTRA_KEY_CHARS)) return;
    t->key_column[k] = i;
    Py_XSETREF(t->keys[k], Py_NewRef(key));
}

/* A key that is not the object seen at its place last. Comparing keys may run user code: key and
 * value are held. */
__attribute__((noinline)) static conv_result put_found(table *t, PyObject *row, Py_ssize_t k, PyObject *key, PyObject *v)
{
    if (k < t->n_keys && t->keys[k] && t->key_column[k] >= 0 && convert_same_text(key, t->columns[t->key_column[k]].name))
        return put_pair(t, t->key_column[k], v);
    Py_INCREF(key);
    Py_INCREF(v);
    int32_t i = layout_find(t, key);
    conv_result r = i == -2 ? CONV_RAISED : i >= 0 ? put_pair(t, i, v) : t->ignore_extra ? CONV_OK : refuse_dict_keys(t, row);
    if (r == CONV_OK) remember_key(t, k, key, i);
    Py_DECREF(key);
    Py_DECREF(v);
    return r;
}

/* User code may change the dict meanwhile: a column that gets a second value or none is noticed. */
static conv_result put_dict(table *t, PyObject *row)
{
    Py_ssize_t pos = 0, k = 0, n = PyDict_GET_SIZE(row);
    PyObject *key, *v;
    for (; PyDict_Next(row, &pos, &key, &v); k++) {
        conv_result r = CONV_OK;
        if (PY_UNLIKELY(k == n)) return fail_row(t, row, refuse_change(t));
        if (PY_UNLIKELY(k >= t->n_keys || t->keys[k] != key))
            r = put_found(t, row, k, key, v);
        else if (PY_LIKELY(t->key_column[k] >= 0))
            r = put_pair(t, t->key_column[k], v);
        if (PY_UNLIKELY(r != CONV_OK)) return r;
    }
    return k == t->n && !t->ignore_extra ? CONV_OK : put_missing(t);
}

static conv_result put_mapping(table *t, PyObject *row)
{
    PyObject *keys = PyMapping_Keys(row);
    if (!keys) return CONV_RAISED;
    conv_result r = CONV_OK;
    for (Py_ssize_t k = 0; r == CONV_OK && k < PyList_GET_SIZE(keys); k++) {
        int32_t i = layout_find(t, PyList_GET_ITEM(keys, k));
        if (i == -1 && t->ignore_extra) continue;
        PyObject *v = NULL;
        if (i >= 0 && !(v = PyObject_GetItem(row, PyList_GET_ITEM(keys, k)))) i = -2;
        r = i >= 0 ? put_pair(t, i, v) : i == -2 ? CONV_RAISED : refuse_keys(t, row, keys);
        Py_XDECREF(v);
    }
    Py_DECREF(keys);
    return r == CONV_OK ? put_missing(t) : r;
}

/* -- everything else --------------------------------------------------------------------------- */

/* What to write instead of what pandas, numpy and Arrow give to those who iterate over them. */
static int table_advice(PyObject *row, const char **advice)
{
    PyObject *tp = (PyObject *)Py_TYPE(row);
    int array = layout_has(tp, "__array_interface__"), arrow = 0;
    if (array == 0) arrow = layout_has(tp, "__arrow_c_stream__");
    if (array == 0 && arrow == 0) arrow = layout_has(tp, "__arrow_c_array__");
    if (array < 0 || arrow < 0) return -1;
    if (strcmp(short_name(row), "Series") == 0)
        *advice = "write the frame with write_arrow(df), or write_rows(df.itertuples(index=False))";
    else if (array)
        *advice = "write columns of an array with write_columns({'name': array[:, 0], ...}), or write_rows(array.tolist())";
    else if (arrow)
        *advice = "write_arrow() takes whole frames, tables and batches";
    return 0;
}

/* Whether an object has values under names that its class does not tell: 1, 0, or -1 with an exception. */
static int has_attributes(PyObject *row)
{
    if (!PyType_HasFeature(Py_TYPE(row), Py_TPFLAGS_HEAPTYPE) || PyCallable_Check(row)) return 0;
    PyObject *attributes = py_attribute(row, "__dict__");
    int const r = attributes ? PyDict_Check(attributes) && PyDict_GET_SIZE(attributes) > 0 : PyErr_Occurred() ? -1 : 0;
    Py_XDECREF(attributes);
    return r;
}

static conv_result refuse_row(table *t, PyObject *row)
{
    static const char *const plain = "rows are tuples, lists, mappings, NamedTuples, dataclasses or other objects that name their fields";
    const char *advice = plain;
    int attributes = 0;
    if (table_advice(row, &advice) < 0) return CONV_RAISED;
    if (advice == plain && (attributes = has_attributes(row)) < 0) return CONV_RAISED;
    if (PyUnicode_Check(row) || PyBytes_Check(row) || PyByteArray_Check(row))
        advice = "is it a file, or a list of names, that is iterated? Rows are tuples, lists, mappings or objects with fields; write_row(row) takes one row";
    else if (row == Py_None || PyLong_Check(row) || PyFloat_Check(row))
        advice = "rows are tuples, lists, mappings, NamedTuples, dataclasses or other objects that name their fields; write_row(row) takes one row";
    else if (PyAnySet_Check(row))
        advice = "a set has no order";
    else if (PyType_Check(row))
        advice = "it is a class; write instances of it";
    else if (PyIter_Check(row))
        advice = "an iterator is not a row; write tuple(row)";
    else if (attributes)
        advice = "its class does not tell its fields; write vars(value) if its attributes are the columns";
    PyObject *text = py_value_text(t->x.st, row);
    if (!text) return CONV_RAISED;
    conv_result r = convert_refuse(&t->x, t->x.st->RowTypeError, "%U (%.100s) is not a row: %s", text, Py_TYPE(row)->tp_name, advice);
    Py_DECREF(text);
    return fail_row(t, row, r);
}

/* Rows whose names may be others in each row. */
static conv_result put_refreshed(table *t, PyObject *row, row_class *c)
{
    conv_result r = row_class_refresh(t, c, row);
    if (r != CONV_OK) return fail_row(t, row, r);
    return c->kind == ROW_KEYED || c->by_position ? put_sequence(t, row, &c->by_name) : put_attributes(t, row, c);
}

__attribute__((noinline)) static conv_result put_uncommon(table *t, PyObject *row, const layout *given)
{
    if (given && PyTuple_Check(row)) return put_tuple_as(t, row, given);
    row_class *c;
    conv_result r = row_class_find(t, row, &c);
    if (r != CONV_OK) return fail_row(t, row, r);
    if (!c) return refuse_row(t, row);
    switch (c->kind) {
    case ROW_TUPLE: return put_tuple(t, row);
    case ROW_LIST: return put_list(t, row, given);
    case ROW_DICT: return put_dict(t, row);
    case ROW_MAPPING: return put_mapping(t, row);
    case ROW_NAMED_TUPLE: return put_tuple_as(t, row, &c->by_name);
    case ROW_OBJECT: return put_attributes(t, row, c);
    case ROW_KEYED: return given ? put_sequence(t, row, given) : put_refreshed(t, row, c);
    case ROW_FIELDS: return put_refreshed(t, row, c);
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
