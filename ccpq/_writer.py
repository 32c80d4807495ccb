"""``Writer``: options checked, a target opened, the core's writer behind it, and publication at the end.

Rows and values are the core's business (``_core.Writer``); files and names are ``_publish``'s. Options that a later
release will bring are known here, so that they are told from misspelt ones.
"""

from __future__ import annotations

import difflib
import logging
import operator
import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

from ccpq import _core
from ccpq._budget import MemoryBudget, MemoryShare, resolve_memory
from ccpq._compression import check_profile, resolve_compression
from ccpq._errors import RowError, UnsupportedError
from ccpq._publish import DURABILITIES, Target, check_name, open_target, spill_dir_for
from ccpq._report import Memory, Plan, Report, count_of, of_limit
from ccpq._schema import Schema, core_fields, schema as make_schema
from ccpq._sizes import format_bytes, parse_size

__all__ = ["MemoryBudget", "MemoryShare", "Writer"]

log = logging.getLogger("ccpq.writer")

_MAX_GROUP_ROWS = 2**31 - 2

os.register_at_fork(after_in_child=_core._forked)


def _near(word: object, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word), list(words), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _later(what: str, today: str) -> NoReturn:
    raise UnsupportedError(f"{what} comes with a later release; today {today}")


def _count(value: object, what: str, highest: int) -> int:
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{what} is an int, not {type(value).__name__}")
    n = operator.index(value)
    if not 1 <= n <= highest:
        raise ValueError(f"{what}={n} is not between 1 and {highest}")
    return n


def _flag(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{what} is True or False, not {value!r:.80}")
    return value


def _sorting(columns: object, names: Sequence[str]) -> list[tuple[str, bool]]:
    if columns is None:
        return []
    if isinstance(columns, (str, bytes)) or not isinstance(columns, Iterable):
        raise TypeError(f"sorting_columns is a list of names or (name, 'descending'); write [{columns!r}]")
    keys: list[tuple[str, bool]] = []
    for item in columns:
        name, direction = (item, "ascending") if isinstance(item, str) else _pair(item)
        if direction not in ("ascending", "descending"):
            raise ValueError(f"sorting_columns: {direction!r} is neither 'ascending' nor 'descending'")
        if name not in names:
            raise ValueError(f"sorting_columns: there is no column {name!r}{_near(name, names)}")
        if any(name == k for k, _ in keys):
            raise ValueError(f"sorting_columns: {name!r} is there twice")
        keys.append((name, direction == "descending"))
    return keys


def _pair(item: object) -> tuple[str, object]:
    if isinstance(item, (tuple, list)) and len(item) == 2 and isinstance(item[0], str):
        return item[0], item[1]
    raise TypeError(f"sorting_columns: an item is a name or (name, 'descending'), not {item!r:.80}")


def _metadata_pairs(metadata: object) -> list[tuple[str, str]]:
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata is a mapping str -> str, not {type(metadata).__name__}")
    pairs = []
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"metadata is a mapping str -> str; {key!r:.80}: {value!r:.80} is not")
        try:
            key.encode(), value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"metadata: {key!r:.80} holds a lone surrogate, which UTF-8 cannot express") from None
        pairs.append((str(key), str(value)))
    return pairs


def _existing(path: str) -> str:
    """The nearest directory above `path` that exists."""
    directory = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    return directory


def _spill_dir(path: str | None, override: object, mkdir: bool) -> str:
    if path is None or override is not None or not mkdir or os.path.isdir(os.path.dirname(path) or "."):
        try:
            return spill_dir_for(path, override)
        except FileNotFoundError:
            if override is not None:
                raise
            return "/var/tmp"  # the target's directory does not exist: open_target says so
    parent = _existing(path)
    chosen = spill_dir_for(os.path.join(parent, "x"), None)
    return os.path.dirname(path) if chosen == parent else chosen


def _check_rows(rows: object, method: str) -> None:
    """The wrong doors, by name. Anything else is iterated."""
    kind = type(rows).__name__
    if isinstance(rows, Mapping):
        raise TypeError(f"{method}() takes many rows; a {kind} is one row: write_row(row), or {method}([row])")
    if isinstance(rows, (str, bytes, bytearray)):
        raise TypeError(f"{method}() takes rows (tuples, lists, mappings), not a {kind}")
    if hasattr(rows, "__arrow_c_stream__") or hasattr(rows, "__dataframe__"):
        if hasattr(rows, "itertuples"):
            advice = "iterating it gives column names; write df.itertuples(index=False, name=None)"
        elif hasattr(rows, "iter_rows"):
            advice = "iterating it gives columns; write df.iter_rows()"
        else:
            advice = "iterating it gives columns; write table.to_pylist()"
        raise TypeError(f"{method}({kind}): {advice}")
    if isinstance(rows, os.PathLike):
        raise TypeError(f"{method}() takes rows, not a path")


def _cursor_names(rows: object) -> list[str] | None:
    """Column names of a DB-API cursor."""
    description = getattr(rows, "description", None)
    if not isinstance(description, (list, tuple)) or not description:
        return None
    try:
        names = [item[0] for item in description]
    except (TypeError, IndexError, KeyError):
        return None
    return names if all(isinstance(n, str) for n in names) else None


class Writer:
    """Writes one Parquet file from rows, in a fixed amount of memory.

    Parameters
    ----------
    target : str, os.PathLike, binary file, or sink
        A path appears under its name only when the writer is closed, whole and synced. A binary file is written from
        its beginning and never closed. A sink has ``write(memoryview)``, ``finish()`` and ``abort()``.
    schema : mapping or list of pairs, name -> type
        ``{"host": "string", "value": "float32?"}``; see ``ccpq.schema``.
    compression, compression_level
        "zstd" (levels 1 to 19; None: 3), "snappy", "none", or a mapping column -> codec (the columns that it does not
        name take zstd). The level is zstd's.
    profile : "default", "compat" or "modern"
        Which parts of the format the file may use: "compat" for old readers, "modern" for the smallest files.
    memory_limit : int, str, MemoryBudget or share of one
        Bytes that the writer may hold, whatever is written. BudgetError where the schema needs more.
    row_group_size, row_group_bytes
        A row group ends at so many rows or so many bytes of compressed pages, whichever comes first.
    data_page_size : int, str or None
        An upper limit of a page's plain bytes; None: what memory_limit allows.
    sorting_columns : list of names or (name, "descending")
        The order that rows have; a row out of order is an error.
    metadata : mapping str -> str
        Key-value metadata of the file; ``w.metadata`` may be changed until close.
    overwrite, mkdir, durability
        For a path: replace an existing file, make missing directories, what is synced ("full", "file", "none").
    spill_dir : path or None
        Where temporary files go; None: beside the target, /var/tmp for files and sinks.

    Use it in a ``with`` block: an exception publishes nothing. One call at a time, from any thread; calls from inside
    the row iterator are refused. ``row`` in errors counts from 0.
    """

    __slots__ = {
        "write_row": "write_row(row): writes one row, a tuple, list, NamedTuple or mapping. RowError if it is refused.",
        "metadata": "Key-value metadata of the file, a dict str -> str; may be changed until close.",
        "__weakref__": "",
        "_core": "", "_target": "", "_schema": "", "_report": "", "_name": "", "_started": "", "_pid": "", "_open": "",
    }  # fmt: skip

    write_row: Callable[[object], None]
    metadata: dict[str, str]

    # 0: a quarter of the memory limit. A subclass that knows its values gives the room of large ones to pages and dictionaries.
    _max_value_bytes = 0

    def __init__(
        self,
        target: object,
        schema: object = None,
        *,
        compression: str | Mapping[str, str | None] | None = "zstd",
        compression_level: int | None = None,
        profile: str = "default",
        memory_limit: int | str | MemoryBudget | MemoryShare = "64MiB",
        row_group_size: int = 1_048_576,
        row_group_bytes: int | str = "128MiB",
        data_page_size: int | str | None = None,
        sorting_columns: Iterable[str | tuple[str, str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        field_ids: object = None,
        bloom_filter: object = (),
        hashes: bool = False,
        strict: bool = True,
        extra: str = "error",
        threads: int = 1,
        overwrite: bool = False,
        mkdir: bool = False,
        durability: str = "full",
        spill_dir: str | os.PathLike | None = None,
        **unknown: object,
    ):
        self._open = False
        self._started = time.monotonic()
        self._pid = os.getpid()
        for name in unknown:
            raise TypeError(f"Writer() has no option {name!r}{_near(name, Writer.__init__.__kwdefaults__)}")
        if schema is None:
            _later("finding the schema out from the rows", 'give schema={"name": "type", ...}')
        if field_ids is not None:
            _later("field_ids", "fields have none")
        if bloom_filter:
            _later("bloom_filter", "files have statistics and page indexes")
        if hashes is not False:
            _later("hashes=True", "pages have CRCs")
        if strict is not True:
            _later("strict=False", "values are converted before they are written")
        if extra not in ("error", "ignore"):
            raise ValueError(f"extra is 'error', not {extra!r:.80}")
        if extra != "error":
            _later(f"extra={extra!r}", "extra keys of a row are errors")
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise ValueError(f"threads is a number from 1, not {threads!r:.80}")
        if threads != 1:
            _later(f"threads={threads!r}", "a writer works in the thread that calls it")
        self._schema = make_schema(schema)
        profile = check_profile(profile)
        codecs = resolve_compression(compression, compression_level, self._schema.names)
        size, budget = resolve_memory(memory_limit)
        group_rows = _count(row_group_size, "row_group_size", _MAX_GROUP_ROWS)
        group_bytes = parse_size(row_group_bytes, "row_group_bytes")
        page_bytes = 0 if data_page_size is None else parse_size(data_page_size, "data_page_size")
        sorting = _sorting(sorting_columns, self._schema.names)
        self.metadata = dict(_metadata_pairs({} if metadata is None else metadata))
        _flag(overwrite, "overwrite")
        _flag(mkdir, "mkdir")
        if durability not in DURABILITIES:
            raise ValueError(f"durability is one of {', '.join(map(repr, DURABILITIES))}, not {durability!r}")

        path = os.fsdecode(os.fspath(target)) if isinstance(target, (str, bytes, os.PathLike)) else None
        if target is None:
            raise TypeError("the target must be a path, a binary file or a sink, not None")
        if path is not None:
            check_name(path)
        self._name = path if path is not None else _name_of(target)
        self._core = _core.Writer(
            core_fields(self._schema), sink=None if path is not None else target, name=self._name, codec=codecs.codec,
            codecs=codecs.columns, level=codecs.level, profile=profile, memory_limit=size, budget=budget, row_group_size=group_rows, row_group_bytes=group_bytes,
            data_page_size=page_bytes, sorting=sorting, spill_dir=_spill_dir(path, spill_dir, mkdir),
            max_value_bytes=self._max_value_bytes,
        )  # fmt: skip
        # The file comes last: nothing is made where an option is wrong or the memory does not suffice.
        self._target: Target | None = None
        if path is not None:
            try:
                self._target = open_target(path, overwrite=overwrite, mkdir=mkdir, durability=durability)
                self._core.attach_fd(self._target.fd)
            except BaseException:
                self._core.abort()
                if self._target is not None:
                    self._target.abort()
                raise
        self._report: Report | None = None
        self.write_row = self._core.write_row
        self._open = True

    def write_rows(
        self,
        rows: Iterable,
        *,
        columns: Iterable[str] | None = None,
        on_error: str | Callable[[RowError], object] = "raise",
    ) -> int:
        """Writes all rows of an iterable; the number of rows written.

        Rows are tuples and lists (by position, or by ``columns``, or by the names of a DB-API cursor), NamedTuples and
        mappings (by name; a missing key is null in an optional column). A refused row raises a RowError; the rows before
        it stay, and nothing beyond it is taken from the iterator, so that the same iterator can be given again. With
        ``on_error=function`` the error is given to the function, and the row is left out if that returns.
        """
        _check_rows(rows, "write_rows")
        if columns is None:
            columns = _cursor_names(rows)
        n = self._core.write_rows(rows, columns, on_error)
        log.debug("%s: %d rows written", self._name, n)
        return n

    def write_group(self, rows: Iterable, *, columns: Iterable[str] | None = None) -> int:
        """Writes all rows as one row group of their own, or, on any exception, none of them; the number of rows.

        The group that is open is closed first. Neither row_group_size nor row_group_bytes cuts. No rows: no group.
        """
        _check_rows(rows, "write_group")
        if columns is None:
            columns = _cursor_names(rows)
        n = self._core.write_group(rows, columns)
        log.debug("%s: row group of %d rows", self._name, n)
        return n

    def flush_group(self, *, min_rows: int = 0) -> bool:
        """Ends the open row group if it has rows, and at least ``min_rows``; whether it did."""
        cut = self._core.flush_group(min_rows)
        if cut:
            log.debug("%s: row group cut", self._name)
        return cut

    def close(self) -> Report:
        """Ends the file and publishes it. A second call gives the same report.

        If it fails nothing is published, and the writer can only be aborted; a call that is refused because another one
        is running changes nothing.
        """
        if self._report is not None:
            return self._report
        if not self._open:
            raise RuntimeError(f"{self._name}: the writer was aborted")
        pairs = _metadata_pairs(self.metadata)
        try:
            figures = self._core.close(pairs)
        except BaseException:
            if self._core.info()["failed"]:
                self._abort_quietly()
            raise
        self._open = False
        if self._target is not None:
            self._target.publish()
        self._report = Report._of(self._name, time.monotonic() - self._started, figures)
        log.debug("%s", self._report.summary())
        return self._report

    def abort(self) -> None:
        """Gives the file up: nothing is published. Does nothing after close or abort."""
        if self._open:
            self._give_up()

    def _give_up(self) -> None:
        busy = True
        try:
            self._core.abort()
            busy = False
        except RuntimeError:
            # Refused because a call is running (then all stays as it is), or raised by the sink's own abort().
            busy = not self._core.info()["closed"]
            raise
        except BaseException:
            busy = False
            raise
        finally:
            if not busy:
                self._open = False
                if self._target is not None:
                    self._target.abort()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind, error, trace) -> None:
        if not self._open:
            return
        if kind is None:
            try:
                self.close()
            except BaseException:
                self._abort_quietly()
                raise
        else:
            self._abort_quietly()

    def _abort_quietly(self) -> None:
        """Aborts on the way out with an exception, which must arrive as it is."""
        try:
            self.abort()
        except Exception as e:
            log.warning("%s: while giving up after another error: %s: %s", self._name, type(e).__name__, e)

    def __del__(self) -> None:
        if not getattr(self, "_open", False) or os.getpid() != self._pid:
            return
        self._open = False
        warnings.warn(f"{self._name}: a ccpq.Writer was not closed; nothing is published", ResourceWarning, source=self)
        try:
            self._core.abort()
        finally:
            if self._target is not None:
                self._target.abort()

    @property
    def closed(self) -> bool:
        """Whether the writer has ended, by close or abort."""
        return not self._open

    @property
    def schema(self) -> Schema:
        return self._schema

    @property
    def rows(self) -> int:
        """Rows written, those of the open group included."""
        return self._core.info()["rows"]

    @property
    def row_groups(self) -> int:
        """Row groups that are complete."""
        return self._core.info()["row_groups"]

    @property
    def bytes_written(self) -> int:
        """Bytes of the file so far; pages of the open group are not among them."""
        return self._core.info()["bytes_written"]

    @property
    def memory(self) -> Memory:
        i = self._core.info()
        return Memory(i["memory_used"], i["memory_peak"], i["memory_limit"], i["spilled_bytes"])

    @property
    def plan(self) -> Plan:
        """How the memory limit is divided, the largest value and row among it."""
        return Plan(self._core.plan())

    @property
    def report(self) -> Report | None:
        """What close returned; None before."""
        return self._report

    def __reduce__(self):
        raise TypeError("a Writer cannot be pickled: it belongs to its process")

    def __repr__(self) -> str:
        core = getattr(self, "_core", None)
        if core is None:
            return "<ccpq.Writer not opened>"
        i = core.info()
        state = "open" if self._open else "closed" if self._report is not None else "aborted"
        return (
            f"<ccpq.Writer {self._name!r} {state}: {count_of(i['rows'], 'row')}, {count_of(i['row_groups'], 'group')}, "
            f"{format_bytes(i['bytes_written'])} written, memory {of_limit(i['memory_used'], i['memory_limit'])}>"
        )


def _name_of(target: object) -> str:
    name = getattr(target, "name", None)
    if isinstance(name, (str, bytes)) and name:
        return os.fsdecode(name)
    return f"<{type(target).__name__}>"
