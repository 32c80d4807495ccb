"""Checks the shape of the tree: file lengths, opening paragraphs, unique names, nothing left unfinished.

    tools/treelint.py [root]      prints each violation, exit code 1 if there is one
"""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

FOLDERS = ("csrc", "ccpq", "tests", "tools", "benchmarks", "examples", "docs")
MAX_LINES = 900
MIN_OPENING = 25        # characters: at least what it is, and where its contract stands
SHARED_NAMES = {"__init__.py", "__main__.py", "conftest.py", "README.md", "run.py", ".gitkeep"}
# Put together here, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")
MACHINE = re.compile(r"(?<![\w./-])/(wo" r"rk|ro" r"ot|ho" r"me)/[\w.]")


def opening(path, text):
    if path.suffix == ".py":
        return ast.get_docstring(ast.parse(text)) or ""
    if path.suffix == ".sh":
        lines = text.splitlines()[1:]
        return " ".join(line.lstrip("# ") for line in lines[:3] if line.startswith("#"))
    m = re.match(r"\s*(?:/\*(.*?)\*/|((?://[^\n]*\n)+))", text, re.S)
    return re.sub(r"[\s*/]+", " ", m.group(1) or m.group(2)).strip() if m else ""


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root).parts
            if path.is_file() and "corpus" not in inside and "data" not in inside and "__pycache__" not in inside:
                yield path


def check(root):
    root = Path(root).resolve()
    bad, seen = [], defaultdict(list)
    for path in sources(root):
        name = path.relative_to(root)
        if path.suffix not in (".c", ".h", ".py", ".pyi", ".sh", ".md", ".mk"):
            continue
        text = path.read_text(encoding="utf-8")
        if path.name not in SHARED_NAMES:
            seen[path.name].append(str(name))
        if path.suffix in (".c", ".h", ".py") and text.count("\n") > MAX_LINES:
            bad.append(f"{name}:{MAX_LINES}: {text.count(chr(10))} lines, {MAX_LINES} are allowed")
        if path.suffix in (".c", ".h", ".py", ".sh") and text.strip() and len(opening(path, text)) < MIN_OPENING:
            bad.append(f"{name}:1: does not open with a paragraph on what lives here")
        for what, pattern in (("unfinished", UNFINISHED), ("path of one machine", MACHINE)):
            for m in pattern.finditer(text):
                bad.append(f"{name}:{text.count(chr(10), 0, m.start()) + 1}: {what}: {m.group()}")
    for name, paths in sorted(seen.items()):
        if len(paths) > 1:
            bad.append(f"{paths[0]}:1: the name {name} is used again: {', '.join(paths[1:])}")
    return bad


if __name__ == "__main__":
    found = check(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    print("\n".join(found) or "tree: clean")
    sys.exit(bool(found))
