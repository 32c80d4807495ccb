"""Writes events that a generator of dataclasses makes. The class is the schema: no column is named twice.

    python dataclass_events.py events.parquet [count]
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import ccpq


@dataclass(slots=True)
class Event:
    id: UUID
    at: datetime
    kind: str
    price: Annotated[Decimal, "decimal(10, 2)"]
    ratio: Annotated[float, "float32"] | None
    details: Annotated[dict, "json"] | None = None


def events(n: int) -> Iterator[Event]:
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    for i in range(n):
        details = {"page": f"/item/{i % 100}", "tags": ["new", "sale"][: i % 3]} if i % 4 else None
        yield Event(UUID(int=i), start + timedelta(seconds=i), ("view", "cart", "buy")[i % 3], Decimal(i % 5000) / 100,
                    None if i % 10 == 0 else i / n, details)  # fmt: skip


def main(path: str, n: int) -> None:
    with ccpq.Writer(path, Event, memory_limit="16MiB", overwrite=True) as w:
        w.write_rows(events(n))
    print(w.schema)
    print(w.report)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "events.parquet", int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
