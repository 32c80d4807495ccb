"""What a row may be beyond tuples and dicts: classes that name their fields, rows of databases, `extra="ignore"`.

The oracle is always the same rows as tuples in schema order: equal rows give equal bytes. Values are in test_rows.py.
"""

import collections
import collections.abc
import dataclasses
import gc
import io
import itertools
import random
import sqlite3
import sys
import typing
import weakref

import ccpq
import model
import pytest
from test_leaks import NOISE, blocks_kept

ABC = {"a": "int32", "b": "string?", "c": "float64?"}
ROW = (1, "x", 0.5)
ROWS = [(i, None if i % 3 == 0 else f"s{i % 7}", None if i % 5 == 0 else i / 2) for i in range(60)]


def write(rows, schema=ABC, method="write_rows", columns=None, **options):
    f = io.BytesIO()
    with ccpq.Writer(f, schema, compression="none", **options) as w:
        getattr(w, method)(rows, columns=columns)
    return f.getvalue()


def refused(rows, cls=ccpq.RowValueError, words="", schema=ABC, **options):
    with pytest.raises(cls) as info:
        write(rows, schema, **options)
    assert words in str(info.value)
    return info.value


# -- classes that name their fields -----------------------------------------------------------------------------------


@dataclasses.dataclass
class Plain:
    a: int
    b: str | None
    c: float | None


@dataclasses.dataclass(slots=True, frozen=True)
class Slots:
    c: float | None
    a: int
    b: str | None


class Named(typing.NamedTuple):
    b: str | None
    c: float | None
    a: int


class Older(collections.namedtuple("Older", "c a b")):
    __slots__ = ()


@dataclasses.dataclass
class Base:
    b: str | None


@dataclasses.dataclass
class Derived(Base):
    a: int = 0
    c: float | None = None
    count: typing.ClassVar[int] = 5
    start: dataclasses.InitVar[int] = 0

    @property
    def d(self):
        raise AssertionError


@dataclasses.dataclass
class Computed:
    b: str | None
    c: float | None
    number: dataclasses.InitVar[int]
    a: int = dataclasses.field(init=False)

    def __post_init__(self, number):
        self.a = number


class Fields:
    """Names by class, values as attributes, no sequence."""

    _fields = ["b", "a", "c"]

    def __init__(self, a, b, c):
        self.a, self.b, self.c = a, b, c


class Record(collections.abc.Sequence):
    """A database's row: a sequence whose names are its own."""

    def __init__(self, **values):
        self.values = list(values.values())
        self._fields = tuple(values)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, i):
        return self.values[i]

    def count(self, _):
        raise AssertionError


class Spark(tuple):
    """A tuple whose names are its own."""

    def __new__(cls, **values):
        self = tuple.__new__(cls, values.values())
        self.__fields__ = list(values)
        return self


class Lazy:
    """Attributes that exist when they are asked for."""

    _fields = ("a", "b", "c")

    def __init__(self, *values):
        self.values = values

    def __getattr__(self, name):
        return self.values["abc".index(name)]


def attrs_class(**options):
    attr = pytest.importorskip("attr")
    made = attr.make_class("Attrs", {"b": attr.ib(), "a": attr.ib(), "c": attr.ib()}, **options)
    return lambda a, b, c: made(a=a, b=b, c=c)


def msgspec_class():
    msgspec = pytest.importorskip("msgspec")
    made = msgspec.defstruct("Struct", [("c", float | None), ("a", int), ("b", str | None)], rename="upper")
    return lambda a, b, c: made(a=a, b=b, c=c)


def pydantic_class():
    pydantic = pytest.importorskip("pydantic")
    made = pydantic.create_model("Model", b=(str | None, ...), a=(int, pydantic.Field(alias="A")), c=(float | None, ...))
    return lambda a, b, c: made(A=a, b=b, c=c)


SHAPES = {
    "dataclass": lambda: Plain,
    "slots": lambda: lambda a, b, c: Slots(c, a, b),
    "NamedTuple": lambda: lambda a, b, c: Named(b, c, a),
    "namedtuple": lambda: lambda a, b, c: Older(c, a, b),
    "inherited": lambda: lambda a, b, c: Derived(b, a, c),
    "init=False": lambda: lambda a, b, c: Computed(b, c, a),
    "_fields": lambda: Fields,
    "_fields of the row": lambda: lambda a, b, c: Record(c=c, b=b, a=a),
    "__fields__ of the row": lambda: lambda a, b, c: Spark(b=b, c=c, a=a),
    "__getattr__": lambda: Lazy,
    "attrs": lambda: attrs_class(slots=False),
    "attrs slots": lambda: attrs_class(slots=True, frozen=True),
    "msgspec": msgspec_class,
    "pydantic": pydantic_class,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_fields_go_to_their_columns(shape):
    make = SHAPES[shape]()
    expect = write(ROWS)
    assert write([make(*r) for r in ROWS]) == expect
    assert write((make(*r) for r in ROWS), method="write_group") == expect
    f = io.BytesIO()
    with ccpq.Writer(f, ABC, compression="none") as w:
        for r in ROWS:
            w.write_row(make(*r))
    assert f.getvalue() == expect
    model.validate(f.getvalue())


def test_shapes_may_alternate():
    """More classes than are remembered at a time, and several of one name."""
    makers = [SHAPES[s]() for s in SHAPES if s not in ("attrs", "attrs slots", "msgspec", "pydantic")]
    makers += [lambda *r: r, lambda *r: list(r), lambda *r: dict(zip("abc", r))]
    for k in range(6):
        named = collections.namedtuple("Same", itertools.islice(itertools.permutations("abc"), k, k + 1).__next__())
        makers.append(lambda a, b, c, named=named: named(a=a, b=b, c=c))
    r = random.Random(4)
    for _ in range(3):
        r.shuffle(makers)
        assert write([makers[i % len(makers)](*row) for i, row in enumerate(ROWS)]) == write(ROWS)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_value_that_is_refused_is_named(shape):
    make = SHAPES[shape]()
    good, bad = make(*ROW), make(*ROW)
    if shape == "slots":
        bad = Slots(0.5, 2**40, "x")
    elif isinstance(bad, tuple):
        bad = type(bad)(a=2**40, b="x", c=0.5)
    elif shape in ("_fields of the row", "__getattr__"):
        bad.values = [0.5, "x", 2**40] if shape == "_fields of the row" else (2**40, "x", 0.5)
    elif shape == "msgspec":
        bad.a = 2**40
    else:
        object.__setattr__(bad, "a", 2**40)
    e = refused([good, bad, good], ccpq.RowOverflowError, "does not fit int32")
    assert (e.row, e.column, e.value) == (1, "a", 2**40)


def test_an_optional_field_that_the_class_has_not_is_null():
    Short = dataclasses.make_dataclass("Short", ["c", "a"])
    Pair = collections.namedtuple("Pair", "c a")
    expect = write([(1, None, 0.5)] * 3)
    assert write([Short(0.5, 1), Pair(0.5, 1), Record(c=0.5, a=1)]) == expect
    Other = dataclasses.make_dataclass("Other", ["b"])
    for row in (Other("x"), collections.namedtuple("P", "b")("x"), Record(b="x"), Spark(b="x")):
        e = refused([ROW, row], words="the required column 'a' is missing; declare it 'int32?' to allow nulls")
        assert (e.row, e.column, e.value) == (1, None, row)


def test_extra_fields():
    Wide = dataclasses.make_dataclass("Wide", ["a", "b", "c", "value_x"])
    Long = collections.namedtuple("Long", "value_x a b c")
    rows = [Wide(*ROW, object()), Long(object(), *ROW), Record(a=1, b="x", c=0.5, value_x=object()), Spark(value_x=object(), a=1, b="x", c=0.5)]
    for row in rows:
        e = refused([row], words="there is no column 'value_x'; extra='ignore' leaves it out")
        assert (e.column, e.value) == (None, row)
    assert write(rows, extra="ignore") == write([ROW] * 4)
    refused([dataclasses.make_dataclass("T", ["a", "vlaue"])(1, 2)], words="no column 'vlaue', did you mean 'value'", schema={"a": "int8", "value": "int8?"})
    refused([dataclasses.make_dataclass("T", ["b", "d"])(1, 2)], words="the required column 'a' is missing", extra="ignore")


def test_a_model_that_may_have_more_fields_than_its_class():
    pydantic = pytest.importorskip("pydantic")
    loose = pydantic.create_model("Loose", a=(int, ...), __config__=pydantic.ConfigDict(extra="allow"))
    for row in (loose(a=1), loose(a=1, b="x")):
        with pytest.raises(TypeError, match=r"may have fields that the class does not name .*row\.model_dump\(\)"):
            write([ROW, row])
        assert write([row.model_dump()]) == write([(1, getattr(row, "b", None), None)])


def test_an_extra_field_is_not_read():
    class Wide:
        _fields = ("a", "extra")
        a = 1

        @property
        def extra(self):
            raise AssertionError

    assert write([Wide()], {"a": "int8"}, extra="ignore") == write([(1,)], {"a": "int8"})


def test_names_that_cannot_be():
    twice = Record(a=1, b="x")
    twice._fields = ("a", "a")
    refused([twice], words="column 'a' is given twice")
    for names in ((1, 2), ("a", None)):
        odd = Record(a=1, b="x")
        odd._fields = names
        with pytest.raises(TypeError, match="the name of a field is a str"):
            write([odd])
    short = Record(a=1, b="x", c=0.5)
    short.values.pop()
    refused([short], words="2 values in the row, 3 are needed")


# -- missing attributes -----------------------------------------------------------------------------------------------


def test_an_attribute_that_is_not_there():
    row = Plain(*ROW)
    del row.b
    assert write([row]) == write([(1, None, 0.5)])
    del row.a
    e = refused([ROW, row], words="column 'a': the attribute is missing; declare the column 'int32?' to allow that")
    assert (e.row, e.column) == (1, "a")
    empty = Slots.__new__(Slots)
    assert write([empty], {"a": "int8?", "b": "string?", "c": "float32?"}) == write([(None,) * 3], {"a": "int8?", "b": "string?", "c": "float32?"})


def test_another_attribute_error_is_not_taken_for_a_null():
    @dataclasses.dataclass
    class Sensor:
        a: int
        b: object = dataclasses.field(init=False, default=None)

    def read(self):
        return self.device.name

    Sensor.b = property(read, lambda self, v: None)
    with pytest.raises(AttributeError, match="device") as info:
        write([Sensor(1)])
    assert not isinstance(info.value, ccpq.Error)

    class Named:
        _fields = ("a", "b")
        a = 1

        def __getattr__(self, name):
            raise AttributeError("mine", name="other", obj=None)

    with pytest.raises(AttributeError, match="mine"):
        write([Named()])


def test_exceptions_of_attributes_arrive_unchanged():
    boom = LookupError("mine")

    class Bad:
        _fields = ("a",)

        @property
        def a(self):
            raise boom

    f = io.BytesIO()
    with ccpq.Writer(f, ABC, compression="none") as w:
        w.write_row(ROW)
        for call in (lambda: w.write_row(Bad()), lambda: w.write_rows([Bad()]), lambda: w.write_group([ROW, Bad()])):
            with pytest.raises(LookupError) as info:
                call()
            assert info.value is boom
        w.write_row(ROW)
    assert model.read_table(f.getvalue()) == model.read_table(write([ROW, ROW]))


# -- classes that change, rows that run code -----------------------------------------------------------------------------


def test_a_class_that_changes_between_rows():
    class Point(collections.namedtuple("Point", "a b c")):
        pass

    f = io.BytesIO()
    with ccpq.Writer(f, ABC, compression="none") as w:
        w.write_row(Point(*ROW))
        Point._fields = ("c", "b", "a")
        w.write_row(tuple.__new__(Point, (0.5, "x", 1)))
        Point._fields = 5
        w.write_row(tuple.__new__(Point, ROW))  # a tuple without names
        Point._fields = ("c", "a")
        with pytest.raises(ccpq.RowValueError, match="3 values in the row, 2 are needed"):
            w.write_row(tuple.__new__(Point, ROW))
        Point._fields = ("a", "d")
        with pytest.raises(ccpq.RowValueError, match="there is no column 'd'"):
            w.write_row(tuple.__new__(Point, ROW))
        del Point._fields  # its base has them still
        w.write_row(Point(*ROW))
    assert f.getvalue() == write([ROW] * 4)

    class Row:
        _fields = ("a", "b", "c")
        a, b, c = ROW

    with ccpq.Writer(io.BytesIO(), ABC) as w:
        w.write_row(Row())
        del Row.a
        with pytest.raises(ccpq.RowValueError, match="the attribute is missing"):
            w.write_row(Row())


def test_attributes_in_slots_are_what_the_class_says_now():
    @dataclasses.dataclass(slots=True)
    class Parent:
        a: int
        b: str | None
        c: float | None

    class Child(Parent):
        __slots__ = ()

    f, row, child = io.BytesIO(), Parent(*ROW), Child(*ROW)
    with ccpq.Writer(f, ABC, compression="none") as w:
        def check(*expect):
            for r, e in zip((row, child), expect):
                w.write_row(r)
                w.write_row(e)

        check(ROW, ROW)
        Child.b = property(lambda self: "child's")
        check(ROW, (1, "child's", 0.5))
        slot, Parent.b = Parent.b, property(lambda self: "parent's")
        check((1, "parent's", 0.5), (1, "child's", 0.5))
        Parent.b = slot
        del Child.b
        check(ROW, ROW)
        Child.__getattribute__ = lambda self, name: 7 if name == "a" else object.__getattribute__(self, name)
        check(ROW, (7, "x", 0.5))
        del Child.__getattribute__
        Parent.a = 5  # in the place of the slot
        check((5, "x", 0.5), (5, "x", 0.5))
        child.__class__ = Parent
        check((5, "x", 0.5), (5, "x", 0.5))
        del row.c
        check((5, "x", None), (5, "x", 0.5))
    values = list(zip(*model.read_table(f.getvalue()).values()))
    assert len(values) == 32 and values[::2] == values[1::2]


def test_names_of_rows_that_change():
    rows = [Record(a=1, b="x"), Record(b="y", a=2), Record(a=3), Record(c=0.5, b="z", a=4), Record(a=5, b="x")]
    assert write(rows) == write([(1, "x", None), (2, "y", None), (3, None, None), (4, "z", 0.5), (5, "x", None)])
    again = Record(a=1, b="x")
    f = io.BytesIO()
    with ccpq.Writer(f, ABC, compression="none") as w:
        w.write_row(again)
        again._fields[0:0]
        again._fields, again.values = ["b", "a"], ["y", 2]
        w.write_row(again)
        again._fields = None
        with pytest.raises(TypeError, match="_fields of a row is not a tuple or list"):
            w.write_row(again)
        del again._fields
        with pytest.raises(TypeError, match="_fields of a row"):
            w.write_row(again)
    assert f.getvalue() == write([(1, "x", None), (2, "y", None)])


class Nasty:
    """Attributes that undo their own row."""

    _fields = ("a", "b", "c")

    def __init__(self, act):
        self.__dict__.update(a=1, c=0.5)
        self.act = act

    @property
    def b(self):
        self.act(self)
        return "".join(["fresh ", "text" * 20])


def test_rows_that_change_while_they_are_read():
    def other_class(row):
        row.__class__ = type("Other", (), {})

    def forget(row):
        row.__dict__.clear()
        row.__dict__["c"] = 0.5
        gc.collect()

    def rename(row):
        Nasty._fields = ("a",)

    text = "fresh " + "text" * 20
    try:
        assert write([Nasty(forget) for _ in range(3)]) == write([(1, text, 0.5)] * 3)
        assert write([Nasty(rename) for _ in range(3)]) == write([(1, text, 0.5), (1, None, None), (1, None, None)])
        Nasty._fields = ("a", "b", "c")
        assert write([Nasty(other_class)]) == write([(1, text, 0.5)])
    finally:
        Nasty._fields = ("a", "b", "c")


def test_calls_of_the_writer_from_inside_an_attribute():
    f, seen = io.BytesIO(), []
    w = ccpq.Writer(f, ABC, compression="none")

    def call(row):
        for inner in (lambda: w.write_row(ROW), lambda: w.write_rows([ROW]), w.flush_group, w.close, w.abort):
            with pytest.raises(RuntimeError, match="while write_row"):
                inner()
        seen.append((w.rows, repr(w)))

    w.write_row(Nasty(call))
    w.write_rows([Nasty(call), Nasty(call)])
    w.close()
    assert [s[0] for s in seen] == [0, 1, 2]
    assert f.getvalue() == write([(1, "fresh " + "text" * 20, 0.5)] * 3)


class Liar(Record):
    """A sequence that is not as long as it says."""

    def __len__(self):
        return 3


def test_sequences_that_lie():
    row = Liar(a=1, b="x", c=0.5)
    row.values.pop()
    with pytest.raises(IndexError):
        write([row])

    class Keys(sqlite3.Row):
        def keys(self):
            return 5

    db = sqlite3.connect(":memory:")
    db.row_factory = Keys
    with pytest.raises(TypeError):
        write(list(db.execute("select 1 as a")))
    db.close()


class Shrinking:
    """A mapping that loses a key while it is read."""

    def __init__(self):
        self.left = {"a": 1, "b": "x", "c": 0.5}

    def keys(self):
        return list(self.left)

    def __getitem__(self, key):
        value = self.left.pop(key)
        self.left.pop("c", None)
        return value


def test_mappings_that_change():
    with pytest.raises(KeyError):
        write([Shrinking()])

    class Key(str):
        def __hash__(self):
            row["more"] = 1
            return str.__hash__(self)

    row = {}
    row[Key("a")] = 1
    row.pop("more")
    with pytest.raises(ccpq.RowValueError):
        write([row])


def test_classes_are_let_go_when_the_writer_ends():
    made = dataclasses.make_dataclass("Made", ["a", "b", "c"])
    dead = weakref.ref(made)
    w = ccpq.Writer(io.BytesIO(), ABC)
    w.write_row(made(*ROW))
    del made
    gc.collect()
    assert dead() is not None
    w.close()
    gc.collect()
    assert dead() is None
    sink = io.BytesIO()
    sink.kind = dataclasses.make_dataclass("Made", ["a", "b", "c"])
    dead = weakref.ref(sink.kind)
    sink.kind.writer = w = ccpq.Writer(sink, ABC)
    w.write_row(sink.kind(*ROW))
    w.abort()
    del sink, w
    gc.collect()
    assert dead() is None


# -- databases --------------------------------------------------------------------------------------------------------


@pytest.fixture
def db():
    db = sqlite3.connect(":memory:")
    db.execute("create table t (c real, a int, b text)")
    db.executemany("insert into t values (?, ?, ?)", [(c, a, b) for a, b, c in ROWS])
    yield db
    db.close()


SELECT = "select c, b, a from t order by rowid"


@pytest.mark.parametrize("factory", [None, sqlite3.Row, type("Mine", (sqlite3.Row,), {}), lambda cursor, row: list(row),
                                     lambda cursor, row: {d[0]: v for d, v in zip(cursor.description, row)},
                                     lambda cursor, row: collections.namedtuple("R", [d[0] for d in cursor.description])(*row)],
                         ids=["tuple", "Row", "subclass of Row", "list", "dict", "namedtuple"])  # fmt: skip
def test_cursors_of_every_row_factory(db, factory):
    db.row_factory = factory
    expect = write(ROWS)
    assert write(db.execute(SELECT)) == expect
    assert write(db.execute(SELECT), method="write_group") == expect
    if factory is not None and factory(db.execute("select 1 as a"), (1,)).__class__ is not list:
        assert write(db.execute(SELECT).fetchall()) == expect  # without the cursor the rows know their names
        f = io.BytesIO()
        with ccpq.Writer(f, ABC, compression="none") as w:
            for row in db.execute(SELECT):
                w.write_row(row)
        assert f.getvalue() == expect


def test_rows_of_sqlite_by_the_names_of_their_own_query(db):
    db.row_factory = sqlite3.Row
    queries = ["select a, b, c from t where a < 5", "select c, a from t where a between 5 and 9", "select b, a from t where a > 55"]
    rows = [row for q in queries for row in db.execute(q + " order by rowid")]
    expect = [*ROWS[:5], *((a, None, c) for a, _, c in ROWS[5:10]), *((a, b, None) for a, b, _ in ROWS[56:])]
    assert write(rows) == write(expect)
    random.Random(3).shuffle(rows)
    assert sorted(model.read_table(write(rows))["a"]) == sorted(r[0] for r in expect)
    e = refused(list(db.execute("select a, b as x from t")), words="there is no column 'x'")
    assert e.column is None
    refused(list(db.execute("select a, a from t")), words="given twice")
    refused(list(db.execute("select b from t")), words="the required column 'a' is missing")
    assert write(list(db.execute("select 5 as x, a, b, c from t order by rowid")), extra="ignore") == write(ROWS)


def test_a_layout_goes_by_position(db):
    """The names that are given win over those of a row of a database."""
    db.row_factory = sqlite3.Row
    rows = list(db.execute("select c as x, a as y from t order by rowid"))
    assert write(rows, columns=["c", "a"]) == write([(a, None, c) for a, _, c in ROWS])
    refused(rows, columns=["c", "a", "b"], words="2 values in the row, 3 are needed")


def test_cursors_with_columns_that_the_schema_has_not(db):
    with pytest.raises(ValueError, match="columns: there is no column 'more'; extra='ignore' leaves it out"):
        write(db.execute("select a, 5 as more from t"))
    assert write(db.execute("select 5 as more, c, b, a, 'x' as less from t order by rowid"), extra="ignore") == write(ROWS)
    db.row_factory = sqlite3.Row
    assert write(db.execute("select 5 as more, c, b, a, 'x' as less from t order by rowid"), extra="ignore") == write(ROWS)
    db.row_factory = lambda cursor, row: list(row)
    assert write(db.execute("select 5 as more, c, b, a, 'x' as less from t order by rowid"), extra="ignore") == write(ROWS)


class Cursor:
    """A cursor of another driver: it may be no iterator."""

    def __init__(self, rows, names, **methods):
        self.rows = iter(rows)
        self.description = [(n, None, None, None, None, None, None) for n in names]

    def fetchone(self):
        return next(self.rows, None)

    def fetchmany(self, size):
        return list(itertools.islice(self.rows, size))


class Iterable(Cursor):
    def __iter__(self):
        return self.rows


@pytest.mark.parametrize("kind", [Cursor, Iterable])
def test_cursors_by_their_description(kind):
    turned = [(c, a, b) for a, b, c in ROWS]
    assert write(kind(turned, ["c", "a", "b"])) == write(ROWS)
    assert write(kind(turned, ["x", "y", "z"]), columns=["c", "a", "b"]) == write(ROWS)
    assert write(kind([], ["a"])) == write([])
    f, cursor = io.BytesIO(), kind([*turned[:10], (0.5, "bad", "x"), *turned[10:]], ["c", "a", "b"])
    with ccpq.Writer(f, ABC, compression="none") as w:
        with pytest.raises(ccpq.RowTypeError) as info:
            w.write_rows(cursor)
        assert (info.value.row, info.value.column) == (10, "a")
        assert w.write_rows(cursor) == 50  # not one row beyond the bad one was taken
    assert f.getvalue() == write(ROWS)


def test_what_has_a_description_and_is_no_cursor():
    class Rows(list):
        description = "about these rows"

    class Other(list):
        description = [5]

    assert write(Rows(ROWS)) == write(Other(ROWS)) == write(ROWS)


def test_duckdb_connections():
    duckdb = pytest.importorskip("duckdb")
    con = duckdb.connect()
    con.execute("create table t (c double, a integer, b varchar)")
    con.executemany("insert into t values (?, ?, ?)", [(c, a, b) for a, b, c in ROWS])
    assert write(con.execute("select c, a, b from t order by a")) == write(ROWS)
    with pytest.raises(TypeError, match=r"write_rows\(DuckDBPyRelation\): it holds columns, no rows; use write_arrow"):
        write(con.sql("select b, c, a from t order by a"))
    con.close()


# -- extra="ignore" for mappings and positions --------------------------------------------------------------------------


@pytest.mark.parametrize("make", [dict, collections.UserDict, collections.OrderedDict, type("Sub", (dict,), {})])
def test_extra_keys_are_left_out(make):
    r = random.Random(7)
    rows, expect = [], []
    for a, b, c in ROWS:
        items = [("a", a)] + ([("b", b)] if r.random() < 0.7 else []) + ([("c", c)] if r.random() < 0.7 else [])
        expect.append((a, *(dict(items).get(k) for k in "bc")))
        items += [(f"x{k}", object()) for k in range(r.randrange(4))] + ([(5, 1), (None, 2)] if r.random() < 0.2 else [])
        r.shuffle(items)
        rows.append(make({(k + "" if isinstance(k, str) else k): v for k, v in items}))
    assert write(rows, extra="ignore") == write(expect)
    many = make({**{f"x{k}": k for k in range(200)}, "c": 0.5, **{f"y{k}": k for k in range(200)}, "a": 1, "b": "x"})
    assert write([many, ROW, many, many], extra="ignore") == write([ROW] * 4)
    refused([make({"x": 1, "b": "y"})], words="column 'a': the key is missing", extra="ignore")


def test_the_same_object_as_a_key_may_change_its_meaning():
    """What is remembered of a key's place holds for that object there, and nowhere else."""
    x, a = "".join(["xx", "yy"]), "".join(["a"])
    rows = [{x: 0, "a": 1}, {"a": 2, x: 0}, {a: 3}, {x: 0, "b": "y", "a": 4}, {"b": "z", "a": 5, x: 0}, {"a": 6}]
    assert write(rows, extra="ignore") == write([(1, None, None), (2, None, None), (3, None, None), (4, "y", None), (5, "z", None), (6, None, None)])


def test_keys_are_not_kept_for_long():
    long, short = "x" * 1000 + str(id(rows := [])), "k" + str(id(rows))
    with ccpq.Writer(io.BytesIO(), {"a": "int8"}, extra="ignore") as w:
        before = sys.getrefcount(long), sys.getrefcount(short)
        row = {long: 1, short: 2, "a": 3}
        w.write_rows([row] * 10)
        del row
        assert (sys.getrefcount(long), sys.getrefcount(short)) == (before[0], before[1] + 1)
    assert sys.getrefcount(short) == before[1]


def test_positions_that_are_left_out():
    rows = [("more", c, b, a, "less") for a, b, c in ROWS]
    names = ["x", "c", "b", "a", "y"]
    assert write(rows, columns=names, extra="ignore") == write(map(list, rows), columns=names, extra="ignore") == write(ROWS)
    with pytest.raises(ValueError, match="columns: there is no column 'x'"):
        write(rows, columns=names)
    with pytest.raises(ValueError, match="the required column 'a' is missing"):
        write(rows, columns=["x", "c", "b", "y"], extra="ignore")
    refused([r[:4] for r in rows], columns=names, extra="ignore", words="4 values in the row, 5 are needed")


# -- what is no row -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "words"), [
    (lambda: "abc", "a list of names"), (lambda: b"abc", "is it a file"), (lambda: bytearray(b"abc"), "is it a file"), (lambda: 5, "rows are tuples, lists, mappings"),
    (lambda: None, "None (NoneType) is not a row"), (lambda: {1, 2, 3}, "a set has no order"), (lambda: frozenset((1, 2, 3)), "a set has no order"),
    (lambda: iter(ROW), "write tuple(row)"), (lambda: (v for v in ROW), "write tuple(row)"), (lambda: Plain, "it is a class; write instances of it"),
    (lambda: object(), "rows are tuples"), (lambda: range(3), "rows are tuples"), (lambda: type("NoFields", (), {"_fields": 5})(), "rows are tuples"),
])  # fmt: skip
def test_what_is_no_row(make, words):
    row = make()
    e = refused([ROW, row], ccpq.RowTypeError, words)
    assert (e.row, e.column, e.value is row) == (1, None, True)


def numpy_rows():
    np = pytest.importorskip("numpy")
    return list(np.zeros((2, 3)))


def series_rows():
    return [s for _, s in pytest.importorskip("pandas").DataFrame({"a": [1], "b": ["x"], "c": [0.5]}).iterrows()]


@pytest.mark.parametrize(("rows", "words"), [
    (numpy_rows, "write columns of an array with write_columns("), (series_rows, "write_rows(df.itertuples(index=False))"),
    (lambda: [pytest.importorskip("pandas").DataFrame({"a": [1]})], "write_arrow() takes whole frames"), (lambda: [pytest.importorskip("polars").DataFrame({"a": [1]})], "write_arrow()"),
    (lambda: pytest.importorskip("pyarrow").table({"a": [1]}).to_batches(), "write_arrow()"), (lambda: iter(pytest.importorskip("polars").DataFrame({"a": [1]})), "write_arrow(df)"),
    (lambda: [pytest.importorskip("numpy").array([(1, "x")], dtype="i4,U1")[0]], "write_columns("),
])  # fmt: skip
def test_rows_of_frames_and_arrays_get_advice(rows, words):
    refused(rows(), ccpq.RowTypeError, words)
    assert refused([ROW, *rows()], ccpq.RowTypeError, words).row == 1


def test_iterrows_gets_advice():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]})
    refused(frame.iterrows(), words="2 values in the row, 3 are needed; iterrows() gives pairs of an index and a Series: use write_arrow(df)")
    # itertuples names its fields; the index is one of them unless it is left out.
    refused(frame.itertuples(), words="there is no column 'Index'")
    assert write(frame.itertuples(index=False)) == write(frame.itertuples(), extra="ignore") == write([(1, "x", 0.5), (2, "y", 1.5)])


def test_numpy_rows_that_are_python_objects():
    np = pytest.importorskip("numpy")
    assert write(np.array([[1, "x", 0.5], [2, "y", 1.5]], dtype=object).tolist()) == write([ROW, (2, "y", 1.5)])
    array = np.empty(2, dtype=object)
    array[:] = [{"a": 1}, Plain(*ROW)]
    assert write(array) == write([(1, None, None), ROW])


# -- leaks --------------------------------------------------------------------------------------------------------------

Extra = dataclasses.make_dataclass("Extra", ["a", "d"])
Without = dataclasses.make_dataclass("Without", ["b"])
Frame = type("Frame", (), {"__arrow_c_stream__": None})
Odd = type("Odd", (Record,), {"_fields": property(lambda self: (1,), lambda self, names: None)})

FAILING = {
    "unknown field": lambda w: w.write_rows([Extra(1, 2)]),
    "missing field": lambda w: w.write_rows([Without(1)]),
    "missing attribute": lambda w: w.write_rows([Slots.__new__(Slots)]),
    "bad value of an attribute": lambda w: w.write_rows([Slots(0.5, 1, "x"), Slots(0.5, "x", "x")]),
    "bad value of a named tuple": lambda w: w.write_rows([Named("x", 0.5, 1), Named("x", 0.5, "1")]),
    "bad value of a sequence": lambda w: w.write_rows([Record(a=1), Record(a="x")]),
    "unknown name of a row": lambda w: w.write_rows([Record(a=1), Record(a=1, d=1)]),
    "names that are none": lambda w: w.write_rows([Odd(a=1)]),
    "unknown key": lambda w: w.write_rows([{"a": 1}, {"a": 1, "x": 1}]),
    "bad value of a mapping": lambda w: w.write_rows([{"a": 1, "b": "x"}, collections.UserDict(a="x")]),
    "frame as a row": lambda w: w.write_rows([ROW, Frame()]),
    "unknown column of a cursor": lambda w: w.write_rows(Cursor([ROW], ["a", "d", "c"])),
    "a class": lambda w: w.write_rows([Slots]),
    "a frame": lambda w: w.write_rows(Frame()),
}


@pytest.mark.parametrize("name", FAILING)
def test_failing_rows_leak_nothing(name):
    with ccpq.Writer(io.BytesIO(), ABC, memory_limit="8MiB") as w:
        assert blocks_kept(lambda: FAILING[name](w)) < NOISE


def test_good_rows_leak_nothing():
    kinds = [dataclasses.make_dataclass(f"Kind{i}", ["a", "b", "c"]) for i in range(5)]
    rows = [Plain(*ROW), Slots(0.5, 1, "x"), Named("x", 0.5, 1), Record(a=1, b="x"), Fields(*ROW), {"a": 1, "x": 2}, Spark(a=1), Lazy(*ROW), *(k(*ROW) for k in kinds)]

    with ccpq.Writer(io.BytesIO(), ABC, memory_limit="8MiB", extra="ignore") as w:
        def call():
            w.write_rows(rows)
            w.write_rows([5])

        assert blocks_kept(call) < NOISE
