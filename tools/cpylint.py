"""Checks rules of the C sources that no compiler knows.

    tools/cpylint.py [root]       prints each violation, exit code 1 if there is one

- binding: each `PyObject *` member of a struct in csrc/py is visited by a traverse function and cleared or released;
  a member that is not owned says so in a comment with the word "borrowed" on its line, one of a struct that lives in
  one call only gives the reason:  /* lint: released by open_args_release */
- layout: what depends on the inside of ints, floats, strings and datetimes only in csrc/py/convert*.c and compat.h;
- memory: malloc and its family, mmap too, only in csrc/core/base/mem.c;
- narrowing: a cast to an integer narrower than 64 bits only in the checked helpers of csrc/core/base/*.h, of a
  constant, for the text of a message, or where the line gives a reason:  (uint8_t)bit_width /* lint: at most 32 */
- status: a function that returns cq_status is declared CQ_MUST_CHECK in its header, and a static one is never called
  as a statement.
"""

import re
import sys
from pathlib import Path

ALLOCATORS = re.compile(
    r"(?<![\w.>])(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|alloca"
    r"|posix_memalign|aligned_alloc|memalign|mmap|munmap|mremap)\s*\(")
LAYOUT = re.compile(
    r"\b(ob_digit|ob_item|ob_sval|ob_fval|_PyLong_\w+|PyFloat_AS_DOUBLE|PyUnicode_(?:DATA|KIND|READ|[124]BYTE_DATA"
    r"|IS_(?:COMPACT_)?ASCII)|PyDateTime_(?:DATE_|TIME_|DELTA_)?GET_\w+)\b")
NARROW = re.compile(
    r"(?<![\w)\]])\s*\(\s*((?:const\s+)?(?:u?int(?:8|16|32)_t|int|unsigned|unsigned\s+int|short|unsigned\s+short"
    r"))\s*\)\s*(-?[\w(~!*&][\w.]*)")
CONSTANT = re.compile(r"-?(?:\d\w*|[A-Z][A-Z0-9_]*|sizeof)$")
MESSAGE = re.compile(r"\b(cq_fail|PyErr_Format|snprintf|printf)\s*\(")
STRUCT = re.compile(r"\bstruct\s*\w*\s*\{([^{}]*)\}", re.S)
MEMBER = re.compile(r"\bPy(?:Type)?Object\s*(\*[^;(]*);")
STATUS = re.compile(r"(?:^|\n)[ \t]*(?:static\s+)?(?:inline\s+)?cq_status\s+(\w+)\s*\(")


def blank(text):
    """Comments and literals as spaces of equal length, so that positions stay."""
    def fill(m):
        return re.sub(r"[^\n]", " ", m.group())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', fill, text, flags=re.S)


class Source:
    def __init__(self, path, root):
        self.path, self.name = path, str(path.relative_to(root))
        self.text = path.read_text(encoding="utf-8")
        self.code = blank(self.text)
        self.lines = self.text.split("\n")

    def at(self, pos):
        return self.text.count("\n", 0, pos) + 1

    def excused(self, line):
        return re.search(r"lint: *\w.{3,}", self.lines[line - 1]) is not None


def members(src):
    """(line, name) of each owned object pointer in a struct."""
    for struct in STRUCT.finditer(src.code):
        for m in MEMBER.finditer(struct.group(1)):
            line = src.at(struct.start(1) + m.start(1))
            if "borrowed" not in src.lines[line - 1] and not src.excused(line):
                for name in re.findall(r"\w+(?=\s*(?:\[[^]]*\]\s*)?(?:,|$))", m.group(1)):
                    yield line, name


def check_members(sources):
    code = "\n".join(s.code for s in sources)
    for src in sources:
        for line, name in members(src):
            if not re.search(rf"\bPy_VISIT\s*\([^;]*\b{name}\b", code):
                yield f"{src.name}:{line}: PyObject *{name} is in no traverse (or /* borrowed: from whom */, /* lint: a reason */)"
            if not re.search(rf"\bPy_(?:CLEAR|X?DECREF|X?SETREF)\s*\([^;]*\b{name}\b", code):
                yield f"{src.name}:{line}: PyObject *{name} is never cleared (or /* borrowed: from whom */, /* lint: a reason */)"


def check_layout(src):
    if re.match(r"csrc/py/(convert\w*\.[ch]|compat\.h)$", src.name):
        return
    for m in LAYOUT.finditer(src.code):
        line = src.at(m.start())
        if not src.excused(line):
            yield f"{src.name}:{line}: {m.group(1)} outside the converters"


def check_memory(src):
    if src.name == "csrc/core/base/mem.c":
        return
    for m in ALLOCATORS.finditer(src.code):
        line = src.at(m.start())
        if not src.excused(line):
            yield f"{src.name}:{line}: {m.group(1)} outside mem.c"


def check_narrowing(src):
    if re.match(r"csrc/core/base/\w+\.h$", src.name):
        return
    for m in NARROW.finditer(src.code):
        line = src.at(m.start(1))
        statement = re.split(r"[;{}]", src.code[:m.start()])[-1]
        if not (CONSTANT.match(m.group(2)) or MESSAGE.search(statement) or src.excused(line)):
            yield f"{src.name}:{line}: cast to {m.group(1)} outside a checked helper (or give /* lint: a reason */)"


def check_status(src):
    for m in STATUS.finditer(src.code):
        line = src.at(m.start(1))
        if src.path.suffix == ".h":
            rest = src.code[m.start():]
            declaration = rest[:re.search(r"[;{]|\Z", rest).start()]
            if "CQ_MUST_CHECK" not in declaration and "warn_unused_result" not in declaration:
                yield f"{src.name}:{line}: {m.group(1)} returns cq_status without CQ_MUST_CHECK"
        elif "static" in m.group():
            for call in re.finditer(rf"(?:[;{{}})]|\belse)\s*{m.group(1)}\s*\(", src.code):
                yield f"{src.name}:{src.at(call.end())}: the status of {m.group(1)} is dropped"


def check(root):
    root = Path(root).resolve()
    sources = [Source(p, root) for p in sorted((root / "csrc").rglob("*")) if p.suffix in (".c", ".h")]
    bad = list(check_members([s for s in sources if s.name.startswith("csrc/py/")]))
    for src in sources:
        bad += [*check_layout(src), *check_memory(src), *check_narrowing(src), *check_status(src)]
    return bad


if __name__ == "__main__":
    found = check(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    print("\n".join(found) or "cpylint: clean")
    sys.exit(bool(found))
