"""Columns and Arrow for the route tests: the same stored values (value_cases.py) as the many things that write_columns and
write_arrow take.

A way is a function (column, stored values, rng) -> the column as one kind of object, or None where it cannot hold these
values. What is behind a null, beside a slice, between two steps or unused in a dictionary is garbage on purpose.
"""

import array
import ctypes
import decimal
import functools
import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from value_cases import DAY, FLOATS, INTS, PER_SECOND, facts, forms

EXACT = decimal.Context(prec=80, traps=[decimal.Inexact, decimal.InvalidOperation])
INT_BITS = {name: int(name.lstrip("uint")) for name in INTS}
UNITS = ("s", "ms", "us", "ns")
COLUMNS, ARROW = {}, {}  # name -> way


def way(found, name=None):
    """A way of its own name."""

    def add(make):
        found[name or make.__name__] = make
        return make

    return add


def plain(values):
    """Any NaN as the one that every route makes of NaN."""
    return [math.nan if v is not None and v != v else v for v in values]


def fits(values, low, high):
    return all(v is None or low <= v <= high for v in values)


def ints_of(name):
    f = facts(name)
    return f.low, f.high


def given_ints(c, values):
    """Values as the integers that an array of integers gives for them: in the declared unit, whole decimals, whole floats."""
    f = facts(c.kind)
    if f.base == "int":
        return values
    if f.base == "timestamp":
        return [None if v is None else v // f.step for v in values]
    if f.base == "decimal":
        per = 10**f.scale
        return None if any(v is not None and v % per for v in values) else [None if v is None else v // per for v in values]
    if f.base in FLOATS:
        whole = all(v is None or repr(v) != "-0.0" and abs(v) < 2**62 and v == int(v) for v in values)
        return [None if v is None else int(v) for v in values] if whole else None
    return None


def int_type(values, rng, most=64):
    """A type of integers that holds these values; None: none does."""
    good = [t for t in INTS if INT_BITS[t] <= most and fits(values, *ints_of(t))]
    return rng.choice(good) if good else None


def in_unit(values, per, of, low=-(2**63) + 1, high=2**63 - 1):
    """Counts of another unit; None where they are not whole or do not fit."""
    found = [None if v is None else divmod(v * per, of) for v in values]
    if any(p is not None and (p[1] or not low <= p[0] <= high) for p in found):
        return None
    return [None if p is None else p[0] for p in found]


# -- Python ---------------------------------------------------------------------------------------------------------------


@way(COLUMNS)
def a_list(c, values, rng):
    return [rng.choice(forms(c.kind, v)) for v in values]


@way(COLUMNS)
def a_tuple(c, values, rng):
    return tuple(forms(c.kind, v)[0] for v in values)


@way(COLUMNS)
def a_sequence(c, values, rng):
    """Anything with a length and items."""
    items = a_list(c, values, rng)

    class Sequence:
        def __len__(self):
            return len(items)

        def __getitem__(self, i):
            return items[i]

    return Sequence()


@way(COLUMNS)
def a_constant(c, values, rng):
    if len({repr(v) for v in values}) != 1:
        return None
    return rng.choice(forms(c.kind, values[0]))


@way(COLUMNS)
def a_range(c, values, rng):
    ints = None if None in values or not values else given_ints(c, values)
    if ints is None:
        return None
    step = ints[1] - ints[0] if len(ints) > 1 else rng.choice((1, -3))
    found = range(ints[0], ints[0] + step * len(ints), step) if step else range(0)
    return found if list(found) == ints else None


def _buffer(c, values, rng):
    """(code of the array module, values)"""
    if None in values or not values:
        return None
    if c.kind in ("float32", "float64") and rng.random() < 0.8:
        return "d" if c.kind == "float64" or rng.random() < 0.3 else "f", values
    ints = given_ints(c, values)
    t = int_type(ints, rng) if ints else None
    return t and ("BHIQ" if t[0] == "u" else "bhiq")[INT_BITS[t].bit_length() - 4], ints


@way(COLUMNS)
def an_array(c, values, rng):
    code, found = _buffer(c, values, rng) or (None, None)
    return code and array.array(code, found)


@way(COLUMNS)
def a_memoryview(c, values, rng):
    code, found = _buffer(c, values, rng) or (None, None)
    if not code:
        return None
    how = rng.randrange(5)
    if how == 0:
        return memoryview(array.array(code, found))
    if how == 4:
        return memoryview(np.array(found, f">{np.dtype(code).kind}{array.array(code).itemsize}"))
    if how == 1:
        return memoryview(array.array(code, [x for v in found for x in (v, found[0])]))[::2]
    if how == 2:
        return memoryview(array.array(code, found[::-1]))[::-1]
    return memoryview(array.array(code, [found[0], *found]).tobytes()).cast(code)[1:]


@way(COLUMNS)
def a_ctypes_array(c, values, rng):
    code, found = _buffer(c, values, rng) or (None, None)
    types = {"b": "int8", "h": "int16", "i": "int32", "q": "int64", "B": "uint8", "H": "uint16", "I": "uint32", "Q": "uint64",
             "f": "float", "d": "double"}  # fmt: skip
    return code and (getattr(ctypes, f"c_{types[code]}") * len(found))(*found)


# -- numpy ------------------------------------------------------------------------------------------------------------------


def filled(values, garbage):
    return [garbage() if v is None else v for v in values]


def _number_array(c, values, rng):
    """A contiguous array of numbers of a type that holds the values."""
    f = facts(c.kind)
    if c.kind == "bool":
        return np.array(filled(values, lambda: rng.random() < 0.5), bool)
    if f.base in FLOATS and rng.random() < 0.8:
        wider = [t for t in FLOATS if FLOATS[t].size >= FLOATS[c.kind].size]
        with np.errstate(over="ignore"):
            return np.array(filled(values, lambda: rng.choice((math.nan, 1e300, 0.0, -math.inf))), rng.choice(wider))
    ints = given_ints(c, values)
    t = ints is not None and int_type(ints, rng)
    return np.array(filled(ints, lambda: rng.choice(ints_of(t))), t) if t else None


def _instant_array(c, values, rng):
    """datetime64 of a unit that has the values; nulls are NaT or garbage."""
    f = facts(c.kind)
    if f.base == "date":
        found, unit = values, "D"
    elif f.base == "timestamp":
        unit = rng.choice(("D", "h", "m", *UNITS, *[f.stored_unit] * 4))
        long = {"D": DAY, "h": 3600, "m": 60}
        stored = PER_SECOND[f.stored_unit]
        found = in_unit(values, 1, stored * long[unit]) if unit in long else in_unit(values, PER_SECOND[unit], stored)
    else:
        return None, False
    if found is None:
        return None, False
    as_nat = rng.random() < 0.5
    data = np.array(filled(found, lambda: -(2**63) if as_nat else rng.randrange(-(2**62), 2**62)), "i8")
    many = rng.choice((2, 5, 25)) if rng.random() < 0.2 else 1
    if many > 1 and not any(v % many for v in found if v is not None):
        counts = data // many
        counts[data == -(2**63)] = -(2**63)
        return counts.view(f"M8[{many}{unit}]"), as_nat
    return data.view(f"M8[{unit}]"), as_nat


def _text_array(c, values, rng):
    f = facts(c.kind)
    if not (f.is_text or f.is_bytes):
        return None
    some = [v for v in values if v is not None]
    longest = max(map(len, some), default=1)
    if longest * len(values) > 200_000:
        return None
    if f.is_bytes:
        if not f.n and any(v.endswith(b"\0") for v in some):
            return None
        return np.array(filled(values, lambda: rng.randbytes(longest)), f"S{f.n or max(1, longest)}")
    if any(v.endswith("\0") for v in some):
        return None
    return np.array(filled(values, lambda: "\ud800" * longest), f"U{max(1, longest + rng.randrange(2))}")


def laid_out(a, rng):
    """The same items elsewhere: steps, backwards, other byte order, in the middle of something, unaligned, read-only."""
    how = rng.randrange(8)
    n = len(a)
    if how == 1:
        step = rng.choice((2, 3))
        wide = np.repeat(a, step)
        wide[1::step] = wide[1::step][::-1]
        a = wide[::step]
    elif how == 2:
        a = a[::-1].copy()[::-1]
    elif how == 3 and a.dtype.itemsize > 1 and a.dtype.kind not in "SO":
        a = a.astype(a.dtype.newbyteorder())
    elif how == 4:
        table = np.empty((n, 3), a.dtype)
        table[:] = a[:, None][::-1]
        table[:, 1] = a
        a = table[:, 1]
    elif how == 5 and a.dtype.kind != "O":
        records = np.empty(n, [("x", "i1"), ("v", a.dtype), ("y", "i2")])
        records["v"] = a
        a = records["v"]
    elif how == 6:
        a = np.concatenate([a[::-1], a, a])[n : 2 * n]
    elif how == 7:
        a = a.copy()
        a.flags.writeable = False
    return a


def masked(a, values, rng):
    """A masked array where there are nulls, or in other ways none."""
    missing = np.array([v is None for v in values], bool)
    if not missing.any():
        return rng.choice((a, np.ma.array(a), np.ma.array(a, mask=missing)))
    if rng.random() < 0.5:
        return np.ma.array(a, mask=missing)
    wide = np.ma.array(np.repeat(a, 2), mask=np.repeat(missing, 2))
    wide.mask[1::2] = ~wide.mask[1::2]
    return wide[::2]


@way(COLUMNS)
def numpy_numbers(c, values, rng):
    a = _number_array(c, values, rng)
    return None if a is None else masked(laid_out(a, rng), values, rng)


@way(COLUMNS)
def numpy_instants(c, values, rng):
    a, as_nat = _instant_array(c, values, rng)
    return None if a is None else laid_out(a, rng) if as_nat else masked(laid_out(a, rng), values, rng)


@way(COLUMNS)
def numpy_text(c, values, rng):
    a = _text_array(c, values, rng)
    return None if a is None else masked(laid_out(a, rng), values, rng)


@way(COLUMNS)
def numpy_objects(c, values, rng):
    a = np.empty(len(values), object)
    a[:] = [forms(c.kind, v)[0] for v in values]
    return laid_out(a, rng) if rng.random() < 0.5 else masked(laid_out(a, rng), values, rng)


@way(COLUMNS)
def numpy_strings(c, values, rng):
    """StringDType, which has a null of its own."""
    if not facts(c.kind).is_text:
        return None
    t = np.dtypes.StringDType(na_object=None)
    return np.array(values, t) if rng.random() < 0.5 else np.array(values[::-1], t)[::-1]


@way(COLUMNS)
def numpy_broadcast(c, values, rng):
    if len({repr(v) for v in values}) != 1 or values[0] is None:
        return None
    a = _number_array(c, values[:1], rng)
    return None if a is None else np.broadcast_to(a[0], len(values))


@way(COLUMNS)
def array_interface(c, values, rng):
    """A library's own array."""
    a = None if None in values else _number_array(c, values, rng)
    if a is None:
        return None

    a = laid_out(a, rng)

    class Array:
        __array_interface__ = a.__array_interface__
        kept = a

        def __len__(self):
            return len(values)

    return Array()


# -- Arrow ------------------------------------------------------------------------------------------------------------------


def from_parts(t, values, buffers, rng):
    """An array of the type over these buffers, with nulls where the values have them."""
    valid = np.array([v is not None for v in values], bool)
    bits = None if valid.all() and rng.random() < 0.5 else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    return pa.Array.from_buffers(t, len(values), [bits, *buffers])


def numbers_of(t, dtype, values, garbage, rng):
    return from_parts(t, values, [pa.py_buffer(np.array(filled(values, garbage), dtype).tobytes())], rng)


def arrow_ints(t, values, rng):
    """Integers or what is stored as such; garbage of the whole width behind nulls."""
    width = t.bit_width
    return numbers_of(t, f"{'u' if pa.types.is_unsigned_integer(t) else 'i'}{width // 8}", values,
                    lambda: rng.getrandbits(width - 1), rng)  # fmt: skip


def _arrow_int_like(c, values, rng):
    ints = given_ints(c, values)
    name = c.kind if c.kind in INTS and rng.random() < 0.6 else ints is not None and int_type(ints, rng)
    return arrow_ints(getattr(pa, name)(), ints, rng) if name else None


def _arrow_bool(c, values, rng):
    return pa.array(values, pa.bool_())


def _arrow_float(c, values, rng):
    if rng.random() < 0.1:
        return _arrow_int_like(c, values, rng)
    name = rng.choice([t for t in FLOATS if FLOATS[t].size >= FLOATS[c.kind].size])
    t = {"float16": pa.float16(), "float32": pa.float32(), "float64": pa.float64()}[name]
    with np.errstate(over="ignore"):
        return numbers_of(t, name, values, lambda: rng.choice((math.nan, 1e300, -1.5)), rng)


def _arrow_instant(c, values, rng):
    f = facts(c.kind)
    if rng.random() < 0.15:
        return _arrow_int_like(c, values, rng)
    unit = rng.choice((*UNITS, *[f.stored_unit] * 3))
    found = in_unit(values, PER_SECOND[unit], PER_SECOND[f.stored_unit], low=-(2**63))
    zone = rng.choice(("UTC", "Europe/Berlin", "+05:45")) if f.utc else None
    return found and arrow_ints(pa.timestamp(unit, zone), found, rng)


def _arrow_time(c, values, rng):
    unit = rng.choice(UNITS)
    found = in_unit(values, PER_SECOND[unit], PER_SECOND[facts(c.kind).unit])
    return found and arrow_ints(pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit), found, rng)


def _arrow_date(c, values, rng):
    if rng.random() < 0.3:
        return arrow_ints(pa.date64(), [v and v * DAY * 1000 for v in values], rng)
    return arrow_ints(pa.date32(), values, rng)


def _arrow_decimal(c, values, rng):
    f = facts(c.kind)
    if rng.random() < 0.1:
        return _arrow_int_like(c, values, rng)
    # Another scale where that loses nothing, and any width that has the digits.
    scale = f.scale + rng.choice((0, 0, 0, 1, 5, -1, -f.scale))
    found = in_unit(values, 10 ** max(0, scale), 10**f.scale, -math.inf, math.inf) if scale >= 0 else None
    if found is None:
        scale, found = f.scale, values
    digits = max([len(str(abs(v))) for v in found if v is not None], default=1)
    kinds = [(pa.decimal32, 9, 4), (pa.decimal64, 18, 8), (pa.decimal128, 38, 16), (pa.decimal256, 76, 32)]
    make, most, width = rng.choice([k for k in kinds if k[1] >= max(digits, scale)])
    raw = b"".join((rng.randbytes(width) if v is None else v.to_bytes(width, "little", signed=True)) for v in found)
    return from_parts(make(rng.randint(max(digits, scale, 1), most), scale), found, [pa.py_buffer(raw)], rng)


def _arrow_spans(c, values, rng):
    """Text and bytes behind offsets of either width, as views, or of equal length."""
    f = facts(c.kind)
    raw = [v if v is None or f.is_bytes else v.encode() for v in values]
    parts = filled(raw, lambda: b"\xff\xfe"[: rng.randrange(3)])
    layouts = ["small", "large", "view"]
    lengths = {len(v) for v in raw if v is not None}
    if f.is_bytes and len(lengths) == 1 and 0 not in lengths:
        layouts += ["fixed"] * 2
    layout = rng.choice(layouts)
    if layout == "fixed":
        n = lengths.pop()
        data = b"".join(rng.randbytes(n) if v is None else v for v in raw)
        found = from_parts(pa.binary(n), raw, [pa.py_buffer(data)], rng)
        return pa.ExtensionArray.from_storage(pa.uuid(), found) if c.kind == "uuid" and rng.random() < 0.5 else found
    if layout == "view":
        # Values behind nulls are not garbage here: pyarrow makes views by itself.
        return pa.array(raw, pa.binary_view()) if f.is_bytes else pa.array(values, pa.string_view())
    before = rng.choice((b"", b"\xffbefore"))
    ends = np.cumsum([len(before), *map(len, parts)])
    t = {"small": (pa.binary(), pa.string()), "large": (pa.large_binary(), pa.large_string())}[layout][f.is_text]
    offsets = pa.py_buffer(ends.astype("i4" if layout == "small" else "i8").tobytes())
    found = from_parts(t, raw, [offsets, pa.py_buffer(before + b"".join(parts) + b"behind\xff")], rng)
    return pa.ExtensionArray.from_storage(pa.json_(t), found) if c.kind == "json" and rng.random() < 0.4 else found


def arrow_of(c, values, rng):
    """An array without a dictionary, run ends or chunks; None where the drawn type does not hold the values."""
    f = facts(c.kind)
    if values and all(v is None for v in values) and rng.random() < 0.3:
        return pa.nulls(len(values))
    make = {"bool": _arrow_bool, "int": _arrow_int_like, "timestamp": _arrow_instant, "time": _arrow_time, "date": _arrow_date,
            "decimal": _arrow_decimal, **dict.fromkeys(FLOATS, _arrow_float)}.get(f.base, _arrow_spans)  # fmt: skip
    return make(c, values, rng) if values else pa.array([], natural_type(c.kind))


@functools.lru_cache(maxsize=None)
def natural_type(kind):
    from value_readers import pyarrow_type

    f = facts(kind)
    if f.is_text:
        return pa.string()
    return pa.binary(16) if kind == "uuid" else pyarrow_type(kind)


def natural(c, values):
    """The plainest array."""
    f = facts(c.kind)
    t = natural_type(c.kind)
    if f.base == "decimal":
        return pa.array([None if v is None else decimal.Decimal(v).scaleb(-f.scale, EXACT) for v in values], t)
    if f.base in ("date", "time", "timestamp"):
        return pa.array(values, pa.int32() if t.bit_width == 32 else pa.int64()).cast(t)
    return pa.array([None if v is None else np.float16(v) for v in values], t) if c.kind == "float16" else pa.array(values, t)


def padded(make, values, rng):
    """A slice out of the middle of a longer array; `make` makes arrays of values, or None."""
    if not values:
        return make(values)
    before, behind = rng.randrange(11), rng.randrange(4)
    around = [[rng.choice(values) for _ in range(k)] for k in (before, behind)]
    a = make([*around[0], *values, *around[1]])
    return a if a is None else a.slice(before, len(values))


def no_layers(a):
    return a is None or isinstance(a.type, pa.BaseExtensionType) or pa.types.is_null(a.type)


def in_dictionary(make, values, rng):
    """Indexes of any width into a dictionary out of order, with entries twice, nulls and entries that are not used."""
    places = list(range(len(values)))
    rng.shuffle(places)
    at, first = {i: k for k, i in enumerate(places)}, {}
    index = []
    for i, v in enumerate(values):
        like = first.setdefault(repr(v), i) if rng.random() < 0.8 else i  # so that indexes repeat
        index.append(None if v is None and rng.random() < 0.5 else at[like])
    dictionary = padded(make, [values[i] for i in places], rng)
    if no_layers(dictionary) or not values:
        return make(values)
    t = rng.choice([t for t in INTS if len(values) - 1 <= facts(t).high])
    index = padded(lambda v: arrow_ints(getattr(pa, t)(), v, rng), index, rng)
    return pa.DictionaryArray.from_arrays(index, dictionary, safe=False)


def in_runs(make, values, rng):
    """Run-end encoded, of runs that are or are not as long as they could be, from somewhere in the first one on."""
    keys = list(map(repr, values))
    ends = [i + 1 for i in range(len(keys)) if i + 1 == len(keys) or keys[i] != keys[i + 1] or rng.random() < 0.1]
    runs = make([values[e - 1] for e in ends])
    if no_layers(runs) or not values:
        return make(values)
    cut = rng.randrange(50) if rng.random() < 0.5 else 0
    t = rng.choice((pa.int16(), pa.int32(), pa.int64()))
    children = [pa.array([cut + e for e in ends], t), runs]
    # Not by from_arrays, which checks what is in them.
    return pa.Array.from_buffers(pa.run_end_encoded(t, runs.type), cut + len(values), [None], children=children).slice(cut)


def one_array(c, values, rng):
    """An Arrow array of any form; None where the drawn type does not hold the values."""

    def make(some):
        return arrow_of(c, some, rng)

    def entries(some):
        return in_dictionary(make, some, rng)

    how = rng.randrange(8)
    if how == 1:
        return padded(make, values, rng)
    if how in (2, 3):
        return padded(entries, values, rng) if how == 3 else entries(values)
    return in_runs(entries if how == 4 else make, values, rng) if how in (4, 5) else make(values)


def cuts(n, rng, most=4):
    """Borders of pieces of n rows, empty ones among them."""
    return sorted([0, n, *(rng.randint(0, n) for _ in range(rng.randrange(most)))])


@way(COLUMNS)
def arrow_array(c, values, rng):
    return one_array(c, values, rng)


@way(COLUMNS)
def arrow_chunks(c, values, rng):
    a = one_array(c, values, rng)
    if a is None:
        return None
    borders = cuts(len(a), rng, 6)
    return pa.chunked_array([a.slice(i, k - i) for i, k in zip(borders, borders[1:])], a.type)


@way(COLUMNS)
def arrow_chunks_of_their_own(c, values, rng):
    """Each chunk has its own memory and its own dictionary, of one type."""
    borders = cuts(len(values), rng)
    pieces = [natural(c, values[i:k]) for i, k in zip(borders, borders[1:])]
    if rng.random() < 0.5 and c.kind != "float16":
        pieces = [p.dictionary_encode(null_encoding=rng.choice(("mask", "encode"))) for p in pieces]
    return pa.chunked_array(pieces)


# -- pandas and Polars ----------------------------------------------------------------------------------------------------


@way(COLUMNS)
def pandas_numpy(c, values, rng):
    """A Series over a numpy array, where NaN is a value; rows count, not the labels of its index."""
    a = _number_array(c, values, rng) if None not in values else None
    if a is None and not facts(c.kind).utc:
        a, as_nat = _instant_array(c, values, rng)
        if a is not None and (not as_nat and None in values or np.datetime_data(a.dtype) not in [(u, 1) for u in UNITS]):
            return None
    if a is None:
        return None
    if a.dtype == "f2":
        return None
    return pd.Series(laid_out(a, rng).astype(a.dtype.newbyteorder("=")), index=range(len(a), 0, -1))


@way(COLUMNS)
def pandas_objects(c, values, rng):
    return pd.Series([forms(c.kind, v)[0] for v in values], dtype=object, index=range(len(values), 0, -1))


@way(COLUMNS)
def pandas_nullable(c, values, rng):
    if c.kind in INTS:
        t = c.kind.replace("uint", "UInt").replace("int", "Int")
    elif c.kind in ("float32", "float64") and not any(v != v for v in values if v is not None):
        t = c.kind.replace("float", "Float")
    elif c.kind == "bool":
        t = "boolean"
    elif facts(c.kind).is_text:
        t = rng.choice(("str", "string", "category"))
        if t == "category" and not any(v is not None for v in values):
            return None
    else:
        return None
    return pd.Series(values, dtype=t)


@way(COLUMNS)
def pandas_arrow(c, values, rng):
    a = natural(c, values)
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([a.slice(0, len(a) // 2), a.slice(len(a) // 2)])))


@way(COLUMNS)
def pandas_instants(c, values, rng):
    """With a zone; far from the ends, where pandas would count beyond them."""
    f = facts(c.kind)
    if f.base != "timestamp" or not f.utc or not fits(values, -(2**61), 2**61):
        return None
    data = np.array([-(2**63) if v is None else v for v in values], "i8").view(f"M8[{f.stored_unit}]")
    return pd.Series(data).dt.tz_localize("UTC").dt.tz_convert(rng.choice(("UTC", "Asia/Kathmandu", "America/New_York")))


@way(COLUMNS)
def polars_series(c, values, rng):
    s = pl.Series("x", natural(c, values))
    how = rng.randrange(5)
    if how == 1:
        s = s.reverse().reverse()
    elif how == 2:
        k = rng.randint(0, len(values))
        s = s.slice(0, k).append(s.slice(k))
    elif how == 3 and facts(c.kind).is_text:
        s = s.cast(pl.Categorical)
    elif how == 4:
        s = pl.concat([s, s]).slice(len(values))
    return s


# -- tables -----------------------------------------------------------------------------------------------------------------


def _shuffled(columns, stored, rng):
    """Columns in any order; one of nulls only may be missing."""
    pairs = [(c, v) for c, v in zip(columns, stored) if not (c.optional and set(v) <= {None} and rng.random() < 0.3)]
    rng.shuffle(pairs)
    return pairs


def any_array(c, values, rng):
    for _ in range(6):
        if (a := one_array(c, values, rng)) is not None:
            return a
    return natural(c, values)


@way(ARROW)
def table(columns, stored, rng):
    """Chunks whose borders differ from column to column."""
    found = {}
    for c, values in _shuffled(columns, stored, rng):
        a = any_array(c, values, rng)
        borders = cuts(len(a), rng)
        found[c.name] = pa.chunked_array([a.slice(i, k - i) for i, k in zip(borders, borders[1:])], a.type)
    return pa.table(found) if found else None


@way(ARROW)
def sliced_table(columns, stored, rng):
    found = {c.name: natural(c, [*values[:3], *values, *values[:2]]) for c, values in _shuffled(columns, stored, rng)}
    return pa.table(found).slice(min(3, len(stored[0])), len(stored[0])) if found else None


@way(ARROW)
def batch(columns, stored, rng):
    found = {c.name: any_array(c, values, rng) for c, values in _shuffled(columns, stored, rng)}
    return pa.record_batch(found) if found else None


@way(ARROW)
def struct(columns, stored, rng):
    """A struct array with an offset of its own, over children with theirs."""
    pairs = _shuffled(columns, stored, rng)
    if not pairs:
        return None
    before = rng.randrange(4)
    arrays = [any_array(c, [*values[:1] * before, *values, *values[:1]], rng) for c, values in pairs]
    return pa.StructArray.from_arrays(arrays, [c.name for c, _ in pairs]).slice(before, len(stored[0]))


@way(ARROW)
def reader(columns, stored, rng):
    found = batch(columns, stored, rng)
    if not found:
        return None
    borders = cuts(found.num_rows, rng)
    pieces = [found.slice(i, k - i) for i, k in zip(borders, borders[1:])]
    return pa.RecordBatchReader.from_batches(found.schema, pieces)


@way(ARROW)
def polars_frame(columns, stored, rng):
    pairs = _shuffled(columns, stored, rng)
    return pl.DataFrame({c.name: polars_series(c, values, rng) for c, values in pairs}) if pairs else None


def _inferred(c, values, rng):
    """Objects whose Arrow type pandas finds out."""
    f = facts(c.kind)
    is_date = f.base == "date" and fits(values, -719_162, 2_932_896)
    if not (f.is_text or c.kind in ("binary", "bson") or f.base == "decimal" or is_date):
        return None
    return pd.Series([forms(c.kind, v)[0] for v in values], dtype=object)


@way(ARROW)
def pandas_frame(columns, stored, rng):
    found = {}
    for c, values in _shuffled(columns, stored, rng):
        has_nan = any(v is not None and v != v for v in values)
        choices = [pandas_arrow] if has_nan else [pandas_arrow, pandas_nullable, pandas_instants, pandas_numpy, _inferred]
        made = (make(c, values, rng) for make in rng.sample(choices, len(choices)))
        found[c.name] = next(s for s in made if s is not None).reset_index(drop=True)
    return pd.DataFrame(found) if found else None


@way(ARROW)
def duckdb_relation(columns, stored, rng):
    """Types that DuckDB has, within what it counts."""
    import duckdb

    for c, values in zip(columns, stored):
        f = facts(c.kind)
        if c.kind in ("float16", "time[ns]", "time[ns, UTC]") or f.utc and f.base == "time":
            return None
        if f.base == "timestamp" and not fits(values, -(2**53), 2**53):
            return None
    pairs = _shuffled(columns, stored, rng)
    if not pairs:
        return None
    found = pa.table({c.name: natural(c, values) for c, values in pairs})
    return duckdb.connect(config={"threads": 1}).from_arrow(found)


def any_column(c, values, rng):
    """(name of the way, the column)"""
    for name in rng.sample(list(COLUMNS), len(COLUMNS)):
        if (found := COLUMNS[name](c, values, rng)) is not None:
            return name, found
    raise AssertionError("a list holds anything")


def any_table(columns, stored, rng):
    for name in rng.sample(list(ARROW), len(ARROW)):
        if (found := ARROW[name](columns, stored, rng)) is not None:
            return name, found
    return None, None




def columns_of(columns, stored, rng):
    """A mapping for write_columns, one column at least with a length; those of nulls only may be missing."""
    found = {}
    for c, values in _shuffled(columns, stored, rng):
        found[c.name] = any_column(c, values, rng)
    if all(name == "a_constant" for name, _ in found.values()):
        c, values = columns[0], stored[0]
        found[c.name] = "a_list", a_list(c, values, rng)
    return {name: column for name, (_, column) in found.items()}
