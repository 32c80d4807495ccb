"""Turns a CSV file into Parquet, row by row. CSV knows text only, so values are converted: strict=False reads numbers and dates
from it and takes an empty field as null. Rows that do not fit are left out and told.

    python csv_to_parquet.py jobs.csv jobs.parquet
"""

import csv
import sys

import ccpq

SCHEMA = {"job": "int64", "user": "string", "start": "timestamp[us, UTC]", "nodes": "int32", "cost": "decimal(12, 2)?"}

SAMPLE = """job,user,start,nodes,cost
4711,ada,2024-03-01T10:00:00+00:00,4,12.50
4712,grace,2024-03-01T10:05:00+00:00,many,3.00
4713,alan,2024-03-01T10:07:30+00:00,128,
"""


def main(source: str, target: str) -> None:
    bad: list[ccpq.RowError] = []
    with open(source, newline="", encoding="utf-8") as f, ccpq.Writer(target, SCHEMA, strict=False, overwrite=True) as w:
        w.write_rows(csv.DictReader(f), on_error=bad.append)
    print(w.report)
    for error in bad:
        print("left out:", error, file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        with open("jobs.csv", "w", encoding="utf-8") as f:
            f.write(SAMPLE)
    main(*(sys.argv[1:3] if len(sys.argv) > 2 else ("jobs.csv", "jobs.parquet")))
