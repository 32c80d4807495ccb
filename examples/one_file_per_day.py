"""Splits a stream of log records into one file per day. However many days are open at once, one budget holds them all.

    python one_file_per_day.py folder [records]
"""

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import ccpq

SCHEMA = {"at": "timestamp[us, UTC]", "level": "string", "message": "string"}
OPEN_DAYS = 4


def records(n: int) -> Iterator[tuple]:
    """Records of about two weeks, some of them late by a day."""
    rng, start = random.Random(5), datetime(2024, 3, 1, tzinfo=timezone.utc)
    for i in range(n):
        late = timedelta(days=1) if rng.random() < 0.01 and i > n // 10 else timedelta()
        yield start + timedelta(days=14) * (i / n) - late, rng.choice(("INFO", "WARNING")), f"request {i} took {rng.random():.3f} s"


def main(folder: str, n: int) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    budget = ccpq.MemoryBudget("32MiB")
    writers: dict[str, ccpq.Writer] = {}
    parts: dict[str, int] = {}
    with ExitStack() as on_failure:  # nothing is published that is not closed below
        for record in records(n):
            day = record[0].date().isoformat()
            w = writers.get(day)
            if w is None:
                if len(writers) == OPEN_DAYS:  # the oldest day is complete; what is later than that gets a second file
                    print(writers.pop(min(writers)).close().summary())
                parts[day] = parts.get(day, 0) + 1
                w = ccpq.Writer(Path(folder, f"{day}.{parts[day]}.parquet"), SCHEMA, memory_limit=budget.share("8MiB"))
                on_failure.callback(w.abort)
                writers[day] = w
            w.write_row(record)
        for w in writers.values():
            print(w.close().summary())
    print(f"budget: at most {budget.peak / 2**20:.1f} of {budget.limit / 2**20:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "days", int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
