/* MemoryBudget: one hard limit that many writers share. */
#ifndef CQ_PY_BUDGET_H
#define CQ_PY_BUDGET_H

#include "state.h"

#include "base/mem.h"

/* The budget inside a MemoryBudget object; TypeError and NULL for anything else. Borrowed: the
 * object must be kept alive while children of it exist. */
cq_mem *py_budget_mem(core_state *st, PyObject *obj);

/* A handle's memory of `limit` bytes: its own where `budget` is NULL or None, else a share of that
 * MemoryBudget, reserved at once; `*held` then keeps the budget alive. -1 with an exception set. */
int py_budget_take(core_state *st, long long limit, PyObject *budget, cq_mem *mem, PyObject **held);

#endif
