/* Names to columns: see py_layout.h. Which attributes a class has as fields is said by
 * ccpq/_row_names.py, once per class; here the answer is bound to the columns and kept. */
#include "py_layout.h"

#include "py_errors.h"
#include "py_rows.h"

#include <string.h>

int layout_add(PyObject *module, core_state *st)
{
    (void)module;
    PyObject *names = PyImport_ImportModule("ccpq._row_names");
    if (!names) return -1;
    st->row_names = PyObject_GetAttrString(names, "row_names");
    Py_DECREF(names);
    return st->row_names ? 0 : -1;
}

/* -- layouts ----------------------------------------------------------------------------------- */

void layout_clear(layout *l)
{
    PyMem_Free(l->column_of);
    PyMem_Free(l->absent);
    memset(l, 0, sizeof *l);
}

int32_t layout_find(const table *t, PyObject *name)
{
    PyObject *number = PyDict_GetItemWithError(t->index, name);
    if (!number) return PyErr_Occurred() ? -2 : -1;
    return cq_i32(PyLong_AsLong(number));
}

static conv_result refuse_unknown(table *t, PyObject *name)
{
    PyObject *hint = py_did_you_mean(name, t->names), *text = hint ? py_value_text(t->x.st, name) : NULL;
    conv_result r = CONV_RAISED;
    if (text)
        r = convert_refuse(&t->x, t->x.st->RowValueError, "there is no column %U%U%s", text, hint,
                           PyUnicode_GET_LENGTH(hint) ? "" : "; extra='ignore' leaves it out");
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
        int32_t i = layout_find(t, name);
        l->column_of[k] = i;
        if (i == -2)
            r = CONV_RAISED;
        else if (i < 0)
            r = t->ignore_extra ? CONV_OK : refuse_unknown(t, name);
        else if (seen[i])
            r = convert_refuse(&t->x, t->x.st->RowValueError, "column %R is given twice", name);
        else
            seen[i] = 1;
    }
    for (int32_t i = 0; r == CONV_OK && i < t->n; i++) {
        if (seen[i]) continue;
        if (t->columns[i].optional)
            l->absent[l->n_absent++] = i;
        else
            r = convert_refuse(&t->x, t->x.st->RowValueError,
                               "the required column %R is missing; declare it '%s?' to allow nulls", t->columns[i].name,
                               t->columns[i].type_text);
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

/* -- classes ----------------------------------------------------------------------------------- */

void row_class_clear(row_class *c)
{
    layout_clear(&c->by_name);
    PyMem_Free(c->slots);
    c->slots = NULL;
    Py_CLEAR(c->names);
    Py_CLEAR(c->type);
}

int layout_has(PyObject *o, const char *name)
{
    PyObject *a = py_attribute(o, name);
    Py_XDECREF(a);
    return a ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* A tuple of interned names. Attributes are looked up by them: the interpreter's cache of attributes
 * goes by identity. */
static PyObject *interned(PyObject *names)
{
    PyObject *tuple = PySequence_Tuple(names);
    Py_ssize_t n = tuple ? PyTuple_GET_SIZE(tuple) : 0;
    PyObject *out = tuple ? PyTuple_New(n) : NULL;
    for (Py_ssize_t k = 0; out && k < n; k++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, k), *name = NULL;
        if (PyUnicode_Check(item))
            name = PyUnicode_FromObject(item); /* an exact one */
        else
            PyErr_Format(PyExc_TypeError, "the name of a field is a str, not %.100s", Py_TYPE(item)->tp_name);
        if (!name) {
            Py_CLEAR(out);
            break;
        }
        PyUnicode_InternInPlace(&name);
        PyTuple_SET_ITEM(out, k, name);
    }
    Py_XDECREF(tuple);
    return out;
}

static conv_result set_names(table *t, row_class *c, PyObject *names)
{
    layout fresh;
    PyObject *tuple = interned(names);
    if (!tuple) return CONV_RAISED;
    conv_result r = layout_make(t, tuple, &fresh);
    if (r != CONV_OK) {
        Py_DECREF(tuple);
        return r;
    }
    layout_clear(&c->by_name);
    c->by_name = fresh;
    Py_XSETREF(c->names, tuple);
    return CONV_OK;
}

static bool is_names(PyObject *x) { return x && (PyTuple_Check(x) || PyList_Check(x)); }

/* Whether an attribute of an object is a tuple or list; -1 with an exception. */
static int has_names(PyObject *o, const char *attribute)
{
    PyObject *names = py_attribute(o, attribute);
    int r = names ? is_names(names) : PyErr_Occurred() ? -1 : 0;
    Py_XDECREF(names);
    return r;
}

/* The class's own names bound to columns; *named false where it has none. */
static conv_result names_of_class(table *t, row_class *c, PyObject *tp, bool *named)
{
    PyObject *names = PyObject_CallOneArg(t->x.st->row_names, tp);
    if (!names) return CONV_RAISED;
    *named = names != Py_None;
    conv_result r = *named ? set_names(t, c, names) : CONV_OK;
    Py_DECREF(names);
    return r;
}

/* A tuple subclass: NamedTuple names its positions by class, Row of Spark each row its own. */
static conv_result resolve_tuple(table *t, row_class *c, PyObject *row, PyObject *tp)
{
    int by_class = has_names(tp, "_fields"), by_row = by_class == 0 ? has_names(row, "__fields__") : 0;
    if (by_class < 0 || by_row < 0) return CONV_RAISED;
    if (by_row) {
        *c = (row_class){.kind = ROW_FIELDS, .by_position = true, .attribute = "__fields__"};
        return CONV_OK;
    }
    c->kind = by_class ? ROW_NAMED_TUPLE : ROW_TUPLE;
    if (!by_class) return CONV_OK;
    PyObject *names = py_attribute(tp, "_fields");
    if (!names) return PyErr_Occurred() ? CONV_RAISED : CONV_OK;
    conv_result r = set_names(t, c, names);
    Py_DECREF(names);
    return r;
}

static bool is_sqlite_row(const PyTypeObject *tp)
{
    for (; tp; tp = tp->tp_base)
        if (strcmp(tp->tp_name, "sqlite3.Row") == 0) return true;
    return false;
}

/* Attributes in `__slots__` are read without a look-up for as long as the class is the same. */
static int find_slots(row_class *c, const PyTypeObject *tp)
{
    Py_ssize_t n = PyTuple_GET_SIZE(c->names);
    c->slots = PyMem_Calloc((size_t)n + 1, sizeof *c->slots);
    if (!c->slots) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t k = 0; k < n; k++) c->slots[k] = compat_slot_offset(tp, PyTuple_GET_ITEM(c->names, k));
    return 0;
}

/* What is a table or a column of one to others: frames have keys() and [], but are no rows. */
static int is_table(PyTypeObject *tp)
{
    static const char *const names[] = {"__arrow_c_stream__", "__arrow_c_array__", "__dataframe__", "__array_interface__"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof names / sizeof *names; i++) r = layout_has((PyObject *)tp, names[i]);
    return r;
}

/* Anything else; *known false where it is no row. Classes are asked before objects: an object may
 * have a __getattr__ that answers to anything. */
static conv_result resolve_object(table *t, row_class *c, PyObject *row, PyTypeObject *tp, bool *known)
{
    c->kind = ROW_OBJECT;
    conv_result named = names_of_class(t, c, (PyObject *)tp, known);
    if (named != CONV_OK || *known) return named;
    int r = is_table(tp);
    if (r) return r < 0 ? CONV_RAISED : CONV_OK;
    *known = true;
    c->kind = is_sqlite_row(tp) ? ROW_KEYED : ROW_MAPPING;
    if (c->kind == ROW_KEYED) return CONV_OK;
    r = PyMapping_Check(row) ? layout_has((PyObject *)tp, "keys") : 0;
    if (r == 0) {
        r = has_names(row, "_fields");
        *c = (row_class){.kind = ROW_FIELDS, .attribute = "_fields", .by_position = (tp->tp_flags & Py_TPFLAGS_SEQUENCE) != 0};
    }
    *known = r > 0;
    return r < 0 ? CONV_RAISED : CONV_OK;
}

static conv_result resolve(table *t, row_class *c, PyObject *row, PyTypeObject *tp, bool *known)
{
    *known = true;
    if (PyTuple_Check(row)) return resolve_tuple(t, c, row, (PyObject *)tp);
    c->kind = ROW_LIST;
    if (PyList_Check(row)) return CONV_OK;
    /* A subclass that defines its own look-up is asked; defaultdict is not, it would grow. */
    c->kind = ROW_DICT;
    if (PyDict_Check(row) && tp->tp_as_mapping->mp_subscript == PyDict_Type.tp_as_mapping->mp_subscript) return CONV_OK;
    *known = false;
    if (PyUnicode_Check(row) || PyBytes_Check(row) || PyByteArray_Check(row) || PyType_Check(row)) return CONV_OK;
    return resolve_object(t, c, row, tp, known);
}

/* A class that is not known, or has changed: `slot` is its old place or the one to be replaced. */
__attribute__((noinline)) static conv_result learn(table *t, PyObject *row, row_class *slot, row_class **out)
{
    bool known = false;
    PyTypeObject *tp = Py_TYPE(row);
    row_class fresh = {.kind = ROW_TUPLE};
    PyObject *held = Py_NewRef((PyObject *)tp); /* user code may give the row another class */
    conv_result r = resolve(t, &fresh, row, tp, &known);
    fresh.version = compat_type_version(tp);
    if (r == CONV_OK && known && fresh.kind == ROW_OBJECT && fresh.version && find_slots(&fresh, tp) < 0) r = CONV_RAISED;
    if (r != CONV_OK || !known) {
        row_class_clear(&fresh);
        Py_DECREF(held);
        return r;
    }
    row_class_clear(slot);
    *slot = fresh;
    slot->type = held;
    *out = slot;
    return CONV_OK;
}

conv_result row_class_find(table *t, PyObject *row, row_class **out)
{
    PyTypeObject *tp = Py_TYPE(row);
    *out = NULL;
    for (int k = 0; k < ROW_CLASSES; k++) {
        row_class *c = &t->classes[k];
        if (c->type != (PyObject *)tp) continue;
        if (PY_UNLIKELY(c->version && c->version != compat_type_version(tp))) return learn(t, row, c, out);
        *out = c;
        return CONV_OK;
    }
    t->next_class = (t->next_class + 1) % ROW_CLASSES;
    return learn(t, row, &t->classes[t->next_class], out);
}

/* Whether a row says the names that the last one of its class said. */
static bool same_names(PyObject *known, PyObject *names)
{
    Py_ssize_t n = PySequence_Fast_GET_SIZE(names);
    if (!known || PyTuple_GET_SIZE(known) != n) return false;
    for (Py_ssize_t k = 0; k < n; k++) {
        PyObject *a = PyTuple_GET_ITEM(known, k), *b = PySequence_Fast_GET_ITEM(names, k);
        if (a == b) continue;
        if (!PyUnicode_CheckExact(b) || PyUnicode_Compare(a, b) != 0) return false;
    }
    return true;
}

conv_result row_class_refresh(table *t, row_class *c, PyObject *row)
{
    PyObject *names = c->kind == ROW_KEYED ? PyMapping_Keys(row) : py_attribute(row, c->attribute);
    if (!is_names(names)) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "%s of a row is not a tuple or list of names", c->attribute);
        Py_XDECREF(names);
        return CONV_RAISED;
    }
    conv_result r = same_names(c->names, names) ? CONV_OK : set_names(t, c, names);
    Py_DECREF(names);
    return r;
}
