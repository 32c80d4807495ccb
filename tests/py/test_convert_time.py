"""Points in time, days and times of day as rows: the stored integers, held against Python's own arithmetic and pyarrow."""

import datetime as dt
import zoneinfo
from fractions import Fraction

import ccpq
import model
import pytest
from api_readback import UTC, by_pyarrow, need, pa, refused, write

try:
    import pyarrow  # noqa: F401 (where it is made unimportable, numpy is too, and hypothesis stumbles over that)
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None

try:
    BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
except zoneinfo.ZoneInfoNotFoundError:
    pytest.skip("needs the time zone database", allow_module_level=True)

MICRO = dt.timedelta(microseconds=1)
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
TYPE, VALUE, OVERFLOW = ccpq.RowTypeError, ccpq.RowValueError, ccpq.RowOverflowError


def stored(type_, *values, **options):
    """The integers of a column, by the oracle and by pyarrow."""
    data = write({"c": type_}, [(v,) for v in values], **options)
    model.validate(data)
    found = model.read_table(data)["c"]
    if pa is not None:
        assert by_pyarrow(data)["c"] == found
    return found


def zone(hours=0, **more):
    return dt.timezone(dt.timedelta(hours=hours, **more))


def micros(v):
    """Microseconds since 1970, of the instant or of what a naive clock says."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=UTC if v.utcoffset() is not None else None)
    return (v - epoch) // MICRO


def as_stored(exact, unit):
    """What a column of the unit stores for `exact` microseconds; None: it cannot without loss, or it does not fit."""
    n = Fraction(exact) * PER_SECOND[unit] / 10**6
    out = int(n) * (1000 if unit == "s" else 1)
    return out if n.denominator == 1 and -(2**63) <= out < 2**63 else None


# -- datetimes ----------------------------------------------------------------------------------------------------------

CLOCKS = [
    dt.datetime(1970, 1, 1), dt.datetime.min, dt.datetime.max.replace(microsecond=0), dt.datetime(1969, 12, 31, 23, 59, 59), dt.datetime(1900, 2, 28),
    dt.datetime(1900, 3, 1), dt.datetime(2000, 2, 29, 23), dt.datetime(2024, 2, 29, 12, 30, 15), dt.datetime(1600, 2, 29), dt.datetime(2100, 2, 28, 23, 59, 59),
    dt.datetime(1, 3, 1), dt.datetime(4, 2, 29), dt.datetime(2038, 1, 19, 3, 14, 8),
]  # fmt: skip


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_clocks(unit):
    expected = [as_stored(micros(v), unit) for v in CLOCKS]
    assert None not in expected
    assert stored(f"timestamp[{unit}]", *CLOCKS) == expected
    assert stored(f"timestamp[{unit}, UTC]", *(v.replace(tzinfo=UTC) for v in CLOCKS)) == expected


def test_nanoseconds_have_their_range():
    first, last = dt.datetime(1677, 9, 21, 0, 12, 43, 145225), dt.datetime(2262, 4, 11, 23, 47, 16, 854775)
    assert stored("timestamp[ns]", first, last) == [micros(first) * 1000, micros(last) * 1000]
    assert stored("timestamp[ns, UTC]", first.replace(tzinfo=UTC)) == [micros(first) * 1000]
    for bad in (first - MICRO, last + MICRO, dt.datetime.min, dt.datetime.max):
        refused("timestamp[ns]", bad, OVERFLOW, "does not fit timestamp[ns] (the years 1677 to 2262)")
        refused("timestamp[ns, UTC]", bad.replace(tzinfo=UTC), OVERFLOW, "timestamp[ns, UTC]")


@pytest.mark.parametrize("utc", [False, True])
def test_loss_is_refused(utc):
    suffix, tz = (", UTC", UTC) if utc else ("", None)
    for unit, v, words in [
        ("s", dt.datetime(2024, 1, 1, 0, 0, 0, 1), "fraction of a second"), ("s", dt.datetime(1969, 12, 31, 23, 59, 59, 999999), "fraction of a second"),
        ("s", dt.datetime(2024, 1, 1, 0, 0, 0, 500_000), "fraction of a second"), ("ms", dt.datetime(1960, 1, 1, 0, 0, 0, 999), "microseconds"),
        ("ms", dt.datetime(2024, 1, 1, 0, 0, 0, 123_456), "microseconds"),
    ]:  # fmt: skip
        refused(f"timestamp[{unit}{suffix}]", v.replace(tzinfo=tz), VALUE, f"in a timestamp[{unit}{suffix}] column would lose its {words}")


class Exact(dt.tzinfo):
    """An offset of microseconds."""

    def utcoffset(self, when):
        return dt.timedelta(hours=-3, seconds=7, microseconds=123)


class Nowhere(dt.tzinfo):
    """By Python's rules a datetime with this one is naive."""

    def utcoffset(self, when):
        return None


AWARE = [
    dt.datetime(2024, 7, 1, 12, tzinfo=BERLIN), dt.datetime(2024, 1, 1, 12, tzinfo=BERLIN), dt.datetime(1900, 1, 1, tzinfo=BERLIN),
    dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN), dt.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN), dt.datetime(2024, 3, 31, 2, 30, tzinfo=BERLIN),
    dt.datetime(2024, 3, 31, 2, 30, fold=1, tzinfo=BERLIN), dt.datetime(2024, 1, 1, tzinfo=zone(14)), dt.datetime(2024, 1, 1, tzinfo=zone(-12)),
    dt.datetime(2024, 1, 1, tzinfo=zone(0, microseconds=1)), dt.datetime(2024, 1, 1, tzinfo=Exact()), dt.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
    dt.datetime(2024, 1, 1, tzinfo=zone(-23, minutes=-59)), dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(0), "mine")),
]  # fmt: skip


def test_zones():
    expected = [micros(v.replace(tzinfo=None)) - v.utcoffset() // MICRO for v in AWARE]
    assert stored("timestamp[us, UTC]", *AWARE) == expected
    assert expected[4] - expected[3] == 3_600_000_000  # the hour that came twice
    assert stored("timestamp[ns, UTC]", *AWARE) == [1000 * n for n in expected]
    for v in AWARE:
        refused("timestamp[us]", v, TYPE, "in a timestamp[us] column; it is aware", "value.replace(tzinfo=None)", "'timestamp[us, UTC]'")


def test_an_instant_may_be_beyond_the_years_of_datetime():
    edges = [dt.datetime.min.replace(tzinfo=zone(14)), dt.datetime.max.replace(tzinfo=zone(-12))]
    expected = [micros(dt.datetime.min) - 14 * 3600 * 10**6, micros(dt.datetime.max) + 12 * 3600 * 10**6]
    data = write({"c": "timestamp[us, UTC]"}, [(v,) for v in edges])
    assert model.read_table(data)["c"] == expected


def test_naive_is_what_has_no_offset():
    nowhere = dt.datetime(2024, 1, 1, tzinfo=Nowhere())
    assert stored("timestamp[us]", nowhere) == [micros(dt.datetime(2024, 1, 1))]
    for v in (nowhere, dt.datetime(2024, 1, 1)):
        refused("timestamp[s, UTC]", v, TYPE, "in a timestamp[s, UTC] column; it is naive", "value.replace(tzinfo=datetime.timezone.utc)", "'timestamp[s]'")


class Lying(dt.datetime):
    """A subclass whose properties are not to be asked."""

    def __getattribute__(self, name):
        if name in ("year", "month", "day", "hour", "minute", "second", "microsecond", "timestamp", "fold"):
            raise AssertionError(name)
        return super().__getattribute__(name)


class Offset(dt.datetime):
    """A subclass with a zone of its own."""

    def utcoffset(self):
        return self.offset


def test_subclasses():
    assert stored("timestamp[us]", Lying(2024, 2, 29, 1, 2, 3, 4)) == [micros(dt.datetime(2024, 2, 29, 1, 2, 3, 4))]
    assert stored("timestamp[us, UTC]", Lying(2024, 2, 29, tzinfo=zone(1))) == [micros(dt.datetime(2024, 2, 28, 23))]
    v = Offset(2024, 1, 1)
    v.offset = dt.timedelta(hours=1)
    assert stored("timestamp[us, UTC]", v) == [micros(dt.datetime(2023, 12, 31, 23))]
    v.offset = None
    assert stored("timestamp[us]", v) == [micros(dt.datetime(2024, 1, 1))]
    v.offset = 3600
    refused("timestamp[us, UTC]", v, TYPE, "utcoffset() gives no datetime.timedelta")
    refused("timestamp[us]", v, TYPE, "utcoffset() gives no datetime.timedelta")


def test_exceptions_of_a_zone_arrive_unchanged():
    boom = KeyError("mine")

    class Broken(dt.tzinfo):
        def utcoffset(self, when):
            raise boom

    for type_ in ("timestamp[us, UTC]", "timestamp[us]"):
        with pytest.raises(KeyError) as info:
            write({"c": type_}, [(dt.datetime(2024, 1, 1, tzinfo=Broken()),)])
        assert info.value is boom


def test_a_zone_that_changes_the_row():
    class Evil(dt.tzinfo):
        def utcoffset(self, when):
            row.clear()
            return dt.timedelta(0)

    schema = {"a": "timestamp[ms, UTC]", "b": "string"}
    for micro in (0, 1):
        row = []
        row += [dt.datetime(2024, 1, 1, 0, 0, 0, micro, tzinfo=Evil()), "x" * 50]
        with pytest.raises(ccpq.RowValueError, match="microseconds" if micro else "0 values in the row"):
            write(schema, [row])


# -- ints ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("utc", ["", ", UTC"])
@pytest.mark.parametrize("unit", PER_SECOND)
def test_ints_are_in_the_unit(unit, utc):
    type_, factor = f"timestamp[{unit}{utc}]", 1000 if unit == "s" else 1
    high = (2**63 - 1) // factor
    low = -(2**63 // factor)
    values = [0, 1, -1, 1_700_000_000, 2**30, -(2**30), 2**60 // 1000, high, low]
    assert model.read_table(write({"c": type_}, [(v,) for v in values]))["c"] == [v * factor for v in values]
    for bad in (high + 1, low - 1, 2**63, -(2**63) - 1, 10**30, -(10**30)):
        refused(type_, bad, OVERFLOW, f"does not fit {type_}")
    refused(type_, True, TYPE, f"True (bool) in a {type_} column")

    class Int(int):
        def __index__(self):
            raise AssertionError

    assert stored(type_, Int(5)) == [5 * factor]


# -- date and time --------------------------------------------------------------------------------------------------------

DAYS = [dt.date(1970, 1, 1), dt.date.min, dt.date.max, dt.date(1969, 12, 31), dt.date(2024, 2, 29), dt.date(2000, 2, 29), dt.date(1900, 3, 1), dt.date(1582, 10, 15)]


class Day(dt.date):
    def __getattribute__(self, name):
        if name in ("year", "month", "day", "toordinal"):
            raise AssertionError(name)
        return super().__getattribute__(name)


def test_days():
    assert stored("date", *DAYS) == [d.toordinal() - 719163 for d in DAYS]
    assert stored("date", Day(2024, 2, 29)) == [19782]
    refused("date", dt.datetime(2024, 2, 29), TYPE, "(datetime) in a date column; write value.date()")
    refused("date", "2024-02-29", TYPE, "write datetime.date.fromisoformat(value)")
    for bad in (5, 5.0, True, dt.time(1), b"2024-02-29", (2024, 2, 29)):
        refused("date", bad, TYPE, "in a date column")


TIMES = [dt.time.min, dt.time(23, 59, 59), dt.time(1, 2, 3), dt.time(12, fold=1)]


@pytest.mark.parametrize("utc", ["", ", UTC"])
def test_times(utc):
    class Time(dt.time):
        pass

    seconds = [t.hour * 3600 + t.minute * 60 + t.second for t in TIMES]
    for unit in ("ms", "us", "ns"):
        assert stored(f"time[{unit}{utc}]", *TIMES, Time(0, 0, 1)) == [n * PER_SECOND[unit] for n in (*seconds, 1)]
    late = dt.time(23, 59, 59, 999_999)
    assert stored(f"time[us{utc}]", late) == [86_399_999_999]
    assert stored(f"time[ns{utc}]", late) == [86_399_999_999_000]
    assert stored(f"time[ms{utc}]", late.replace(microsecond=999_000)) == [86_399_999]
    refused(f"time[ms{utc}]", late, VALUE, f"in a time[ms{utc}] column would lose its microseconds")
    for tz in (UTC, BERLIN, zone(1)):
        refused(f"time[us{utc}]", late.replace(tzinfo=tz), TYPE, "it is aware", "value.replace(tzinfo=None)")
    for bad in (5, 5.0, True, "12:30", dt.datetime(2024, 1, 1), dt.date(2024, 1, 1), dt.timedelta(hours=1)):
        refused(f"time[us{utc}]", bad, TYPE, f"in a time[us{utc}] column")


@pytest.mark.parametrize("type_", ["timestamp[us]", "timestamp[us, UTC]"])
def test_what_is_no_point_in_time(type_):
    refused(type_, 1.5, TYPE, "a float is no exact time")
    refused(type_, "2024-01-01T00:00:00", TYPE, "write datetime.datetime.fromisoformat(value)")
    refused(type_, dt.date(2024, 1, 1), TYPE, "(date)", "combine it with a time of day")
    for bad in (b"", [], object(), dt.time(1), dt.timedelta(1), 5j):
        refused(type_, bad, TYPE, f"in a {type_} column; it takes a")


# -- numpy and pandas -----------------------------------------------------------------------------------------------------

# Seconds of a unit, as a fraction; years and months have no length.
LENGTHS = {"W": 604800, "D": 86400, "h": 3600, "m": 60, "s": 1, **{u: Fraction(1, 1000**k) for k, u in enumerate(("ms", "us", "ns", "ps", "fs", "as"), 1)}}
COUNTS = [0, 1, -1, 24, 1000, 12_345, 10**6, -(10**9), 10**12, 10**15, 10**18, 2**63 - 1, -(2**63) + 1, 7 * 10**9 + 1]


@pytest.mark.parametrize("steps", [1, 25, 1000])
@pytest.mark.parametrize("name", LENGTHS)
def test_numpy_units(name, steps):
    np = need("numpy")
    for unit in PER_SECOND:
        fine, bad = [], []
        for count in COUNTS:
            n = count * steps * LENGTHS[name] * PER_SECOND[unit]
            out = int(n) * (1000 if unit == "s" else 1)
            fits = -(2**63) <= out < 2**63
            v = np.datetime64(count, f"{steps}{name}")
            (fine if n.denominator == 1 and fits else bad).append((v, out, VALUE if n.denominator != 1 else OVERFLOW))
        for type_ in (f"timestamp[{unit}]", f"timestamp[{unit}, UTC]"):
            assert model.read_table(write({"c": type_}, [(v,) for v, _, _ in fine]))["c"] == [out for _, out, _ in fine]
        for v, _, cls in bad:
            refused(f"timestamp[{unit}]", v, cls, "would lose" if cls is VALUE else "does not fit")


def test_numpy_years_and_months():
    np = need("numpy")
    for text in ("1970", "2024", "1969", "1600", "0001", "2024-01", "2024-12", "1969-12", "1970-02", "1900-03", "0001-01"):
        year, month = (*map(int, text.split("-")), 1)[:2]
        v = dt.datetime(year, month, 1)
        assert stored("timestamp[us]", np.datetime64(text)) == [micros(v)]
        assert stored("timestamp[s, UTC]", np.datetime64(text)) == [micros(v) // 1000]
    assert stored("timestamp[us]", np.datetime64(-3, "7M")) == [micros(dt.datetime(1968, 4, 1))]
    for bad in (np.datetime64(2**62, "Y"), np.datetime64(-(2**62), "M"), np.datetime64(10**9, "Y")):
        refused("timestamp[us]", bad, OVERFLOW, "does not fit timestamp[us]")


def test_numpy_days():
    np = need("numpy")
    assert stored("date", np.datetime64("2024-02-29"), np.datetime64(-1, "D"), np.datetime64(3, "10D")) == [19782, -1, 30]
    assert model.read_table(write({"c": "date"}, [(np.datetime64(2**31 - 1, "D"),)]))["c"] == [2**31 - 1]
    refused("date", np.datetime64(2**31, "D"), OVERFLOW, "does not fit date")
    for bad in (np.datetime64("2024-02-29T00", "h"), np.datetime64("2024-02", "M"), np.datetime64(0, "W"), np.datetime64(0, "s")):
        refused("date", bad, TYPE, "value.astype('datetime64[D]')")


@pytest.mark.parametrize("type_", ["timestamp[us]", "timestamp[ns, UTC]", "date", "time[us]", "int64", "float32", "string", "decimal(5, 2)", "uuid", "bool", "json"])
def test_numpy_not_a_time(type_):
    np = need("numpy")
    nulls = [np.datetime64("NaT"), *(np.datetime64("NaT", u) for u in LENGTHS), np.timedelta64("NaT"), np.timedelta64("NaT", "s")]
    assert model.read_table(write({"c": type_ + "?"}, [(v,) for v in nulls]))["c"] == [None] * len(nulls)
    refused(type_, nulls[0], VALUE, "in a required column")


def test_numpy_without_a_unit():
    np = need("numpy")
    refused("timestamp[us]", np.zeros(1, "M8")[0], TYPE, "it has no unit")
    refused("date", np.zeros(1, "M8")[0], TYPE, "it has no unit")
    for bad in (np.timedelta64(5, "s"), np.float64(5), np.array("2024-01-01", "M8[s]"), np.str_("2024-01-01")):
        refused("timestamp[us]", bad, TYPE, "in a timestamp[us] column")
    refused("int64", np.timedelta64(5, "s"), TYPE, "(timedelta64) in an int64 column")
    assert stored("timestamp[s]", np.int32(5), np.uint8(6)) == [5000, 6000]


def test_pandas():
    pd = need("pandas")
    ns = 1_700_000_000_123_456_789
    for unit in ("s", "ms", "us", "ns"):
        v = pd.Timestamp(ns).as_unit(unit)
        expected = ns // 10**9 * 10**9 if unit == "s" else ns // 10**6 * 10**6 if unit == "ms" else ns // 1000 * 1000 if unit == "us" else ns
        assert stored("timestamp[ns]", v) == [expected]
        assert stored("timestamp[ns, UTC]", v.tz_localize("UTC"), v.tz_localize("UTC").tz_convert("Asia/Tokyo")) == [expected] * 2
        refused("timestamp[ns, UTC]", v, TYPE, "it is naive")
        refused("timestamp[ns]", v.tz_localize("Europe/Berlin"), TYPE, "it is aware")
    refused("timestamp[us]", pd.Timestamp(ns), VALUE, "would lose its nanoseconds")
    refused("date", pd.Timestamp(ns), TYPE, "(Timestamp) in a date column")
    first, again = (pd.Timestamp(n, unit="s", tz="Europe/Berlin") for n in (1729989000, 1729992600))
    assert first.hour == again.hour == 2
    assert stored("timestamp[s, UTC]", first, again) == [1729989000000, 1729992600000]
    far = pd.Timestamp("5000-01-01").as_unit("us")
    assert stored("timestamp[us]", far) == [micros(dt.datetime(5000, 1, 1))]
    refused("timestamp[ns]", far, OVERFLOW, "the years 1677 to 2262")
    assert stored("timestamp[us]?", pd.NaT, far, pd.NA) == [None, micros(dt.datetime(5000, 1, 1)), None]

    class Mine(pd.Timestamp):
        pass

    assert stored("timestamp[ns]", Mine(ns)) == [ns]


# -- any value --------------------------------------------------------------------------------------------------------------

if given:
    OFFSETS = st.timedeltas(dt.timedelta(hours=-23, minutes=-59), dt.timedelta(hours=23, minutes=59)).map(dt.timezone)
    ZONES = st.sampled_from([UTC, BERLIN, *map(zoneinfo.ZoneInfo, ("America/New_York", "Asia/Kathmandu", "Africa/Monrovia", "Pacific/Apia"))]) | OFFSETS
    INNER = (dt.datetime(2, 1, 1), dt.datetime(9998, 12, 31))

    @settings(max_examples=60)
    @given(st.lists(st.datetimes(*INNER, timezones=ZONES, allow_imaginary=False) | st.none(), max_size=30), st.sampled_from(sorted(PER_SECOND)))
    def test_any_aware(values, unit):
        check_any(values, unit, ", UTC")

    @settings(max_examples=60)
    @given(st.lists(st.datetimes() | st.none(), max_size=30), st.sampled_from(sorted(PER_SECOND)))
    def test_any_naive(values, unit):
        check_any(values, unit, "")

    def check_any(values, unit, utc):
        """The values that fit, and one that does not, against as_stored and against pyarrow's own conversion."""
        type_ = f"timestamp[{unit}{utc}]"
        exact = [None if v is None else micros(v) for v in values]
        fits = [i for i, n in enumerate(exact) if n is None or as_stored(n, unit) is not None]
        found = stored(type_ + "?", *(values[i] for i in fits))
        assert found == [None if exact[i] is None else as_stored(exact[i], unit) for i in fits]
        # pyarrow takes an offset in whole seconds.
        whole = all(values[i] is None or not (values[i].utcoffset() or MICRO * 0).microseconds for i in fits)
        if pa is not None and unit != "s" and whole:
            theirs = pa.array([values[i] for i in fits], pa.timestamp(unit, "UTC" if utc else None)).cast(pa.int64()).to_pylist()
            assert theirs == found
        for i in sorted(set(range(len(values))) - set(fits))[:3]:
            refused(type_, values[i], ccpq.RowError, "would lose" if exact[i] % (10**6 // min(10**6, PER_SECOND[unit])) else "does not fit")

    @settings(max_examples=40)
    @given(st.lists(st.dates() | st.none(), max_size=30), st.lists(st.times() | st.none(), max_size=30))
    def test_any_day_and_time(days, times):
        assert stored("date?", *days) == [None if d is None else (d - dt.date(1970, 1, 1)).days for d in days]
        of_day = [None if t is None else (dt.datetime.combine(dt.date(1970, 1, 1), t) - dt.datetime(1970, 1, 1)) // MICRO for t in times]
        assert stored("time[us]?", *times) == of_day
        assert stored("time[ns, UTC]?", *times) == [None if n is None else n * 1000 for n in of_day]
