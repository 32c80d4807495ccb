"""Demo checkpoint trees: any number of hosts in the shape and with the distributions of a production cluster.

Two node types are modelled: *alex* (accelerators) and *fritz* (cores and sockets). Loads, rates and bandwidths have two
decimals, ``ipc`` is the reciprocal of a two-decimal number and so has full precision, counters are zero until a job
begins, ``mem_used`` grows smoothly, clock and power are noisy around a level. About 8 % of the samples are missing, at
the same times on a whole node; some sensors are dead. As in production, a file begins at its server's second, so the
grid of times shifts from file to file, and some files overlap the one before.

Everything follows from the seed, by hashing names: neither the number of hosts nor the format changes a value. A series
is the sum of a curve (the job, shared by neighbouring hosts) and a stretch of a long noise table, which is fast in plain
Python and repeats nothing that a compressor could find.
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys
from array import array
from collections.abc import Iterable
from typing import IO, NamedTuple
from zlib import crc32

from ccpq._progress import make_progress

__all__ = ["DemoTree", "PROFILES", "write_tree"]

FREQUENCY = 60
EPOCH = 1_700_000_000
MAGIC_SNAPSHOT = 0xCC5B0001
MISSING = 0.08

_CURVES = 6
_SLACK = 256
_NOISE = 1 << 14
_NAN = float("nan")


class Metric(NamedTuple):
    """Levels are in hundredths, the precision of the values."""

    name: str
    style: str  # noise | hold | smooth | burst | ipc | whole
    busy: int
    idle: int
    sigma: int


class Profile(NamedTuple):
    """Metrics of a node type by the part of the node they belong to."""

    prefix: str
    node: list[Metric]
    parts: list[tuple[list[str], list[Metric]]]


_CPU_LOAD = Metric("cpu_load", "hold", 7_200, 40, 90)
_MEM_USED = Metric("mem_used", "smooth", 9_600, 610, 6)
_IB_RECV = Metric("ib_recv", "burst", 4_258_137, 0, 900_000)
_IB_XMIT = Metric("ib_xmit", "burst", 3_912_055, 0, 900_000)

PROFILES = {
    "fritz": Profile("f", [
        _CPU_LOAD, _MEM_USED, _IB_RECV, _IB_XMIT, Metric("ib_recv_pkts", "burst", 60_134, 0, 20_000),
        Metric("nfs4_read", "burst", 152_500, 0, 40_000), Metric("nfs4_write", "burst", 3_800, 0, 2_000),
        Metric("nfs4_total", "burst", 497_600, 0, 90_000),
    ], [
        ([f"hwthread{i}" for i in range(72)], [
            Metric("clock", "noise", 238_000, 80_400, 420), Metric("cpu_user", "noise", 9_700, 3, 60),
            Metric("flops_any", "noise", 313, 0, 75), Metric("flops_dp", "noise", 135, 0, 31),
            Metric("flops_sp", "noise", 42, 0, 9), Metric("ipc", "ipc", 66, 160, 11),
            Metric("vectorization_ratio", "noise", 7_669, 0, 120),
        ]),
        ([f"socket{i}" for i in range(2)], [
            Metric("cpu_power", "noise", 23_010, 4_796, 190), Metric("mem_bw", "noise", 6_607, 3, 570),
            Metric("mem_power", "noise", 1_056, 192, 40),
        ]),
    ]),
    "alex": Profile("a", [_CPU_LOAD, _MEM_USED, _IB_RECV, _IB_XMIT], [
        ([f"hwthread{i}" for i in range(128)], [
            Metric("clock", "noise", 324_000, 150_000, 510), Metric("cpu_user", "noise", 4_100, 3, 480),
            Metric("flops_any", "noise", 181, 0, 47), Metric("flops_sp", "noise", 88, 0, 20),
            Metric("ipc", "ipc", 58, 150, 9),
        ]),
        ([f"socket{i}" for i in range(2)], [
            Metric("cpu_power", "noise", 17_600, 6_500, 170), Metric("mem_bw", "noise", 5_310, 6, 430),
        ]),
        ([f"accelerator00000000:{bus:02X}:00.0" for bus in (0x0E, 0x13, 0x49, 0x4F, 0x90, 0x96, 0xCC, 0xD1)], [
            Metric("acc_mem_used", "smooth", 3_250_000, 40_000, 300), Metric("acc_mem_util", "whole", 4_400, 0, 700),
            Metric("acc_power", "noise", 31_200, 5_600, 900), Metric("acc_temp", "whole", 6_100, 3_200, 150),
            Metric("acc_utilization", "whole", 9_100, 0, 600), Metric("nv_sm_clock", "whole", 141_000, 21_000, 900),
        ]),
    ]),
}  # fmt: skip


class DemoTree(NamedTuple):
    """What was written. ``samples``: values that are not missing, which is the number of rows in the archive, except
    that a sample which two overlapping files have at the same second counts twice here."""

    root: str
    hosts: int
    files: int
    series: int
    values: int
    samples: int
    bytes: int


def _pick(*words: object) -> int:
    return crc32("/".join(map(str, words)).encode())


class _Source:
    """Series of one metric: curves and noise tables, made once."""

    def __init__(self, metric: Metric, length: int, seed: int):
        rng = random.Random(f"{seed}/{metric.name}/{metric.busy}")
        self.metric = metric
        self.ipc = [0.0] + [100 / cpi for cpi in range(1, 1_000)]
        # The same job drives all metrics of a node: its phases must not depend on the metric.
        self.curves = [self._curve(random.Random(f"{seed}/job{i}"), rng, length + _SLACK) for i in range(_CURVES)]
        self.noise = self._noise(rng, length)

    def _curve(self, jobs: random.Random, rng: random.Random, length: int) -> array:
        m, out = self.metric, array("q")
        busy = jobs.random() < 0.7
        while len(out) < length:
            n = jobs.randrange(40, 700) if busy else jobs.randrange(5, 90)
            level = jobs.uniform(0.55, 1.0)
            high = round(m.busy * level) if busy else m.idle
            if m.style == "smooth" and busy:
                # Memory is filled fast, then creeps.
                out.extend(round(m.idle + (high - m.idle) * (1 - 0.8 ** (i + 1)) + high * i / 12_000) for i in range(n))
            elif m.style == "burst" and busy:
                on = False
                while n > 0:
                    k = min(n, rng.randrange(2, 30))
                    out.extend([high if on else 0] * k)
                    n -= k
                    on = not on
            else:
                out.extend([high] * n)
            busy = not busy
        return out[:length]

    def _noise(self, rng: random.Random, length: int) -> array:
        """_NOISE values, and the first ones again, so that every stretch of `length` is in one piece."""
        m, gauss, out, last = self.metric, rng.gauss, array("q"), 0
        while len(out) < _NOISE:
            x = gauss(0, m.sigma)
            if m.style == "burst":
                x = abs(x) * rng.random() ** 3
            last = max(-4 * m.sigma, min(4 * m.sigma, last + round(x / 2))) if m.style == "smooth" else round(x)
            if rng.random() < 0.004 and m.style == "noise":
                last *= 9
            out.extend([last] * (rng.randrange(1, 4) if m.style == "hold" else 1))
        out = out[:_NOISE]
        return out * (1 + length // _NOISE) + out[:length % _NOISE + 1]

    def values(self, job: int, at: int, n: int, key: int) -> array:
        """`n` values from sample `at` on of the series `key` on a host that runs `job`."""
        curve = self.curves[job % _CURVES]
        begin = (job * 37) % _SLACK + at
        noise_at = (key + at) % _NOISE
        pairs = zip(curve[begin:begin + n], self.noise[noise_at:noise_at + n], strict=True)
        style = self.metric.style
        if style == "whole":
            return array("f", [(c + x if c + x > 0 else 0) // 100 if c else 0 for c, x in pairs])
        if style == "ipc":
            ipc = self.ipc
            return array("f", [ipc[c + x if c + x > 30 else 30] for c, x in pairs])
        if style == "burst":
            # Bytes a second: whole numbers.
            return array("f", [c + x if c else 0 for c, x in pairs])
        return array("f", [(c + x) / 100 if c + x > 0 else 0 for c, x in pairs] if self.metric.idle else
                     [(c + x) / 100 if c and c + x > 0 else 0 for c, x in pairs])


class _Host:
    """Times and gaps of one host, and its series file by file."""

    def __init__(self, tree: _Tree, cluster: str, profile: Profile, number: int):
        self.tree = tree
        self.name = f"{profile.prefix}{100 + number:04d}"
        self.profile = profile
        self.key = _pick(tree.seed, cluster, self.name)
        self.job = (_pick(tree.seed, cluster) + (number - 1) // 4) % 9973
        self.second = self.key % FREQUENCY
        self.overlaps = self.key % 8 == 0
        rng = random.Random(self.key)
        self.gaps = self._gaps(rng, tree.samples * tree.files)

    def _gaps(self, rng: random.Random, n: int) -> list[int]:
        """Samples that the whole node lacks: most alone (a sample that came too late), some in a row."""
        missing: set[int] = set()
        while len(missing) < n * self.tree.missing:
            at = rng.randrange(n)
            missing.update(range(at, min(n, at + (1 if rng.random() < 0.97 else rng.randrange(5, 20)))))
        return sorted(missing)

    def write(self, directory: str, number: int) -> None:
        tree = self.tree
        # The first file begins with its first sample, later ones at their server's own second.
        begin = number * tree.samples - (3 if self.overlaps and number else 0)
        n = (number + 1) * tree.samples - begin
        at = tree.start + begin * FREQUENCY + (_pick(self.key, number) % FREQUENCY if number else self.second)
        gaps = [g - begin for g in self.gaps if begin <= g < begin + n]
        kind = tree.kind(number)
        with open(os.path.join(directory, f"{at}.{kind}"), "wb", buffering=1 << 18) as f:
            (_write_json if kind == "json" else _write_bin)(f, self, at, begin, n, gaps)
            tree.files_written += 1
            tree.bytes += f.tell()

    def series(self, metric: Metric, part: str, begin: int, n: int, gaps: list[int]) -> array:
        key = _pick(self.key, part, metric.name)
        self.tree.series += 1
        self.tree.values += n
        if metric.name.startswith("acc_") and key % 61 == 0:
            return array("f", [_NAN]) * n  # a dead sensor
        self.tree.samples_written += n - len(gaps)
        values = self.tree.source(metric).values(self.job, begin, n, key)
        for g in gaps:
            values[g] = _NAN
        return values


def _json_series(at: int, values: array) -> str:
    text = (("%.1f," * len(values)) % tuple(values))[:-1].replace("nan", "null")
    return f'{{"frequency":{FREQUENCY},"start":{at},"data":[{text}]}}'


def _write_json(f: IO[bytes], host: _Host, at: int, begin: int, n: int, gaps: list[int]) -> None:
    """Keys sorted, one decimal of a float32, as the server writes it."""
    end = f',"from":{at},"to":{at + n * FREQUENCY}}}'

    def level(part: str, metrics: list[Metric]) -> None:
        f.write(b'{"metrics":{')
        for i, m in enumerate(sorted(metrics)):
            text = _json_series(at, host.series(m, part, begin, n, gaps))
            f.write(f'{"," if i else ""}{json.dumps(m.name)}:{text}'.encode())
        f.write(b'},"children":{')

    level("", host.profile.node)
    children = sorted((name, metrics) for names, metrics in host.profile.parts for name in names)
    for i, (name, metrics) in enumerate(children):
        f.write(f'{"," if i else ""}{json.dumps(name)}:'.encode())
        level(name, metrics)
        f.write(b"}" + end.encode())
    f.write(b"}" + end.encode())


def _write_bin(f: IO[bytes], host: _Host, at: int, begin: int, n: int, gaps: list[int]) -> None:
    """Entries in random order, as the server's maps are."""
    rng = random.Random(_pick(host.key, at))

    def name_bytes(name: str) -> bytes:
        return struct.pack("<H", len(name)) + name.encode()

    def level(part: str, metrics: list[Metric], n_children: int) -> None:
        f.write(struct.pack("<I", len(metrics)))
        for m in rng.sample(metrics, len(metrics)):
            values = host.series(m, part, begin, n, gaps)
            if sys.byteorder == "big":
                values.byteswap()
            f.write(name_bytes(m.name) + struct.pack("<qqI", FREQUENCY, at, len(values)))
            f.write(values.tobytes())
        f.write(struct.pack("<I", n_children))

    children = [(name, metrics) for names, metrics in host.profile.parts for name in names]
    f.write(struct.pack("<Iqq", MAGIC_SNAPSHOT, at, at + n * FREQUENCY))
    level("", host.profile.node, len(children))
    for name, metrics in rng.sample(children, len(children)):
        f.write(name_bytes(name))
        level(name, metrics, 0)


class _Tree:
    """Options, sources of values and counters of one tree."""

    def __init__(self, seed: int, files: int, samples: int, format: str, start: int, missing: float):
        self.seed, self.files, self.samples, self.format = seed, files, samples, format
        self.start, self.missing = start, missing
        self.series = self.values = self.samples_written = self.bytes = self.files_written = 0
        self._sources: dict[Metric, _Source] = {}

    def source(self, metric: Metric) -> _Source:
        found = self._sources.get(metric)
        if found is None:
            found = self._sources[metric] = _Source(metric, self.samples * self.files, self.seed)
        return found

    def kind(self, number: int) -> str:
        if self.format != "both":
            return self.format
        # A server that was switched to the newer format.
        return "bin" if number >= self.files // 2 else "json"


def write_tree(
    root: str | os.PathLike,
    *,
    hosts: int = 4,
    clusters: Iterable[str] = ("alex", "fritz"),
    files: int = 2,
    samples: int = 720,
    format: str = "bin",
    seed: int = 0,
    start: int = EPOCH,
    missing: float = MISSING,
    progress: object = None,
) -> DemoTree:
    """Writes ``<root>/<cluster>/<host>/<unix seconds>.json|bin``: `hosts` hosts per cluster, `files` files per host, each
    with `samples` samples a series at 60 s. ``format``: "json", "bin", or "both" (the older half of a host's files as JSON).

    A cluster is of the node type of its name; other names get *fritz*. `root` may exist but must not hold these clusters.
    """
    if format not in ("json", "bin", "both"):
        raise ValueError(f"format is 'json', 'bin' or 'both', not {format!r}")
    for what, n in (("hosts", hosts), ("files", files), ("samples", samples)):
        if n < 1:
            raise ValueError(f"{what}: at least 1, not {n}")
    if not 0 <= missing < 1:
        raise ValueError(f"missing is a share below 1, not {missing}")
    root, clusters = os.fsdecode(os.fspath(root)), list(clusters)
    tree = _Tree(seed, files, samples, format, start, missing)
    with make_progress(progress, hosts * len(clusters), "host") as bar:
        for cluster in clusters:
            profile = PROFILES.get(cluster, PROFILES["fritz"])
            # Refuses a tree that is there: files of two runs would be mixed.
            try:
                os.makedirs(os.path.join(root, cluster), exist_ok=False)
            except FileExistsError as e:
                raise FileExistsError(e.errno, "exists; give an empty or a new directory", e.filename) from None
            for number in range(1, hosts + 1):
                host = _Host(tree, cluster, profile, number)
                directory = os.path.join(root, cluster, host.name)
                os.mkdir(directory)
                for i in range(files):
                    host.write(directory, i)
                bar.step(f"{cluster}/{host.name}")
    return DemoTree(root, hosts * len(clusters), tree.files_written, tree.series, tree.values, tree.samples_written, tree.bytes)
