/* One Python value into one column. The table of what is taken and what is refused is that of
 * docs/types.md, strict: nothing is guessed, cut or rounded but a float into float32.
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

/* All that converting into one builder needs. A zeroed one may be bound, traversed and cleared. */
struct column {
    conv_fn convert;
    cq_colbuf *buf; /* of the core's writer or of a stage */
    ident *idents;  /* idents_mask + 1 entries in the table's pool; NULL: none */
    size_t idents_mask;
    cq_type type;
    cq_unit unit;   /* of times and timestamps, as users give it */
    bool utc, optional;
    bool takes_members; /* a string column of members of an Enum too; set by whoever binds */
    int32_t fixed_bytes, precision, scale; /* as in cq_field */
    conv_fn strict;   /* what `convert` asks after its own rules; NULL: `convert` is strict itself */
    PyObject *name;   /* interned */
    PyObject *encode; /* json: the standard library's encoder, (value, 0) -> list of text; else NULL */
    PyObject *seen;   /* json: dict of the containers the encoder is inside of; empty between values */
    char type_text[CQ_TYPE_TEXT_BYTES]; /* as users write it, without "?" */
};

/* Binds a zeroed column to a field and to the builder its values go into. Imports what the type needs (datetime,
 * decimal, uuid, json): -1 with the exception of that, and convert_clear takes away what was made. `strict`: only what
 * the table of docs/types.md accepts; otherwise also what its paragraph on strict=False adds. */
int convert_bind(core_state *st, column *c, const cq_field *f, cq_colbuf *buf, bool strict);
int convert_traverse(column *c, visitproc visit, void *arg);
void convert_clear(column *c);

/* Sets a refusal; the text is a format of PyUnicode_FromFormat. */
conv_result convert_refuse(conv *x, PyObject *type, const char *format, ...);

/* Puts a null, or refuses it ("None in a required column ..."). */
conv_result convert_null(conv *x, column *c, PyObject *v);

/* Whether a column of the type makes use of idents. */
static inline bool convert_has_idents(cq_type t) { return t == CQ_STRING || t == CQ_ENUM; }

/* The row was taken back: forgets ids that died with it. */
void convert_row_aborted(column *c);

/* Whether two exact ASCII strings are equal; false for any other object (then ask Python). */
bool convert_same_text(PyObject *a, PyObject *b);

int convert_add(PyObject *module, core_state *st);

#endif
