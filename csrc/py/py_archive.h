/* Functions of the module for archive jobs: a host's files into a writer, the hash of a file. */
#ifndef CQ_PY_ARCHIVE_H
#define CQ_PY_ARCHIVE_H

#include "state.h"

int py_archive_add(PyObject *module);

#endif
