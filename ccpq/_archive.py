"""The archive job: checkpoint trees in, one sorted Parquet file per cluster out, in a fixed amount of memory.

What is here is policy: which files are due, which are archived already, what a failure costs, and in which order things
are published. Reading, merging and encoding are the core's. The job never deletes or changes a source.

A cluster is the unit of success. Its hosts are taken in order, one at a time; a file that cannot be read is an error of
that file alone. A file that changes while it is read cannot be taken back out of rows that are already written, so the
cluster's output is then dropped and made again without it.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterable, Mapping

from ccpq import _core
from ccpq._archive_report import ArchiveReport, Published, Tally
from ccpq._errors import BudgetError, FileChanged, UnsupportedError
from ccpq._progress import Progress, check_progress, make_progress
from ccpq._publish import Target, open_target, spill_dir_for
from ccpq._sizes import format_bytes, parse_duration, parse_size
from ccpq._sources import HASH_KEY, LIST_SUFFIX, Entry, ListedFiles, SourceListError, SourceListWriter, find_lists, footer_hash
from ccpq._tree import Due, count_hosts, list_directories, list_host, show_name
from ccpq._writer import Writer

__all__ = ["archive_checkpoints"]

log = logging.getLogger("ccpq.archive")

SCHEMA = {
    "cluster": "string", "hostname": "string", "metric": "string", "scope": "string", "scope_id": "string",
    "timestamp": "int64", "frequency": "int64", "value": "float32",
}  # fmt: skip
SORTING = ["cluster", "hostname", "metric", "scope", "scope_id", "timestamp"]
FORMAT = "clustercockpit-metrics.v1"

# A group is cut at the first host boundary behind this; inside a host the core cuts at a series boundary.
GROUP_ROWS = 524_288
# Part of the memory limit that is the writer's; the rest, which must not be below the least that the core takes,
# reads and merges checkpoints.
WRITER_SHARE = (5, 8)
MERGE_LEAST = 2 << 20
# Each repetition leaves out one more file. A tree that changes faster than this is not one to archive.
MAX_ATTEMPTS = 32
# What a file system says that cannot lock a directory.
_NO_LOCK = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EBADF}

_RESERVED = {
    "schema": "archives have one schema", "sorting_columns": "archives have one order", "mkdir": "directories are always made",
    "overwrite": "an existing archive is never overwritten", "strict": "there are no Python rows here",
    "extra": "there are no Python rows here", "field_ids": "archives have one schema",
    "target": "each archive is named after its cluster and cutoff",
}  # fmt: skip


class _ArchiveWriter(Writer):
    """Names in a tree have at most 65,535 bytes, and so has every string of an archive. With room for larger ones the plan has
    pages and dictionaries a half or a quarter as large, and the files are 8 % (zstd 3) to 40 % (zstd 9) larger."""

    __slots__ = ()
    _max_value_bytes = 65_536


class _ClusterFailed(Exception):
    """This cluster cannot be archived now; the others go on."""


def archive_checkpoints(
    src: str | os.PathLike,
    dst: str | os.PathLike,
    *,
    older_than: str | datetime.timedelta | None = None,
    cutoff: int | datetime.datetime | None = None,
    clusters: Iterable[str] | None = None,
    memory_limit: int | str = "32MiB",
    include_wal: bool = False,
    frequencies: object = None,
    on_corrupt: str = "error",
    row_group: str = "auto",
    skip_archived: bool = True,
    progress: object = None,
    threads: int = 1,
    **writer_options: object,
) -> ArchiveReport:
    """Archives the checkpoints of `src` that are due into ``<dst>/<cluster>/<cutoff>.parquet``.

    Due is a snapshot whose number (unix seconds) is not above the cutoff: ``older_than`` ago ("48h", a timedelta) or
    ``cutoff`` (unix seconds, an aware datetime), exactly one of them. Files that an earlier archive lists are skipped.
    ``clusters``: names, default all. ``row_group``: "auto" (cut at host boundaries behind 524,288 rows) or "host" (one
    group per host). ``progress``: True, "tqdm" or ``callable(done, total, host)``. Writer options such as
    ``compression``, ``durability`` and ``metadata`` are passed on.

    Inputs that cannot be read never raise: they are in ``report.errors`` and in the log, and are tried again by the next
    run. Bad arguments and a failing destination raise. Sources are never deleted or changed.
    """
    report = ArchiveReport(_cutoff(older_than, cutoff), parse_size(memory_limit, "memory_limit"))
    started = time.monotonic()
    job = _Job(src, dst, report, row_group, skip_archived, writer_options)
    if include_wal or frequencies is not None:
        raise UnsupportedError("reading current.wal into archives comes with a later release; leave include_wal and "
                               "frequencies out")
    if on_corrupt not in ("error", "stop", "resync"):
        raise ValueError(f"on_corrupt is 'error', not {on_corrupt!r}")
    if on_corrupt != "error":
        raise UnsupportedError(f"on_corrupt={on_corrupt!r} is for logs, which archives do not read in this release")
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads is a number from 1, not {threads!r}")
    if threads != 1:
        raise UnsupportedError(f"threads={threads} comes with a later release; today a job works in the thread that calls it")
    check_progress(progress)
    job.run(_cluster_names(clusters), progress)
    report.seconds = time.monotonic() - started
    return report


def _cutoff(older_than: object, cutoff: object) -> int:
    if (older_than is None) == (cutoff is None):
        raise TypeError('give exactly one of older_than (such as "48h") and cutoff (unix seconds or an aware datetime)')
    if older_than is not None:
        at = datetime.datetime.now(datetime.timezone.utc).timestamp() - parse_duration(older_than, "older_than").total_seconds()
    elif isinstance(cutoff, datetime.datetime):
        if cutoff.tzinfo is None or cutoff.utcoffset() is None:
            raise ValueError(f"cutoff: {cutoff!r} has no time zone; use for example datetime.now(timezone.utc)")
        at = cutoff.timestamp()
    elif isinstance(cutoff, int) and not isinstance(cutoff, bool):
        at = cutoff
    else:
        raise TypeError(f"cutoff: unix seconds as an int or an aware datetime, not {cutoff!r:.80}")
    at = int(at // 1)
    if not 0 < at < 2**63:
        raise ValueError(f"cutoff: {at} is no time after 1970")
    return at


def _cluster_names(clusters: object) -> list[str] | None:
    if clusters is None:
        return None
    if isinstance(clusters, str):
        raise TypeError(f"clusters is a list of names; write [{clusters!r}]")
    names = list(clusters)  # type: ignore[call-overload]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"clusters: a name is a str, not {name!r:.80}")
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"clusters: {name!r:.80} is not a name of a directory inside the tree")
    return sorted(set(names))


class _Job:
    """What all clusters of one call share."""

    def __init__(self, src: object, dst: object, report: ArchiveReport, row_group: str, skip_archived: bool,
                 options: dict[str, object]):
        for name, why in _RESERVED.items():
            if name in options:
                raise TypeError(f"archive_checkpoints() takes no {name}: {why}")
        if row_group not in ("auto", "host"):
            raise ValueError(f"row_group is 'auto' or 'host', not {row_group!r}")
        self.src = os.fsdecode(os.fspath(src))  # type: ignore[call-overload]
        self.dst = os.fsdecode(os.fspath(dst))  # type: ignore[call-overload]
        if not os.path.isdir(self.src):
            code = errno.ENOTDIR if os.path.exists(self.src) else errno.ENOENT
            raise OSError(code, "the checkpoint tree is not a directory" if code == errno.ENOTDIR else "no such checkpoint tree",
                          self.src)
        inside = os.path.realpath(self.dst) + "/"
        if inside.startswith(os.path.realpath(self.src) + "/"):
            raise ValueError(f"the destination {self.dst!r} lies inside the checkpoint tree {self.src!r}")
        self.report = report
        self.group_rows = 1 if row_group == "host" else GROUP_ROWS
        if not isinstance(skip_archived, bool):
            raise TypeError(f"skip_archived is True or False, not {skip_archived!r:.80}")
        self.skip_archived = skip_archived
        metadata = options.pop("metadata", None)
        if metadata is not None and not isinstance(metadata, Mapping):
            raise TypeError(f"metadata is a mapping str -> str, not {type(metadata).__name__}")
        self.metadata = dict(metadata or {})
        for key in self.metadata:
            if isinstance(key, str) and key.startswith("ccpq."):
                raise ValueError(f"metadata: keys that begin with 'ccpq.' are the archive's own, not {key!r}")
        # Groups are cut at host boundaries here and at series boundaries in the core, never by a row count.
        options.setdefault("row_group_size", 2**31 - 2)
        options.setdefault("row_group_bytes", 2**40)
        self.durability = options.get("durability", "full")
        self.spill_dir = options.pop("spill_dir", None)
        self.options = options
        # Two limits that add up, not a common budget: pages that wait must not take the merge's part.
        self.writer_memory = report.memory_limit * WRITER_SHARE[0] // WRITER_SHARE[1]
        self.merge_memory = report.memory_limit - self.writer_memory
        self.check_options()

    def check_options(self) -> None:
        """A writer for nothing: bad options and too little memory are told before anything is read or made."""
        part, whole = WRITER_SHARE
        needed = -(-MERGE_LEAST * whole // (whole - part))
        try:
            with open(os.devnull, "wb") as f:
                _ArchiveWriter(f, SCHEMA, sorting_columns=SORTING, memory_limit=self.writer_memory, metadata=self.metadata,
                       spill_dir=self.spill_dir, **self.options).abort()
        except BudgetError as e:
            needed = max(needed, -(-e.needed * whole // part)) if e.needed else needed
        limit = self.report.memory_limit
        if limit < needed:
            raise BudgetError(f"memory_limit: {format_bytes(limit)} ({limit} bytes) is too small for an archive job: "
                              f"{needed} bytes would do", needed=needed, limit=limit)

    def run(self, clusters: list[str] | None, progress: object) -> None:
        tree = Tally()
        found = list_directories(self.src, "", lambda path, reason: tree.error(show_name(path), reason))
        if clusters is not None:
            for name in sorted(set(clusters) - set(found)):
                tree.error(show_name(name), "no such cluster: no directory of this name in the tree")
            found = [name for name in found if name in set(clusters)]
        self.report.add(tree)
        total = count_hosts(self.src, found) if progress else None
        with make_progress(progress, total, "host") as bar:
            for cluster in found:
                self.archive(cluster, bar)

    def archive(self, cluster: str, bar: Progress) -> None:
        changed: dict[tuple[str, str], str] = {}
        while True:
            run = _ClusterRun(self, cluster, changed, bar)
            try:
                with run:
                    run.run()
            except FileChanged as e:
                if len(changed) < MAX_ATTEMPTS:
                    host, name = run.locate(e)
                    if (host, name) in changed:
                        raise
                    log.info("%s is archived again without %s/%s", cluster, host, name)
                    changed[host, name] = str(e)
                    bar.back(run.steps)
                    continue
                run.tally.error(show_name(cluster), f"{len(changed)} files changed while they were read; nothing of it was archived")
                run.give_up()
            except (_ClusterFailed, SourceListError) as e:
                run.tally.error(show_name(cluster), str(e))
                run.give_up()
            self.report.add(run.tally)
            if run.published:
                self.report.archives.append(run.published)
            if run.writer is not None:
                peak = run.writer.memory.peak + self.merge_memory
                self.report.peak_memory = max(self.report.peak_memory, peak)
            return


class _ClusterRun:
    """One attempt at one cluster. Leaving the context without publication leaves nothing behind."""

    def __init__(self, job: _Job, cluster: str, changed: dict[tuple[str, str], str], bar: Progress):
        self.job = job
        self.cluster = cluster
        self.changed = changed
        self.bar = bar
        self.steps = 0
        self.host = ""
        self.tally = Tally()
        self.published: Published | None = None
        self.directory = os.path.join(job.dst, cluster)
        self.path = os.path.join(self.directory, f"{job.report.cutoff}.parquet")
        self.list_path = os.path.join(self.directory, f"{job.report.cutoff}{LIST_SUFFIX}")
        self.stack = contextlib.ExitStack()  # the lock is its first entry, so it goes last
        self.locked = False
        self.listed: ListedFiles | None = None
        self.writer: Writer | None = None
        self.list_target: Target | None = None
        self.sources: SourceListWriter | None = None
        self.spill_dir = ""

    def __enter__(self) -> _ClusterRun:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stack.close()

    def give_up(self) -> None:
        """Only the errors of this attempt count."""
        kept, self.tally = self.tally, Tally()
        self.tally.errors, self.tally.error_count = kept.errors, kept.error_count

    def locate(self, e: FileChanged) -> tuple[str, str]:
        return self.host, os.path.basename(os.fsdecode(e.file)) if e.file else ""

    # The hosts

    def run(self) -> None:
        try:
            hosts = list_directories(self.job.src, self.cluster, self.problem)
        except OSError as e:
            raise _ClusterFailed(f"cannot be listed: {e.strerror}") from None
        for (host, name), reason in self.changed.items():
            self.problem(f"{self.cluster}/{host}/{name}", reason)
        for host in hosts:
            self.host = host
            self.archive_host(host)
            self.steps += 1
            self.bar.step(show_name(f"{self.cluster}/{host}"))
        if self.listed is not None:
            self.listed.finish()
        if self.writer is not None and self.writer.rows:
            self.publish()
        elif self.tally.files:
            # No rows, no file: these files will be read again, which costs little.
            log.info("%s: %d files without a sample; no archive is made", self.cluster, self.tally.files)
            self.tally.files = self.tally.input_bytes = 0

    def problem(self, path: str, reason: str) -> None:
        self.tally.error(show_name(path), reason)

    def archive_host(self, host: str) -> None:
        below = os.path.join(self.cluster, host)
        try:
            due = list_host(self.job.src, below, self.job.report.cutoff, self.problem)
        except OSError as e:
            self.problem(below, f"cannot be listed: {e.strerror}")
            return
        if not due.names:
            return
        self.open_lists()
        names = [n for n in self.not_listed(below, host, due) if (host, n) not in self.changed]
        if not names:
            return
        self.open_writer()
        rows, results = self.merge_host(host, os.path.join(self.job.src, below), names)
        entries = []
        for r in results:
            if not r["ok"]:
                self.tally.error(show_name(os.path.join(below, r["name"])), r["error"], r["offset"])
                continue
            if r["trailing_bytes"]:
                log.warning("%s/%s: %d bytes behind its end were not read", below, r["name"], r["trailing_bytes"])
            entries.append(Entry(host, r["name"], r["size"], r["mtime_ns"], r["xxh64"]))
            self.tally.files += 1
            self.tally.input_bytes += r["size"]
        self.list_sources(below, host, entries, due)
        self.tally.rows += rows
        self.tally.hosts += rows > 0
        self.writer.flush_group(min_rows=self.job.group_rows)

    def merge_host(self, host: str, directory: str, names: list[str]):
        """(rows, a dict for each file). FileChanged where a file that was validated cannot be read like that again."""
        try:
            return _core.archive_host(self.writer._core, self.cluster, host, directory, names, self.job.merge_memory,
                                      self.spill_dir)
        except FileChanged as e:
            raise FileChanged("the file changed while it was read", file=e.file) from e
        except OSError as e:
            # The core names a source by its file name and the destination by its path.
            if e.filename not in names:
                raise
            raise FileChanged(f"could not be read again: {e.strerror}", file=e.filename) from e

    def list_sources(self, below: str, host: str, entries: list[Entry], due: Due) -> None:
        taken = {e.name for e in entries}
        for name, by in due.shadowed.items():
            if by not in taken:
                continue  # its .bin was not read: another run may still need the .json
            try:
                st = os.stat(os.path.join(self.job.src, below, name), follow_symlinks=False)
            except OSError as e:
                log.info("%s/%s, beside %s, is not listed: %s", below, name, by, e.strerror)
                continue
            entries.append(Entry(host, name, st.st_size, st.st_mtime_ns, None, by))
            self.tally.shadowed += 1
        for entry in sorted(entries, key=lambda e: e.name):
            self.sources.add(entry)

    # What is archived already

    def not_listed(self, below: str, host: str, due: Due) -> list[str]:
        """The due names that no earlier archive has; others are skipped, or errors where their content differs."""
        if self.listed is None:
            return due.names
        twins = {_twin(name) for name in due.names}
        listed = self.listed.host(host, twins.union(due.names))
        fresh = []
        for name in due.names:
            path = os.path.join(below, name)
            if name in listed:
                problem = self.compare(path, listed[name])
                if problem is None:
                    self.tally.skipped += 1
                else:
                    self.problem(path, problem)
            elif _twin(name) in listed:
                # One checkpoint in two formats. The .json says nothing new; a .bin would be more exact, but its rows
                # are archived and rows are never archived twice.
                if name.endswith(".json"):
                    self.tally.skipped += 1
                else:
                    self.problem(path, f"{_twin(name)}, the same checkpoint, is archived already; not archived twice")
            else:
                fresh.append(name)
        return fresh

    def compare(self, path: str, listed: list[Entry]) -> str | None:
        """None if the file is one of its entries, else why it is not."""
        full = os.path.join(self.job.src, path)
        try:
            st = os.stat(full, follow_symlinks=False)
            for e in listed:
                if (e.size, e.mtime_ns) == (st.st_size, st.st_mtime_ns) or e.shadowed_by is not None:
                    return None
            if any(e.size == st.st_size for e in listed):
                content = _core.hash_file(full)
                if any(e.xxh64 == content for e in listed):
                    return None
        except OSError as e:
            return f"is archived already and cannot be compared: {e.strerror}"
        return "a file of this name but with other content is archived already; not archived twice"

    # The destination

    def open_lists(self) -> None:
        """Locks the cluster's directory and opens the lists in it; once, when the first file is due."""
        if self.locked:
            return
        os.makedirs(self.job.dst, exist_ok=True)
        try:
            os.mkdir(self.directory)
        except FileExistsError:
            if os.path.islink(self.directory) or not os.path.isdir(self.directory):
                raise _ClusterFailed(f"{self.directory!r} is in the way: not a directory") from None
        lock = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self.stack.callback(os.close, lock)
        self.locked = True
        try:
            # Two runs at once would archive the same files twice, each without knowing of the other's list.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _ClusterFailed(f"another run is archiving into {self.directory!r}; run again when it is done") from None
        except OSError as e:
            if e.errno not in _NO_LOCK:
                raise OSError(e.errno, e.strerror, self.directory) from e
            log.warning("%s cannot be locked (%s): see that no two runs work there at once", self.directory, e.strerror)
        self.spill_dir = spill_dir_for(self.path, self.job.spill_dir)
        if self.job.skip_archived:
            self.listed = ListedFiles(find_lists(self.directory), self.cluster, self.spill_dir)
            self.stack.callback(self.listed.close)

    def open_writer(self) -> None:
        if self.writer is not None:
            return
        metadata = {**self.job.metadata, "ccpq.format": FORMAT, "ccpq.cluster": self.cluster,
                    "ccpq.cutoff": str(self.job.report.cutoff)}
        try:
            self.writer = _ArchiveWriter(self.path, SCHEMA, sorting_columns=SORTING, metadata=metadata, spill_dir=self.spill_dir,
                                 memory_limit=self.job.writer_memory, **self.job.options)
        except FileExistsError:
            raise _ClusterFailed(f"{self.path!r} exists and does not list all that is due: run again with a later cutoff, which "
                                 "makes a second file beside it") from None
        self.stack.callback(self.writer.abort)
        # An orphan list of an earlier attempt is replaced.
        self.list_target = open_target(self.list_path, overwrite=True, durability=self.job.durability)
        self.stack.callback(self.list_target.abort)
        self.sources = SourceListWriter(self.list_target.fd, self.list_path, self.cluster, self.job.report.cutoff)

    def publish(self) -> None:
        """First the list, then the archive that makes it count."""
        writer, files = self.writer, self.sources.files
        digest = self.sources.finish()
        writer.metadata["ccpq.sources.files"] = str(files)
        writer.metadata[HASH_KEY] = digest
        self.list_target.publish()
        try:
            writer.close()
        except BaseException as e:
            # Without an archive the list is an orphan, which is harmless, but nobody should have to wonder about it.
            if not (os.path.exists(self.path) and footer_hash(self.path) == digest):
                os.unlink(self.list_path)
            if isinstance(e, FileExistsError):
                raise _ClusterFailed(f"{e.filename}: {e.strerror}") from None
            raise
        self.tally.bytes = os.stat(self.path).st_size
        self.published = Published(self.cluster, self.path, writer.rows, self.tally.hosts, self.tally.files, self.tally.bytes)


def _twin(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    return f"{stem}.{'bin' if kind == 'json' else 'json'}"
