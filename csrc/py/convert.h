/* One Python value into one column. The table of what is taken and what is refused is api.md's,
 * strict: nothing is guessed, cut or rounded but a float into float32.
 *
 * A refusal is not yet an exception: only the caller knows row numbers, so a converter leaves the
 * class and the text in the `conv` record. Exceptions of user code stay pending, untouched. */
#ifndef CQ_PY_CONVERT_H
#define CQ_PY_CONVERT_H

#include "state.h"

#include "write/colbuf.h"

typedef enum conv_result {
    CONV_OK = 0,
    CONV_REFUSED, /* conv.refused_type and conv.refused_text are set */
    CONV_CORE,    /* conv.err is set: the column did not take the value */
    CONV_RAISED   /* a Python exception is pending */
} conv_result;

typedef struct conv {
    core_state *st;
    PyObject *refused_type; /* borrowed: from the state */
    PyObject *refused_text; /* owned; taken by whoever reports it */
    PyObject *held;         /* owned: the value that failed, where user code has run and may have
                               taken it out of its row; NULL: the row still has it */
    cq_err err;
} conv;

/* Remembers which dictionary id a string object got, so that a shared string is neither hashed
 * nor compared again. Holds short exact str objects only, which cannot be part of a cycle and run
 * no code when they die. */
typedef struct ident {
    PyObject *object;
    uint32_t id, epoch;
} ident;

typedef struct column column;
typedef conv_result (*conv_fn)(conv *x, column *c, PyObject *v);

struct column {
    conv_fn convert;
    cq_colbuf *buf; /* of the core's writer */
    ident *idents;  /* idents_mask + 1 entries in the table's pool; NULL: none */
    size_t idents_mask;
    cq_type type;
    bool optional;
    PyObject *name; /* interned */
};

/* The converter of a type; bound once at open. */
conv_fn convert_for(cq_type type);

/* Sets a refusal; the text is a format of PyUnicode_FromFormat. */
conv_result convert_refuse(conv *x, PyObject *type, const char *format, ...);

/* Puts a null, or refuses it ("None in a required column ..."). */
conv_result convert_null(conv *x, column *c, PyObject *v);

/* The row was taken back: forgets ids that died with it. */
void convert_row_aborted(column *c);

/* Whether two exact ASCII strings are equal; false for any other object (then ask Python). */
bool convert_same_text(PyObject *a, PyObject *b);

int convert_add(PyObject *module, core_state *st);

#endif
