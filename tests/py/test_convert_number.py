"""float16 as rows: every half is kept, and what lies between two is rounded once, ties to even, as struct does it."""

import math
import random
import struct

import ccpq
import model
import pytest
from api_readback import need, refused, write

HALVES = [struct.unpack("<e", struct.pack("<H", bits))[0] for bits in range(65536)]


def bits_of(*values):
    """The two bytes that are stored for each value, as ints."""
    found = model.read_table(write({"c": "float16"}, [(v,) for v in values]))["c"]
    return [struct.unpack("<H", struct.pack("<e", v))[0] for v in found]


def test_every_half_is_itself():
    assert bits_of(*HALVES) == [struct.unpack("<H", struct.pack("<e", v))[0] for v in HALVES]


def test_ties_go_to_the_even_half():
    finite = sorted({v for v in HALVES if math.isfinite(v)})
    between = [(a + b) / 2 for a, b in zip(finite, finite[1:])]
    values = [w for v in between for w in (v, math.nextafter(v, math.inf), math.nextafter(v, -math.inf))]
    assert bits_of(*values) == [struct.unpack("<H", struct.pack("<e", v))[0] for v in values]


def test_any_double():
    rng = random.Random(5)
    values = [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(5000)] + [rng.gauss(0, 10 ** rng.uniform(-9, 5)) for _ in range(5000)]
    values += [0.0, -0.0, 5e-324, 2.0**-25, 2.0**-24, 2.0**-14, 65504.0, 65519.999999999, -65519.999999999, math.inf, -math.inf]
    taken = []
    for v in values:
        try:
            struct.pack("<e", v)
        except OverflowError:
            if len(taken) % 50 == 0 or abs(v) < 1e6:
                refused("float16", v, ccpq.RowOverflowError, f"{v!r} does not fit float16 (at most 65504 in magnitude)")
        else:
            taken.append(v)
    taken = [v for v in taken if v == v]
    assert len(taken) > 4000
    assert bits_of(*taken) == [struct.unpack("<H", struct.pack("<e", v))[0] for v in taken]


@pytest.mark.parametrize("bad", [65520.0, -65520.0, 1e9, 65520, 2**17, -1e300])
def test_what_would_be_infinite(bad):
    refused("float16", bad, ccpq.RowOverflowError, "does not fit float16 (at most 65504 in magnitude)")


def test_numpy():
    np = need("numpy")
    values = [np.float16(1.5), np.float32(0.1), np.float64(-2.5), np.int8(7), np.uint16(2049)]
    assert bits_of(*values) == [int(np.float16(v).view(np.uint16)) for v in values]
    refused("float16", np.float32(1e6), ccpq.RowOverflowError, "does not fit float16")
    refused("float16", np.longdouble(1), ccpq.RowTypeError, "in a float16 column")
