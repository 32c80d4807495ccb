"""Columns from hostile or careless sources: Arrow structs that break their rules, producers that fail or call back, objects
that change what is being written, interrupts. Each gets an error that says what is wrong, leaves no trace and no memory.

The structs are made by hand (arrow_structs.py), so that this needs no library and runs under the sanitizers.
"""

import array
import collections
import gc
import io
import itertools
import numbers
import os
import random
import signal
import struct
import sys
import threading
import weakref

import arrow_structs as made
import ccpq
import model
import pytest
from arrow_structs import Column, Stream, batch, schema, table, texts
from test_leaks import NOISE, blocks_kept

L, U = (lambda: schema(b"l")), (lambda: schema(b"u"))


def i32(*v):
    return struct.pack(f"<{len(v)}i", *v)


def i64(*v):
    return struct.pack(f"<{len(v)}q", *v)


def ints(*values, **more):
    return made.numbers("q", values, **more)


def with_(s, **members):
    for name, value in members.items():
        setattr(s, name, value)
    return s


def written(kind, *calls, **options):
    """The bytes of a file of one column c: calls are lists of values, or functions of the writer."""
    f = io.BytesIO()
    with ccpq.Writer(f, {"c": kind}, **options) as w:
        for call in calls:
            call(w) if callable(call) else w.write_rows([(v,) for v in call])
    return f.getvalue()


def values(data):
    return model.read_table(data)["c"]


@pytest.fixture(autouse=True)
def nothing_stays_alive():
    """A struct that was given out has been released when a test ends, once; those that were never given are not counted."""
    made.release_all()
    yield
    gc.collect()
    given = made.given & set(made.alive)
    made.release_all()
    assert not given, f"{len(given)} structs were never released"


# -- arrays that break the rules --------------------------------------------------------------------------------------------


def coded(dictionary, *index, code="b", **more):
    return made.array(len(index), [None, struct.pack(f"<{len(index)}{code}", *index)], dictionary=dictionary, **more)


def view(size, buffer, at):
    return struct.pack("<i4sii", size, b"abcd", buffer, at)


def viewed(v, data=b"x" * 20, sizes=i64(20)):
    return made.array(1, [None, v, data, sizes])


def runs(ends, values_, n=4, children=None):
    return made.array(n, [], [made.numbers("i", ends), ints(*values_)] if children is None else children)


DICTIONARY, VIEWS = (lambda: schema(b"c", dictionary=U())), (lambda: schema(b"vu"))
RUNS = lambda: schema(b"+r", children=[schema(b"i"), L()])  # noqa: E731
FORMAT, ROW = ccpq.FormatError, ccpq.RowValueError

# name: (column type, schema, array, error, words)
BAD = {
    "length below zero": ("int64?", L, lambda: made.array(-1, [None, i64(1)]), FORMAT, "-1"),
    "length beyond memory": ("int64?", L, lambda: made.array(2**62, [None, i64(1)]), FORMAT, "4611686018427387904"),
    "offset beyond memory": ("int64?", L, lambda: ints(1, offset=2**62), FORMAT, "4611686018427387904"),
    "offset below zero": ("int64?", L, lambda: ints(1, offset=-1), FORMAT, "from -1 on"),
    "more nulls than slots": ("int64?", L, lambda: ints(1, null_count=2), FORMAT, "2 nulls in 1 slots"),
    "nulls without validity": ("int64?", L, lambda: ints(1, null_count=1), FORMAT, "validity"),
    "-2 nulls": ("int64?", L, lambda: ints(1, null_count=-2), FORMAT, "-2 nulls"),
    "no list of buffers": ("int64?", L, lambda: with_(ints(1), buffers=None), FORMAT, "list of buffers"),
    "one buffer": ("int64?", L, lambda: made.array(1, [i64(1)]), FORMAT, "1 buffers, its type has 2"),
    "-1 buffers": ("int64?", L, lambda: with_(ints(1), n_buffers=-1), FORMAT, "-1 buffers"),
    "no values": ("int64?", L, lambda: made.array(1, [None, None]), FORMAT, "buffer of values"),
    "a child": ("int64?", L, lambda: made.array(1, [None, i64(1)], [ints(1)]), FORMAT, "1 children"),
    "a dictionary": ("int64?", L, lambda: ints(1, dictionary=ints(1)), FORMAT, "dictionary"),
    "offsets go back": ("string?", U, lambda: made.array(2, [None, i32(0, 5, 3), b"hello"]), FORMAT, "from 0 to 5, of 3"),
    "the first offset below zero": ("string?", U, lambda: made.array(1, [None, i32(-4, 3), b"hello"]), FORMAT, "from -4 to 3"),
    "an offset below zero": ("string?", U, lambda: made.array(2, [None, i32(0, -3, 3), b"hello"]), FORMAT, "from 0 to -3"),
    "an offset beyond": ("string?", U, lambda: made.array(2, [None, i32(0, 2**30, 3), b"hello"]), FORMAT, "1073741824"),
    "no bytes": ("string?", U, lambda: made.array(1, [None, i32(0, 3), None]), FORMAT, "buffer of bytes"),
    "no offsets": ("string?", U, lambda: made.array(1, [None, None, b"abc"]), FORMAT, "buffer of values"),
    "not UTF-8": ("string?", U, lambda: texts([b"ok", b"a\xffb"]), ROW, "not UTF-8 at byte 1 of 3 (0xff)"),
    "a character over two texts": ("string?", U, lambda: texts([b"\xc3", b"\xbc"]), ROW, "not UTF-8 at byte 0 of 1"),
    "index beyond": ("string?", DICTIONARY, lambda: coded(texts([b"a"]), 0, 1), FORMAT, "index 1 into a dictionary of 1"),
    "index below zero": ("string?", DICTIONARY, lambda: coded(texts([b"a"]), 0, -1), FORMAT, "index -1"),
    "no dictionary": ("string?", DICTIONARY, lambda: coded(None, 0), FORMAT, "dictionary values"),
    "released dictionary": ("string?", DICTIONARY, lambda: coded(with_(texts([b"a"]), release=None), 0), FORMAT, "released"),
    "empty dictionary": ("string?", DICTIONARY, lambda: coded(texts([]), 0), FORMAT, "dictionary of 0 values"),
    "bad dictionary": ("string?", DICTIONARY, lambda: coded(made.array(2, [None, i32(0, 5, 3), b"hello"]), 0, 1), FORMAT, "0 to 5"),
    "view of no buffer": ("string?", VIEWS, lambda: viewed(view(20, 1, 0)), FORMAT, "buffer 1, which is not there"),
    "view of -1 bytes": ("string?", VIEWS, lambda: viewed(view(-1, 0, 0)), FORMAT, "view of -1 bytes"),
    "view at -1": ("string?", VIEWS, lambda: viewed(view(20, 0, -1)), FORMAT, "at -1"),
    "view beyond": ("string?", VIEWS, lambda: viewed(view(2**31 - 1, 0, 0)), FORMAT, "2147483647"),
    "buffer of -20 bytes": ("string?", VIEWS, lambda: viewed(view(20, 0, 0), sizes=i64(-20)), FORMAT, "view of 20"),
    "no sizes": ("string?", VIEWS, lambda: viewed(view(20, 0, 0), sizes=None), FORMAT, "buffer sizes"),
    "no such buffer": ("string?", VIEWS, lambda: viewed(view(20, 0, 0), data=None), FORMAT, "view of 20"),
    "run ends go back": ("int64?", RUNS, lambda: runs([3, 2, 4], [1, 2, 3]), FORMAT, "do not increase: 2 after 3"),
    "run ends are too few": ("int64?", RUNS, lambda: runs([1, 2], [1, 2]), FORMAT, "up to 2"),
    "runs without children": ("int64?", RUNS, lambda: runs([], [], children=[]), FORMAT, "0 children"),
    "more runs than values": ("int64?", RUNS, lambda: runs([2, 4], [1]), FORMAT, "2 run ends for 1 values"),
    "a run end below zero": ("int64?", RUNS, lambda: runs([-2, 4], [1, 2]), FORMAT, "-2"),
    "no format": ("int64?", lambda: schema(None), lambda: ints(1), FORMAT, "format string"),
    "format of a terminal": ("int64?", lambda: schema(b"\x1b[31mred\xff"), lambda: ints(1), FORMAT, "'?[31mred?'"),
    "format without end": ("int64?", lambda: schema(b"x" * 100_000), lambda: ints(1), FORMAT, "xxx..."),
    "-4 bytes": ("binary?", lambda: schema(b"w:-4"), lambda: ints(1), FORMAT, "w:-4"),
    "decimal of 999 digits": ("decimal(5, 2)?", lambda: schema(b"d:999,2"), lambda: ints(1), FORMAT, "d:999,2"),
    "-1 children": ("int64?", lambda: with_(L(), n_children=-1), lambda: ints(1), FORMAT, "-1 children"),
    "children of an integer": ("int64?", lambda: schema(b"l", children=[L()]), lambda: ints(1), FORMAT, "1 children"),
    "-1 pairs": ("int64?", lambda: schema(b"l", meta=i32(-1)), lambda: ints(1), FORMAT, "-1 pairs"),
    "a key of -5 bytes": ("int64?", lambda: schema(b"l", meta=i32(1, -5)), lambda: ints(1), FORMAT, "-5 bytes"),
    "a list": ("int64?", lambda: schema(b"+l", children=[L()]), lambda: ints(1), ccpq.UnsupportedError, "list"),
    "a duration": ("int64?", lambda: schema(b"tDu"), lambda: ints(1), ccpq.UnsupportedError, "duration"),
    "a private type": ("int64?", lambda: schema(b"_pli128"), lambda: ints(1), ccpq.UnsupportedError, "_pli128"),
    "dictionary in a dictionary": ("string?", lambda: schema(b"c", dictionary=DICTIONARY()), lambda: coded(texts([b"a"]), 0), ccpq.UnsupportedError, "dictionary too"),
}  # fmt: skip
ROUTES = {
    "array": lambda w, s, a: w.write_columns({"c": Column(s, a)}),
    "stream": lambda w, s, a: w.write_columns({"c": Stream(s, [a])}),
    "batch": lambda w, s, a: w.write_arrow(Stream(table(c=s), [batch(a, length=max(0, min(a.length, 9)))])),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", BAD)
def test_bad_arrays(name, route):
    kind, of_type, of_values, error, words = BAD[name]

    def refused(w):
        with pytest.raises(error) as info:
            ROUTES[route](w, of_type(), of_values())
        assert words in str(info.value) or (route == "batch" and "batch" in str(info.value))
        assert "'c'" in str(info.value) or route == "batch" or "schema" in str(info.value) or "children" in str(info.value)

    assert written(kind, [None], refused, [None]) == written(kind, [None, None])


BAD_BATCHES = {
    "too few children": (lambda: batch(length=1), "0 columns where its schema has 1"),
    "too many children": (lambda: batch(ints(1), ints(1)), "2 columns where its schema has 1"),
    "released child": (lambda: batch(with_(ints(1), release=None)), "released"),
    "no child": (lambda: batch(None, length=1), "released"),
    "no children": (lambda: with_(batch(ints(1)), children=None), "columns"),
    "rows that are null": (lambda: made.array(1, [b"\0"], [ints(1)], null_count=1), "null as a whole"),
    "rows that are null, not counted": (lambda: made.array(1, [b"\0"], [ints(1)], null_count=-1), "null as a whole"),
    "a child that is too short": (lambda: batch(ints(1, 2, 3), length=3, offset=1), "4 rows whose column 0 has 3"),
    "-1 rows": (lambda: batch(ints(1), length=-1), "-1 rows"),
    "rows without end": (lambda: batch(ints(1), length=2**63 - 1, offset=5), "9223372036854775807 rows"),
    "no buffers": (lambda: with_(batch(ints(1)), n_buffers=0), "0 buffers"),
}


@pytest.mark.parametrize("name", BAD_BATCHES)
def test_bad_batches(name):
    make, words = BAD_BATCHES[name]

    def refused(w):
        with pytest.raises(ccpq.FormatError) as info:
            w.write_arrow(Stream(table(c=L()), [batch(ints(7, 8)), make(), batch(ints(9))]))
        assert words in str(info.value)
        assert w.rows == 2, "the batch before stays"

    data = written("int64?", refused, [5])
    assert data == written("int64?", [7, 8, 5])
    for number in made.alive:
        made.given.discard(number)  # a child whose release was taken away


def test_text_of_every_batch_is_checked():
    def refused(w):
        with pytest.raises(ccpq.RowValueError, match=r"row 3 of this call \(row 3 of the file\), column 'c': .* not UTF-8") as info:
            w.write_arrow(Stream(table(c=U()), [batch(texts([b"a", b"b"])), batch(texts([b"c", b"\xff"])), batch(texts([b"d"]))]))
        assert (info.value.row, info.value.rows_written) == (3, 2)
        with pytest.raises(ccpq.RowValueError, match="row 2 of this call"):
            w.write_columns({"c": Stream(U(), [texts([b"a", b"b"]), texts([b"\xff"])])})

    assert values(written("string", refused, ["e"])) == ["a", "b", "e"]


def test_batches_of_a_struct_with_an_offset():
    data = written("int64", lambda w: w.write_arrow(Stream(table(c=L()), [batch(ints(*range(10)), length=3, offset=4)])))
    assert values(data) == [4, 5, 6]


# -- names ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [b"\xff", b"c\xff", b"c" * 100_000, b"", None, b"\x1b[31mC", "ü".encode() * 200], ids=lambda n: repr(n)[:20])
def test_names_that_no_column_has(name):
    def refused(w):
        with pytest.raises(ccpq.RowValueError, match="there is no column '.{0,80}[.']") as info:
            w.write_arrow(Stream(schema(b"+s", children=[schema(b"l", name)]), [batch(ints(1))]))
        assert len(str(info.value)) < 250 and "\x1b" not in str(info.value)
        for number in made.alive:
            made.given.discard(number)

    assert written("int64?", refused, [1]) == written("int64?", [1])
    data = written("int64?", lambda w: w.write_arrow(Stream(schema(b"+s", children=[schema(b"l", name)]), [batch(ints(1))])), extra="ignore")
    assert values(data) == [None]


@pytest.mark.parametrize("name", [b"\xff", b"c" * 100_000, b"", None], ids=lambda n: repr(n)[:20])
def test_names_that_no_schema_has(name):
    with pytest.raises(ccpq.SchemaError, match="name") as info:
        ccpq.schema(Stream(schema(b"+s", children=[schema(b"l", name)]), []))
    assert len(str(info.value)) < 250


def test_odd_tables():
    twice = lambda: schema(b"+s", children=[schema(b"l", b"c"), schema(b"l", b"c")])  # noqa: E731
    with ccpq.Writer(io.BytesIO(), {"c": "int64?"}) as w:
        with pytest.raises(ccpq.RowValueError, match="'c' is there twice"):
            w.write_arrow(Stream(twice(), []))
        with pytest.raises(ValueError, match="1099511627776 columns"):
            w.write_arrow(Stream(with_(table(c=L()), n_children=2**40), []))
        made.given.clear()  # a struct whose children are too many to be released
        assert w.write_arrow(Stream(schema(b"+s"), [batch(length=5), batch(length=0)])) == 5
        assert w.write_arrow(Stream(table(c=L()), [batch(ints()) for _ in range(300)])) == 0
        assert w.write_columns({"c": Stream(L(), [ints() for _ in range(300)])}) == 0
        assert w.rows == 5


# -- streams that fail ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("route", ["columns", "arrow"])
def test_a_stream_that_fails_at_the_kth_batch(k, route):
    def refused(w):
        items = [*([1, 2] for _ in range(k)), None]
        if route == "columns":
            data, call = Stream(L(), [ints(*v) if v else 5 for v in items], last_error=b"disk \xff on fire %s"), "write_columns"
        else:
            data, call = Stream(table(c=L()), [batch(ints(*v)) if v else 5 for v in items], last_error=b"disk \xff on fire %s"), "write_arrow"
        with pytest.raises(OSError, match="the Arrow stream failed to give its next batch: disk . on fire %s") as info:
            getattr(w, call)({"c": data} if route == "columns" else data)
        assert info.value.errno == 5

    kept = [1, 2] * k if route == "arrow" else []
    assert written("int64", [7], refused, [8]) == written("int64", [7, *kept, 8])


def test_streams_without_their_parts():
    with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:
        for missing in ("get_schema", "get_next"):
            with pytest.raises(ccpq.FormatError, match="without its functions"):
                w.write_arrow(Stream(table(c=L()), [], **{missing: None}))
        for silent in ({"get_last_error": None}, {"last_error": None}, {"last_error": b""}):
            with pytest.raises(OSError, match="its next batch: Input/output error"):
                w.write_arrow(Stream(table(c=L()), [5], **silent))
        with pytest.raises(OSError, match="failed to give its schema: no more"):
            w.write_arrow(Stream(2, []))
        with pytest.raises(ccpq.FormatError, match="released schema"):
            w.write_arrow(Stream(schema(b"+s", release=None), []))
        made.given.clear()
        assert w.rows == 0
        w.write_row((1,))


class Gives:
    """An exporter that gives whatever it holds."""

    def __init__(self, method, value):
        setattr(self, method, lambda: value)


def test_exporters_that_give_something_else():
    capsules = [made.capsule(schema(b"l"), b"arrow_schema"), made.capsule(ints(1), b"arrow_array")]
    with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:
        for bad in (None, 5, "x", [1] * 100_000, capsules[0], capsules[1]):
            for call in (w.write_arrow, lambda data: w.write_columns({"c": data})):
                with pytest.raises(TypeError, match="an Arrow capsule 'arrow_array_stream' is needed, not"):
                    call(Gives("__arrow_c_stream__", bad))
        for bad in (None, 5, (), (1,), (1, 2), (1, 2, 3), tuple(reversed(capsules)), capsules, (capsules[0], None), (capsules[0], 5)):
            for call in (w.write_arrow, lambda data: w.write_columns({"c": data})):
                with pytest.raises((TypeError, OSError, ValueError)) as info:
                    call(Gives("__arrow_c_array__", bad))
                assert "arrow" in str(info.value).lower(), bad
        assert w.write_columns({"c": Gives("__arrow_c_array__", tuple(capsules))}) == 1


def test_what_was_consumed_is_refused():
    data = Stream(L(), [ints(1)])
    stream, twice = Gives("__arrow_c_stream__", data.__arrow_c_stream__()), Gives("__arrow_c_array__", Column(L(), ints(2)).__arrow_c_array__())
    with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:
        for once, what in ((stream, "stream"), (twice, "schema")):
            assert w.write_columns({"c": once}) == 1
            with pytest.raises(ValueError, match=f"the Arrow {what} was consumed before"):
                w.write_columns({"c": once})
        with pytest.raises(ValueError, match="the Arrow stream was consumed before"):
            ccpq.schema(stream)


def test_a_stream_is_asked_for_its_schema_and_then_read():
    data = Stream(lambda: table(c=L()), [batch(ints(1, 2))])
    f = io.BytesIO()
    ccpq.write(f, data)
    assert values(f.getvalue()) == [1, 2]


# -- releases ---------------------------------------------------------------------------------------------------------------


def test_a_release_that_calls_the_writer():
    """It runs while an exception is on its way, which must arrive; what it raises itself goes to the unraisable hook."""
    seen, hooked = [], []
    hook, sys.unraisablehook = sys.unraisablehook, lambda u: hooked.append(u.exc_type)
    try:
        with ccpq.Writer(io.BytesIO(), {"c": "int8"}) as w:

            def on_release():
                seen.append(sys.exc_info())
                w.write_row((1,))

            def released(s):
                made.on_release[s.private_data] = on_release
                return s

            with pytest.raises(ccpq.RowOverflowError, match="300 does not fit int8"):
                w.write_arrow(Stream(table(c=L()), [released(batch(ints(1, 300)))]))
            assert w.write_arrow(Stream(table(c=L()), [released(batch(ints(1, 2)))])) == 2
            with pytest.raises(ccpq.RowOverflowError, match="300 does not fit int8"):
                w.write_columns({"c": Stream(L(), [released(ints(1, 300))])})
            assert w.rows == 2
    finally:
        sys.unraisablehook = hook
    assert seen == [(None, None, None)] * 3 and hooked == [RuntimeError] * 3


def test_a_release_that_needs_another_thread():
    """Whose work needs the interpreter: it waits for ever where the release is called with it."""
    with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:
        b, done = batch(ints(1)), []

        def on_release():
            t = threading.Thread(target=lambda: done.append(1))
            t.start()
            t.join(60)

        made.on_release[b.private_data] = on_release
        assert w.write_arrow(Stream(table(c=L()), [b])) == 1 and done == [1]


def test_calls_from_inside_of_a_stream():
    refusals = []
    with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:

        def item():
            for call in (lambda: w.write_row((1,)), w.close, w.abort, lambda: w.write_columns({"c": [1]}), lambda: w.flush_group(min_rows=0)):
                with pytest.raises(RuntimeError, match="one call at a time") as info:
                    call()
                refusals.append(info.type)
            return batch(ints(5))

        assert w.write_arrow(Stream(table(c=L()), [item, item])) == 2
        assert w.rows == 2 and len(refusals) == 10


# -- objects that change ----------------------------------------------------------------------------------------------------


@numbers.Integral.register
class Calls:
    """The number 7, which does something the first time."""

    def __init__(self, first):
        self.first = [first]

    def __index__(self):
        if self.first:
            self.first.pop()()
        return 7

    __int__ = __index__


@pytest.mark.parametrize("change", ["clear", "pop", "append", "insert", "replace"])
@pytest.mark.parametrize("at", [0, 1, 39_999])
def test_lists_that_change_while_they_are_written(change, at):
    column = list(range(40_000))
    do = {"clear": column.clear, "pop": column.pop, "append": lambda: column.append(5), "insert": lambda: column.insert(0, 5), "replace": lambda: column.__setitem__(slice(at, None), [1] * (40_000 - at))}
    column[at] = Calls(do[change])
    shrinks = change in ("clear", "pop") and at < 39_999

    def call(w):
        if not shrinks:
            assert w.write_columns({"c": column}) == 40_000
            return
        with pytest.raises(RuntimeError, match=r"column 'c': the list had 40000 items when write_columns\(\) began and has"):
            w.write_columns({"c": column})

    data = written("int64?", call, [5])
    assert len(values(data)) == (1 if shrinks else 40_001)


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_buffers_cannot_be_resized_while_they_are_written(names):
    integers, octets = array.array("q", [1, 2]), bytearray(b"ab")
    with ccpq.Writer(io.BytesIO(), {"a": "int64", "b": "int64"}) as w:
        for column, change in ((integers, lambda: integers.append(3)), (integers, integers.pop), (octets, lambda: octets.extend(b"c")), (octets, octets.clear)):
            with pytest.raises(BufferError):
                w.write_columns({names[0]: memoryview(column), names[1]: [Calls(change), 2]})
        integers.append(3)
        octets.extend(b"c")
        assert w.rows == 0


class Said(collections.abc.Sequence):
    """A sequence of any length that gives what a function says."""

    def __init__(self, n, give):
        self.n, self.give = n, give

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.give(i)


class Boom(BaseException):
    pass


def test_sequences_that_lie_and_raise():
    def boom(i):
        raise Boom

    with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:
        for column, error in [(Said(-1, int), ValueError), (Said("x", int), TypeError), (Said(2**70, int), OverflowError), (Said(3, boom), Boom),
                              (Said(2**62, [1, 2].__getitem__), IndexError), (Said(3, lambda i: w.close()), RuntimeError)]:  # fmt: skip
            with pytest.raises(error):
                w.write_columns({"c": column})
        assert w.rows == 0 and w.write_columns({"c": Said(3, int)}) == 3


def test_a_mapping_that_changes():
    columns = {"c": None}

    class Clears(Said):
        def __len__(self):
            columns.clear()
            return 3

    columns["c"] = Clears(3, int)
    assert values(written("int64", lambda w: w.write_columns(columns))) == [0, 1, 2]


class Sink:
    """`at_write` is called before each write."""

    def __init__(self, at_write):
        self.at_write, self.writes = at_write, 0

    def write(self, data):
        self.writes += 1
        self.at_write()
        return len(data)

    def finish(self):
        pass

    def abort(self):
        pass


def test_a_column_that_changes_after_it_was_checked():
    """Written in part already: nothing can be taken back, so the writer is done for, and says why."""
    column = array.array("q", list(random.Random(1).randbytes(400_000)))

    def spoil():
        column[-1] = 2**40

    w = ccpq.Writer(Sink(spoil), {"c": "uint8"}, row_group_size=20_000)
    with pytest.raises(RuntimeError, match="column 'c': its values were changed while they were written"):
        w.write_columns({"c": column})
    for call in (lambda: w.write_row((1,)), lambda: w.write_columns({"c": [1]}), w.close):
        with pytest.raises(RuntimeError, match="failed before and can only be aborted: its values were changed"):
            call()
    w.abort()


def test_a_sink_that_fails_in_the_middle():
    fails = itertools.count()

    def fail():
        if next(fails) == 2:
            raise Boom

    w = ccpq.Writer(Sink(fail), {"c": "int64"}, row_group_size=20_000)
    with pytest.raises(Boom):
        w.write_columns({"c": array.array("q", random.Random(1).randbytes(8 * 100_000))})
    with pytest.raises(RuntimeError, match="failed before and can only be aborted"):
        w.write_row((1,))
    w.abort()


# -- interrupts, processes, threads -----------------------------------------------------------------------------------------


@pytest.fixture
def alarms():
    """A KeyboardInterrupt at the next alarm once the list is not empty.

    Callbacks of the garbage collector (hypothesis has one) would swallow it: there is no collection meanwhile.
    """
    on = []

    def ring(*_):
        if on:
            on.clear()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ring)
    gc.collect()
    gc.disable()
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    yield on
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    gc.enable()


ENDLESS = 2**40


def endless_nulls():
    return made.array(ENDLESS, null_count=ENDLESS)


@pytest.mark.parametrize("case", ["sequence", "ramp", "many columns", "array", "stream", "batch"])
def test_ctrl_c_before_anything_is_written(case, alarms):
    """While columns are converted and checked, wherever they are from: the writer is as before."""
    wide = {f"c{i}": "float64" for i in range(3000)}
    f = io.BytesIO()
    with ccpq.Writer(f, wide if case == "many columns" else {"c": "int64?"}, memory_limit="256MiB") as w:
        call, data = {
            "sequence": lambda: (w.write_columns, {"c": (1, 2, 3) * 5_000_000}),
            "ramp": lambda: (w.write_columns, {"c": range(ENDLESS)}),
            "many columns": lambda: (w.write_columns, dict.fromkeys(wide, [1.0] * 1_000_000)),
            "array": lambda: (w.write_columns, {"c": Column(schema(b"n"), endless_nulls())}),
            "stream": lambda: (w.write_columns, {"c": Stream(schema(b"n"), [endless_nulls()])}),
            "batch": lambda: (w.write_arrow, Stream(table(c=schema(b"n")), [batch(endless_nulls())])),
        }[case]()
        try:
            with pytest.raises(KeyboardInterrupt):
                alarms.append(1)
                call(data)
        finally:
            alarms.clear()
        assert w.rows == 0
        w.write_row((5.0,) * 3000 if case == "many columns" else (5,))
    assert case == "many columns" or values(f.getvalue()) == [5]


def test_ctrl_c_in_the_middle_of_writing(alarms):
    """All or nothing cannot be kept: the writer can only be aborted, and says that it was interrupted."""
    begun = []

    def begin():
        if not begun:
            begun.append(1)
            alarms.append(1)

    w = ccpq.Writer(Sink(begin), {"c": "int64", "d": "int64"}, row_group_size=20_000)
    try:
        with pytest.raises(KeyboardInterrupt):
            w.write_columns({"c": array.array("q", random.Random(1).randbytes(8 * 100_000)) * 100, "d": range(10_000_000)})
    finally:
        alarms.clear()
    for again in (lambda: w.write_columns({"c": [1], "d": [1]}), w.close):
        with pytest.raises(RuntimeError, match="failed before and can only be aborted"):
            again()
    w.abort()


def test_ctrl_c_inside_of_a_reader_over_python_objects():
    """pyarrow has only text for what an iterator raised."""
    pa = pytest.importorskip("pyarrow")
    of = pa.schema([("c", pa.int64())])

    def batches(error):
        yield pa.record_batch([pa.array([1, 2])], schema=of)
        raise error

    for error, expected in [(KeyboardInterrupt(), KeyboardInterrupt), (KeyboardInterrupt("now"), KeyboardInterrupt), (ValueError("KeyboardInterrupt"), OSError),
                            (ValueError("a\nKeyboardInterrupts"), OSError)]:  # fmt: skip
        with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:
            with pytest.raises(expected):
                w.write_arrow(pa.RecordBatchReader.from_batches(of, batches(error)))
            assert w.rows == 2
            w.write_row((3,))


def test_objects_of_polars_are_not_their_addresses():
    pl = pytest.importorskip("polars")
    column = pl.Series("c", [b"ab", None, b"c"], dtype=pl.Object)
    assert values(written("binary?", lambda w: w.write_columns({"c": column}))) == [b"ab", None, b"c"]
    with ccpq.Writer(io.BytesIO(), {"c": "binary?"}) as w:
        with pytest.raises(TypeError, match=r"columns of Python objects.*write_columns\(frame.to_dict\(\)\)"):
            w.write_arrow(column.to_frame())
        with pytest.raises(ccpq.RowTypeError, match="row 0 of this call"):
            w.write_columns({"c": pl.Series([object()], dtype=pl.Object)})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_inside_of_a_value():
    """The child owns nothing; the parent goes on."""
    f, children = io.BytesIO(), []
    with ccpq.Writer(f, {"c": "int64"}) as w:
        try:
            w.write_columns({"c": [1, Calls(lambda: children.append(os.fork())), 3]})
        except RuntimeError as e:
            if children == [0]:
                os._exit(0 if "forked" in str(e) else 1)
            raise
        if children == [0]:
            os._exit(2)
    assert os.waitpid(children[0], 0)[1] == 0
    assert values(f.getvalue()) == [1, 7, 3]


def test_other_threads_are_refused_and_may_look():
    begun, looked, seen = threading.Event(), threading.Event(), []

    def other():
        begun.wait(60)
        for call in (lambda: w.write_row((1,)), lambda: w.write_columns({"c": [1]}), lambda: w.write_arrow(Stream(table(c=L()), [])), w.close, w.abort):
            try:
                call()
            except RuntimeError as e:
                seen.append("one call at a time" in str(e))
        seen.append((w.rows, w.closed, repr(w)[:12]))
        looked.set()

    def give(i):
        if i == 100:
            begun.set()
            looked.wait(60)
        return i

    with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:
        t = threading.Thread(target=other)
        t.start()
        assert w.write_columns({"c": Said(200, give)}) == 200
        t.join(60)
        assert seen == [True] * 5 + [(0, False, "<ccpq.Writer")] and w.rows == 200
    made.given.clear()  # the stream that was never asked


# -- memory -----------------------------------------------------------------------------------------------------------------


def least(fields):
    with pytest.raises(ccpq.BudgetError) as info:
        ccpq.Writer(io.BytesIO(), fields, memory_limit=1)
    return info.value.needed


def test_a_column_in_too_many_batches():
    """The list of them is memory of the writer; one by one they need none."""
    f = io.BytesIO()
    with ccpq.Writer(f, {"c": "int64"}, memory_limit=least({"c": "int64"})) as w:
        with pytest.raises(ccpq.BudgetError, match="a column in more than .* Arrow batches: .* combine them, or use write_arrow"):
            w.write_columns({"c": Stream(L(), (ints(i) for i in range(20_000)))})
        assert w.rows == 0
        for number in list(made.alive):
            made.given.discard(number)
        assert w.write_arrow(Stream(table(c=L()), (batch(ints(i)) for i in range(3000)))) == 3000
        assert w.write_columns({"c": Stream(L(), (ints(i) for i in range(200)))}) == 200
        assert w.memory.peak <= w.memory.limit
    assert values(f.getvalue()) == [*range(3000), *range(200)]


def test_wide_columns_at_the_least_memory():
    """Every kind of source, many columns: what describes them is counted too."""
    kinds = ("int64", "float32?", "string?", "string", "timestamp[us, UTC]", "binary")
    columns_ = [
        lambda: array.array("q", range(50)), lambda: [0.5, None] * 25, lambda: [None, "x"] * 25,
        lambda: Stream(U(), [texts([b"abc"] * 30), texts([b""] * 20)]), lambda: range(50), lambda: b"y" * 40,
    ]  # fmt: skip
    fields = {f"c{i}": kinds[i % 6] for i in range(402)}
    limit, f, by_rows = least(fields), io.BytesIO(), io.BytesIO()
    with ccpq.Writer(f, fields, memory_limit=limit) as w:
        for _ in range(5):
            assert w.write_columns({name: columns_[i % 6]() for i, name in enumerate(fields)}) == 50
        assert w.memory.peak <= limit
    with ccpq.Writer(by_rows, fields, memory_limit=limit) as w:
        for i in range(250):
            w.write_row((i % 50, None if i % 2 else 0.5, "x" if i % 2 else None, "abc" if i % 50 < 30 else "", i % 50, b"y" * 40) * 67)
    assert f.getvalue() == by_rows.getvalue()


@pytest.mark.parametrize("chars", [10, 5000, 300_000])
def test_texts_of_wide_items(chars):
    np = pytest.importorskip("numpy")
    column = np.zeros(max(3, 600_000 // chars), f"U{chars}")
    column[:] = "short"
    column[1] = "y" * min(chars, 100_000)
    fields = {"a": "string", "b": "string"}
    rows = [(str(v), "x") for v in column]
    for others in ("x", ["x"] * len(column)):
        f, by_rows = io.BytesIO(), io.BytesIO()
        with ccpq.Writer(f, fields, memory_limit="16MiB") as w:
            w.write_columns({"a": column, "b": others})
            assert w.memory.peak <= w.memory.limit
        with ccpq.Writer(by_rows, fields, memory_limit="16MiB") as w:
            w.write_rows(rows)
        assert f.getvalue() == by_rows.getvalue()


def test_texts_that_are_too_wide_are_a_rows_error():
    np = pytest.importorskip("numpy")
    column = np.array(["a", "b", "z" * 900_000])
    with ccpq.Writer(io.BytesIO(), {"a": "string", "b": "string"}, memory_limit=least({"a": "string", "b": "string"})) as w:
        for others in ("x", ["x"] * 3):
            with pytest.raises(ccpq.RowValueError, match=r"row 2 of this call .*\blarger than the memory limit allows"):
                w.write_columns({"a": column, "b": others})
        assert w.rows == 0
        w.write_row(("a", "b"))


@pytest.mark.parametrize("n", [16_383, 16_384, 16_385, 32_769])
def test_chunk_borders(n):
    """Rows pass in chunks of 16,384: the same bytes wherever they begin and end."""
    given = [None if i % 1000 in (383, 384, 385) else i // 7 for i in range(n)]
    whole = written("int64?", given)
    nulls = bytearray(b"\xff" * (n // 8 + 1))
    for i, v in enumerate(given):
        if v is None:
            nulls[i // 8] &= ~(1 << i % 8)

    def slots(a, b):
        return made.array(b - a, [bytes(nulls), i64(*[v or 0 for v in given])], offset=a, null_count=-1)

    for cuts in ([0, n], [0, 1, n], [0, 16_383, n], [0, 5000, min(n, 16_384), n]):
        parts = list(itertools.pairwise(cuts))
        assert written("int64?", lambda w, p=parts: w.write_columns({"c": Stream(L(), [slots(*x) for x in p])})) == whole
        assert written("int64?", lambda w, p=parts: w.write_arrow(Stream(table(c=L()), [batch(slots(*x)) for x in p]))) == whole
        assert written("int64?", lambda w, p=parts: [w.write_columns({"c": given[a:b]}) for a, b in p]) == whole


# -- leaks ------------------------------------------------------------------------------------------------------------------


def call(method, data, **fields):
    with ccpq.Writer(Sink(lambda: None), {"c": "int8", **fields}) as w:
        getattr(w, method)(data)


def columns(column):
    call("write_columns", {"c": column, "d": "x"}, d="string?")


def arrow(s, *items, **members):
    call("write_arrow", Stream(table(c=s), items, **members))


def raises():
    raise ZeroDivisionError


LEAKS = {
    "value of a list": lambda: columns([1, 2, 300]),
    "value of another type": lambda: columns([1, "x"]),
    "__index__ raises": lambda: columns([1, Calls(raises)]),
    "__getitem__ raises": lambda: columns(Said(3, lambda i: raises())),
    "constant": lambda: columns("x"),
    "constant beside a list": lambda: call("write_columns", {"c": 300, "d": [1]}, d="int8"),
    "value of a buffer": lambda: columns(array.array("q", [1, 300])),
    "type of a buffer": lambda: columns(array.array("d", [1.0])),
    "buffer of two dimensions": lambda: columns(memoryview(bytes(4)).cast("B", (2, 2))),
    "length": lambda: call("write_columns", {"c": [1, 2], "d": Stream(L(), [ints(1)])}, d="int8"),
    "range": lambda: columns(range(1000)),
    "unknown column": lambda: call("write_columns", {"c": [1], "e": [1]}),
    "no array": lambda: columns(Gives("__arrow_c_array__", 5)),
    "no stream": lambda: columns(Gives("__arrow_c_stream__", None)),
    "Arrow value": lambda: columns(Column(L(), ints(1, 300))),
    "Arrow type": lambda: columns(Column(U(), texts([b"a"]))),
    "Arrow array": lambda: columns(Stream(L(), [ints(1), ints(1, null_count=5)])),
    "Arrow stream": lambda: columns(Stream(L(), [ints(1), 5])),
    "Arrow schema": lambda: columns(Stream(2, [])),
    "batch": lambda: arrow(L(), batch(ints(1)), batch(ints(300))),
    "batch of a type": lambda: arrow(U(), batch(texts([b"a"]))),
    "batch of a length": lambda: arrow(L(), batch(ints(1), length=3)),
    "batch that fails": lambda: arrow(L(), batch(ints(1)), 5),
    "table without functions": lambda: arrow(L(), get_next=None),
    "table of one column": lambda: call("write_arrow", Stream(L(), [ints(1)])),
    "name": lambda: call("write_arrow", Stream(table(d=L()), [])),
}


@pytest.mark.parametrize("name", LEAKS)
def test_refused_columns_leak_nothing(name):
    def refused():
        try:
            LEAKS[name]()
        except ZeroDivisionError as e:
            raise ValueError from e
        finally:
            made.release_all()

    assert blocks_kept(refused) < NOISE


def test_sources_are_let_go():
    class Kept(list):
        pass

    class Buffer(array.array):
        pass

    good, bad = Kept([1, 2]), Kept([1, 300])
    numbers_ = Buffer("q", [1, 2])
    dead = [weakref.ref(x) for x in (good, bad, numbers_)]
    with ccpq.Writer(io.BytesIO(), {"c": "int8", "d": "int64"}) as w:
        w.write_columns({"c": good, "d": numbers_})
        with pytest.raises(ccpq.RowOverflowError) as info:
            w.write_columns({"c": bad, "d": numbers_})
        numbers_.append(3)
        del good, bad, numbers_, info
        gc.collect()
        assert [d() for d in dead] == [None] * 3


# -- the core's own door ----------------------------------------------------------------------------------------------------


def test_the_core_checks_what_the_package_gives_it():
    with ccpq.Writer(io.BytesIO(), {"c": "int64"}) as w:
        core = w._core
        for bad in (5, [], [()], [(1,)], [(1, 2)], [5], [("buffer", 5)], [("buffer", bytes(8), "odd", "", 1, False, None)],
                    [("buffer", memoryview(bytes(8)).cast("q"), "datetime64", "odd", 1, False, None)], [("range", 5)], [("objects", 5)], [("arrow_array", 5)],
                    [("arrow_stream", 5)], [("const", 5), ("const", 6)], [("buffer", memoryview(bytes(8)).cast("q"), "int", "", 1, False, b"")],
                    [("buffer", memoryview(bytes(6)), "float", "", 1, False, None)], [("buffer", memoryview(bytes(6)), "text", "", 1, False, None)]):  # fmt: skip
            with pytest.raises((TypeError, ValueError)):
                core.write_columns(bad)
        for bad in ((), (1,), (1, 2), (None, None, False), (5, None, False)):
            with pytest.raises(TypeError):
                core.write_arrow(*bad)
        assert w.rows == 0
