"""Do independent readers agree on what ccpq writes? The body of `make interop`.

Writes every type in every encoding, codec and profile that ccpq takes, has every reader print all values, and compares
them with those that went in. A difference that is not in exceptions.toml fails the run, and so does an exception that
became right, a file that does not have the encodings its page claims, or a page docs/interop.md that says something else.

    python tests/interop/run_interop.py [--write-docs] [--readers 'a,b'] [--types 'int*,bool']

A reader whose tools are not on PATH is not run, and the last lines say so; with CI=true that is a failure, unless
INTEROP_WITHOUT=reader,reader allows it. The same list lets readers go that cannot be built, as where a registry cannot be
reached. With --readers or --types the page is not looked at.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]
from interop_cases import PROFILES, File, Type, files, hand_width, refusal, types, write  # noqa: E402
from interop_compare import Cell, Verdict, like, load_exceptions  # noqa: E402
from interop_inspect import codecs, labels  # noqa: E402
from interop_page import page  # noqa: E402
from interop_readers import OUT, READERS, ROOT, BuildError, Reader  # noqa: E402

HERE = Path(__file__).resolve().parent
PAGE = ROOT / "docs" / "interop.md"
START = time.monotonic()


def say(text: str) -> None:
    print(f"interop: {text}  ({time.monotonic() - START:.0f} s)", flush=True)


def make_files(ccpq: Any, chosen: list[Type], profiles: list[str], folder: Path) -> dict[File, dict[str, str]]:
    """Writes all files; the encodings of their columns as they are in the file."""
    found = {}
    for file in files(chosen, profiles):
        path = write(ccpq, file, folder)
        found[file] = labels(path)
        if codecs(path) != {file.codec}:
            raise SystemExit(f"interop: {file.name}: asked for codec {file.codec}, the file has {codecs(path)}")
        for name, label in found[file].items() if file.content == "hand" else ():
            if label != f"dict{hand_width(name)}":
                raise SystemExit(f"interop: {file.name}: column {name} is {label}")
    return found


def build(reader: Reader) -> str | None:
    """Why the reader cannot run, None where it can. Raises BuildError where its tools are there and fail."""
    missing = reader.missing()
    if missing:
        return f"{', '.join(missing)} not on PATH"
    reader.build()
    return None


def outputs(paths: dict[str, Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(reader, one of its lines), file by file with the readers in turn, so that the values of a file are made once.

    Readers print the same for the same values in other codecs and profiles: such a line is parsed once.
    """
    streams = {name: path.open(encoding="utf-8") for name, path in paths.items()}
    last: dict[str, tuple[str, dict[str, Any]]] = {}
    while streams:
        for name in list(streams):
            line = streams[name].readline()
            if not line:
                streams.pop(name).close()
                continue
            head, comma, rest = line.partition(",")
            if name in last and last[name][0] == rest:
                parsed = {**last[name][1], **json.loads(head + "}")}
            else:
                parsed = json.loads(line)
            last[name] = (rest, parsed)
            yield name, parsed


def compare(verdict: Verdict, found: dict[File, dict[str, str]], folder: Path, paths: dict[str, Path]) -> dict[str, str]:
    """Judges every column of every file; the versions of the readers."""
    by_path = {str(folder / file.name): file for file in found}
    seen: dict[str, set[str]] = {name: set() for name in paths}
    versions = {}
    key, expected = None, {}
    for name, line in outputs(paths):
        if "reader" in line:
            versions[name] = line["version"]
            continue
        file = by_path[line["file"]]
        seen[name].add(line["file"])
        if key != (file.type, file.content):
            key, expected = (file.type, file.content), file.expected()
        for column, want in expected.items():
            cell = Cell(name, file.type.text, found[file][column], file.codec, file.profile, column)
            whole = {"error": line["error"]} if "error" in line else None
            verdict.judge(cell, want, whole or line["columns"].get(column, {"error": "the column is not there"}))
    for name, have in seen.items():
        if len(have) != len(by_path):
            verdict.failures[f"{name} printed {len(have)} of {len(by_path)} files"] = []
    return versions


def report(verdict: Verdict) -> None:
    for message, cells in sorted(verdict.failures.items()):
        print(f"\n{message}")
        for what in ("encoding", "codec", "profile", "column"):
            names = sorted({getattr(c, what) for c in cells})
            if names:
                print(f"    {what + 's:':<11}{', '.join(names)}")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write-docs", action="store_true", help="write docs/interop.md instead of comparing it")
    arguments.add_argument("--readers", default="*", help="only these, comma-separated; * stands for anything")
    arguments.add_argument("--types", default="*", help="only these")
    options = arguments.parse_args()
    whole = options.readers == options.types == "*"
    if options.write_docs and not whole:
        arguments.error("--write-docs needs all readers and types")
    if sys.version_info < (3, 11):
        raise SystemExit("interop: Python 3.11 or later is needed")

    import ccpq

    folder = OUT / "files"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [r for r in READERS.values() if any(like(p, r.name) for p in options.readers.split(","))]
    chosen = [t for t in types() if any(like(p, t.text) for p in (options.types, *options.types.split(",")))]
    refused = {t.text: why for t in chosen if (why := refusal(ccpq, {"c": t.text}))}
    refused.update({p: why for p in PROFILES if (why := refusal(ccpq, {"c": "int8"}, profile=p))})
    if len(refused) == len(chosen) + len(PROFILES):
        raise SystemExit(f"interop: ccpq takes nothing: {refused}")
    exceptions = load_exceptions(HERE / "exceptions.toml")
    verdict = Verdict(exceptions)

    allowed = set(filter(None, os.environ.get("INTEROP_WITHOUT", "").split(",")))
    not_run: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        # One build per tool, the slow ones first; the files are written meanwhile.
        slow_first = sorted(wanted, key=lambda r: -len({"go", "mvn"} & set(r.tools)))
        unique = {r.build: r for r in slow_first}
        built = {make: pool.submit(build, r) for make, r in unique.items()}
        usable = [t for t in chosen if t.text not in refused]
        found = make_files(ccpq, usable, [p for p in PROFILES if p not in refused], folder)
        say(f"{len(found)} files with {sum(map(len, found.values()))} columns of {len(usable)} types")
        for reader in wanted:
            try:
                why = built[reader.build].result()
            except BuildError as e:
                why = "could not be built"
                if reader.name in allowed:
                    print(f"{reader.name} {why}: {e}")
                else:
                    verdict.failures[f"{reader.name} {why}: {e}"] = []
            if why:
                not_run[reader.name] = why
        ready = [r for r in wanted if r.name not in not_run]
        say(f"built: {', '.join(r.name for r in ready)}")

        listing = OUT / "files.txt"
        listing.write_text("\n".join(str(folder / file.name) for file in found), encoding="utf-8")
        paths = {r.name: OUT / f"{r.name}.jsonl" for r in ready}
        runs = {r.name: pool.submit(r.read, listing, paths[r.name]) for r in ready}
        times = []
        for name, future in runs.items():
            seconds, bad = future.result()
            times.append(f"{name} {seconds:.0f}")
            if bad:
                verdict.failures[f"{name} {bad}"] = []
    say(f"all files read; seconds: {', '.join(times)}")

    versions = compare(verdict, found, folder, paths)
    if whole:
        verdict.finish(set(versions))
    report(verdict)

    failed = bool(verdict.failures)
    if whole and not failed and not not_run:
        text = page(verdict, found, refused, versions)
        if options.write_docs:
            PAGE.write_text(text, encoding="utf-8")
        elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
            (OUT / PAGE.name).write_text(text, encoding="utf-8")
            print(f"\ndocs/interop.md says something else than this run, {OUT / PAGE.name}: look at the difference, and if "
                  "it is right run `make interop DOCS=--write-docs`")  # fmt: skip
            failed = True
    else:
        print("\ndocs/interop.md was not looked at: that needs all readers, all types and no failure")
    if not failed:
        for path in paths.values():  # a gigabyte
            path.unlink()

    equal = sum(outcome == "=" for outcome in verdict.outcomes.values())
    known = sum(outcome not in "=!" for outcome in verdict.outcomes.values())
    print()
    for name, version in versions.items():
        mine = [outcome for cell, outcome in verdict.outcomes.items() if cell.reader == name]
        counts = f"{mine.count('='):>6} columns equal, {sum(o not in '=!' for o in mine):>5} known exceptions"
        print(f"  {name:<13} {version:<10} {counts}, {mine.count('!'):>5} wrong")
    for name, why in not_run.items():
        print(f"  {name:<13} NOT RUN: {why}")
        if os.environ.get("CI") == "true" and name not in allowed:
            print(f"                with CI=true that is a failure; INTEROP_WITHOUT={name} allows it")
            failed = True
    say(f"{'FAILED' if failed else 'passed'}: {equal} columns equal, {known} known exceptions")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
