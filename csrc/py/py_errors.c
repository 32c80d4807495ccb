/* The one table from status codes to exceptions, and the texts that messages are made of. The
 * classes themselves are Python's (ccpq/_errors.py); this file imports them into the state. */
#include "py_errors.h"

#include <string.h>

int py_errors_add(PyObject *module, core_state *st)
{
    (void)module;
    PyObject *errors = PyImport_ImportModule("ccpq._errors");
    if (!errors) return -1;
#define IMPORT_ERROR(name)                                                                         \
    if (!(st->name = PyObject_GetAttrString(errors, #name))) goto fail;
    CORE_STATE_ERRORS(IMPORT_ERROR)
#undef IMPORT_ERROR
    Py_DECREF(errors);
    return 0;
fail:
    Py_DECREF(errors);
    return -1;
}

static PyObject *decode(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* Keeps a failure while the exception is decorated: what matters is the exception itself. */
static void set_attribute(PyObject *exception, const char *name, PyObject *value)
{
    if (!value || PyObject_SetAttrString(exception, name, value) < 0) PyErr_Clear();
    Py_XDECREF(value);
}

static void raise_with(PyObject *type, PyObject *text, const cq_err *e, const char *file, PyObject *column)
{
    PyObject *exception = PyObject_CallOneArg(type, text);
    if (!exception) return;
    if (e->code == CQ_EBUDGET) {
        set_attribute(exception, "needed", PyLong_FromUnsignedLongLong(e->needed));
        set_attribute(exception, "limit", PyLong_FromUnsignedLongLong(e->limit));
    }
    if (e->code == CQ_EFORMAT || e->code == CQ_ECHANGED) {
        set_attribute(exception, "file", file ? PyUnicode_DecodeFSDefault(file) : Py_NewRef(Py_None));
    }
    if (e->code == CQ_EFORMAT) {
        set_attribute(exception, "offset", e->offset >= 0 ? PyLong_FromLongLong(e->offset) : Py_NewRef(Py_None));
        set_attribute(exception, "row_group", e->row_group >= 0 ? PyLong_FromLong(e->row_group) : Py_NewRef(Py_None));
        set_attribute(exception, "column", Py_NewRef(column ? column : Py_None));
    }
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_DECREF(exception);
}

/* OSError(errno, text, file name): the record reads "<what>: <text of errno>". */
static void raise_os_error(const cq_err *e, const char *file)
{
    const char *text = strerror(e->sys_errno);
    size_t n = strlen(e->msg), n_text = strlen(text);
    PyObject *what = NULL;
    if (n > n_text + 2 && strcmp(e->msg + n - n_text, text) == 0)
        what = PyUnicode_DecodeFSDefaultAndSize(e->msg, (Py_ssize_t)(n - n_text - 2));
    else
        what = file ? PyUnicode_DecodeFSDefault(file) : Py_NewRef(Py_None);
    if (!what) return;
    PyObject *args = Py_BuildValue("(isN)", e->sys_errno, text, what);
    if (!args) return;
    PyErr_SetObject(PyExc_OSError, args);
    Py_DECREF(args);
}

PyObject *py_raise(core_state *st, const cq_err *e, const char *file, PyObject *column)
{
    if (PyErr_Occurred()) return NULL;
    PyObject *type = PyExc_RuntimeError;
    switch (e->code) {
    case CQ_EIO:
        if (e->sys_errno) {
            raise_os_error(e, file);
            return NULL;
        }
        type = PyExc_OSError;
        break;
    case CQ_ENOMEM: type = PyExc_MemoryError; break;
    case CQ_EBUDGET: type = st->BudgetError; break;
    case CQ_EFORMAT: type = st->FormatError; break;
    case CQ_EUNSUPPORTED: type = st->UnsupportedError; break;
    case CQ_ECHANGED: type = st->FileChanged; break;
    case CQ_ELIMIT:
    case CQ_EVALUE:
    case CQ_EARG: type = PyExc_ValueError; break;
    case CQ_ERANGE: type = PyExc_OverflowError; break;
    case CQ_ETYPE: type = PyExc_TypeError; break;
    case CQ_EINTERRUPTED: type = PyExc_KeyboardInterrupt; break;
    case CQ_OK:
    case CQ_ESINK:
    case CQ_ESTATE: break;
    }
    PyObject *text = decode(e->msg);
    if (!text) return NULL;
    raise_with(type, text, e, file, column);
    Py_DECREF(text);
    return NULL;
}

/* The interpreter's cache of attributes keeps names by identity: fresh ones would fill it. */
PyObject *py_attribute(PyObject *o, const char *name)
{
    PyObject *interned = PyUnicode_InternFromString(name);
    if (!interned) return NULL;
    PyObject *a = PyObject_GetAttr(o, interned);
    Py_DECREF(interned);
    if (!a && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
    return a;
}

enum { VALUE_TEXT = 80 };

static PyObject *cut(PyObject *text)
{
    if (!text || PyUnicode_GET_LENGTH(text) <= VALUE_TEXT) return text;
    PyObject *head = PyUnicode_Substring(text, 0, VALUE_TEXT - 3);
    Py_DECREF(text);
    if (!head) return NULL;
    PyObject *whole = PyUnicode_FromFormat("%U...", head);
    Py_DECREF(head);
    return whole;
}

/* A frame's repr has lines; a message is one. New reference; takes the old one. */
static PyObject *one_line(PyObject *text)
{
    if (!text || PyUnicode_FindChar(text, '\n', 0, PyUnicode_GET_LENGTH(text), 1) == -1) return text;
    PyObject *words = PyUnicode_Split(text, NULL, -1), *space = PyUnicode_FromString(" ");
    PyObject *line = words && space ? PyUnicode_Join(space, words) : NULL;
    Py_XDECREF(words);
    Py_XDECREF(space);
    Py_DECREF(text);
    return line;
}

/* Long strings are cut first, so that a message never costs the size of the value. */
static PyObject *plain_text(core_state *st, PyObject *value)
{
    PyTypeObject *tp = Py_TYPE(value);
    if (tp == &PyUnicode_Type || tp == &PyBytes_Type || tp == &PyByteArray_Type) {
        if (PyObject_Length(value) > VALUE_TEXT) {
            PyObject *head = PySequence_GetSlice(value, 0, VALUE_TEXT);
            if (!head) return NULL;
            PyObject *text = PyObject_Repr(head);
            Py_DECREF(head);
            return text;
        }
        return PyObject_Repr(value);
    }
    if (PyList_Check(value) || PyTuple_Check(value) || PyAnySet_Check(value) || PyDict_Check(value))
        return PyObject_CallOneArg(st->repr, value);
    return PyObject_Repr(value);
}

PyObject *py_value_text(core_state *st, PyObject *value)
{
    PyObject *text = cut(one_line(plain_text(st, value)));
    if (text || !PyErr_ExceptionMatches(PyExc_Exception)) return text;
    PyErr_Clear();
    return PyUnicode_FromFormat("<%.60s object>", Py_TYPE(value)->tp_name);
}

PyObject *py_did_you_mean(PyObject *word, PyObject *names)
{
    if (!PyUnicode_Check(word) || PyUnicode_GET_LENGTH(word) > 200 || PyObject_Length(names) > 2000)
        return PyUnicode_FromString("");
    PyObject *module = PyImport_ImportModule("ccpq._near");
    if (!module) return NULL;
    PyObject *near = PyObject_CallMethod(module, "nearest", "OO", word, names), *result = NULL;
    Py_DECREF(module);
    if (near) result = near == Py_None ? PyUnicode_FromString("") : PyUnicode_FromFormat(", did you mean %R?", near);
    Py_XDECREF(near);
    return result;
}

static int parse_keyword(const char *function, PyObject *key, PyObject *value, const char *const *names, Py_ssize_t n,
                         PyObject **out)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        if (PyUnicode_CompareWithASCIIString(key, names[i]) != 0) continue;
        if (out[i]) {
            PyErr_Format(PyExc_TypeError, "%s() got '%s' twice", function, names[i]);
            return -1;
        }
        out[i] = value;
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "%s() has no argument %R", function, key);
    return -1;
}

int py_parse_args(const char *function, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames,
                  const char *const *names, Py_ssize_t n, Py_ssize_t n_required, Py_ssize_t n_positional,
                  PyObject **out)
{
    for (Py_ssize_t i = 0; i < n; i++) out[i] = NULL;
    if (n_args > n_positional) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %zd positional arguments, %zd were given", function,
                     n_positional, n_args);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n_args; i++) out[i] = args[i];
    Py_ssize_t n_keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < n_keywords; i++) {
        if (parse_keyword(function, PyTuple_GET_ITEM(kwnames, i), args[n_args + i], names, n, out) < 0) return -1;
    }
    for (Py_ssize_t i = 0; i < n_required; i++) {
        if (out[i]) continue;
        PyErr_Format(PyExc_TypeError, "%s() needs the argument '%s'", function, names[i]);
        return -1;
    }
    return 0;
}
