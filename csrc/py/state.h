/* The state of one _core module: every object it keeps, in one list, so that the struct, traverse
 * and clear cannot drift apart. No file of the binding has mutable statics.
 *
 * A room adds its types and names to the list and has one function `int py_<room>_add(module,
 * state)`, which module.c calls while the module is executed. */
#ifndef CQ_PY_STATE_H
#define CQ_PY_STATE_H

#include "compat.h"

#define CORE_STATE_ERRORS(X) \
    X(Error) X(RowError) X(RowTypeError) X(RowValueError) X(RowOverflowError) X(SchemaError) X(FormatError) \
    X(VerifyError) X(UnsupportedError) X(BudgetError) X(FileChanged)

#define CORE_STATE_TYPES(X) \
    X(MemoryBudget_type) X(Writer_type) X(Checkpoint_type) X(Series_type) X(SeriesIter_type) X(Archiver_type)

#define CORE_STATE_OBJECTS(X) \
    X(Integral) /* numbers.Integral */ \
    X(repr)     /* reprlib.repr: a short text of any container */ \
    /* the converters'; NULL until a column needs them */ \
    X(datetime) X(date) X(time) X(timedelta) X(utc) /* of the C module; datetime.timezone.utc */ \
    X(Decimal) X(UUID) X(Enum) X(PathLike) X(Json) \
    X(name_int) X(name_utcoffset) /* interned: attributes that are asked for once a value */ \
    X(TextIOBase) \
    X(row_names) /* of ccpq._row_names */

#define CORE_STATE_LIST(X) CORE_STATE_ERRORS(X) CORE_STATE_TYPES(X) CORE_STATE_OBJECTS(X)

typedef struct core_state {
#define CORE_STATE_MEMBER(name) PyObject *name;
    CORE_STATE_LIST(CORE_STATE_MEMBER)
#undef CORE_STATE_MEMBER
    int64_t live;          /* core handles that are open; changed only while attached */
    uint64_t forks;        /* forks that this process is the child of; a handle of another count is not ours */
} core_state;

static inline core_state *py_state(PyObject *module) { return (core_state *)PyModule_GetState(module); }
static inline core_state *py_state_of(PyTypeObject *tp) { return (core_state *)PyType_GetModuleState(tp); }

int py_errors_add(PyObject *module, core_state *st);
int py_budget_add(PyObject *module, core_state *st);
int py_writer_add(PyObject *module, core_state *st);
int py_checkpoint_add(PyObject *module, core_state *st) __attribute__((weak));

/* Makes a heap type, keeps it in *slot and publishes it under its name. */
int py_add_type(PyObject *module, PyType_Spec *spec, PyObject **slot);

#endif
