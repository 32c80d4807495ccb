"""Sizes, durations and counts: what is read, what is refused and with which advice, what is shown."""

import datetime

import pytest

from ccpq._sizes import format_bytes, format_count, format_duration, parse_duration, parse_size


@pytest.mark.parametrize(("given", "expected"), [
    (1, 1), (65536, 65536), ("65536", 65536), ("64MiB", 64 << 20), ("64MB", 64_000_000), ("64 MiB", 64 << 20),
    (" 64mib ", 64 << 20), ("1.5GiB", 3 << 29), ("0.5KiB", 512), ("10kB", 10_000), ("1_000B", 1000), ("2TiB", 2 << 40),
    ("1TB", 10**12), ("0.1MiB", 104857),
])  # fmt: skip
def test_sizes(given, expected):
    assert parse_size(given) == expected


def test_an_index_is_a_size():
    class Index:
        def __index__(self):
            return 42

    assert parse_size(Index()) == 42


@pytest.mark.parametrize("given", ["64M", "64m", "1G", "2k", "3T", "64Mi"])
def test_bare_letters_are_refused_with_both_readings(given):
    with pytest.raises(ValueError, match=r"64MiB|1GiB|2KiB|3TiB") as e:
        parse_size(given, "memory_limit")
    assert "1000 based" in str(e.value)
    assert str(e.value).startswith("memory_limit: ")


@pytest.mark.parametrize("given", [0, -1, "0", "0MiB", "-1MiB", "", "MiB", "1.5", "1,5MiB", "64 furlongs", "64MiBs", "1e3", "٣MiB",
                                   2**63, "9999999TiB", "0.1B"])
def test_no_sizes(given):
    with pytest.raises(ValueError):
        parse_size(given)


@pytest.mark.parametrize("given", [None, True, False, 1.0, b"64MiB", [1], datetime.timedelta(1)])
def test_wrong_types(given):
    with pytest.raises(TypeError):
        parse_size(given)


def test_none_says_why():
    with pytest.raises(TypeError, match="no \"unlimited\""):
        parse_size(None, "memory_limit")


@pytest.mark.parametrize(("given", "seconds"), [
    ("48h", 172800), ("2h30m", 9000), ("7d", 604800), ("1w2d", 777600), ("90min", 5400), ("0s", 0), ("1.5h", 5400),
    (" 2h 30m ", 9000), (datetime.timedelta(minutes=3), 180), (datetime.timedelta(0), 0),
])  # fmt: skip
def test_durations(given, seconds):
    assert parse_duration(given).total_seconds() == seconds


@pytest.mark.parametrize(("given", "advice"), [
    ("48", "48h"), ("", "48h"), ("h", "48h"), ("3 fortnights", "unknown unit"), ("30m2h", "large to small"), ("1h1h", "once"), ("-1h", "48h"),
    ("1y", "known: w, d, h, m, s"), (datetime.timedelta(-1), "negative"), ("99999999999w", "too long"), ("2h30", "without a unit"),
])  # fmt: skip
def test_no_durations(given, advice):
    with pytest.raises(ValueError, match=advice):
        parse_duration(given, "older_than")


@pytest.mark.parametrize("given", [None, 48, 48.0, True, b"48h"])
def test_durations_of_wrong_types(given):
    with pytest.raises(TypeError, match="48h"):
        parse_duration(given)


@pytest.mark.parametrize(("n", "text"), [
    (0, "0 B"), (512, "512 B"), (1023, "1023 B"), (1024, "1 KiB"), (18.4 * 2**20, "18.4 MiB"), (64 << 20, "64 MiB"), (1.71 * 1024, "1.71 KiB"),
    (1024**2 - 1, "1 MiB"), (999 * 1024, "999 KiB"), (1 << 40, "1 TiB"), (1 << 70, "1024 EiB"), (10 * 1024, "10 KiB"),
])  # fmt: skip
def test_bytes_are_shown(n, text):
    assert format_bytes(n) == text


def test_counts_and_durations_are_shown():
    assert format_count(1204331) == "1,204,331"
    assert [format_duration(s) for s in (0.031, 4.13, 59.99, 200, 7500)] == [
        "0.03 s", "4.1 s", "1 min 00 s", "3 min 20 s", "2 h 05 min"]
