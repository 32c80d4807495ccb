"""The jobs whose memory test_memory_bounds.py measures, each in a process of its own.

    memory_cases.py <case> <units> [folder]      prints one line of JSON

The process first does the job at a small size, so that code, libraries and the interpreter's own tables are resident;
then it gives free memory back, sets the kernel's high-water mark to what is resident now, and does the job of `units`.
Whatever the rows are made of exists before that point or is the few objects of one row. Nothing of ccpq measures here:
the figures are the kernel's (VmHWM minus VmRSS before) and, beside them, what the core says of itself.
"""

import ctypes
import gc
import itertools
import json
import os
import random
import sys
import time
from dataclasses import dataclass
from typing import Callable

import ccpq

MIB = 1 << 20


class Nowhere:
    """A sink that counts and forgets: files of any size, without a disk."""

    def __init__(self):
        self.bytes = 0

    def write(self, data):
        self.bytes += len(data)

    def finish(self):
        pass

    def abort(self):
        pass


@dataclass
class Case:
    run: Callable
    limit: int  # MiB
    once: int  # units of the small job, which is at least one full row group
    what: str  # a unit


CASES: dict[str, Case] = {}


def case(limit, once, what):
    return lambda run: CASES.setdefault(run.__name__, Case(run, limit, once, what)).run


def figures(*writers, peak=None):
    reports = [w.report for w in writers]
    return {
        "core_peak": max(r.peak_memory for r in reports) if peak is None else peak,
        "bytes": sum(r.bytes for r in reports),
        "rows": sum(r.rows for r in reports),
        "groups": sum(r.row_groups for r in reports),
        "spilled": sum(r.spilled_bytes for r in reports),
    }


def write(schema, rows, limit="16MiB", **options):
    with ccpq.Writer(Nowhere(), schema, memory_limit=limit, **options) as w:
        w.write_rows(rows)
    return figures(w)


RANDOM = random.Random(5)
FLOATS = [RANDOM.random() * 1000 for _ in range(50_021)]  # a prime: no period of pages or groups
STEPS = [round(x) / 4 for x in FLOATS[:9973]]
HOSTS = [f"f{i:04d}.cluster" for i in range(997)]
NOISE = RANDOM.randbytes(3 * MIB)


@case(16, 2_500_000, "rows")
def rows(n):
    """Few columns of usual kinds, from a generator."""
    values, hosts = itertools.cycle(STEPS), itertools.cycle(HOSTS)

    def make():
        for i in range(n):
            yield i, next(hosts), next(values)

    return write({"timestamp": "int64", "host": "string", "value": "float32"}, make())


@case(16, 1_048_576, "rows")
def noise(n):
    """Values that neither a dictionary nor a codec makes smaller: everything parks and spills."""
    def make():
        choice = random.Random(1).choice
        for i in range(n):
            yield i * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF, choice(FLOATS) * i

    return write({"key": "uint64", "value": "float64"}, make())


@case(16, 1_048_576, "rows")
def distinct(n):
    """A string column in which no value comes twice."""
    return write({"id": "string"}, zip(map(str, range(10**9, 10**9 + n))))


@case(16, 160, "values")
def megabytes(n):
    """Values of 1 MiB that do not compress: 160 are more than the 128 MiB of a row group."""
    def make():
        view = memoryview(NOISE)
        for i in range(n):
            at = i * 4099 % (2 * MIB)
            yield i, view[at : at + MIB]

    return write({"id": "int32", "blob": "binary"}, make())


@case(16, 500, "groups")
def groups(n):
    """Row groups of eight columns, cut by the caller: what is kept of a group is its metadata."""
    names = [f"{kind}{i}" for i in range(4) for kind in ("text", "number")]
    with ccpq.Writer(Nowhere(), {x: "string" if x[0] == "t" else "int64" for x in names}, memory_limit="16MiB") as w:
        for g in range(n):
            w.write_rows(tuple(f"a value of group {g} and row {r}" if x[0] == "t" else g * r for x in names) for r in range(8))
            w.flush_group()
    return figures(w)


@case(32, 5_000, "rows")
def columns(n):
    """1,000 columns of float64."""
    pool = [tuple(RANDOM.sample(FLOATS, 1000)) for _ in range(61)]
    begin()
    return write({f"c{i}": "float64" for i in range(1000)}, (pool[i % 61] for i in range(n)), "32MiB", row_group_size=5000)


def archive(n, folder):
    # A file that is there: the writer and the merge both spill beside it, as in production.
    report = ccpq.archive_checkpoints(os.path.join(folder, "tree"), os.path.join(folder, f"out{n}"), cutoff=2_000_000_000, memory_limit="16MiB")
    report.raise_for_errors()
    return {"core_peak": report.peak_memory, "bytes": report.bytes, "rows": report.rows, "groups": 0, "spilled": 0}


@case(16, 1, "rows of 20 hosts")
def archive_rows(n, folder):
    return archive(n, folder)


@case(16, 1, "rows of 1,040 hosts")
def archive_hosts(n, folder):
    return archive(n, folder)


# Forced: what is rarer, and where a bound breaks first.


@case(16, 1_048_576, "rows")
def nulls(n):
    """Strings that are mostly null, and two short columns with nulls at other places."""
    def make():
        texts, values = itertools.cycle([None] * 7 + HOSTS), itertools.cycle([None, 1.5, None, 2.5])
        for i in range(n):
            yield (f"string {i}" if i % 3 else None), next(texts), next(values)

    return write({"a": "string?", "b": "string?", "c": "float32?"}, make())


@case(24, 600_000, "rows each")
def shared(n):
    """Two writers in one budget, written in turns; the second begins when the first has parked pages."""
    budget = ccpq.MemoryBudget("24MiB")
    schema = {"id": "string", "value": "float64"}
    first = ccpq.Writer(Nowhere(), schema, memory_limit=budget.share("8MiB"), row_group_size=250_000)
    second = None
    for at in range(0, n, 50_000):
        # `key` keeps the two from being the same work.
        for w, key in ((first, 7), (second, 11)):
            if w is not None:
                w.write_rows((f"{i * key:x}", FLOATS[i * key % 50_021] * i) for i in range(at, min(n, at + 50_000)))
        if second is None:
            second = ccpq.Writer(Nowhere(), schema, memory_limit=budget.share("8MiB"), row_group_size=250_000)
    first.close()
    second.close()
    return figures(first, second, peak=budget.peak)


@case(16, 1_048_576, "rows")
def one_group(n):
    """One write_group of everything: no limit cuts it, so all its pages wait until it ends."""
    with ccpq.Writer(Nowhere(), {"id": "string", "value": "float64"}, memory_limit="16MiB") as w:
        w.write_group((str(i * 7919), FLOATS[i % 50_021] * i) for i in range(n))
    return figures(w)


@case(16, 5_000, "refused rows")
def refused(n):
    """Rows that fail in the last column, by on_error, by exception, and as whole groups that are rolled back."""
    def make(k):
        for i in range(k):
            yield "good" * 50, f"row {i}", 1.0
            yield "bad" * 5000, f"row {i}", "no number"

    skipped = 0
    with ccpq.Writer(Nowhere(), {"a": "string", "b": "string", "v": "float64"}, memory_limit="16MiB", row_group_size=1000) as w:
        errors = []
        w.write_rows(make(n // 2), on_error=lambda e: errors.append(None))
        skipped += len(errors)
        source = make(n // 4)
        while True:
            try:
                w.write_rows(source)
                break
            except ccpq.RowError:
                skipped += 1
        for i in range(n // 1000 or 1):
            try:
                w.write_group(itertools.chain(((HOSTS[k % 997], f"{i} {k}", k / 7) for k in range(20_000)), [(1, 2, 3)]))
            except ccpq.RowError:
                skipped += 1
    return {**figures(w), "skipped": skipped}


@case(16, 1_048_576, "rows")
def kept_text(n):
    """Text beyond Latin-1 that the caller keeps: its UTF-8 form must not stay behind inside the caller's strings."""
    texts = [f"Knoten {i:06d} " + "\u03bb\u2192\u65e5" * 12 for i in range(n // 20)]
    begin()
    return write({"text": "string"}, ((texts[i % len(texts)],) for i in range(n)))


@case(16, 100_000, "rows")
def row_by_row(n):
    """write_row of dicts, into a sorted file."""
    with ccpq.Writer(Nowhere(), {"key": "string", "n": "int64", "v": "float32?"}, memory_limit="16MiB",
                     sorting_columns=["key", "n"], row_group_size=100_000) as w:  # fmt: skip
        for i in range(n):
            w.write_row({"key": f"key{i // 50:012d}" + "k" * 200, "n": i % 50, "v": None if i % 3 else 0.5})
    return figures(w)


@case(16, 262_144, "rows")
def slow_codec(n):
    """zstd 19, whose context is the largest, with values of 40 KiB in between."""
    def make():
        for i in range(n):
            yield i, HOSTS[i % 997], NOISE[i : i + 40_000] if i % 8192 == 0 else b""

    return write({"i": "int64", "s": "string", "b": "binary"}, make(), compression_level=19, row_group_size=65_536, data_page_size="64KiB")


@case(16, 1_048_576, "rows")
def snappy(n):
    """The codec that allocates for itself."""
    return write({"id": "string", "v": "float64"}, ((f"{i:x}", FLOATS[i % 50_021]) for i in range(n)), compression="snappy")


@case(0, 300_000, "rows")
def least(n):
    """The smallest limit that eight columns can have; the limit is among the figures."""
    schema = {"s0": "string", "s1": "string?", "b0": "binary", "i0": "int64", "i1": "int64?", "f0": "float32",
              "d0": "float64", "t": "bool"}  # fmt: skip
    try:
        ccpq.Writer(Nowhere(), schema, memory_limit=100_000)
        raise AssertionError("a limit of 100,000 bytes was accepted")
    except ccpq.BudgetError as e:
        limit = e.needed

    def make():
        for i in range(n):
            yield str(i), None if i % 2 else HOSTS[i % 997], b"%d" % (i % 40_000), i * i, i % 1000, STEPS[i % 9973], FLOATS[i % 50_021] * i, i % 3 == 0

    return {**write(schema, make(), limit, row_group_size=100_000), "limit": limit}


# Columns, Arrow, and rows of every shape and type.


@case(16, 1_048_576, "rows")
def numpy_columns(n):
    """One call for all rows: what is read in place, what has to be converted, and what is the same in every row."""
    import numpy as np

    pool = np.resize(np.array(FLOATS), n)
    table = np.empty((n, 2), ">i4")
    table[:, 0], table[:, 1] = np.arange(n) % 10_007, np.arange(n)[::-1]
    masked = np.ma.masked_array(pool, mask=np.arange(n) % 3 == 0)
    begin()
    with ccpq.Writer(Nowhere(), {"v": "float64", "a": "int16", "b": "int64", "m": "float32?", "host": "string", "t": "timestamp[ms]"},
                     memory_limit="16MiB") as w:  # fmt: skip
        w.write_columns({"v": pool[::-1], "a": table[:, 0], "b": table[:, 1], "m": masked, "host": HOSTS[0], "t": range(n)})
    return figures(w)


@case(16, 500_000, "rows")
def object_columns(n):
    """Lists of Python values in one call: they are converted once and wait in the stage."""
    texts, numbers = (HOSTS * (n // 997 + 1))[:n], list(map(float, range(1000))) * (n // 1000)
    begin()
    with ccpq.Writer(Nowhere(), {"host": "string", "v": "float64", "n": "int64?"}, memory_limit="16MiB") as w:
        w.write_columns({"host": texts, "v": numbers, "n": [None, *range(n - 1)] if n < 2000 else range(n)})
    return figures(w)


@case(16, 1_048_576, "rows")
def arrow_stream(n):
    """Batches as a reader of another file gives them; only the producer's own batch is there."""
    import pyarrow as pa

    size = 32_768
    host = pa.array([HOSTS[i % 997] for i in range(size)]).dictionary_encode()
    text = pa.array([f"value {i * 7919 % 100_003}" for i in range(size)])
    schema = pa.schema([("host", host.type), ("text", pa.string_view()), ("large", pa.large_string()), ("v", pa.float64()), ("t", pa.timestamp("ns", "Europe/Berlin"))])
    values = pa.array([FLOATS[i % 50_021] * i for i in range(size)])
    batch = pa.record_batch([host, text.cast(pa.string_view()), text.cast(pa.large_string()), values, pa.array(range(size)).cast(schema.field("t").type)], schema=schema)
    begin()
    reader = pa.RecordBatchReader.from_batches(schema, (batch for _ in range(n // size)))
    with ccpq.Writer(Nowhere(), {"host": "string?", "text": "string?", "large": "string?", "v": "float64?", "t": "timestamp[ns, UTC]?"},
                     memory_limit="16MiB") as w:  # fmt: skip
        w.write_arrow(reader)
    return figures(w)


@case(16, 1_048_576, "rows")
def arrow_batch(n):
    """One record batch of all rows, half of it null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    at = pa.array(range(50_021)).take(pa.array([i * 31 % 50_021 for i in range(n)]))
    text = pc.if_else(pc.equal(pc.bit_wise_and(at, 1), 0), pa.array([f"id {i}" for i in range(50_021)]).take(at), None)
    batch = pa.record_batch({"text": text, "v": pa.array(FLOATS).take(at), "n": at.cast(pa.int32())})
    begin()
    with ccpq.Writer(Nowhere(), {"n": "int64?", "text": "string?", "v": "float32?"}, memory_limit="16MiB") as w:
        w.write_arrow(batch)
    return figures(w)


@case(16, 100_000, "rows")
def typed(n):
    """Dates, times, decimals, UUIDs, JSON and fixed binary, from a dataclass."""
    import datetime as dt
    import decimal
    import uuid
    from dataclasses import make_dataclass

    schema = {"at": "timestamp[us, UTC]", "day": "date", "clock": "time[ms]?", "cost": "decimal(12, 2)", "big": "decimal(30, 6)",
              "id": "uuid", "data": "json", "raw": "binary[24]", "half": "float16"}  # fmt: skip
    row = make_dataclass("Row", schema, slots=True)
    start, view = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc), memoryview(NOISE)
    clocks = [dt.time(i % 24, i % 60) for i in range(1440)]
    decimals = [decimal.Decimal(i * 7919) / 100 for i in range(997)]

    def make():
        for i in range(n):
            yield row(start + dt.timedelta(seconds=i), dt.date.fromordinal(700_000 + i // 1000), clocks[i % 1440], decimals[i % 997],
                      decimals[i % 997] * i, uuid.UUID(int=i * 0x9E3779B97F4A7C15), {"n": i, "tags": ["a", "b"]}, view[i % MIB : i % MIB + 24],
                      i % 512)  # fmt: skip

    return write(schema, make(), profile="modern", row_group_size=100_000)


@case(16, 200_000, "rows")
def cursor(n):
    """From sqlite3, which makes new strings for every row; a class for the rows in between."""
    import sqlite3

    db = sqlite3.connect(":memory:")
    sql = f"with recursive t(i) as (select 0 union all select i + 1 from t where i < {n - 1}) select 'host ' || (i % 997) as host, i, i / 7.0 as v from t"
    db.row_factory = sqlite3.Row
    return write({"i": "int64", "host": "string", "v": "float64?"}, db.execute(sql), compression={"v": "snappy"}, row_group_size=200_000)


@case(16, 1, "rows")
def not_counted(n):
    """What the measure has to see: 40 MiB beside the writer."""
    hoard = [bytes([i]) * MIB for i in range(40)]
    return {**write({"i": "int64"}, [(len(hoard),)] * n), "hoard": len(hoard)}


# Measuring.

_begun: dict[str, float] = {}


def status(key):
    with open("/proc/self/status", encoding="ascii") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"no {key} in /proc/self/status")


def begin():
    """The point from which growth counts. A job that makes its input in memory calls it again behind that."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "wb", buffering=0) as f:
        f.write(b"5")
    _begun["rss"], _begun["time"] = status("VmRSS"), time.perf_counter()


def main(name, units, *folder):
    job = CASES[name]
    small = {"groups": 3, "megabytes": 3, "columns": 50, "archive_rows": None, "archive_hosts": None}.get(name, 3000)
    if small is not None:
        job.run(small)
    else:
        archive(f"-of-{units}", os.path.join(folder[0], "..", "warm"))
    begin()
    found = job.run(int(units), *folder)
    growth = status("VmHWM") - _begun["rss"]
    print(json.dumps({"limit": job.limit * MIB, **found, "growth": growth, "seconds": time.perf_counter() - _begun["time"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
