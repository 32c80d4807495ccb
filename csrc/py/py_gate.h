/* Leaving and re-entering the interpreter around long calls of the core.
 *
 * A handle detaches for a whole settle, flush or file; callbacks of the core (a Python sink, the
 * interrupt check) re-attach with the thread state that was saved, so they need no look-up and
 * work in any interpreter. One gate belongs to one handle and is guarded by its busy flag. */
#ifndef CQ_PY_GATE_H
#define CQ_PY_GATE_H

#include "compat.h"

typedef struct py_gate {
    PyThreadState *ts; /* set while detached */
    bool working;      /* between py_gate_detach and py_gate_attach, callbacks included */
    bool main_thread;  /* signals act there only */
    int64_t next_check_ns;
} py_gate;

void py_gate_detach(py_gate *g);
void py_gate_attach(py_gate *g);

/* For callbacks: attaches if the gate is detached and says whether it did; leave undoes it. */
bool py_gate_enter(py_gate *g);
void py_gate_leave(py_gate *g, bool entered);

/* The core's should_stop with a py_gate as context: true leaves an exception pending. Attaches at
 * most every 0.2 s. */
bool py_gate_should_stop(void *gate);

#endif
