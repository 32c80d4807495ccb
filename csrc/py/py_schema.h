/* The package's fields as a schema of the core. */
#ifndef CQ_PY_SCHEMA_H
#define CQ_PY_SCHEMA_H

#include "state.h"

#include "format/schema.h"

/* Adds the fields of a sequence of (name, type name, optional, a, b, members) to an empty schema and checks it;
 * `field_ids` is a sequence of int or None for each of them, or NULL or None. *takes_members, unless NULL, becomes a PyMem
 * block of the caller: whether members of an Enum are taken. -1 with an exception: SchemaError for what cannot be. */
int py_schema_fill(core_state *st, cq_schema *schema, PyObject *fields, PyObject *field_ids, bool **takes_members);

#endif
