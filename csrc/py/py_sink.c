/* Python sinks and files: see py_sink.h. Bytes are handed over as copies in pieces: a sink that
 * keeps what it was given must never hold memory of the core. */
#include "py_sink.h"

#include "py_errors.h"

enum { PIECE_BYTES = 256 << 10 };

int py_sink_add(PyObject *module, core_state *st)
{
    (void)module;
    PyObject *io = PyImport_ImportModule("io");
    if (!io) return -1;
    st->TextIOBase = PyObject_GetAttrString(io, "TextIOBase");
    Py_DECREF(io);
    return st->TextIOBase ? 0 : -1;
}

/* A method of the target, or NULL without an exception. */
static PyObject *method(PyObject *target, const char *name)
{
    PyObject *m = py_attribute(target, name);
    if (m && !PyCallable_Check(m)) Py_CLEAR(m);
    return m;
}

static int has_method(PyObject *target, const char *name)
{
    PyObject *m = method(target, name);
    Py_XDECREF(m);
    return m ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* Offsets in the file count from its first byte, so a file that has bytes already is refused;
 * one that cannot tell (a pipe) is believed. */
static int check_position(PyObject *target)
{
    PyObject *tell = method(target, "tell");
    if (!tell) return PyErr_Occurred() ? -1 : 0;
    PyObject *at = PyObject_CallNoArgs(tell);
    Py_DECREF(tell);
    if (!at) {
        if (!PyErr_ExceptionMatches(PyExc_OSError) && !PyErr_ExceptionMatches(PyExc_AttributeError) &&
            !PyErr_ExceptionMatches(PyExc_NotImplementedError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    int is_start = !PyLong_Check(at) ? 1 : PyObject_Not(at);
    if (is_start == 0)
        PyErr_Format(PyExc_ValueError, "the file is at position %S: a Parquet file begins at 0, and files are not appended to", at);
    Py_DECREF(at);
    return is_start > 0 ? 0 : -1;
}

static int check_file(core_state *st, PyObject *target)
{
    int is_text = PyObject_IsInstance(target, st->TextIOBase);
    if (is_text < 0) return -1;
    if (is_text) {
        PyErr_SetString(PyExc_TypeError, "a text file cannot hold Parquet: open it with 'wb'");
        return -1;
    }
    PyObject *writable = method(target, "writable");
    if (!writable && PyErr_Occurred()) return -1;
    if (writable) {
        PyObject *answer = PyObject_CallNoArgs(writable);
        Py_DECREF(writable);
        int is_writable = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        if (is_writable == 0) PyErr_SetString(PyExc_ValueError, "the file is not open for writing: open it with 'wb'");
        if (is_writable <= 0) return -1;
    }
    return check_position(target);
}

int py_sink_init(py_sink *s, core_state *st, PyObject *target, py_gate *gate)
{
    s->gate = gate;
    s->write = method(target, "write");
    if (!s->write) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError,
                         "the target must be a path, a binary file or a sink with write(), finish() and abort(), not %.100s",
                         Py_TYPE(target)->tp_name);
        return -1;
    }
    int finish = has_method(target, "finish"), abort = finish < 0 ? -1 : has_method(target, "abort");
    if (abort < 0) return -1;
    if (finish != abort) {
        PyErr_Format(PyExc_TypeError, "a sink needs finish() and abort(); %.100s has no %s()", Py_TYPE(target)->tp_name,
                     finish ? "abort" : "finish");
        return -1;
    }
    s->is_file = !finish;
    if (s->is_file && check_file(st, target) < 0) return -1;
    s->target = Py_NewRef(target);
    return 0;
}

int py_sink_check(core_state *st, PyObject *target)
{
    py_sink s = {.target = NULL};
    int r = py_sink_init(&s, st, target, NULL);
    py_sink_clear(&s);
    return r;
}

/* How many bytes a file's write took; -1 with an exception. */
static Py_ssize_t taken(PyObject *answer, Py_ssize_t n)
{
    if (!PyLong_Check(answer)) {
        PyErr_Format(PyExc_TypeError, "the file's write() returned %.100s, not the number of bytes it wrote%s",
                     Py_TYPE(answer)->tp_name, answer == Py_None ? " (is it a non-blocking file that is full?)" : "");
        return -1;
    }
    Py_ssize_t k = PyLong_AsSsize_t(answer);
    if (k == -1 && PyErr_Occurred()) return -1;
    if (k > 0 && k <= n) return k;
    PyErr_Format(PyExc_OSError, "the file's write() returned %zd for %zd bytes", k, n);
    return -1;
}

/* One piece: whole to a sink, as far as it goes to a file. Returns the bytes taken, -1 on failure. */
static Py_ssize_t write_piece(py_sink *s, const char *p, Py_ssize_t n)
{
    PyObject *bytes = PyBytes_FromStringAndSize(p, n);
    if (!bytes) return -1;
    PyObject *data = s->is_file ? Py_NewRef(bytes) : PyMemoryView_FromObject(bytes);
    Py_DECREF(bytes);
    if (!data) return -1;
    PyObject *answer = PyObject_CallOneArg(s->write, data);
    Py_DECREF(data);
    if (!answer) return -1;
    Py_ssize_t k = s->is_file ? taken(answer, n) : n;
    Py_DECREF(answer);
    return k;
}

static cq_status sink_write(void *ctx, const void *p, size_t n, cq_err *e)
{
    py_sink *s = ctx;
    const char *at = p;
    bool entered = py_gate_enter(s->gate);
    bool ok = !PyErr_Occurred();
    while (ok && n > 0) {
        Py_ssize_t k = write_piece(s, at, n < PIECE_BYTES ? (Py_ssize_t)n : PIECE_BYTES);
        ok = k >= 0;
        if (ok) {
            at += k;
            n -= (size_t)k;
        }
    }
    py_gate_leave(s->gate, entered);
    return ok ? CQ_OK : cq_fail(e, CQ_ESINK, "the sink's write() raised an exception");
}

static PyObject *call_if_there(PyObject *target, const char *name)
{
    PyObject *m = method(target, name);
    if (!m) return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    PyObject *answer = PyObject_CallNoArgs(m);
    Py_DECREF(m);
    return answer;
}

static cq_status sink_finish(void *ctx, cq_err *e)
{
    py_sink *s = ctx;
    bool entered = py_gate_enter(s->gate);
    PyObject *answer = PyErr_Occurred() ? NULL : call_if_there(s->target, s->is_file ? "flush" : "finish");
    Py_XDECREF(answer);
    py_gate_leave(s->gate, entered);
    return answer ? CQ_OK : cq_fail(e, CQ_ESINK, "the sink's %s() raised an exception", s->is_file ? "flush" : "finish");
}

/* Cannot report: an exception of abort() stays pending for the handle's call unless there is one
 * already, which is then the reason for the abort. */
static void sink_abort(void *ctx)
{
    py_sink *s = ctx;
    if (s->is_file || s->orphan || !s->target) return;
    bool entered = py_gate_enter(s->gate);
    PyObject *pending = compat_take_exception();
    PyObject *answer = call_if_there(s->target, "abort");
    if (!answer && pending) PyErr_WriteUnraisable(s->target);
    Py_XDECREF(answer);
    compat_set_exception(pending);
    py_gate_leave(s->gate, entered);
}

cq_sink py_sink_as_sink(py_sink *s)
{
    cq_sink sink = {sink_write, sink_finish, sink_abort, s};
    return sink;
}

int py_sink_traverse(py_sink *s, visitproc visit, void *arg)
{
    Py_VISIT(s->target);
    Py_VISIT(s->write);
    return 0;
}

void py_sink_clear(py_sink *s)
{
    Py_CLEAR(s->target);
    Py_CLEAR(s->write);
}
