/* The module object of ccpq._core: multi-phase init, its state, and the few functions that belong
 * to no type. The types are made by the rooms, one file each. */
#include "py_arrow.h"
#include "py_sink.h"

int py_add_type(PyObject *module, PyType_Spec *spec, PyObject **slot)
{
    *slot = PyType_FromModuleAndSpec(module, spec, NULL);
    if (!*slot) return -1;
    return PyModule_AddType(module, (PyTypeObject *)*slot);
}

static PyObject *core_live(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLongLong(py_state(module)->live);
}

static PyObject *core_forked(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    py_state(module)->forks++;
    Py_RETURN_NONE;
}

static PyObject *core_check_sink(PyObject *module, PyObject *target)
{
    return py_sink_check(py_state(module), target) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef core_methods[] = {
    {"_live", core_live, METH_NOARGS, "_live($module, /)\n--\n\nThe number of open core handles."},
    {"_forked", core_forked, METH_NOARGS,
     "_forked($module, /)\n--\n\nTo be called in the child after a fork: handles made before are not usable there."},
    {"check_sink", core_check_sink, METH_O,
     "check_sink($module, target, /)\n--\n\nTypeError or ValueError where the target is no file or sink to write to."},
    {"arrow_schema_fields", arrow_schema_fields, METH_O,
     "arrow_schema_fields($module, capsule, /)\n--\n\n(name, type, nullable) of each column of an 'arrow_schema' capsule."},
    {"arrow_schema_field", arrow_schema_field, METH_O,
     "arrow_schema_field($module, capsule, /)\n--\n\nThe same of a type or field."},
    {"arrow_stream_schema", arrow_stream_schema, METH_O,
     "arrow_stream_schema($module, object, /)\n--\n\nThe same of what __arrow_c_stream__ gives; nothing is read."},
    {"make_arrow_schema", make_arrow_schema, METH_O,
     "make_arrow_schema($module, fields, /)\n--\n\nAn 'arrow_schema' capsule of fields as Writer takes them."},
    {NULL, NULL, 0, NULL},
};

static int core_exec(PyObject *module)
{
    core_state *st = py_state(module);
    if (PyModule_AddStringConstant(module, "__version__", CQ_VERSION) < 0) return -1;
    if (py_errors_add(module, st) < 0) return -1;
    if (py_budget_add(module, st) < 0) return -1;
    if (py_writer_add(module, st) < 0) return -1;
    if (py_checkpoint_add && py_checkpoint_add(module, st) < 0) return -1;
    return 0;
}

static int core_traverse(PyObject *module, visitproc visit, void *arg)
{
    core_state *st = py_state(module);
#define CORE_STATE_VISIT(name) Py_VISIT(st->name);
    CORE_STATE_LIST(CORE_STATE_VISIT)
#undef CORE_STATE_VISIT
    return 0;
}

static int core_clear(PyObject *module)
{
    core_state *st = py_state(module);
#define CORE_STATE_CLEAR(name) Py_CLEAR(st->name);
    CORE_STATE_LIST(CORE_STATE_CLEAR)
#undef CORE_STATE_CLEAR
    return 0;
}

static void core_free(void *module) { (void)core_clear((PyObject *)module); }

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, (void *)core_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef core_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "ccpq._core",
    .m_doc = "The C core of ccpq behind Python objects; private, use the package.",
    .m_size = (Py_ssize_t)sizeof(core_state),
    .m_methods = core_methods,
    .m_slots = core_slots,
    .m_traverse = core_traverse,
    .m_clear = core_clear,
    .m_free = core_free,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&core_module); }
