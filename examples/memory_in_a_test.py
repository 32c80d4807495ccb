"""A test that holds a program to its memory: what the block adds to the process is measured, and what the writer used.

    pytest memory_in_a_test.py
"""

import ccpq
from ccpq.testing import peak_memory

MIB = 1 << 20


def export(path, n):
    """The program under test."""
    with ccpq.Writer(path, {"id": "int64", "name": "string", "score": "float64"}, memory_limit="16MiB") as w:
        w.write_rows((i, f"name {i % 1000}", i / 7) for i in range(n))


def test_export_needs_no_more_for_more_rows(tmp_path):
    export(tmp_path / "warm.parquet", 1_000)
    peaks = []
    for n in (50_000, 200_000):
        with peak_memory() as m:
            export(tmp_path / f"{n}.parquet", n)
        assert m.core_peak <= 16 * MIB
        if m.exact:
            assert m.rss_growth <= (16 + 4) * MIB
        peaks.append(m.core_peak)
    assert peaks[1] <= peaks[0] * 1.5
