/* The gate between interpreter and core: see py_gate.h. */
#define _GNU_SOURCE
#include "py_gate.h"

#include <time.h>
#include <unistd.h>

static const int64_t check_every_ns = 200000000;

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void py_gate_detach(py_gate *g)
{
    g->main_thread = gettid() == getpid();
    g->next_check_ns = now_ns() + check_every_ns;
    g->working = true;
    g->ts = PyEval_SaveThread();
}

void py_gate_attach(py_gate *g)
{
    PyThreadState *ts = g->ts;
    g->ts = NULL;
    PyEval_RestoreThread(ts);
    g->working = false;
}

bool py_gate_enter(py_gate *g)
{
    PyThreadState *ts = g->ts;
    if (!ts) return false;
    g->ts = NULL;
    PyEval_RestoreThread(ts);
    return true;
}

void py_gate_leave(py_gate *g, bool entered)
{
    if (entered) g->ts = PyEval_SaveThread();
}

bool py_gate_should_stop(void *gate)
{
    py_gate *g = gate;
    if (!g->main_thread || !g->working) return false;
    int64_t now = now_ns();
    if (now < g->next_check_ns) return false;
    g->next_check_ns = now + check_every_ns;
    bool entered = py_gate_enter(g);
    bool stop = PyErr_Occurred() || PyErr_CheckSignals() < 0;
    py_gate_leave(g, entered);
    return stop;
}
