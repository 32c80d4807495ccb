"""The readers: which tools each needs, how it is built below build/interop, how it is run. Nothing here knows values.

Tools are found on PATH and never installed; libraries come from the registries, at the versions that pom.xml, go.sum,
package-lock.json and tools/requirements-interop.txt pin. What was built is built again when one of its sources changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "build" / "interop"
PYTHON = OUT / "python" / "bin" / "python"
REQUIREMENTS = ROOT / "tools" / "requirements-interop.txt"
MAX_SECONDS = 240


class BuildError(Exception):
    """The tools are there, but the reader could not be built; the text is the end of what they said."""


def run(argv: list[str | Path], cwd: Path, **env: str) -> None:
    try:
        done = subprocess.run(
            [str(a) for a in argv], cwd=cwd, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=MAX_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BuildError(f"{argv[0]} took more than {MAX_SECONDS} s; is the registry reached?") from None
    if done.returncode:
        raise BuildError(f"{argv[0]} failed:\n" + (done.stdout + done.stderr)[-3000:])


def unless_built(folder: Path, sources: list[Path], make: Callable[[], None]) -> None:
    """Calls `make` in an empty folder, unless it was made from these very sources."""
    stamp = folder / ".made-from"
    digest = hashlib.sha256(b"\0".join(s.read_bytes() for s in sources) + str(folder).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make()
    stamp.write_text(digest)


def build_python() -> None:
    folder = OUT / "python"

    def make() -> None:
        run([sys.executable, "-m", "venv", folder], ROOT)
        run([PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS], ROOT)

    unless_built(folder, [REQUIREMENTS], make)


def build_java() -> None:
    folder, pom = OUT / "java", HERE / "java" / "pom.xml"
    unless_built(folder, [pom, HERE / "java" / "ReadParquet.java"],
                 lambda: run(["mvn", "-B", "-q", "-f", pom, f"-Dout={folder}", "compile"], ROOT))  # fmt: skip


def build_go() -> None:
    folder = OUT / "go"
    folder.mkdir(parents=True, exist_ok=True)
    run(["go", "build", "-mod=readonly", "-o", folder / "readparquet", "."], HERE / "go")  # has its own idea of what changed


def build_js() -> None:
    folder, names = OUT / "js", ("package.json", "package-lock.json", "readparquet.mjs")

    def make() -> None:
        for name in names:
            shutil.copy(HERE / "js" / name, folder / name)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    unless_built(folder, [HERE / "js" / name for name in names], make)


@dataclass(frozen=True)
class Reader:
    """`title` for people, `tools` that must be on PATH, `build`, and `command` without its argument, the list of files."""

    name: str
    title: str
    tools: tuple[str, ...]
    build: Callable[[], None]
    command: tuple[str, ...]

    def missing(self) -> list[str]:
        return [tool for tool in self.tools if shutil.which(tool) is None]

    def read(self, listing: Path, output: Path) -> tuple[float, str | None]:
        """Runs the program over all files; the seconds, and how it ended if that was badly."""
        start = time.monotonic()
        ended = self._read(listing, output)
        return time.monotonic() - start, ended

    def _read(self, listing: Path, output: Path) -> str | None:
        with output.open("wb") as out, output.with_suffix(".stderr").open("wb") as err:
            try:
                code = subprocess.run(
                    [*self.command, str(listing)], cwd=OUT, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                    timeout=MAX_SECONDS,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                return f"took more than {MAX_SECONDS} s"
        if code == 0:
            return None
        return f"ended with code {code}: " + output.with_suffix(".stderr").read_text(errors="replace")[-1000:]


def _python(name: str, title: str) -> Reader:
    return Reader(name, title, (), build_python, (str(PYTHON), str(HERE / "python" / f"read_{name}.py")))


READERS = {
    r.name: r
    for r in (
        _python("pyarrow", "pyarrow"),
        _python("duckdb", "DuckDB"),
        _python("polars", "Polars"),
        Reader("parquet-java", "parquet-java", ("mvn", "java", "javac"), build_java,
               ("java", "-Xmx1g", "-cp", f"{OUT}/java/classes:{OUT}/java/lib/*", "ReadParquet")),
        Reader("parquet-go", "parquet-go", ("go",), build_go, (str(OUT / "go" / "readparquet"),)),
        Reader("hyparquet", "hyparquet", ("node", "npm"), build_js, ("node", str(OUT / "js" / "readparquet.mjs"))),
        _python("fastparquet", "fastparquet"),
    )
}  # fmt: skip
