/* Arrow PyCapsules: see py_arrow.h. A struct is moved out of its capsule (its `release` there becomes
 * NULL), so that whoever consumes it twice gets an error instead of freed memory. */
#include "py_arrow.h"

#include "py_errors.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

/* The pointer of a capsule of that name; an exception where it is another, or was consumed. */
static void *capsule_of(PyObject *object, const char *name)
{
    if (!PyCapsule_IsValid(object, name)) {
        PyErr_Format(PyExc_TypeError, "an Arrow capsule '%s' is needed, not %.100s", name, Py_TYPE(object)->tp_name);
        return NULL;
    }
    return PyCapsule_GetPointer(object, name);
}

static int consumed(const char *what)
{
    PyErr_Format(PyExc_ValueError, "the Arrow %s was consumed before", what);
    return -1;
}

/* -- releases ------------------------------------------------------------------------------------ */

/* A release is the producer's code: it may take the interpreter itself, wait for threads that need it, run Python. So it
 * is called detached, sees no exception of ours, and one that it leaves behind is nobody's. */
typedef struct apart {
    PyObject *pending; /* on the stack only, lint: no traverse; step_back gives it back */
    PyThreadState *ts;
} apart;

static apart step_aside(void)
{
    PyObject *pending = compat_take_exception();
    return (apart){pending, PyEval_SaveThread()};
}

static void step_back(apart a)
{
    PyEval_RestoreThread(a.ts);
    if (PyErr_Occurred()) PyErr_WriteUnraisable(NULL);
    compat_set_exception(a.pending);
}

/* Detached. */
static void release_array(struct ArrowArray *a)
{
    if (a->release) a->release(a);
    a->release = NULL;
}

static void release_schema(struct ArrowSchema *s)
{
    if (s->release) s->release(s);
    s->release = NULL;
}

void arrow_release_arrays(struct ArrowArray *a, size_t n)
{
    if (n == 0 || (n == 1 && !a->release)) return;
    apart const out = step_aside();
    for (size_t i = 0; i < n; i++) release_array(&a[i]);
    step_back(out);
}

void arrow_release_schema(struct ArrowSchema *s)
{
    if (!s->release) return;
    apart const out = step_aside();
    release_schema(s);
    step_back(out);
}

void arrow_clear(arrow_input *in)
{
    if (!in->single.release && !in->schema.release && !in->stream.release) return;
    apart const out = step_aside();
    release_array(&in->single);
    release_schema(&in->schema);
    if (in->stream.release) in->stream.release(&in->stream);
    in->stream.release = NULL;
    step_back(out);
}

/* -- taking over --------------------------------------------------------------------------------- */

/* Whether an error's text is that of a Python traceback whose last line is a KeyboardInterrupt: a stream of pyarrow over
 * Python objects has only text for what its iterator raised, and Ctrl-C must not become an OSError there. */
static bool tells_interrupt(const char *said)
{
    static const char name[] = "KeyboardInterrupt";
    const char *last = said, *traceback = strstr(said, "Traceback (most recent call last)");
    if (!traceback) return false;
    for (const char *p = traceback; *p; p++)
        if (*p == '\n' && p[1] && p[1] != '\n') last = p + 1;
    return strncmp(last, name, sizeof name - 1) == 0 && strchr(":\n", last[sizeof name - 1]) != NULL;
}

/* The producer's failure; an exception that it left pending is kept. */
static int stream_failed(struct ArrowArrayStream *stream, const char *what, int code)
{
    if (PyErr_Occurred()) return -1;
    const char *said = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    if (said && tells_interrupt(said)) {
        PyErr_SetNone(PyExc_KeyboardInterrupt);
        return -1;
    }
    PyObject *text = PyUnicode_FromFormat("the Arrow stream failed to give %s: %s", what, said && *said ? said : strerror(code));
    PyObject *args = text ? Py_BuildValue("(iN)", code, text) : NULL;
    if (args) PyErr_SetObject(PyExc_OSError, args);
    Py_XDECREF(args);
    return -1;
}

static int get_schema(core_state *st, struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    if (!stream->get_schema || !stream->get_next) {
        PyErr_SetString(st->FormatError, "the Arrow producer gave a stream without its functions");
        return -1;
    }
    int code;
    Py_BEGIN_ALLOW_THREADS
    code = stream->get_schema(stream, out);
    Py_END_ALLOW_THREADS
    if (code != 0) {
        out->release = NULL; /* nothing was given */
        return stream_failed(stream, "its schema", code);
    }
    if (PyErr_Occurred()) return -1;
    if (out->release) return 0;
    PyErr_SetString(st->FormatError, "the Arrow producer gave a released schema");
    return -1;
}

static struct ArrowArrayStream *stream_of(PyObject *capsule)
{
    struct ArrowArrayStream *s = capsule_of(capsule, "arrow_array_stream");
    if (!s || s->release) return s;
    (void)consumed("stream");
    return NULL;
}

int arrow_peek_schema(core_state *st, PyObject *capsule, struct ArrowSchema *out)
{
    struct ArrowArrayStream *s = stream_of(capsule);
    if (!s) return -1;
    struct ArrowArrayStream ours = *s; /* while it is asked, detached, nobody else finds it in the capsule */
    s->release = NULL;
    int const r = get_schema(st, &ours, out);
    *s = ours;
    return r;
}

static int open_array(arrow_input *in, PyObject *capsule, PyObject *array)
{
    struct ArrowSchema *schema = capsule_of(capsule, "arrow_schema");
    struct ArrowArray *a = schema ? capsule_of(array, "arrow_array") : NULL;
    if (!a) return -1;
    if (!schema->release) return consumed("schema");
    if (!a->release) return consumed("array");
    in->schema = *schema;
    schema->release = NULL;
    in->single = *a;
    a->release = NULL;
    return 0;
}

int arrow_open(core_state *st, arrow_input *in, PyObject *capsule, PyObject *array)
{
    memset(in, 0, sizeof *in);
    if (array && array != Py_None) return open_array(in, capsule, array);
    struct ArrowArrayStream *s = stream_of(capsule);
    if (!s) return -1;
    in->stream = *s;
    s->release = NULL;
    return get_schema(st, &in->stream, &in->schema);
}

int arrow_next(arrow_input *in, struct ArrowArray *out)
{
    memset(out, 0, sizeof *out);
    if (!in->stream.release) {
        *out = in->single;
        in->single.release = NULL;
        return 0;
    }
    int code;
    Py_BEGIN_ALLOW_THREADS
    code = in->stream.get_next(&in->stream, out);
    Py_END_ALLOW_THREADS
    if (code == 0) return PyErr_Occurred() ? (arrow_release_arrays(out, 1), -1) : 0;
    out->release = NULL; /* nothing was given */
    return stream_failed(&in->stream, "its next batch", code);
}
