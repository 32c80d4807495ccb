"""The lints of tools/ find nothing in the tree, and each of them finds what is planted in a small tree of its own."""

import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import cpylint  # noqa: E402
import floors  # noqa: E402
import symbols  # noqa: E402
import treelint  # noqa: E402

needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")


@pytest.mark.parametrize("lint", [floors, symbols, cpylint, treelint], ids=lambda m: m.__name__)
def test_tree_is_clean(lint):
    assert lint.check(ROOT) == []


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def one(found, *words):
    assert len(found) == 1, found
    for word in words:
        assert word in found[0], found
    return True


# floors

@pytest.mark.parametrize("name, text, words", [
    ("csrc/core/codec/rle.c", '#include "write/page.h"\n', ("floor 1", "floor 3")),
    ("csrc/core/base/mem.c", '# include "codec/rle.h"\n', ("floor 0", "floor 1")),
    ("csrc/core/write/page.c", '#include "read/page.h"\n', ("siblings",)),
    ("csrc/core/read/page.c", '#include "write/page.h"\n', ("siblings",)),
    ("csrc/core/format/vec.c", "#include <Python.h>\n", ("Python.h", "outside csrc/py")),
    ("csrc/core/write/page.c", "#include <zstd.h>\n", ("zstd.h", "codec")),
    ("csrc/core/write/page.c", '#include "page.h"\n', ("without its folder",)),
    ("csrc/core/write/page.c", '#include "../read/page.h"\n', ("not a header of the core",)),
    ("csrc/core/write/page.c", '#include "py/state.h"\n', ("not a header of the core",)),
    ("csrc/core/write/page.c", '#include "ccpq.h"\n', ("umbrella",)),
    ("csrc/core/write/page.c", "static PyObject *p;\n", ("PyObject", "in the core")),
    ("csrc/core/attic/page.c", "\n", ("on no floor",)),
])
def test_floors_finds(tmp_path, name, text, words):
    assert one(floors.check(plant(tmp_path, {name: text})), name, *words)


@needs_gcc
def test_floors_compiles_headers_alone(tmp_path):
    plant(tmp_path, {"csrc/core/base/a.h": "#include <stdint.h>\nuint8_t a(void);\n",
                     "csrc/core/base/b.h": "size_t b(void);\n",
                     "csrc/core/ccpq.h": '#include "base/a.h"\n'})
    assert one(floors.check(tmp_path), "csrc/core/base/b.h", "does not compile alone", "size_t")


def test_floors_lets_pass(tmp_path):
    plant(tmp_path, {"csrc/core/write/page.c": '/* PyObject */\n#include "base/mem.h"\n#include "write/page.h"\n',
                     "csrc/core/checkpoint/rows.c": '#include "write/page.h"\n#include "read/page.h"\n',
                     "csrc/py/module.c": '#include <Python.h>\n#include "state.h"\n#include "ccpq.h"\n'})
    assert floors.check(tmp_path) == []


# symbols

def compiled(tmp_path, text, *flags):
    (tmp_path / "x.c").write_text(text)
    subprocess.run(["gcc", "-O1", "-fPIC", *flags, "x.c"], cwd=tmp_path, check=True)
    return tmp_path


@needs_gcc
@pytest.mark.parametrize("text, name", [
    ("static int hits; int f(void) { return hits++; }\n", "hits"),
    ("int table[2] = {1, 2};\n", "table"),
    ("int f(void); int f(void) { static int calls = 5; return calls++; }\n", "calls"),
    ("static _Thread_local int mine; int f(void) { return mine++; }\n", "mine"),
])
def test_symbols_finds_writable_data(tmp_path, text, name):
    compiled(tmp_path, text, "-c", "-ox.o")
    assert one(symbols.check_object(tmp_path / "x.o"), "writable static", name)


@needs_gcc
def test_symbols_lets_constants_pass(tmp_path):
    text = 'static const char *const n[] = {"a", "b"}; const char *f(int i); const char *f(int i) { return n[i]; }\n'
    compiled(tmp_path, text, "-c", "-ox.o")
    assert symbols.check_object(tmp_path / "x.o") == []


@needs_gcc
def test_symbols_finds_exports(tmp_path):
    compiled(tmp_path, "int PyInit__core(void) { return 0; }\nint leaked(void) { return 1; }\n", "-shared", "-ox.so")
    assert one(symbols.check_exports(tmp_path / "x.so"), "exports leaked")
    compiled(tmp_path, "static int f(void) { return 0; }\nint (*PyInit)(void) = f;\n",
             "-shared", "-fvisibility=hidden", "-ox.so")
    assert one(symbols.check_exports(tmp_path / "x.so"), "does not export PyInit__core")


# cpylint

MEMBER = "typedef struct { PyObject_HEAD PyObject *sink; } obj;\n"


@pytest.mark.parametrize("name, text, words", [
    ("csrc/py/a.c", MEMBER + "int traverse(obj *self) { Py_VISIT(self->sink); }\n", ("sink", "never cleared")),
    ("csrc/py/a.c", MEMBER.replace("PyObject_HEAD ", "\n") + "void clear(obj *self) { Py_CLEAR(self->sink); }\n",
     ("sink", "in no traverse")),
    ("csrc/py/a.c", "double f(PyObject *v) { return PyFloat_AS_DOUBLE(v); }\n", ("PyFloat_AS_DOUBLE", "outside the converters")),
    ("csrc/py/py_time.c", "int f(PyObject *v) { return PyDateTime_DATE_GET_HOUR(v); }\n", ("PyDateTime_DATE_GET_HOUR", "converters")),
    ("csrc/core/write/a.c", "void *f(void) { return malloc(3); }\n", ("malloc", "outside mem.c")),
    ("csrc/core/write/a.c", "void f(void *p) { free (p); }\n", ("free", "outside mem.c")),
    ("csrc/core/write/a.c", "int f(size_t n) { return (int)n; }\n", ("cast to int",)),
    ("csrc/core/write/a.c", "x = y + (uint8_t)(n >> 3);\n", ("cast to uint8_t",)),
    ("csrc/core/write/a.h", "cq_status cq_a_open(int x,\n    cq_err *e);\n", ("cq_a_open", "CQ_MUST_CHECK")),
    ("csrc/core/write/a.c", "static cq_status f(int x) { }\nvoid g(void) { h(); f(3); }\n", ("status of f", "dropped")),
    ("csrc/core/write/a.c", "static cq_status f(int x) { }\nvoid g(void) {\n    (void)f(3);\n}\n", ("dropped",)),
])
def test_cpylint_finds(tmp_path, name, text, words):
    assert one(cpylint.check(plant(tmp_path, {name: text})), name, *words)


def test_cpylint_lets_pass(tmp_path):
    plant(tmp_path, {
        "csrc/py/a.c": "typedef struct {\n    PyObject_HEAD\n    PyObject *a, *b;\n    PyObject *row; /* borrowed: "
                       "the call's */\n} obj;\nint t(obj *s) { Py_VISIT(s->a); Py_VISIT(s->b); }\n"
                       "void c(obj *s) { Py_CLEAR(s->a); Py_CLEAR(s->b); }\n",
        "csrc/py/convert_a.c": "const void *f(PyObject *v) { return PyUnicode_DATA(v); }\n",
        "csrc/py/compat.h": "int f(PyObject *v) { return v->ob_digit[0]; }\n",
        "csrc/core/base/mem.c": "void *f(void) { return malloc(3); }\n",
        "csrc/core/base/bytes.h": "static inline uint8_t low(uint64_t v) { return (uint8_t)v; }\n",
        "csrc/core/write/a.h": "cq_status cq_a_open(int x,\n    cq_err *e) CQ_MUST_CHECK;\n"
                               "typedef struct { cq_status (*write)(void *ctx); } cq_a;\n",
        "csrc/core/write/a.c": "/* malloc( and (int)x in words */ const char *s = \"free(\";\n"
                               "static cq_status f(int x);\nvoid g(void) { CQ_TRY(f(1)); a->free(p); }\n"
                               "x = (uint8_t)n; /* lint: n is a bit width */\ny = (int32_t)-1; z = sizeof(int) * n;\n"
                               "w = (int)CQ_EARG; v = (int64_t)n; void h(int);\n"
                               "return cq_fail(e, CQ_EARG, \"%d\",\n    (int)kind);\n",
    })
    assert cpylint.check(tmp_path) == []


# treelint

GOOD = "/* A paragraph that says what lives in here and what does not. */\n"


@pytest.mark.parametrize("files, words", [
    ({"csrc/core/base/a.c": GOOD + "\n" * 900}, ("901 lines",)),
    ({"csrc/core/base/a.c": "/* a */\nint a;\n"}, ("paragraph",)),
    ({"ccpq/a.py": "import os\n"}, ("paragraph",)),
    ({"csrc/core/base/a.c": GOOD, "csrc/core/read/a.c": GOOD}, ("used again", "read/a.c")),
    ({"csrc/core/base/a.c": GOOD + "/* TO" "DO later */\n"}, ("unfinished",)),
    ({"docs/a.md": "see /ho" "me/me/x\n"}, ("one machine",)),
])
def test_treelint_finds(tmp_path, files, words):
    assert one(treelint.check(plant(tmp_path, files)), *words)
