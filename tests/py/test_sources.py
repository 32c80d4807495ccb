"""Lists of sources: what they say, when they count, that damage is found, and merging of many in order."""

import hashlib
import json
import os

import pytest

import ccpq
from ccpq import _sources
from ccpq._sources import Entry, ListedFiles, SourceListError, SourceListWriter, find_lists, footer_hash, read_list


def entry(host, name, size=10, mtime_ns=5, xxh64="0123456789abcdef", by=None):
    return Entry(host, name, size, mtime_ns, None if by else xxh64, by)


def write(path, entries, cluster="fritz", cutoff=7):
    with open(path, "wb") as f:
        w = SourceListWriter(f.fileno(), f.name, cluster, cutoff)
        for e in entries:
            w.add(e)
        return w.finish()


def archive(path, digest=None, **metadata):
    """A Parquet file that carries `digest`."""
    extra = {} if digest is None else {_sources.HASH_KEY: digest}
    with ccpq.Writer(path, {"a": "int64"}, metadata={**metadata, **extra}, overwrite=True) as w:
        w.write_row((1,))


def test_a_list_is_lines_of_json_with_its_hash(tmp_path):
    entries = [entry("f1", "1.json", by="1.bin"), entry("f1", "2.bin"), entry("g\nµ", "1.bin", 0)]
    digest = write(tmp_path / "l", entries)
    lines = [json.loads(x) for x in (tmp_path / "l").read_text().splitlines()]
    assert lines[0] == {"format": "ccpq.sources.v1", "cluster": "fritz", "cutoff": 7}
    assert lines[1] == {"host": "f1", "name": "1.json", "size": 10, "mtime_ns": 5, "shadowed_by": "1.bin"}
    assert lines[2] == {"host": "f1", "name": "2.bin", "size": 10, "mtime_ns": 5, "xxh64": "0123456789abcdef"}
    assert lines[-1] == {"files": 3, "sha256": digest}
    text = "fritz/f1/1.json\n10\nshadowed by 1.bin\nfritz/f1/2.bin\n10\n0123456789abcdef\nfritz/g\nµ/1.bin\n0\n0123456789abcdef\n"
    assert digest == hashlib.sha256(text.encode()).hexdigest()
    assert list(read_list(tmp_path / "l", "fritz")) == entries


def test_the_hash_does_not_depend_on_times(tmp_path):
    a = write(tmp_path / "a", [entry("f", "1.bin", mtime_ns=1)])
    assert a == write(tmp_path / "b", [entry("f", "1.bin", mtime_ns=2)])
    assert a != write(tmp_path / "c", [entry("f", "1.bin", size=11)])
    assert a != write(tmp_path / "d", [entry("f", "1.bin", xxh64="0" * 16)])
    assert a != write(tmp_path / "e", [entry("f", "1.bin")], cluster="alex")


def test_order_is_an_invariant(tmp_path):
    with open(tmp_path / "l", "wb") as f:
        w = SourceListWriter(f.fileno(), f.name, "fritz", 7)
        w.add(entry("f2", "1.bin"))
        for e in (entry("f1", "2.bin"), entry("f2", "1.bin")):
            with pytest.raises(AssertionError, match="out of order"):
                w.add(e)


def test_every_cut_and_every_changed_byte_is_found(tmp_path):
    path = tmp_path / "l"
    entries = [entry("f1", "1.bin"), entry("f2", "1.json", by="1.bin")]
    write(path, entries)
    good = path.read_bytes()
    for n in range(len(good)):
        path.write_bytes(good[:n])
        with pytest.raises(SourceListError):
            list(read_list(path, "fritz"))
    # Times, and the cutoff in the first line, decide nothing and are not in the hash.
    timeless = [e._replace(mtime_ns=0) for e in entries]
    for i in range(len(good)):
        for new in (good[i] ^ 1, good[i] ^ 4, ord("9")):
            path.write_bytes(good[:i] + bytes([new]) + good[i + 1:])
            try:
                read = list(read_list(path, "fritz"))
            except SourceListError:
                continue
            assert [e._replace(mtime_ns=0) for e in read] == timeless, path.read_bytes()
    path.write_bytes(good + b"{}\n")
    with pytest.raises(SourceListError, match="goes on"):
        list(read_list(path, "fritz"))
    path.write_bytes(good)
    with pytest.raises(SourceListError, match="'alex'"):
        list(read_list(path, "alex"))


def test_hostile_lists(tmp_path):
    path = tmp_path / "l"
    head = b'{"format": "ccpq.sources.v1", "cluster": "fritz", "cutoff": 7}\n'
    for body in (b"x" * 200_000, b"[" * 60_000 + b"\n", b"[]\n", b"3\n", b"\xff\n", b'{"host": "a"}\n', b"{\n",
                 b'{"host": "a", "name": 3, "size": 1, "mtime_ns": 1, "xxh64": "0"}\n', b'{"sha256": "0"}\n',
                 b'{"host": "a", "name": "1.bin", "size": true, "mtime_ns": 1, "xxh64": "0"}\n', b""):
        path.write_bytes(head + body)
        with pytest.raises(SourceListError):
            list(read_list(path, "fritz"))
        assert _sources._trailer_hash(path) in (None, "0")


def test_footer_hash(tmp_path):
    digest = "ab" * 32
    archive(tmp_path / "a", digest)
    assert footer_hash(tmp_path / "a") == digest
    archive(tmp_path / "b", digest, user="x" * 300_000, **{"ccpq.cutoff": "7"})
    assert footer_hash(tmp_path / "b") == digest
    archive(tmp_path / "c")
    assert footer_hash(tmp_path / "c") is None
    data = (tmp_path / "a").read_bytes()
    for bad in (b"", b"PAR1", data[:-1], data[:40], data[:-8] + b"\xff\xff\xff\xffPAR1", b"x" * 5000):
        (tmp_path / "d").write_bytes(bad)
        assert footer_hash(tmp_path / "d") is None


def test_what_counts(tmp_path):
    def pair(stem, *, list_=True, carries=True, data=None):
        digest = write(tmp_path / f"{stem}.sources.jsonl", [entry("f", f"{stem}.bin")]) if list_ else "ab" * 32
        if data is not None:
            (tmp_path / f"{stem}.parquet").write_bytes(data)
        else:
            archive(tmp_path / f"{stem}.parquet", digest if carries else None)

    assert find_lists(tmp_path / "missing") == []
    pair(1)
    pair(2, carries=False)                                      # the archive is not ours
    pair(3, data=b"")                                           # what a crash of another archiver leaves
    write(tmp_path / "4.sources.jsonl", [entry("f", "4.bin")])  # an orphan
    pair(10)
    archive(tmp_path / "5.parquet")
    (tmp_path / "notes.txt").write_text("")
    assert [os.path.basename(p) for p in find_lists(tmp_path)] == ["1.sources.jsonl", "10.sources.jsonl"]

    pair(6, list_=False)
    with pytest.raises(SourceListError, match=r"6\.sources\.jsonl is missing.*bring the list back"):
        find_lists(tmp_path)
    write(tmp_path / "6.sources.jsonl", [entry("g", "1.bin")])
    with pytest.raises(SourceListError, match="does not match"):
        find_lists(tmp_path)
    (tmp_path / "6.sources.jsonl").write_bytes(b"x" * 10_000)
    with pytest.raises(SourceListError, match="does not match"):
        find_lists(tmp_path)


@pytest.mark.parametrize(("n", "width"), [(1, 64), (3, 2), (64, 64), (65, 64), (200, 64), (17, 2)])
def test_lists_are_merged_host_by_host(tmp_path, monkeypatch, n, width):
    monkeypatch.setattr(_sources, "MAX_OPEN_LISTS", width)
    hosts = [f"h{i:02d}" for i in range(5)]
    paths = []
    for i in range(n):
        paths.append(str(tmp_path / f"{i}.sources.jsonl"))
        write(paths[-1], [entry(h, f"{1000 + i}.bin", size=i) for h in hosts if h != f"h{i % 5:02d}"] + [entry("z", "1.bin", size=i)])
    listed = ListedFiles(paths, "fritz", str(tmp_path))
    names = {f"{1000 + i}.bin" for i in range(n)}
    assert listed.host("a", names) == {}
    found = listed.host("h01", names)
    assert sorted(found) == sorted(f"{1000 + i}.bin" for i in range(n) if i % 5 != 1)
    assert all(e.host == "h01" and e.size == int(name[:-4]) - 1000 for name, [e] in found.items())
    assert listed.host("h02", {"1000.bin"}).keys() == {"1000.bin"}
    assert listed.host("h03", set()) == {}
    # One name in several lists: all entries are given.
    assert sorted(e.size for e in listed.host("z", {"1.bin", "2.bin"})["1.bin"]) == list(range(n))
    with pytest.raises(AssertionError, match="out of order"):
        listed.host("y", names)
    listed.finish()
    listed.close()


def test_damage_is_found_at_the_latest_at_the_end(tmp_path):
    path = str(tmp_path / "1.sources.jsonl")
    write(path, [entry("a", "1.bin"), entry("b", "1.bin", size=17)])
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(data.replace(b'"size": 17', b'"size": 18'))
    listed = ListedFiles([path], "fritz", str(tmp_path))
    listed.host("a", {"1.bin"})
    with pytest.raises(SourceListError, match="hash"):
        listed.finish()
    listed.close()
