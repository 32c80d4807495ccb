"""Archives a table of sqlite3, one row group for each device: rows go from the cursor to the file, never into a list.

    python sqlite_group_by_group.py measurements.db out.parquet
"""

import sqlite3
import sys
from itertools import groupby
from operator import itemgetter

import ccpq

SCHEMA = {"device": "string", "time": "timestamp[s, UTC]", "celsius": "float64?"}


def fill(path: str) -> None:
    """A table to try this with: a thousand readings of each of four devices."""
    with sqlite3.connect(path) as db:
        db.execute("create table if not exists measurement (time integer, device text, celsius real)")
        db.executemany(
            "insert into measurement values (?, ?, ?)",
            ((1_700_000_000 + 60 * i, f"sensor {d}", None if i % 50 == d else 20 + d + i % 7 / 10) for i in range(1000) for d in range(4)),
        )


def main(source: str, target: str) -> None:
    db = sqlite3.connect(source)
    # The order of the query is the order of the file; sorting_columns checks it and tells it to readers.
    cursor = db.execute("select device, time, celsius from measurement order by device, time")
    names = [d[0] for d in cursor.description]
    with ccpq.Writer(target, SCHEMA, memory_limit="16MiB", sorting_columns=["device", "time"], overwrite=True) as w:
        for _, rows in groupby(cursor, key=itemgetter(0)):
            w.write_group(rows, columns=names)
    print(w.report)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        fill("measurements.db")
    main(*(sys.argv[1:3] if len(sys.argv) > 2 else ("measurements.db", "out.parquet")))
