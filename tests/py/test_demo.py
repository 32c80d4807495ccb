"""The demo generator: deterministic, the promised shape and distributions, both formats of one tree agree."""

import json
import os
import struct

import pytest
from checkpoint_trees import archive_rows, found

import ccpq
from ccpq._demo import write_tree


def contents(root):
    return {p: (root / p).read_bytes() for p in found(root)}


@pytest.mark.parametrize("kind", ["json", "bin", "both"])
def test_the_seed_decides_everything(tmp_path, kind):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_tree(tmp_path / name, hosts=2, files=2, samples=7, format=kind, seed=seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert not set(contents(tmp_path / "a").values()) & set(contents(tmp_path / "c").values())


def test_more_hosts_change_no_host(tmp_path):
    write_tree(tmp_path / "a", hosts=2, clusters=["fritz"], samples=5)
    write_tree(tmp_path / "b", hosts=3, clusters=["fritz", "alex"], samples=5)
    b = contents(tmp_path / "b")
    assert all(b[p] == data for p, data in contents(tmp_path / "a").items())


def test_shape_of_the_node_types(tmp_path):
    made = write_tree(tmp_path, hosts=1, files=1, samples=3, format="json")
    assert (made.hosts, made.files) == (2, 2)
    assert made.series == (5 * 128 + 2 * 2 + 6 * 8 + 4) + (7 * 72 + 3 * 2 + 8)
    assert made.values == 3 * made.series
    for cluster, parts in (("alex", {"hwthread": 128, "socket": 2, "accelerator": 8}), ("fritz", {"hwthread": 72, "socket": 2})):
        [path] = [p for p in found(tmp_path) if p.startswith(cluster)]
        text = (tmp_path / path).read_text()
        tree = json.loads(text)
        assert list(tree) == ["metrics", "children", "from", "to"]
        assert str(tree["from"]) == os.path.basename(path)[:-5]
        names = list(tree["children"])
        assert names == sorted(names)
        assert {p: sum(n.startswith(p) for n in names) for p in parts} == parts
        for level in (tree, *tree["children"].values()):
            assert list(level["metrics"]) == sorted(level["metrics"])
            for series in level["metrics"].values():
                assert (series["frequency"], len(series["data"])) == (60, 3)
        # As the server's writer does it: one decimal, always.
        assert json.loads(text, parse_int=lambda s: s)["metrics"]["cpu_load"]["frequency"] == "60"
        assert all("." in v for v in text.split('"data":[')[1].split("]")[0].split(",") if v != "null")


def test_grids_shift_and_some_files_overlap(tmp_path):
    write_tree(tmp_path, hosts=24, clusters=["fritz"], files=3, samples=10, format="json")
    overlapping = shifted = 0
    for host in os.listdir(tmp_path / "fritz"):
        files = [json.loads((tmp_path / "fritz" / host / n).read_text()) for n in sorted(os.listdir(tmp_path / "fritz" / host))]
        assert len(files) == 3
        overlapping += any(a["to"] > b["from"] + 60 for a, b in zip(files, files[1:]))
        shifted += len({f["from"] % 60 for f in files}) > 1
    assert 0 < overlapping < 12
    assert shifted == 24


def test_distributions(tmp_path):
    """What production data looks like: 8 % missing, two decimals, full precision of ipc, zeros, levels."""
    made = write_tree(tmp_path, hosts=4, clusters=["fritz"], files=1, samples=720)
    assert 0.07 < 1 - made.samples / made.values < 0.10
    values = {}
    for p in found(tmp_path):
        for name, part in read_bin((tmp_path / p).read_bytes()):
            values.setdefault(name, []).extend(v for v in part if v == v)

    def hundredths(v):
        return abs(v * 100 - round(v * 100)) < 0.005 + abs(v) * 1e-5

    for name in ("cpu_load", "mem_used", "flops_any", "mem_bw", "clock", "cpu_power", "cpu_user"):
        assert all(hundredths(v) for v in values[name][:5000]), name
    assert sum(not hundredths(v) for v in values["ipc"][:5000]) > 4000
    assert all(v == int(v) for v in values["ib_recv"])
    for name in ("flops_any", "ib_recv", "nfs4_read"):
        assert 0.02 < values[name].count(0) / len(values[name]) < 0.9, name
    steps = sorted(abs(a - b) for a, b in zip(values["mem_used"], values["mem_used"][1:]))
    assert steps[len(steps) // 2] < 0.5 and max(values["mem_used"]) > 40
    assert len(set(values["clock"])) > 100 and len(set(values["flops_any"])) > 100


def read_bin(data):
    """(metric, values) of every series of a .bin snapshot."""
    at, out = 20, []

    def take(fmt):
        nonlocal at
        got = struct.unpack_from(fmt, data, at)
        at += struct.calcsize(fmt)
        return got

    def name():
        nonlocal at
        [n] = take("<H")
        at += n
        return data[at - n:at].decode()

    def level():
        for _ in range(*take("<I")):
            metric = name()
            _, _, n = take("<qqI")
            out.append((metric, take(f"<{n}f")))
        for _ in range(*take("<I")):
            name()
            level()

    assert struct.unpack_from("<I", data)[0] == 0xCC5B0001
    level()
    assert at == len(data)
    return out


def test_both_formats_hold_the_same_samples(tmp_path):
    rows = {}
    for kind in ("json", "bin"):
        made = write_tree(tmp_path / kind, hosts=2, clusters=["alex"], files=2, samples=9, format=kind)
        report = ccpq.archive_checkpoints(tmp_path / kind, tmp_path / f"{kind}-archive", older_than="1d")
        assert report.ok and report.rows <= made.samples
        rows[kind] = archive_rows(report.archives[0].path)
    assert [r[:7] for r in rows["json"]] == [r[:7] for r in rows["bin"]]
    for a, b in zip(rows["json"], rows["bin"]):
        [x], [y] = struct.unpack("<f", a[7]), struct.unpack("<f", b[7])
        assert abs(x - y) <= 0.0501 + abs(y) * 1e-6


def test_both_switches_the_format_in_the_middle(tmp_path):
    write_tree(tmp_path, hosts=1, clusters=["x"], files=4, samples=2, format="both")
    assert [p.rsplit(".")[-1] for p in found(tmp_path)] == ["json", "json", "bin", "bin"]


def test_without_gaps_nothing_is_missing(tmp_path):
    made = write_tree(tmp_path, hosts=1, clusters=["fritz"], samples=50, missing=0)
    assert made.samples == made.values


@pytest.mark.parametrize("options", [{"hosts": 0}, {"files": 0}, {"samples": -1}, {"format": "avro"}, {"missing": 1}, {"missing": -0.1}])
def test_bad_options(tmp_path, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        write_tree(tmp_path / "x", **options)
    assert not (tmp_path / "x").exists()


def test_a_tree_that_is_there_is_not_mixed(tmp_path):
    write_tree(tmp_path, hosts=1, clusters=["a"], samples=1)
    with pytest.raises(FileExistsError):
        write_tree(tmp_path, hosts=2, clusters=["a"], samples=1)
