/* MemoryBudget: one hard limit that many writers share. */
#ifndef CQ_PY_BUDGET_H
#define CQ_PY_BUDGET_H

#include "state.h"

#include "base/mem.h"

/* The budget inside a MemoryBudget object; TypeError and NULL for anything else. Borrowed: the
 * object must be kept alive while children of it exist. */
cq_mem *py_budget_mem(core_state *st, PyObject *obj);

#endif
