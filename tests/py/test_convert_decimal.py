"""Decimals as rows: the unscaled integers that are stored, held against exact fractions and pyarrow."""

import decimal
import io
from decimal import Decimal
from fractions import Fraction

import ccpq
import model
import pytest
from api_readback import by_pyarrow, need, pa, read, refused, write

try:
    import pyarrow  # noqa: F401 (where it is made unimportable, numpy is too, and hypothesis stumbles over that)
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None

TYPE, VALUE, OVERFLOW = ccpq.RowTypeError, ccpq.RowValueError, ccpq.RowOverflowError


def unscaled(precision, scale, *values):
    """The integers of a decimal column; pyarrow reads the same decimals."""
    data = write({"c": f"decimal({precision}, {scale})?"}, [(v,) for v in values])
    model.validate(data)
    found = model.read_table(data)["c"]
    if pa is not None:
        as_fractions = [None if v is None else Fraction(v) for v in by_pyarrow(data)["c"]]
        assert as_fractions == [None if n is None else Fraction(n, 10**scale) for n in found]
    return found


def rule(v, precision, scale):
    """The integer to store, or the class that refuses."""
    if not v.is_finite():
        return VALUE
    n = Fraction(v) * 10**scale
    if n.denominator != 1:
        return VALUE
    return int(n) if abs(n) < 10**precision else OVERFLOW


@pytest.mark.parametrize("precision", range(1, 39))
def test_bounds_of_every_precision(precision):
    high = 10**precision - 1
    for scale in {0, 1, precision // 2, precision}:
        values = [high, -high, high // 3, 10 ** (precision - 1), 1, -1, 0, high - 1]
        with decimal.localcontext(decimal.Context(prec=60)):
            decimals = [Decimal(v).scaleb(-scale) for v in values]
        assert unscaled(precision, scale, *decimals, None) == [*values, None]
        for bad in (high + 1, -high - 1, 10**39, -(10**39), 10**38):
            with decimal.localcontext(decimal.Context(prec=60)):
                v = Decimal(bad).scaleb(-scale)
            refused(f"decimal({precision}, {scale})", v, OVERFLOW, f"does not fit decimal({precision}, {scale}) (at most {precision - scale} digit")


@pytest.mark.parametrize("precision", [1, 9, 10, 18, 19, 20, 37, 38])
def test_ints(precision):
    high = 10**precision - 1
    values = [v for k in (0, 1, 15, 29, 30, 31, 59, 60, 61, 62, 63, 64, 100, 126) for v in (2**k, -(2**k), 2**k - 1) if abs(v) <= high] + [high, -high, 0]
    assert unscaled(precision, 0, *values) == values
    if precision > 3:
        short = [v for v in values if abs(v) < 10 ** (precision - 3)]
        assert unscaled(precision, 3, *short) == [v * 1000 for v in short]
    for bad in (high + 1, -high - 1, 10**38, 10**39, -(10**40), 10**400, 10**5000, -(2**127), 2**128):
        if abs(bad) > high:
            refused(f"decimal({precision}, 0)", bad, OVERFLOW, f"does not fit decimal({precision}, 0)")
    refused("decimal(5, 5)", 1, OVERFLOW, "at most 0 digits before the point")
    assert unscaled(5, 5, 0) == [0]


def test_ints_of_other_kinds():
    class Int(int):
        def __repr__(self):
            raise AssertionError

        __str__ = __index__ = __int__ = __repr__

    assert unscaled(20, 2, Int(7), Int(-(10**17))) == [700, -(10**19)]
    refused("decimal(5, 2)", True, TYPE, "True (bool) in a decimal(5, 2) column; write int(value)")
    np = need("numpy")
    assert unscaled(20, 0, np.int8(-5), np.uint64(2**64 - 1), np.int64(-(2**63))) == [-5, 2**64 - 1, -(2**63)]
    refused("decimal(3, 0)", np.int16(1000), OVERFLOW, "does not fit decimal(3, 0)")


WRITTEN = [
    ("1.5", 150), ("1.50", 150), ("1.500000", 150), ("1.5" + "0" * 400, 150), ("-0.01", -1), ("0", 0), ("-0", 0), ("-0.00", 0), ("0E+999999", 0), ("0E-999999", 0),
    ("1E+1", 1000), ("1E1", 1000), ("12E-1", 120), ("1200E-3", 120), ("000123", 12300), ("999.99", 99999), ("1e+2", 10000), ("0.00100E+1", 1), ("100000E-5", 100),
]  # fmt: skip


@pytest.mark.parametrize(("text", "n"), WRITTEN)
def test_how_it_is_written_does_not_matter(text, n):
    assert unscaled(5, 2, Decimal(text), Decimal("-" + text) if not text.startswith("-") else 0) == [n, -n if not text.startswith("-") else 0]


@pytest.mark.parametrize("context", [{"capitals": 0}, {"prec": 1}, {"Emax": 2, "Emin": -2}, {"traps": [decimal.Inexact, decimal.FloatOperation, decimal.Subnormal]}])
def test_contexts_do_not_matter(context):
    values = [Decimal("1E+20"), Decimal("-1E-7"), Decimal("123456789.125")]
    with decimal.localcontext(decimal.Context(**context)):
        assert unscaled(38, 10, *values) == [10**30, -1000, 1234567891250000000]


def test_subclasses():
    class Money(Decimal):
        def __str__(self):
            raise AssertionError

        __repr__ = as_tuple = __format__ = __str__

    assert unscaled(9, 3, Money("-1.25")) == [-1250]
    refused("decimal(9, 1)", Money("-1.25"), VALUE, "<Money object> (Money) in a decimal(9, 1) column; it has more digits than the scale")


REFUSED = [
    *((v, TYPE, "a float is no exact decimal") for v in (1.5, 1.0, float("nan"))), ("1.5", TYPE, "'1.5' (str) in a decimal(5, 2) column; write decimal.Decimal(value)"),
    *((v, TYPE, "in a decimal(5, 2) column") for v in (Fraction(1, 2), b"1", [1], (0, (1,), 0), 1j, object())),
    *((Decimal(v), VALUE, "more digits than the scale: write round(value, 2)") for v in ("0.001", "1.999", "-1E-30", "123456.789", "9" * 50 + ".123", "1E-999999")),
    *((Decimal(v), VALUE, f"Decimal('{v}') (Decimal) in a decimal(5, 2) column; it is no finite number") for v in ("NaN", "sNaN", "NaN123", "-NaN", "Infinity", "-Infinity")),
    *((Decimal(v), OVERFLOW, "does not fit decimal(5, 2) (at most 3 digits before the point)") for v in ("1000", "-1000.00", "1E+3", "1E+999999", "9" * 60)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "cls", "words"), REFUSED, ids=lambda v: repr(v)[:40])
def test_refused(value, cls, words):
    refused("decimal(5, 2)", value, cls, words)
    refused("decimal(5, 2)?", value, cls, words)


def test_numpy_and_pandas():
    np, pd = need("numpy", "pandas")
    for bad in (np.float64(1), np.float32(1), np.float16(1)):
        refused("decimal(5, 2)", bad, TYPE, "a float is no exact decimal")
    refused("decimal(5, 2)", np.bool_(True), TYPE, "in a decimal(5, 2) column")
    assert unscaled(5, 2, pd.NA, pd.NaT, 1) == [None, None, 100]


def test_a_refusal_leaves_nothing():
    schema, rows = {"a": "decimal(38, 2)", "b": "decimal(5, 2)"}, [(Decimal(i), i) for i in range(50)]
    skipped = []
    mixed = [r for i in range(50) for r in (rows[i], (Decimal("1.5"), Decimal("0.001")), (Decimal("1E-5"), 1), (10**37, 1))]
    f = io.BytesIO()
    with ccpq.Writer(f, schema) as w:
        w.write_rows(mixed, on_error=skipped.append)
    assert len(skipped) == 150
    assert f.getvalue() == write(schema, rows)
    assert read(f.getvalue(), schema)["a"] == [Decimal(i).scaleb(0) for i in range(50)]


if given:
    SHAPES = st.integers(1, 38).flatmap(lambda p: st.tuples(st.just(p), st.integers(0, p)))
    DIGITS = st.integers(0, 45).flatmap(lambda n: st.integers(-(10**n), 10**n))

    @settings(max_examples=300)
    @given(shape=SHAPES, digits=st.lists(DIGITS, max_size=12), exponents=st.lists(st.integers(-45, 45), min_size=12, max_size=12), data=st.data())
    def test_any_decimal(shape, digits, exponents, data):
        precision, scale = shape
        with decimal.localcontext(decimal.Context(prec=100)):
            values = [Decimal(n).scaleb(e) for n, e in zip(digits, exponents)]
            # Some that fit, whatever the shape.
            values += [Decimal(n).scaleb(-scale) for n in data.draw(st.lists(st.integers(-(10**precision) + 1, 10**precision - 1), max_size=5))]
        expected = [rule(v, precision, scale) for v in values]
        assert unscaled(precision, scale, *(v for v, n in zip(values, expected) if isinstance(n, int))) == [n for n in expected if isinstance(n, int)]
        for v, n in [(v, n) for v, n in zip(values, expected) if not isinstance(n, int)][:3]:
            refused(f"decimal({precision}, {scale})", v, n)

    @settings(max_examples=100)
    @given(shape=SHAPES, values=st.lists(st.decimals(allow_nan=True, allow_infinity=True), max_size=10))
    def test_decimals_as_hypothesis_likes_them(shape, values):
        precision, scale = shape
        for v in values:
            n = rule(v, precision, scale)
            if isinstance(n, int):
                assert unscaled(precision, scale, v) == [n]
            else:
                refused(f"decimal({precision}, {scale})", v, n)
