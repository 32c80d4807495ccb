"""Values that a column does not take, among values that it takes: as Python objects, in Arrow arrays of wider or finer
types, and in numpy arrays. The good ones are stored values (value_cases.py), the arrays those of value_routes.py.
"""

import decimal
import functools
import math

import ccpq
import numpy as np
import pandas as pd
import pyarrow as pa
from value_cases import DAY, FLOATS, PER_SECOND, facts, forms
from value_routes import (
    any_array, arrow_ints, filled, fits, from_parts, in_dictionary, in_runs, laid_out, masked, numbers_of, numpy_instants,
    numpy_numbers, numpy_objects, numpy_text, padded,
)  # fmt: skip

TYPE, VALUE, OVERFLOW = ccpq.RowTypeError, ccpq.RowValueError, ccpq.RowOverflowError
BEYOND = {"float16": 65_520.0, "float32": 1e39}


def objects(c):
    """(Python value, class of the error)"""
    f = facts(c.kind)
    found = [(object(), TYPE), (1j, TYPE)]
    if not c.optional:
        found += [(None, VALUE), (pd.NA, VALUE)]
    if f.base == "int":
        return [*found, (f.high + 1, OVERFLOW), (f.low - 1, OVERFLOW), (True, TYPE), (1.0, TYPE)]
    if c.kind == "bool":
        return [*found, (1, TYPE), ("true", TYPE)]
    if f.base in FLOATS:
        found += [("1.5", TYPE), (True, TYPE), (2**80 + 1, VALUE)]
        return [*found, (BEYOND[c.kind], OVERFLOW)] if c.kind in BEYOND else found
    if f.is_text:
        return [*found, ('"\udfff"', VALUE), (5, TYPE)]
    if f.is_bytes and f.n:
        return [*found, (b"x" * (f.n + 1), VALUE), (b"", VALUE), ("x" * f.n, TYPE)]
    if f.is_bytes:
        return [*found, ("x", TYPE), (5, TYPE)]
    if f.base == "decimal":
        fine = decimal.Decimal((0, (1,), -f.scale - 1))
        return [*found, (10 ** (f.n - f.scale), OVERFLOW), (fine, VALUE), (decimal.Decimal("NaN"), VALUE), (0.5, TYPE)]
    found += [("2024-02-29", TYPE), (1.5, TYPE)]
    if f.base == "timestamp":
        other_zone = forms("timestamp[us]" if f.utc else "timestamp[us, UTC]", 0)[0]
        found += [(2**63, OVERFLOW), (other_zone, TYPE)]
    return found


# -- Arrow ------------------------------------------------------------------------------------------------------------------


def _ints(t):
    return lambda values, rng: arrow_ints(t, values, rng)


def _doubles(values, rng):
    return numbers_of(pa.float64(), "f8", values, lambda: math.nan, rng)


def _spans(t):
    def make(values, rng):
        raw = [v.encode() if isinstance(v, str) else v for v in values]
        parts = filled(raw, lambda: b"\xff")
        ends = np.cumsum([0, *map(len, parts)]).astype("i4")
        return from_parts(t, raw, [pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(parts))], rng)

    return make


def _days(values, rng):
    return arrow_ints(pa.date64(), [None if v is None else int(v * DAY * 1000) for v in values], rng)


def _decimals(values, rng, scale, per=1):
    raw = b"".join(bytes(32) if v is None else int(v * per).to_bytes(32, "little", signed=True) for v in values)
    return from_parts(pa.decimal256(76, scale), values, [pa.py_buffer(raw)], rng)


def _instants(values, rng, t, count):
    return arrow_ints(t, [None if v is None else count(v) for v in values], rng)


def _bad_instants(f, values):
    """Half a unit in an array of a finer one; too much in one of seconds."""
    zone, found = "UTC" if f.utc else None, []
    if f.unit != "ns":
        finer = {"s": "us", "ms": "us", "us": "ns"}[f.unit]
        per = PER_SECOND[finer] // PER_SECOND[f.stored_unit]
        if fits(values, -(2**63) // per + 1, 2**63 // per - 1):
            count = functools.partial(_instants, t=pa.timestamp(finer, zone), count=lambda v: per // 2 if v == 0.5 else v * per)
            found.append((0.5, VALUE, count))
    if f.unit != "s":
        of = PER_SECOND[f.unit]
        if all(v is None or v % of == 0 for v in values):
            count = functools.partial(_instants, t=pa.timestamp("s", zone), count=lambda v: v if v == 2**62 + 1 else v // of)
            found.append((2**62 + 1, OVERFLOW, count))
    return found


def _stored(c, values):
    """(stored value, class of the error, maker of arrays that can hold it beside the others)"""
    f = facts(c.kind)
    if f.base == "int" and f.high < 2**62:
        return [(v, OVERFLOW, _ints(pa.int64())) for v in (f.low - 1, f.high + 1, 2**63 - 1, -(2**63))]
    if f.base == "int" and fits(values, 0, 2**63 - 1):
        return [(2**63, OVERFLOW, _ints(pa.uint64())) if c.kind == "int64" else (-1, OVERFLOW, _ints(pa.int64()))]
    if c.kind in BEYOND:
        return [(BEYOND[c.kind], OVERFLOW, _doubles), (-BEYOND[c.kind], OVERFLOW, _doubles)]
    if f.is_text:
        return [(b"ab\xe2\x82", VALUE, _spans(pa.string())), (b"\xed\xa0\x80", VALUE, _spans(pa.string()))]
    if f.is_bytes and f.n:
        return [(bytes(f.n - 1), VALUE, _spans(pa.binary())), (bytes(f.n + 1), VALUE, _spans(pa.binary()))]
    if f.base == "date":
        return [(2**31, OVERFLOW, _days), (-(2**31) - 1, OVERFLOW, _days), (0.5, VALUE, _days)]
    if f.base == "time":
        t = pa.time32("ms") if f.unit == "ms" else pa.time64(f.unit)
        return [(DAY * PER_SECOND[f.unit], OVERFLOW, _ints(t)), (-1, OVERFLOW, _ints(t))]
    if f.base == "timestamp":
        return _bad_instants(f, values)
    if f.base == "decimal":
        same, fine = functools.partial(_decimals, scale=f.scale), functools.partial(_decimals, scale=f.scale + 1, per=10)
        return [(f.high + 1, OVERFLOW, same), (f.low - 1, OVERFLOW, fine), (0.5, VALUE, fine)]
    return []


def in_arrow(c, values, row, rng):
    """(array, class of the error) with a bad value at `row`; None where no Arrow type holds one."""
    kinds = _stored(c, values) + ([] if c.optional else [(None, VALUE, None)])
    if not kinds:
        return None
    bad, error, make = rng.choice(kinds)
    with_bad = [*values[:row], bad, *values[row + 1 :]]
    if make is None:
        return any_array(c, with_bad, rng), error

    def made(some):
        return make(some, rng)

    def entries(some):
        return in_dictionary(made, some, rng)

    how = rng.randrange(6)
    if how == 1:
        return padded(made, with_bad, rng), error
    if how in (2, 3):
        return entries(with_bad), error
    return in_runs(made if how == 4 else entries, with_bad, rng) if how > 3 else made(with_bad), error


# -- numpy ------------------------------------------------------------------------------------------------------------------


def in_numpy(c, values, row, rng):
    """The same in a numpy array; None where there is none."""
    f, bad = facts(c.kind), list(values)
    if not c.optional and rng.random() < 0.5:
        bad[row] = None
        for make in rng.sample((numpy_numbers, numpy_instants, numpy_text, numpy_objects), 4):
            if (found := make(c, bad, rng)) is not None:
                return found, VALUE
    if f.is_text and not any(v is None or v.endswith("\0") for v in values):
        bad[row] = "a\ud900"
        return laid_out(np.array(bad), rng), VALUE
    if f.base == "int" and f.high < 2**62:
        bad[row] = rng.choice((f.high + 1, f.low - 1, -(2**63)))
        return masked(laid_out(np.array(filled(bad, lambda: 2**62), "i8"), rng), bad, rng), OVERFLOW
    if c.kind in BEYOND:
        bad[row] = 1e300
        return masked(laid_out(np.array(filled(bad, lambda: 1e300), "f8"), rng), bad, rng), OVERFLOW
    if f.base == "date":
        bad[row] = rng.choice((2**31, -(2**31) - 1))
        return laid_out(np.array(filled(bad, lambda: -(2**63)), "i8").view("M8[D]"), rng), OVERFLOW
    return None
