"""Runs the documentation: every ```python block and every ```console command of README.md and docs/*.md.

The blocks of one document run in order in one temporary folder; Python blocks share their names, as a reader would type
them in one session. In console blocks the lines beginning with "$ " are commands. `make` commands are looked up in
`make help` and not run, `git clone` and `cd` of the way there are passed over.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
RUN = {"python", "console"}
SHOWN = {"text", "json", "c", "sql", "toml"}


def blocks(document):
    """(language, line of the first code line, code) of each fenced block."""
    text = document.read_text(encoding="utf-8")
    return [(m.group(1), text.count("\n", 0, m.start()) + 2, m.group(2)) for m in FENCE.finditer(text)]


def commands(code):
    joined = re.sub(r"\\\n\s*", " ", code)
    return [line[2:].strip() for line in joined.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def make_targets():
    out = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^\s*make (\S+)", out, re.M))


def run_console(command, make_targets):
    words = shlex.split(command)
    if words[0] == "make":
        assert words[1] in make_targets, f"{command!r} is not in `make help`"
    elif words[:2] != ["git", "clone"] and words[0] != "cd":
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        done = subprocess.run(["bash", "-c", command], env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_document_runs(document, tmp_path, monkeypatch, make_targets):
    pytest.importorskip("click")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for language, line, code in blocks(document):
        if language == "python":
            # Blank lines in front: a traceback names the line of the document.
            exec(compile("\n" * (line - 1) + code, str(document), "exec"), names)
        elif language == "console":
            for command in commands(code):
                run_console(command, make_targets)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_every_block_has_a_language(document):
    for language, line, code in blocks(document):
        assert language in RUN | SHOWN, f"{document.name}:{line}: a block in {language or 'no language'!r} is not run"
        if language == "console":
            assert commands(code), f"{document.name}:{line}: a console block without a '$ ' line"
