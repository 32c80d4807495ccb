"""The list of sources beside each archive: ``<cutoff>.sources.jsonl``, one line per checkpoint file that went in.

A list is published before its archive, which carries the list's hash in its key-value metadata, so neither counts
without the other. Later runs merge all lists in the order of hosts and names and so know, in a small window of memory,
what is archived already. A list begins with a line that names format, cluster and cutoff, and ends with a line that
holds the number of files and the hash of (name, size, content hash) of all of them; modification times are in the list
but not in the hash, because the archive's bytes must not depend on them.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import logging
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from ccpq._errors import Error

__all__ = ["Entry", "ListedFiles", "SourceListError", "SourceListWriter", "find_lists", "footer_hash"]

log = logging.getLogger("ccpq.archive")

FORMAT = "ccpq.sources.v1"
HASH_KEY = "ccpq.sources.sha256"
LIST_SUFFIX = ".sources.jsonl"

MAX_OPEN_LISTS = 64
_MAX_LINE = 65_536
_BUFFER = 65_536
_TAIL = 4_096
_FOOTER_WINDOW = 1 << 20
_ARCHIVE = re.compile(r"([0-9]{1,19})(\.parquet|\.sources\.jsonl)")


class SourceListError(Error):
    """A list of sources that cannot be trusted. The cluster is not archived: files could be archived twice."""


class Entry(NamedTuple):
    """A source file. Lists are ordered by (host, name), compared as text."""

    host: str
    name: str
    size: int
    mtime_ns: int
    xxh64: str | None  # 16 hex digits; None for a .json that was not read because its .bin was
    shadowed_by: str | None = None

    def to_fields(self) -> dict[str, object]:
        fields: dict[str, object] = {"host": self.host, "name": self.name, "size": self.size, "mtime_ns": self.mtime_ns}
        if self.shadowed_by is None:
            fields["xxh64"] = self.xxh64
        else:
            fields["shadowed_by"] = self.shadowed_by
        return fields

    @classmethod
    def from_fields(cls, fields: dict) -> Entry:
        host, name, size, mtime_ns = fields["host"], fields["name"], fields["size"], fields["mtime_ns"]
        xxh64, by = fields.get("xxh64"), fields.get("shadowed_by")
        good = (
            type(host) is str and type(name) is str and type(size) is int and type(mtime_ns) is int
            and (type(xxh64) is str) != (type(by) is str)
        )  # fmt: skip
        if not good:
            raise ValueError("a field of the wrong type")
        return cls(host, name, size, mtime_ns, xxh64, by)


def _merge(streams: Iterable[Iterator[Entry]]) -> Iterator[Entry]:
    # By host and name only: the rest of two entries need not be comparable.
    return heapq.merge(*streams, key=lambda e: (e.host, e.name))


class _Digest:
    """The hash of a list: sha256 over cluster/host/name, size and content hash of its entries in order."""

    def __init__(self, cluster: str):
        self._cluster = cluster
        self._sha = hashlib.sha256()
        self.files = 0

    def add(self, e: Entry) -> None:
        content = e.xxh64 if e.shadowed_by is None else f"shadowed by {e.shadowed_by}"
        self._sha.update(f"{self._cluster}/{e.host}/{e.name}\n{e.size}\n{content}\n".encode())
        self.files += 1

    def trailer(self) -> dict[str, object]:
        return {"files": self.files, "sha256": self._sha.hexdigest()}


class SourceListWriter:
    """Writes a list to a descriptor, entry by entry in order; a small buffer is all that is kept in memory."""

    def __init__(self, fd: int, name: str, cluster: str, cutoff: int):
        self._fd = fd
        self._name = name
        self._buffer = bytearray()
        self._digest = _Digest(cluster)
        self._last = ("", "")
        self._write({"format": FORMAT, "cluster": cluster, "cutoff": cutoff})

    @property
    def files(self) -> int:
        return self._digest.files

    def add(self, entry: Entry) -> None:
        if (entry.host, entry.name) <= self._last:
            raise AssertionError(f"sources out of order: {entry.host}/{entry.name} after {'/'.join(self._last)}")
        self._last = (entry.host, entry.name)
        self._digest.add(entry)
        self._write(entry.to_fields())

    def finish(self) -> str:
        """Ends the list and returns its hash."""
        trailer = self._digest.trailer()
        self._write(trailer)
        self._flush()
        return str(trailer["sha256"])

    def _write(self, fields: dict[str, object]) -> None:
        self._buffer += json.dumps(fields).encode("ascii") + b"\n"
        if len(self._buffer) >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._buffer:
                del self._buffer[:os.write(self._fd, self._buffer)]
        except OSError as e:
            raise OSError(e.errno, e.strerror, self._name) from e


def _lines(path: str, file: IO[bytes]) -> Iterator[dict]:
    number = 0
    while True:
        line = file.readline(_MAX_LINE)
        if not line:
            return
        number += 1
        try:
            if not line.endswith(b"\n"):
                raise ValueError("a line without end")
            fields = json.loads(line)
            if type(fields) is not dict:
                raise ValueError("not an object")
        except (ValueError, RecursionError) as e:
            raise SourceListError(f"{path}, line {number}: {e}") from None
        yield fields


def read_list(path: str, cluster: str) -> Iterator[Entry]:
    """The entries of a list. SourceListError if it is damaged, at the latest when its end is read."""
    digest = _Digest(cluster)
    with open(path, "rb") as f:
        lines = _lines(path, f)
        head = next(lines, {})
        if head.get("format") != FORMAT or head.get("cluster") != cluster:
            raise SourceListError(f"{path}: not a list of sources of cluster {cluster!r} in format {FORMAT!r}")
        last = ("", "")
        for fields in lines:
            if "sha256" in fields:
                if fields != digest.trailer():
                    raise SourceListError(f"{path}: its entries do not have the hash that its last line says")
                if next(lines, None) is not None:
                    raise SourceListError(f"{path}: goes on behind its last line")
                return
            try:
                entry = Entry.from_fields(fields)
            except (KeyError, ValueError) as e:
                raise SourceListError(f"{path}, entry {digest.files}: {e}") from None
            if (entry.host, entry.name) <= last:
                raise SourceListError(f"{path}, entry {digest.files}: out of order")
            last = (entry.host, entry.name)
            digest.add(entry)
            yield entry
    raise SourceListError(f"{path}: has no last line, it was cut off")


def _trailer_hash(path: str) -> str | None:
    """The hash that the last line of a list claims; None where there is no such line."""
    with open(path, "rb") as f:
        end = f.seek(0, os.SEEK_END)
        f.seek(max(0, end - _TAIL))
        tail = f.read(_TAIL)
    if not tail.endswith(b"\n"):
        return None
    try:
        fields = json.loads(tail[:-1].rpartition(b"\n")[2])
        found = fields.get("sha256")
    except (ValueError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _key_value(key: str) -> re.Pattern[bytes]:
    """A KeyValue of the footer as the compact protocol writes it: fields 1 and 2, binary, each (header, length, bytes)."""
    name = key.encode("ascii")
    return re.compile(re.escape(b"\x18" + bytes([len(name)]) + name) + rb"\x18\x40([0-9a-f]{64})\x00")


_HASH = _key_value(HASH_KEY)


def footer_hash(path: str) -> str | None:
    """The list hash in the key-value metadata of a Parquet file, or None where it has none or is no Parquet file.

    In FileMetaData the key-value metadata follows the row groups, which can be many MiB, and only the writer's name and
    the column orders come behind it: the end of the footer is enough, and a window of it is all that is read.
    """
    with open(path, "rb") as f:
        size = f.seek(0, os.SEEK_END)
        if size < 12:
            return None
        f.seek(size - 8)
        tail = f.read(8)
        footer = int.from_bytes(tail[:4], "little")
        if tail[4:] != b"PAR1" or footer > size - 12:
            return None
        window = min(footer, _FOOTER_WINDOW)
        f.seek(size - 8 - window)
        found = _HASH.findall(f.read(window))
    # The last one: archives write their own keys behind the user's.
    return found[-1].decode("ascii") if found else None


def find_lists(directory: str) -> list[str]:
    """Paths of the lists that count, by name: those whose archive exists and carries their hash.

    An orphan list (its archive is missing, damaged, or not ours) does not count. SourceListError for the reverse, an
    archive whose list is missing or differs: its sources are unknown, and archiving them again would double its rows.
    """
    archives, lists = set(), set()
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                m = _ARCHIVE.fullmatch(entry.name)
                if m:
                    (lists if m[2] == LIST_SUFFIX else archives).add(m[1])
    except FileNotFoundError:
        return []
    counting = []
    for stem in sorted(archives | lists):
        archive, path = (os.path.join(directory, stem + suffix) for suffix in (".parquet", LIST_SUFFIX))
        carried = footer_hash(archive) if stem in archives else None
        claimed = _trailer_hash(path) if stem in lists else None
        if carried is None:
            if stem in lists:
                log.info("%s does not count: no archive carries its hash", path)
        elif carried == claimed:
            counting.append(path)
        else:
            state = "does not match it" if stem in lists else "is missing"
            raise SourceListError(f"{path} {state}, so the sources of {archive} are not known: bring the list back, "
                                  "or move the archive away if its sources may be archived again")
    return counting


class ListedFiles:
    """All lists of a cluster merged, asked host by host in ascending order.

    No more than MAX_OPEN_LISTS files are open: more lists are merged in levels through temporary files.
    """

    def __init__(self, paths: list[str], cluster: str, spill_dir: str):
        self._streams: list[Iterator[Entry]] = [read_list(p, cluster) for p in paths]
        self._files: list[IO[bytes]] = []
        while len(self._streams) > MAX_OPEN_LISTS:
            part, self._streams = self._streams[:MAX_OPEN_LISTS], self._streams[MAX_OPEN_LISTS:]
            self._streams.append(self._through_file(_merge(part), spill_dir))
        self._merged = _merge(self._streams)
        self._next = next(self._merged, None)
        self._asked = ""

    def _through_file(self, entries: Iterable[Entry], spill_dir: str) -> Iterator[Entry]:
        f = tempfile.TemporaryFile(dir=spill_dir)
        self._files.append(f)
        for entry in entries:
            f.write(json.dumps(entry).encode("ascii") + b"\n")
        f.seek(0)
        return (Entry(*json.loads(line)) for line in f)

    def host(self, host: str, names: set[str]) -> dict[str, list[Entry]]:
        """The entries of `host` whose name is in `names`; a name can be in several lists. Hosts come in ascending order."""
        if host <= self._asked:
            raise AssertionError(f"hosts out of order: {host!r} after {self._asked!r}")
        self._asked = host
        found: dict[str, list[Entry]] = {}
        while self._next is not None and self._next.host <= host:
            if self._next.host == host and self._next.name in names:
                found.setdefault(self._next.name, []).append(self._next)
            self._next = next(self._merged, None)
        return found

    def finish(self) -> None:
        """Reads on to the end, which is where the lists prove their hashes. To be called before anything is published."""
        while self._next is not None:
            self._next = next(self._merged, None)

    def close(self) -> None:
        for f in self._files:
            f.close()
        for stream in self._streams:
            close = getattr(stream, "close", None)
            if close:
                close()
