/* What differs between CPython 3.10 and today, under one name each. The only other files that look
 * into objects are convert*.c. */
#ifndef CQ_PY_COMPAT_H
#define CQ_PY_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030A0000
#error "ccpq needs CPython 3.10 or later"
#endif

#define PY_LIKELY(x) __builtin_expect(!!(x), 1)
#define PY_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The pending exception as one object, owned by the caller; NULL: none. */
static inline PyObject *compat_take_exception(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (!type) return NULL;
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace) {
        (void)PyException_SetTraceback(value, trace);
        Py_DECREF(trace);
    }
    Py_DECREF(type);
    return value;
#endif
}

/* Takes the reference; NULL is nothing. */
static inline void compat_set_exception(PyObject *exception)
{
    if (!exception) return;
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(exception);
#else
    PyObject *type = Py_NewRef((PyObject *)Py_TYPE(exception));
    PyErr_Restore(type, exception, PyException_GetTraceback(exception));
#endif
}

/* An exact int that is small (compact; before 3.12 one or two digits, below 2^60): its value. Nothing can fail. */
static inline bool compat_small_int(PyObject *v, int64_t *out)
{
    if (!PyLong_CheckExact(v)) return false;
#if PY_VERSION_HEX >= 0x030C0000
    PyLongObject *n = (PyLongObject *)v;
    if (!PyUnstable_Long_IsCompact(n)) return false;
    *out = PyUnstable_Long_CompactValue(n);
    return true;
#else
    const digit *d = ((PyLongObject *)v)->ob_digit;
    switch (Py_SIZE(v)) {
    case 0: *out = 0; return true;
    case 1: *out = d[0]; return true;
    case -1: *out = -(int64_t)d[0]; return true;
    case 2: *out = (int64_t)d[0] | (int64_t)d[1] << PyLong_SHIFT; return true;
    case -2: *out = -((int64_t)d[0] | (int64_t)d[1] << PyLong_SHIFT); return true;
    default: return false;
    }
#endif
}

/* The n bytes of an int that is neither negative nor larger, big-endian; false for others. */
static inline bool compat_long_big_endian(PyObject *v, uint8_t *out, size_t n)
{
#if PY_VERSION_HEX >= 0x030D0000
    Py_ssize_t needed = PyLong_AsNativeBytes(v, out, (Py_ssize_t)n, Py_ASNATIVEBYTES_BIG_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER | Py_ASNATIVEBYTES_REJECT_NEGATIVE);
    bool fits = needed >= 0 && (size_t)needed <= n;
#else
    bool fits = _PyLong_AsByteArray((PyLongObject *)v, out, n, 0, 0) == 0;
#endif
    if (!fits) PyErr_Clear(); /* nothing else can go wrong with an int */
    return fits;
}

/* The number of a class's present state; it changes with everything that attribute access depends on. 0: none (yet). */
static inline unsigned compat_type_version(const PyTypeObject *tp)
{
#if PY_VERSION_HEX >= 0x030C0000
    return tp->tp_version_tag;
#else
    return tp->tp_flags & Py_TPFLAGS_VALID_VERSION_TAG ? tp->tp_version_tag : 0;
#endif
}

/* An attribute of a class as its instances find it, without asking any code; a new reference. NULL: none, without an
 * exception. */
static inline PyObject *compat_type_attribute(const PyTypeObject *tp, PyObject *name)
{
    PyObject *mro = tp->tp_mro, *found = NULL;
    for (Py_ssize_t i = 0; !found && mro && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
#if PY_VERSION_HEX >= 0x030C0000
        PyObject *dict = PyType_GetDict(base);
#else
        PyObject *dict = Py_XNewRef(base->tp_dict);
#endif
        found = dict ? Py_XNewRef(PyDict_GetItemWithError(dict, name)) : NULL;
        Py_XDECREF(dict);
    }
    PyErr_Clear();
    return found;
}

/* Where instances of a class keep an attribute of `__slots__`, in bytes from their beginning; -1: it is no such attribute,
 * or reading it is not plain access. Holds while the class's version is the same. */
static inline Py_ssize_t compat_slot_offset(const PyTypeObject *tp, PyObject *name)
{
    if (tp->tp_getattro != PyObject_GenericGetAttr) return -1;
    PyObject *d = compat_type_attribute(tp, name);
    Py_ssize_t offset = -1;
    if (d && Py_TYPE(d) == &PyMemberDescr_Type && PyType_IsSubtype((PyTypeObject *)(uintptr_t)tp, PyDescr_TYPE(d))) {
        const PyMemberDef *m = ((PyMemberDescrObject *)d)->d_member;
        if (m->type == T_OBJECT_EX && (m->flags & ~READONLY) == 0) offset = m->offset;
    }
    Py_XDECREF(d);
    return offset;
}

#endif
