"""Writes rows that a generator makes, group by group: each host is one row group, all of it or nothing.

A host whose source breaks in the middle leaves no trace in the file; the hosts before and behind it are complete. The
memory in use does not depend on the number of hosts, rows or groups.

    python groups_from_generator.py out.parquet [hosts]
"""

import math
import sys
from collections.abc import Iterator

import ccpq

SCHEMA = {"hostname": "string", "timestamp": "int64", "load": "float32?", "power": "float32"}


def samples(host: str, n: int = 1440) -> Iterator[tuple]:
    """A day of one host. Every seventh host has a sensor that breaks at noon."""
    number = int(host[1:])
    for i in range(n):
        if number % 7 == 0 and i == n // 2:
            raise OSError(f"{host}: the sensor does not answer")
        load = None if i % 11 == 0 else round(36 + 30 * math.sin(i / 90 + number), 2)
        yield host, 1_700_000_000 + 60 * i, load, round(230 + 12 * math.sin(i / 7), 1)


def main(path: str, hosts: int) -> None:
    broken = []
    with ccpq.Writer(path, SCHEMA, memory_limit="16MiB", sorting_columns=["hostname", "timestamp"], overwrite=True) as w:
        for number in range(1, hosts + 1):
            host = f"h{number:04d}"
            try:
                w.write_group(samples(host))
            except OSError as e:
                broken.append(str(e))
    print(w.report)
    for line in broken:
        print("left out:", line)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "out.parquet", int(sys.argv[2]) if len(sys.argv) > 2 else 20)
