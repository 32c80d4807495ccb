/* Arrow PyCapsules: what is in them, taken over and released. The capsules are hostile until the
 * core has looked at the structs (arrow_type.h, column_import.h); here are names and life times. */
#ifndef CQ_PY_ARROW_H
#define CQ_PY_ARROW_H

#include "state.h"

#include "format/arrow_abi.h"

/* A stream whose schema was asked for; or one array, moved out of its capsule, as a stream of one. */
typedef struct arrow_input {
    struct ArrowSchema schema;
    struct ArrowArrayStream stream; /* release NULL: a single array */
    struct ArrowArray single;       /* given by the first arrow_next */
} arrow_input;

/* `capsule` is an arrow_array_stream with `array` NULL, else an arrow_schema with an arrow_array. The
 * producer's structs are moved out of the capsules. On failure an exception is pending; clear in every case. Both detach. */
int arrow_open(core_state *st, arrow_input *in, PyObject *capsule, PyObject *array);
void arrow_clear(arrow_input *in);

/* The schema of a stream that stays in its capsule; the caller releases it, after a failure too. Detaches. */
int arrow_peek_schema(core_state *st, PyObject *capsule, struct ArrowSchema *out);

/* The next array, which the caller releases; out->release NULL: the end. -1 with an exception: the
 * producer's error (OSError with its number and text, or its own Python exception). Detaches. */
int arrow_next(arrow_input *in, struct ArrowArray *out);

/* Releases what is not released yet. A pending exception stays what it is, whatever the producer's callback does. Detaches. */
void arrow_release_arrays(struct ArrowArray *a, size_t n);
void arrow_release_schema(struct ArrowSchema *s);

/* Functions of the module: the columns (name, type text, nullable) of a schema capsule, the one of a type or field, those of
 * an object with __arrow_c_stream__; and the capsule of the fields that Writer takes. */
PyObject *arrow_schema_fields(PyObject *module, PyObject *capsule);
PyObject *arrow_schema_field(PyObject *module, PyObject *capsule);
PyObject *arrow_stream_schema(PyObject *module, PyObject *object);
PyObject *make_arrow_schema(PyObject *module, PyObject *fields);

#endif
