"""Small checkpoint trees for tests: files written from plain dicts, golden cases copied, archives read back as rows."""

import json
import math
import os
import shutil
import struct

COLUMNS = ("cluster", "hostname", "metric", "scope", "scope_id", "timestamp", "frequency", "value")


def json_bytes(metrics, children=None, start=1000):
    """A .json snapshot. ``metrics``: name -> list of values; ``children``: name -> such a mapping."""
    def level(metrics):
        return {name: {"frequency": 60, "start": start, "data": [None if v != v else v for v in values]}
                for name, values in metrics.items()}

    tree = {"metrics": level(metrics), "children": {n: {"metrics": level(m), "children": {}} for n, m in (children or {}).items()},
            "from": start, "to": start + 600}
    return json.dumps(tree).encode()


def bin_bytes(metrics, children=None, start=1000):
    """A .bin snapshot of the same."""
    def name(n):
        return struct.pack("<H", len(n.encode())) + n.encode()

    def level(metrics, children):
        out = struct.pack("<I", len(metrics))
        for n, values in metrics.items():
            out += name(n) + struct.pack(f"<qqI{len(values)}f", 60, start, len(values), *values)
        return out + struct.pack("<I", len(children)) + b"".join(name(n) + level(m, {}) for n, m in children.items())

    return struct.pack("<Iqq", 0xCC5B0001, start, start + 600) + level(metrics, children or {})


def put(root, path, data=None, **metrics):
    """Writes one file of a tree; its bytes follow from the name and ``metrics`` unless they are given."""
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    if data is None:
        stem = os.path.basename(path).split(".")[0]
        start = int(stem) if stem.isdecimal() else 1000
        data = (bin_bytes if path.endswith(".bin") else json_bytes)(metrics or {"load": [1.0, 2.5]}, start=start)
    with open(full, "wb") as f:
        f.write(data)
    return full


def copy_case(case, to):
    """The clusters of a golden case, without the expectations beside them."""
    for entry in os.scandir(case):
        if entry.is_dir():
            shutil.copytree(entry.path, os.path.join(to, entry.name))
    for folder, _, _ in os.walk(to):
        os.chmod(folder, 0o755)
    return to


def expected_rows(case):
    """The rows of expected.tsv, values as bytes, so that -0 and NaN compare."""
    with open(os.path.join(case, "expected.tsv"), encoding="utf-8") as f:
        lines = [line.rstrip("\n").split("\t") for line in f]
    assert tuple(lines[0]) == COLUMNS
    return [(*line[:5], int(line[5]), int(line[6]), struct.pack("<f", float(line[7]))) for line in lines[1:]]


def archive_rows(*paths, reader="model"):
    """Rows of archives in the form of ``expected_rows``, read by the oracle or by pyarrow."""
    rows = []
    for path in paths:
        if reader == "model":
            import model

            table = model.read_table(path)
        else:
            import pyarrow.parquet

            table = {name: column.to_pylist() for name, column in
                     zip(COLUMNS, pyarrow.parquet.read_table(path).columns, strict=True)}
        assert tuple(table) == COLUMNS
        table["value"] = [struct.pack("<f", v) for v in table["value"]]
        rows += zip(*table.values(), strict=True)
    return rows


def values_of(path):
    """(hostname, metric, timestamp, value) of an archive."""
    return [(r[1], r[2], r[5], struct.unpack("<f", r[7])[0]) for r in archive_rows(path)]


def found(root):
    """Relative paths of all files below a folder, sorted."""
    return sorted(os.path.relpath(os.path.join(folder, n), root) for folder, _, names in os.walk(root) for n in names)


NAN = math.nan
