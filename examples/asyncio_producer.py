"""Writes what coroutines produce. Rows are gathered in small batches and written in a worker thread, so that the event loop
never waits for a disk; the queue is bounded, so a slow disk slows the producers instead of filling the memory.

    python asyncio_producer.py out.parquet [readings]
"""

import asyncio
import random
import sys

import ccpq

SCHEMA = {"sensor": "string", "reading": "int64", "value": "float64"}
BATCH = 500


async def sensor(name: str, n: int, queue: asyncio.Queue) -> None:
    rng = random.Random(name)
    for i in range(n):
        if i % 100 == 0:
            await asyncio.sleep(0)  # a real one waits for its network here
        await queue.put((name, i, rng.gauss(20, 2)))


async def archive(path: str, queue: asyncio.Queue) -> ccpq.Report:
    """Until None comes. Cancelling it, or a failing row, publishes nothing."""
    with ccpq.Writer(path, SCHEMA, memory_limit="16MiB", overwrite=True) as w:
        rows: list[tuple] = []
        while (row := await queue.get()) is not None:
            rows.append(row)
            if len(rows) == BATCH or queue.empty():
                await asyncio.to_thread(w.write_rows, rows)
                rows.clear()
        await asyncio.to_thread(w.write_rows, rows)
        return await asyncio.to_thread(w.close)


async def main(path: str, n: int) -> None:
    queue: asyncio.Queue = asyncio.Queue(maxsize=2 * BATCH)
    writing = asyncio.create_task(archive(path, queue))
    producers = asyncio.gather(*(sensor(f"sensor {k}", n, queue) for k in range(3)))
    await asyncio.wait({writing, producers}, return_when=asyncio.FIRST_COMPLETED)
    if not writing.done():
        await producers
        await queue.put(None)
    print(await writing)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "out.parquet", int(sys.argv[2]) if len(sys.argv) > 2 else 5_000))
