"""``Writer``: its methods, the opening at the first write where no schema is given, and publication at the end.

Options are checked in ``_options``, wrong doors in ``_doors``; rows and values are the core's business
(``_core.Writer``), files and names are ``_publish``'s.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ccpq import _columns, _core
from ccpq._budget import MemoryBudget, MemoryShare
from ccpq._doors import rows_and_names
from ccpq._errors import RowError, SchemaError
from ccpq._first import schema_of_arrow, schema_of_columns, schema_of_row, schema_of_rows
from ccpq._near import near
from ccpq._opening import Opening
from ccpq._options import check_options, metadata_pairs, row_minimum
from ccpq._publish import Target
from ccpq._report import Memory, Plan, Report, count_of, of_limit
from ccpq._schema import Schema, schema as make_schema
from ccpq._sizes import format_bytes

__all__ = ["Writer"]

log = logging.getLogger("ccpq.writer")

os.register_at_fork(after_in_child=_core._forked)


class Writer:
    """Writes one Parquet file from rows, columns and Arrow data, in a fixed amount of memory.

    Parameters
    ----------
    target : str, os.PathLike, binary file, or sink
        A path appears under its name only when the writer is closed, whole and synced. A binary file is written from
        its beginning and never closed. A sink has ``write(memoryview)``, ``finish()`` and ``abort()``.
    schema : mapping or list of pairs, name -> type; class; anything that ``ccpq.schema`` takes
        ``{"host": "string", "value": "float32?"}``. None: found out at the first write, exactly from Arrow data,
        dataclasses, NamedTuples and cursors that tell their types, from the first 1,000 rows of mappings.
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
    field_ids : mapping name -> int
        The field_id of columns; those that it does not name have none.
    strict : bool
        False: values are also read from text, Path, UUID, 0 and 1 and integral floats, as ``docs/types.md`` lists.
    extra : "error" or "ignore"
        What is done with keys and fields of a row that are no columns.
    overwrite, mkdir, durability
        For a path: replace an existing file, make missing directories, what is synced ("full", "file", "none").
    spill_dir : path or None
        Where temporary files go; None: beside the target, /var/tmp for files and sinks.
    bloom_filter, hashes, threads
        For later releases; today anything but the default is an UnsupportedError.

    Use it in a ``with`` block: an exception publishes nothing. One call at a time, from any thread; calls from inside
    the row iterator are refused. ``row`` in errors counts from 0.
    """

    __slots__ = {
        "write_row": "write_row(row): writes one row, a tuple, list, mapping or object with fields. RowError if it is refused.",
        "metadata": "Key-value metadata of the file, a dict str -> str; may be changed until close.",
        "__weakref__": "",
        "_core": "", "_target": "", "_schema": "", "_report": "", "_name": "", "_started": "", "_pid": "", "_open": "",
        "_opening": "", "_first_call": "", "_first_name": "", "_sampled": "",
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
        given = locals()
        self._open = False
        self._started = time.monotonic()
        self._pid = os.getpid()
        for name in unknown:
            advice = near(name, Writer.__init__.__kwdefaults__) or "; help(ccpq.Writer) lists them"
            raise TypeError(f"Writer() has no option {name!r}{advice}")
        options = check_options(given, self._max_value_bytes)
        self.metadata = dict(metadata_pairs({} if metadata is None else metadata))
        self._schema = None if schema is None else make_schema(schema)
        self._opening = Opening(target, options, overwrite=overwrite, mkdir=mkdir, durability=durability, spill_dir=spill_dir)
        self._name = self._opening.name
        self._first_call = threading.Lock()
        self._first_name = ""
        # An iterator that was sampled, and the one that has all its rows.
        self._sampled: tuple[object, Iterator] | None = None
        self._report: Report | None = None
        self._core: _core.Writer | None = None
        if self._schema is None:
            self._opening.check_sink()
        else:
            self._core = self._opening.make_core(self._schema)
        # The file comes last: nothing is made where an option is wrong or the memory does not suffice.
        self._target: Target | None = None
        try:
            self._target = self._opening.open_target()
            if self._core is not None:
                self._attach(self._core)
        except BaseException:
            if self._core is not None:
                self._core.abort()
            if self._target is not None:
                self._target.abort()
            raise
        self._open = True

    def _attach(self, core: _core.Writer) -> None:
        if self._target is not None:
            core.attach_fd(self._target.fd)
        self.write_row = core.write_row

    # -- the first write of a writer without a schema

    def __getattr__(self, name: str) -> Any:
        # Of the slots only this one may be empty: while there is no core.
        if name == "write_row":
            return self._write_first_row
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    @contextlib.contextmanager
    def _alone(self, method: str) -> Iterator[bool]:
        """The core's rules for calls, while there is no core: one at a time, in one process, until the end.

        Whether there is none still.
        """
        if self._pid != os.getpid():
            raise RuntimeError(f"{method}(): the writer belongs to the process that this one was forked from")
        if not self._first_call.acquire(blocking=False):
            raise RuntimeError(
                f"{method}() while {self._first_name}() of the same writer is running, in another thread or around this "
                "call: one call at a time"
            )
        self._first_name = method
        try:
            self._check_open(method)
            yield self._core is None
        finally:
            self._first_call.release()

    def _check_open(self, method: str) -> None:
        if not self._open:
            raise RuntimeError(f"{method}(): the writer {'was aborted' if self._report is None else 'is closed'}")

    def _begin(self, schema: Schema) -> None:
        core = self._opening.make_core(schema)
        self._attach(core)
        self._schema, self._core = schema, core
        log.debug("%s: schema of the first call: %s", self._name, schema)

    def _write_first_row(self, row: object) -> None:
        with self._alone("write_row") as first:
            if first:
                self._begin(schema_of_row(row))
        self.write_row(row)

    def _rows(self, rows: Any, columns: Iterable[str] | None, method: str) -> tuple[Iterable, Iterable[str] | None]:
        source, names = rows_and_names(rows, columns, method)
        if self._core is None:
            with self._alone(method) as first:
                if first:
                    return self._first_rows(rows, source, names if names is None else list(names), columns is not None)
        if self._sampled is not None and self._sampled[0] is rows:
            return self._sampled[1], names
        return source, names

    def _first_rows(self, rows: Any, source: Iterable, names: list[str] | None, given: bool) -> tuple[Iterable, list[str] | None]:
        found = schema_of_rows(rows, source, names, given)
        if found is None:
            return (), names
        schema, everything = found
        # Rows that were looked at are not lost where one of them is refused and the same iterator is given again.
        if isinstance(rows, Iterator) or not isinstance(rows, Iterable) or hasattr(rows, "description"):
            self._sampled = (rows, everything)
        self._begin(schema)
        return everything, names

    def _rows_written(self, rows: object) -> None:
        if self._sampled is not None and self._sampled[0] is rows:
            self._sampled = None

    def _log_call(self, what: str) -> None:
        if log.isEnabledFor(logging.DEBUG):
            i = self._info()
            log.debug("%s: %s; row groups so far: %d, spilled: %s", self._name, what, i["row_groups"], format_bytes(i["spilled_bytes"]))

    def write_rows(
        self,
        rows: Iterable,
        *,
        columns: Iterable[str] | None = None,
        on_error: str | Callable[[RowError], object] = "raise",
    ) -> int:
        """Writes all rows of an iterable; the number of rows written.

        Rows are tuples and lists (by position, or by ``columns``, or by the names of a DB-API cursor), mappings, and
        objects with fields: NamedTuples, dataclasses, sqlite3.Row, attrs, msgspec and pydantic objects (by name; a
        missing key or attribute is null in an optional column). A refused row raises a RowError; the rows before it
        stay, and nothing beyond it is taken from the iterator, so that the same iterator can be given again. With
        ``on_error=function`` the error is given to the function, and the row is left out if that returns.
        """
        self._check_open("write_rows")
        source, names = self._rows(rows, columns, "write_rows")
        if self._core is None:
            return 0
        n = self._core.write_rows(source, names, on_error)
        self._rows_written(rows)
        self._log_call(f"{n} rows written")
        return n

    def write_group(self, rows: Iterable, *, columns: Iterable[str] | None = None) -> int:
        """Writes all rows as one row group of their own, or, on any exception, none of them; the number of rows.

        The group that is open is closed first. Neither row_group_size nor row_group_bytes cuts. No rows: no group.
        """
        self._check_open("write_group")
        source, names = self._rows(rows, columns, "write_group")
        if self._core is None:
            return 0
        n = self._core.write_group(source, names)
        self._rows_written(rows)
        self._log_call(f"row group of {n} rows written")
        return n

    def write_columns(self, mapping: Mapping[str, Any]) -> int:
        """Writes a mapping name -> column, all of its rows or none; the number of rows.

        A column is an array (numpy of any stride, pandas, Polars, Arrow, anything with a buffer), a sequence, a ``range``,
        or one value for all rows; at least one has a length. A missing column is null if it is optional.
        """
        self._check_open("write_columns")
        if self._core is None and isinstance(mapping, Mapping):
            with self._alone("write_columns") as first:
                if first:
                    self._begin(schema_of_columns(mapping))
        n = _columns.write_columns(self._core, self._schema, mapping, ignore_extra=self._opening.options.ignore_extra)
        self._log_call(f"columns of {n} rows written")
        return n

    def write_arrow(self, data: Any) -> int:
        """Writes Arrow data: anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``; the number of rows.

        pyarrow tables, batches and readers, Polars, pandas and DuckDB frames. Columns are matched by name, in any order.
        """
        self._check_open("write_arrow")
        if self._core is None and _columns.is_arrow(data):
            with self._alone("write_arrow") as first:
                if first:
                    schema, data = schema_of_arrow(data)
                    self._begin(schema)
        n = _columns.write_arrow(self._core, self._schema, data, ignore_extra=self._opening.options.ignore_extra)
        self._log_call(f"{n} rows of Arrow data written")
        return n

    def flush_group(self, *, min_rows: int = 0) -> bool:
        """Ends the open row group if it has rows, and at least ``min_rows``; whether it did."""
        self._check_open("flush_group")
        least = row_minimum(min_rows)
        if self._core is None:
            with self._alone("flush_group") as pending:
                if pending:
                    return False
        cut = self._core.flush_group(least)
        if cut:
            self._log_call("row group cut")
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
        pairs = metadata_pairs(self.metadata)
        if self._core is None:
            with self._alone("close") as pending:
                if pending:
                    raise SchemaError(
                        f"{self._name}: nothing was written, so there is nothing to find the schema from; "
                        'give schema={"name": "type", ...} for a file without rows'
                    )
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
        if self._core is None:
            with self._alone("abort") as pending:
                if pending:
                    self._open = False
                    if self._target is not None:
                        self._target.abort()
                    self._opening.abort_sink()
                    return
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
        warnings.warn(f"{self._name}: a ccpq.Writer was not closed; nothing is published: use it in a with block", ResourceWarning, source=self)
        try:
            if self._core is not None:
                self._core.abort()
            else:
                self._opening.abort_sink()
        finally:
            if self._target is not None:
                self._target.abort()

    @property
    def closed(self) -> bool:
        """Whether the writer has ended, by close or abort."""
        return not self._open

    @property
    def schema(self) -> Schema | None:
        """The columns; None before the first write of a writer that was given no schema."""
        return self._schema

    def _info(self) -> dict[str, Any]:
        if self._core is not None:
            return self._core.info()
        nothing = ("rows", "row_groups", "bytes_written", "memory_used", "memory_peak", "spilled_bytes")
        return {**dict.fromkeys(nothing, 0), "memory_limit": self._opening.options.memory_limit}

    @property
    def rows(self) -> int:
        """Rows written, those of the open group included."""
        return self._info()["rows"]

    @property
    def row_groups(self) -> int:
        """Row groups that are complete."""
        return self._info()["row_groups"]

    @property
    def bytes_written(self) -> int:
        """Bytes of the file so far; pages of the open group are not among them."""
        return self._info()["bytes_written"]

    @property
    def memory(self) -> Memory:
        """Bytes in use, at most, allowed, and spilled."""
        i = self._info()
        return Memory(i["memory_used"], i["memory_peak"], i["memory_limit"], i["spilled_bytes"])

    @property
    def plan(self) -> Plan:
        """How the memory limit is divided, the largest value and row among it."""
        if self._core is None:
            raise RuntimeError("the memory is planned when the schema is known: at the first write")
        return Plan(self._core.plan())

    @property
    def report(self) -> Report | None:
        """What close returned; None before."""
        return self._report

    def __reduce__(self):
        raise TypeError("a Writer cannot be pickled: it belongs to its process")

    def __repr__(self) -> str:
        if not hasattr(self, "_report"):
            return "<ccpq.Writer not opened>"
        i = self._info()
        state = "open" if self._open else "closed" if self._report is not None else "aborted"
        return (
            f"<ccpq.Writer {self._name!r} {state}: {count_of(i['rows'], 'row')}, {count_of(i['row_groups'], 'group')}, "
            f"{format_bytes(i['bytes_written'])} written, memory {of_limit(i['memory_used'], i['memory_limit'])}>"
        )
