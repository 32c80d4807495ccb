/* archive_host and hash_file. Which files, which destination, and what to do about failures is
 * decided in Python; here a host's names become one detached call of the core. */
#include "py_archive.h"

#include "py_budget.h"
#include "py_errors.h"
#include "py_writer.h"

#include "base/bytes.h"
#include "base/source.h"
#include "checkpoint/checkpoint_rows.h"
#include "checkpoint/writer_rows.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Everything that one call borrows and owns. */
typedef struct archiving {
    cq_mem mem;
    cq_host_job job;
    size_t files_bytes;
    PyObject *cluster, *hostname, *dir, *spill_dir; /* bytes; lint: a struct of one call */
    PyObject *names;                                /* list of bytes, one a file; lint: a struct of one call */
} archiving;

static void archiving_clear(archiving *a)
{
    if (a->job.files) cq_mem_free(&a->mem, a->job.files, a->files_bytes);
    cq_mem_close(&a->mem);
    Py_CLEAR(a->cluster);
    Py_CLEAR(a->hostname);
    Py_CLEAR(a->dir);
    Py_CLEAR(a->spill_dir);
    Py_CLEAR(a->names);
}

/* Bytes as an int, or a MemoryBudget of which up to 64 MiB are reserved. */
static int take_memory(core_state *st, archiving *a, PyObject *memory)
{
    if (PyLong_Check(memory)) {
        long long limit = PyLong_AsLongLong(memory);
        if (limit == -1 && PyErr_Occurred()) return -1;
        if (limit <= 0) {
            PyErr_SetString(PyExc_ValueError, "the memory limit is a number of bytes above 0");
            return -1;
        }
        cq_mem_init(&a->mem, NULL, (uint64_t)limit);
        return 0;
    }
    cq_mem *parent = py_budget_mem(st, memory);
    if (!parent) return -1;
    uint64_t room = cq_mem_room(parent), most = (uint64_t)64 << 20;
    cq_err e;
    cq_mem_init(&a->mem, parent, room < most ? room : most);
    if (a->mem.limit > 0 && cq_mem_reserve(&a->mem, a->mem.limit, &e) == CQ_OK) return 0;
    if (a->mem.limit == 0) (void)(cq_fail_budget(&e, "reading checkpoints", CQ_CHECKPOINT_MIN_MEMORY, 0) == CQ_OK);
    (void)py_raise(st, &e, NULL, NULL);
    return -1;
}

static int take_path(PyObject *arg, PyObject **out)
{
    return PyUnicode_FSConverter(arg, out) ? 0 : -1;
}

static int take_text(PyObject *arg, const char *what, PyObject **out, cq_span *span)
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str, not %.100s", what, Py_TYPE(arg)->tp_name);
        return -1;
    }
    *out = PyUnicode_AsUTF8String(arg);
    if (!*out) return -1;
    *span = cq_span_of(PyBytes_AS_STRING(*out), (size_t)PyBytes_GET_SIZE(*out));
    return 0;
}

/* The list of names as a list of bytes, and the core's array of files. */
static int take_names(core_state *st, archiving *a, PyObject *names)
{
    PyObject *list = PySequence_Fast(names, "names must be a sequence of file names");
    if (!list) return -1;
    Py_ssize_t const n = PySequence_Fast_GET_SIZE(list);
    a->names = PyList_New(0);
    int r = a->names ? 0 : -1;
    for (Py_ssize_t i = 0; r == 0 && i < n; i++) {
        PyObject *bytes = NULL;
        r = take_path(PySequence_Fast_GET_ITEM(list, i), &bytes);
        if (r == 0) r = PyList_Append(a->names, bytes);
        Py_XDECREF(bytes);
    }
    Py_DECREF(list);
    if (r < 0 || n == 0) return r;
    cq_err e;
    void *files = NULL;
    a->files_bytes = (size_t)n * sizeof(cq_checkpoint_file);
    if (n > INT32_MAX || cq_mem_alloc(&a->mem, a->files_bytes, "the list of a host's files", &files, &e) != CQ_OK) {
        if (n > INT32_MAX) PyErr_SetString(PyExc_ValueError, "too many files");
        else (void)py_raise(st, &e, NULL, NULL);
        return -1;
    }
    a->job.files = files;
    a->job.n_files = cq_u32((uint64_t)n);
    for (Py_ssize_t i = 0; i < n; i++) a->job.files[i].name = PyBytes_AS_STRING(PyList_GET_ITEM(a->names, i));
    return 0;
}

static int put(PyObject *dict, const char *key, PyObject *value)
{
    int r = value ? PyDict_SetItemString(dict, key, value) : -1;
    Py_XDECREF(value);
    return r;
}

static PyObject *hash_text(uint64_t hash)
{
    char text[17];
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    return PyUnicode_FromString(text);
}

static PyObject *file_result(const cq_checkpoint_file *f)
{
    PyObject *d = PyDict_New();
    bool const ok = f->err.code == CQ_OK;
    const char *msg = f->err.msg;
    size_t const n_name = strlen(f->name);
    /* The name stands beside the reason already. */
    if (strncmp(msg, f->name, n_name) == 0 && strncmp(msg + n_name, ": ", 2) == 0) msg += n_name + 2;
    if (d && put(d, "name", PyUnicode_DecodeFSDefault(f->name)) == 0 && put(d, "ok", PyBool_FromLong(ok)) == 0 &&
        put(d, "size", PyLong_FromLongLong(f->info.id.size)) == 0 &&
        put(d, "mtime_ns", PyLong_FromLongLong(f->info.id.mtime_ns)) == 0 &&
        put(d, "xxh64", ok ? hash_text(f->info.xxh64) : Py_NewRef(Py_None)) == 0 &&
        put(d, "series", PyLong_FromUnsignedLongLong(f->info.n_series)) == 0 &&
        put(d, "values", PyLong_FromUnsignedLongLong(f->info.n_values)) == 0 &&
        put(d, "trailing_bytes", PyLong_FromUnsignedLongLong(f->info.trailing_bytes)) == 0 &&
        put(d, "error", ok ? Py_NewRef(Py_None) : PyUnicode_DecodeUTF8(msg, (Py_ssize_t)strlen(msg), "replace")) == 0 &&
        put(d, "offset", ok || f->err.offset < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(f->err.offset)) == 0)
        return d;
    Py_XDECREF(d);
    return NULL;
}

static PyObject *results(const archiving *a)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < a->job.n_files; i++) {
        PyObject *d = file_result(&a->job.files[i]);
        if (!d || PyList_Append(list, d) < 0) Py_CLEAR(list);
        Py_XDECREF(d);
    }
    return list ? Py_BuildValue("(LN)", (long long)a->job.n_rows, list) : NULL;
}

static PyObject *copy_host(core_state *st, archiving *a, PyObject *writer)
{
    cq_writer *w = py_writer_acquire(st, writer, "archive_host");
    if (!w) return NULL;
    cq_err e;
    cq_err_clear(&e);
    py_gate *gate = py_writer_gate(writer);
    a->job.sink = cq_writer_row_sink(w);
    a->job.poll = (cq_poll){.should_stop = py_gate_should_stop, .ctx = gate};
    py_gate_detach(gate);
    cq_status const s = cq_host_copy(&a->job, &e);
    py_gate_attach(gate);
    int r = -1;
    if (s == CQ_ECHANGED && !PyErr_Occurred()) (void)py_raise(st, &e, a->job.files[a->job.changed].name, NULL);
    else r = py_writer_check(writer, s, &e);
    py_writer_release(writer);
    return r < 0 ? NULL : results(a);
}

static PyObject *archive_host(PyObject *module, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames)
{
    static const char *const names[] = {"writer", "cluster", "hostname", "directory", "names", "memory", "spill_dir"};
    PyObject *given[7];
    core_state *st = py_state(module);
    if (py_parse_args("archive_host", args, n_args, kwnames, names, 7, 7, 7, given) < 0) return NULL;
    archiving a;
    PyObject *result = NULL;
    memset(&a, 0, sizeof a);
    cq_mem_init(&a.mem, NULL, 1);
    a.job.mem = &a.mem;
    if (take_memory(st, &a, given[5]) == 0 && take_text(given[1], "cluster", &a.cluster, &a.job.cluster) == 0 &&
        take_text(given[2], "hostname", &a.hostname, &a.job.hostname) == 0 && take_path(given[3], &a.dir) == 0 &&
        take_path(given[6], &a.spill_dir) == 0 && take_names(st, &a, given[4]) == 0) {
        a.job.dir = PyBytes_AS_STRING(a.dir);
        a.job.spill_dir = PyBytes_AS_STRING(a.spill_dir);
        result = copy_host(st, &a, given[0]);
    }
    archiving_clear(&a);
    return result;
}

static cq_status hash_all(const char *path, cq_poll *poll, cq_xxh64_state *hash, cq_err *e)
{
    cq_mem mem;
    cq_source source;
    cq_file_id id;
    int fd;
    cq_mem_init(&mem, NULL, (uint64_t)1 << 20);
    CQ_TRY(cq_file_open(AT_FDCWD, path, &fd, &id, e));
    cq_status s = cq_source_init(&source, &mem, (size_t)256 << 10, e);
    if (s == CQ_OK) {
        source.poll = poll;
        source.hash = hash;
        cq_source_aim(&source, fd, path, 0, id.size);
        s = cq_source_skip(&source, (uint64_t)id.size, e);
        cq_source_reset(&source);
    }
    (void)close(fd);
    cq_mem_close(&mem);
    return s;
}

static PyObject *hash_file(PyObject *module, PyObject *arg)
{
    PyObject *path = NULL;
    if (take_path(arg, &path) < 0) return NULL;
    py_gate gate = {0};
    cq_poll poll = {.should_stop = py_gate_should_stop, .ctx = &gate};
    cq_xxh64_state hash;
    cq_err e;
    cq_xxh64_init(&hash, 0);
    cq_err_clear(&e);
    py_gate_detach(&gate);
    cq_status const s = hash_all(PyBytes_AS_STRING(path), &poll, &hash, &e);
    py_gate_attach(&gate);
    PyObject *result = s == CQ_OK ? hash_text(cq_xxh64_digest(&hash)) : py_raise(py_state(module), &e, PyBytes_AS_STRING(path), NULL);
    Py_DECREF(path);
    return result;
}

static PyMethodDef archive_methods[] = {
    {"archive_host", (PyCFunction)(void (*)(void))archive_host, METH_FASTCALL | METH_KEYWORDS,
     "archive_host($module, /, writer, cluster, hostname, directory, names, memory, spill_dir)\n--\n\n"
     "Writes the rows of one host's checkpoints, sorted, to a Writer of the eight archive columns.\n\n"
     "names: .json and .bin files of the directory, ascending; of two samples for one path, metric and time the later\n"
     "file's counts. memory: bytes, at least 2 MiB, or a MemoryBudget. Returns (rows, one dict a file); a file that\n"
     "cannot be read has ok=False, error and offset. FileChanged: a file was changed between the two passes; what was\n"
     "written is then not to be kept."},
    {"hash_file", hash_file, METH_O,
     "hash_file($module, path, /)\n--\n\nXXH64 of a file's bytes, 16 hexadecimal digits."},
    {NULL, NULL, 0, NULL},
};

int py_archive_add(PyObject *module) { return PyModule_AddFunctions(module, archive_methods); }
