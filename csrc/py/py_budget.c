/* The type MemoryBudget: a root of the core's memory accounting. A handle that is opened on it is
 * a child which reserves its share at once and keeps this object alive. */
#include "py_budget.h"

#include "py_errors.h"

typedef struct BudgetObject {
    PyObject_HEAD
    cq_mem mem;
} BudgetObject;

cq_mem *py_budget_mem(core_state *st, PyObject *obj)
{
    if (Py_TYPE(obj) == (PyTypeObject *)st->MemoryBudget_type) return &((BudgetObject *)obj)->mem;
    PyErr_Format(PyExc_TypeError, "a MemoryBudget is needed, not %.100s", Py_TYPE(obj)->tp_name);
    return NULL;
}

int py_budget_take(core_state *st, long long limit, PyObject *budget, cq_mem *mem, PyObject **held)
{
    if (limit <= 0) {
        PyErr_SetString(PyExc_ValueError, "memory_limit is a number of bytes above 0");
        return -1;
    }
    if (!budget || budget == Py_None) {
        cq_mem_init(mem, NULL, (uint64_t)limit);
        return 0;
    }
    cq_mem *parent = py_budget_mem(st, budget);
    if (!parent) return -1;
    *held = Py_NewRef(budget);
    cq_mem_init(mem, parent, (uint64_t)limit);
    cq_err e;
    if (cq_mem_reserve(mem, (uint64_t)limit, &e) == CQ_OK) return 0;
    (void)py_raise(st, &e, NULL, NULL);
    return -1;
}

static PyObject *Budget_new(PyTypeObject *tp, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"limit", NULL};
    long long limit = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "L:MemoryBudget", (char **)(uintptr_t)names, &limit)) return NULL;
    if (limit <= 0) {
        PyErr_SetString(PyExc_ValueError, "the limit of a MemoryBudget is a number of bytes above 0");
        return NULL;
    }
    BudgetObject *self = (BudgetObject *)tp->tp_alloc(tp, 0);
    if (self) cq_mem_init(&self->mem, NULL, (uint64_t)limit);
    return (PyObject *)self;
}

static int Budget_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void Budget_dealloc(PyObject *self)
{
    PyTypeObject *tp = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    cq_mem_close(&((BudgetObject *)self)->mem);
    tp->tp_free(self);
    Py_DECREF(tp);
}

static PyObject *Budget_get_limit(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(((BudgetObject *)self)->mem.limit);
}

static PyObject *Budget_get_used(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(cq_mem_used(&((BudgetObject *)self)->mem));
}

static PyObject *Budget_get_peak(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(cq_mem_peak(&((BudgetObject *)self)->mem));
}

static PyObject *Budget_repr(PyObject *self)
{
    cq_mem *m = &((BudgetObject *)self)->mem;
    return PyUnicode_FromFormat("<ccpq._core.MemoryBudget %llu of %llu bytes used>", (unsigned long long)cq_mem_used(m),
                                (unsigned long long)m->limit);
}

static PyGetSetDef Budget_getset[] = {
    {"limit", Budget_get_limit, NULL, "bytes that all children may use together", NULL},
    {"used", Budget_get_used, NULL, "bytes in use, reserved shares included", NULL},
    {"peak", Budget_get_peak, NULL, "the most that was ever in use", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot Budget_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)"MemoryBudget(limit)\n--\n\nA limit in bytes that several writers share."},
    {Py_tp_new, (void *)Budget_new},
    {Py_tp_dealloc, (void *)Budget_dealloc},
    {Py_tp_traverse, (void *)Budget_traverse},
    {Py_tp_repr, (void *)Budget_repr},
    {Py_tp_getset, Budget_getset},
    {0, NULL},
};

static PyType_Spec Budget_spec = {
    .name = "ccpq._core.MemoryBudget",
    .basicsize = (int)sizeof(BudgetObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = Budget_slots,
};

int py_budget_add(PyObject *module, core_state *st) { return py_add_type(module, &Budget_spec, &st->MemoryBudget_type); }
