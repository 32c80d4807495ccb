"""Reads Parquet files with DuckDB and prints every value in the canonical form."""

import re
import sys
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import duckdb  # noqa: E402
from interop_values import column, main, tell_bytes  # noqa: E402

db = duckdb.connect()
db.execute("set threads = 1")
db.execute("set TimeZone = 'UTC'")

UNIT = {"TIMESTAMP_S": "s", "TIMESTAMP_MS": "ms", "TIMESTAMP": "us", "TIMESTAMP_NS": "ns",
        "TIMESTAMP WITH TIME ZONE": "us", "TIMESTAMPTZ_NS": "ns",
        "TIME": "us", "TIME_NS": "ns", "TIME WITH TIME ZONE": "us"}  # fmt: skip


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=1)
def types(path):
    return {row[0]: row[1] for row in db.execute("describe select * from read_parquet(?)", [path]).fetchall()}


def read(path, name):
    t, c = types(path)[name], quoted(name)

    def values(expression=c):
        rows = db.execute(f"select {expression} from read_parquet(?)", [path]).fetchall()
        return [row[0] for row in rows]

    if t == "BOOLEAN":
        return column("bool", values())
    if m := re.fullmatch(r"(U?)(TINYINT|SMALLINT|INTEGER|BIGINT)", t):
        bits = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}[m[2]]
        return column("int", values(), bits=bits, signed=not m[1])
    if t in ("FLOAT", "DOUBLE"):
        return column("float", values(), bits=32 if t == "FLOAT" else 64)
    if m := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", t):
        return column("decimal", values(), precision=int(m[1]), scale=int(m[2]))
    if t == "DATE":
        return column("date", values(f"{c} - DATE '1970-01-01'"))
    if t in UNIT:
        kind, utc = "timestamp" if t.startswith("TIMESTAMP") else "time", "ZONE" in t or "TZ" in t
        if kind == "time":
            ns = "epoch_ns" if UNIT[t] == "ns" else "epoch_us"
            return column("time", values(f"{ns}({c})"), unit=UNIT[t], utc=utc)
        per = {"s": "epoch_ms({}) // 1000", "ms": "epoch_ms({})", "us": "epoch_us({})", "ns": "epoch_ns({})"}[UNIT[t]]
        return column("timestamp", values(per.format(c)), unit=UNIT[t], utc=utc)
    if t == "UUID":
        return column("uuid", [None if v is None else v.bytes for v in values()])
    if t == "VARCHAR":
        return column("string", values())
    if t == "JSON":
        return column("json", values(f"{c}::VARCHAR"))
    if t == "BLOB":
        return column("binary", values(), tell_bytes)
    raise TypeError(f"column of type {t}")


main("duckdb", duckdb.__version__, lambda path: list(types(path)), read)
