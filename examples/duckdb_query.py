"""Writes the result of a DuckDB query as it comes, batch by batch: neither side holds all of it.

    python duckdb_query.py out.parquet
"""

import sys

import duckdb

import ccpq

QUERY = """
select 'f' || (i % 40) as host, timestamp '2024-01-01' + to_seconds(i) as at, (i % 977) / 10 as load,
       cast(i * 0.05 as decimal(12, 2)) as cost, uuid() as id
from range(300_000) t(i)
"""


def main(path: str) -> None:
    with duckdb.connect() as db:
        result = db.sql(QUERY)
        with ccpq.Writer(path, ccpq.schema(result), memory_limit="32MiB", overwrite=True) as w:
            w.write_arrow(result)
    print(w.schema)
    print(w.report)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "out.parquet")
