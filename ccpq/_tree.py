"""Lists checkpoint trees ``<src>/<cluster>/<host>/<unix seconds>.json|bin`` and selects the files that are due.

One directory is listed at a time and nothing is followed: names come from users of the cluster's network, so a symbolic
link, a device or a name that no terminal should see is named as a problem and left alone. Whatever is not taken is
either ignored by a rule that is written down here, or named as a problem; nothing is passed over in silence.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Due", "count_hosts", "list_directories", "list_host", "show_name"]

# Called with a path relative to the tree and the reason why what is there is not read.
Problem = Callable[[str, str], None]

_SNAPSHOT = re.compile(r"(.*)\.(json|bin)", re.DOTALL)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_AVRO = re.compile(r"(?:[0-9]+_)?([0-9]{1,19})\.avro")
_MAX_TIME = 2**63 - 1


def show_name(name: str) -> str:
    """`name` for people: bytes that are no UTF-8 and characters that a terminal would act on are escaped."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _name_problem(name: str) -> str | None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in name):
        return "the name holds control characters"
    return None


def _describe(entry: os.DirEntry) -> str:
    if entry.is_symlink():
        return "is a symbolic link; links are not followed"
    if entry.is_file(follow_symlinks=False):
        return "is a file; only directories are expected here"
    return "is neither file nor directory"


def list_directories(root: str, below: str, problem: Problem) -> list[str]:
    """Names of the directories in `root`/`below`, in byte order. Everything else there is a problem.

    OSError where the directory cannot be listed: an error is never an empty list.
    """
    names = []
    with os.scandir(os.path.join(root, below)) as entries:
        for entry in entries:
            reason = _name_problem(entry.name)
            if reason is None and not entry.is_dir(follow_symlinks=False):
                reason = _describe(entry)
            if reason is None:
                names.append(entry.name)
            else:
                problem(os.path.join(below, entry.name), reason)
    names.sort()  # code points order like UTF-8 bytes
    return names


def count_hosts(root: str, clusters: list[str]) -> int:
    """Directories on the second level, for a progress bar; what cannot be listed counts nothing here."""
    n = 0
    for cluster in clusters:
        try:
            with os.scandir(os.path.join(root, cluster)) as entries:
                n += sum(e.is_dir(follow_symlinks=False) for e in entries)
        except OSError:
            continue  # the job itself comes here again and reports it
    return n


class Due(NamedTuple):
    """Files of one host that are due, ascending by number, and the ``.json`` names whose ``.bin`` twin is taken."""

    names: list[str]
    shadowed: dict[str, str]


def list_host(root: str, below: str, cutoff: int, problem: Problem) -> Due:
    """Selects the due files of the host directory `root`/`below`.

    Taken: ``<n>.json`` and ``<n>.bin`` with 0 < n <= cutoff; of two with the same number the ``.bin``. Ignored: newer
    ones, number 0 (never archivable), ``<n>.bin.tmp`` (a snapshot being written) and ``current.wal`` (the running
    server's). Anything else is a problem of that file alone.
    """
    found: dict[int, dict[str, str]] = {}
    with os.scandir(os.path.join(root, below)) as entries:
        for entry in entries:
            reason = _select(entry, cutoff, found)
            if reason is not None:
                problem(os.path.join(below, entry.name), reason)
    names, shadowed = [], {}
    for number in sorted(found):
        twins = found[number]
        taken = twins.get("bin") or twins["json"]
        names.append(taken)
        if len(twins) == 2:
            shadowed[twins["json"]] = taken
    return Due(names, shadowed)


def _select(entry: os.DirEntry, cutoff: int, found: dict[int, dict[str, str]]) -> str | None:
    """Notes a file that is due in `found`; returns a reason for what is neither taken nor ignored."""
    name = entry.name
    m = _SNAPSHOT.fullmatch(name)
    if m is None:
        if name == "current.wal" or name.endswith(".bin.tmp"):
            return None
        avro = _AVRO.fullmatch(name)
        if avro:
            old = "an Avro checkpoint of a server before 1.5: not readable by this version"
            return old if int(avro[1]) <= cutoff else None
        if entry.is_dir(follow_symlinks=False):
            return "a directory (servers before 1.5 made them): not readable by this version"
        return _name_problem(name) or "not a checkpoint's name (<unix seconds>.json or .bin)"
    if not _NUMBER.fullmatch(m[1]) or int(m[1]) > _MAX_TIME:
        return "the name is not a number (unix seconds)"
    number = int(m[1])
    if number == 0 or number > cutoff:
        return None
    if not entry.is_file(follow_symlinks=False):
        return "is a symbolic link; links are not followed" if entry.is_symlink() else "is not a regular file"
    found.setdefault(number, {})[m[2]] = name
    return None
