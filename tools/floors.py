"""Checks every #include in csrc against the floors: a folder may use its own and lower floors only.

    tools/floors.py [root]        prints each violation, exit code 1 if there is one

`write` and `read` are siblings that never include each other; Python appears only in csrc/py; a compression library
only in csrc/core/codec; and each header of the core, the umbrella ccpq.h among them, compiles alone.
"""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FLOOR = {"base": 0, "codec": 1, "format": 2, "write": 3, "read": 3,
         "checkpoint": 4, "sketch": 4, "merge": 4, "pgcopy": 4, "py": 5}
SIBLINGS = {("write", "read"), ("read", "write")}
UMBRELLA = "ccpq.h"
PYTHON = re.compile(r"^(Python|structmember|datetime|frameobject|pythread)\.h$|^(cpython|internal)/")
CODECS = re.compile(r"^(zstd|snappy|lz4|libdeflate|brotli|zlib)")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def folder_of(path, root):
    """The room a file of csrc is in: base, codec, ..., py, or '' for the umbrella's folder; None when unknown."""
    parts = path.relative_to(root / "csrc").parts
    if parts[0] == "py":
        return "py"
    if parts[0] == "core":
        return parts[1] if len(parts) > 2 else ""
    return None


def check_file(path, root):
    text = path.read_text(encoding="utf-8")
    here = folder_of(path, root)
    bad = []

    def say(pos, what):
        bad.append(f"{path.relative_to(root)}:{text.count(chr(10), 0, pos) + 1}: {what}")

    if here is None or (here != "" and here not in FLOOR):
        say(0, f"folder {path.parent.name!r} is on no floor (tools/floors.py)")
        return bad
    for m in INCLUDE.finditer(text):
        quote, name = m.groups()
        if PYTHON.search(name) and here != "py":
            say(m.start(), f"{name} outside csrc/py")
        elif CODECS.search(name) and here != "codec":
            say(m.start(), f"{name} outside csrc/core/codec")
        if quote == "<":
            continue
        if "/" not in name:
            if name == UMBRELLA and here != "py":
                say(m.start(), "the umbrella is for users of the core, not for the core")
            elif name != UMBRELLA and here != "py":
                say(m.start(), f'"{name}" without its folder')
            continue
        there = name.split("/")[0]
        if name.startswith(".") or there not in FLOOR or there == "py":
            say(m.start(), f'"{name}" is not a header of the core by its folder')
        elif here != "" and (here, there) in SIBLINGS:
            say(m.start(), f"{here} and {there} are siblings that never include each other")
        elif here != "" and FLOOR[there] > FLOOR[here]:
            say(m.start(), f"floor {FLOOR[here]} ({here}) includes floor {FLOOR[there]} ({there})")
    if here != "py":
        m = re.search(r"\bPy(Object|Mem|Err|Gil|GIL|Eval|Unicode)\w*|\bPy_\w+", COMMENT.sub(" ", text))
        if m:
            say(0, f"{m.group()} in the core")
    return bad


def check_alone(headers, root):
    """Each header as a translation unit of its own, with no other one before it."""
    cc = shutil.which("gcc") or shutil.which("cc")
    if not cc:
        return []

    def one(header):
        run = subprocess.run([cc, "-std=c11", "-fsyntax-only", "-x", "c", f"-I{root}/csrc/core", "-"],
                             input=f'#include "{header.relative_to(root / "csrc/core")}"\n',
                             capture_output=True, text=True)
        first = next((line for line in run.stderr.splitlines() if "error:" in line), run.stderr.strip()[:200])
        return [] if run.returncode == 0 else [f"{header.relative_to(root)}:1: does not compile alone: {first}"]

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [line for lines in pool.map(one, headers) for line in lines]


def check(root):
    root = Path(root).resolve()
    files = sorted(p for p in (root / "csrc").rglob("*") if p.suffix in (".c", ".h"))
    bad = [line for path in files for line in check_file(path, root)]
    headers = [p for p in files if p.suffix == ".h" and folder_of(p, root) not in ("py", None)]
    return bad + check_alone(headers, root)


if __name__ == "__main__":
    found = check(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    print("\n".join(found) or "floors: clean")
    sys.exit(bool(found))
