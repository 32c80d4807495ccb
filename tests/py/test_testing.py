"""ccpq.testing.peak_memory: growth of the process, peaks of writers, and that it leaves no trace."""

import pytest

import ccpq
from ccpq.testing import peak_memory

MIB = 1 << 20


@pytest.mark.memory
def test_growth_is_seen_and_forgotten():
    with peak_memory() as m:
        block = bytearray(b"x") * (32 * MIB)
        assert m.rss_growth > 31 * MIB
        del block
    assert 31 * MIB < m.rss_growth < 40 * MIB
    if m.exact:
        with peak_memory() as again:
            pass
        assert again.rss_growth < 4 * MIB
    assert m.core_peak == 0


def test_core_peak_is_the_largest_of_the_writers(tmp_path):
    peaks = []
    with peak_memory() as m:
        for i, limit in enumerate(("16MiB", "8MiB", "12MiB")):
            with ccpq.Writer(tmp_path / f"{i}.parquet", {"a": "int64", "s": "string"}, memory_limit=limit) as w:
                w.write_rows((n, f"text {n}") for n in range(30_000))
            peaks.append(w.memory.peak)
            assert m.core_peak == max(peaks)
    assert m.core_peak == max(peaks) > 0
    # Behind the block nothing is watched.
    with ccpq.Writer(tmp_path / "x.parquet", {"a": "int64"}, memory_limit="64MiB") as w:
        w.write_row((1,))
    assert m.core_peak == max(peaks)


def test_blocks_may_be_nested_and_are_entered_once(tmp_path):
    init = ccpq.Writer.__init__
    with peak_memory() as outer:
        with peak_memory() as inner:
            assert inner.core_peak == 0
        ccpq.Writer(tmp_path / "a", {"a": "int64"}).abort()
        with pytest.raises(RuntimeError):
            inner.__enter__()
    assert inner.core_peak == 0 < outer.core_peak
    assert ccpq.Writer.__init__ is init
    assert "rss_growth=" in repr(outer)
    assert "not entered" in repr(peak_memory())
    with pytest.raises(RuntimeError):
        peak_memory().rss_growth


def test_an_exception_ends_the_block():
    init = ccpq.Writer.__init__
    with pytest.raises(ZeroDivisionError), peak_memory() as m:
        1 / 0
    assert m.rss_growth >= 0
    assert ccpq.Writer.__init__ is init


def test_without_the_kernels_help(monkeypatch):
    real = open

    def refusing(path, *args, **options):
        if path == "/proc/self/clear_refs":
            raise PermissionError(13, "Permission denied", path)
        return real(path, *args, **options)

    monkeypatch.setattr("builtins.open", refusing)
    with peak_memory() as m:
        pass
    assert not m.exact and m.rss_growth >= 0
