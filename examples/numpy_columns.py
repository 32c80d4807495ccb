"""Writes the steps of a simulation from numpy arrays. An array is read where it is, whatever its stride and byte order; a name
or number that is the same for all rows is given once, and a range is a column too.

    python numpy_columns.py fields.parquet [steps]
"""

import sys

import numpy as np

import ccpq

SCHEMA = {
    "run": "string", "step": "int32", "cell": "int64", "time": "timestamp[ms, UTC]",
    "pressure": "float64", "speed_x": "float32", "speed_y": "float32", "wet": "bool?",
}  # fmt: skip


def main(path: str, steps: int, cells: int = 4096) -> None:
    rng = np.random.default_rng(1)
    speed = np.empty((cells, 2), np.float32)  # its columns are strided views
    with ccpq.Writer(path, SCHEMA, memory_limit="16MiB", sorting_columns=["step", "cell"], overwrite=True) as w:
        for step in range(steps):
            speed[:] = rng.normal(size=speed.shape)
            w.write_columns({
                "run": "channel-7", "step": step, "cell": range(cells), "time": np.datetime64("2024-01-01T00:00", "ms") + 500 * step,
                "pressure": 1013 + rng.normal(size=cells), "speed_x": speed[:, 0], "speed_y": speed[:, 1],
                "wet": np.ma.masked_array(rng.random(cells) < 0.5, mask=rng.random(cells) < 0.01),
            })  # fmt: skip
    print(w.report)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "fields.parquet", int(sys.argv[2]) if len(sys.argv) > 2 else 100)
