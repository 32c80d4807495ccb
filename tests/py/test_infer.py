"""infer_schema: exact by class and by cursor, sampled otherwise, and every row given out again."""

import collections
import dataclasses
import datetime
import decimal
import enum
import gc
import ipaddress
import itertools
import sqlite3
import typing
import uuid
import weakref

import ccpq
import pytest

from ccpq._errors import SchemaError, UnsupportedError

UTC = datetime.timezone.utc
GIVE = 'give schema={"name": "type", ...}'


def infer(rows, **options):
    """Types by name; every row must come out again."""
    kept = list(rows)
    schema, again = ccpq.infer_schema(iter(kept), **options)
    assert [id(r) for r in again] == [id(r) for r in kept]
    return schema.to_dict()


class Level(enum.IntEnum):
    LOW = 1


class Tone(enum.Enum):
    LOUD = "loud"


class Text(str):
    pass


@pytest.mark.parametrize(("values", "text"), [
    ([True, False], "bool"), ([1, -(2**63), 2**63 - 1], "int64"), ([1.5, float("nan")], "float64"), ([1, 1.5], "float64"), ([1.5, 2, None, 3.5], "float64"), (["x"], "string"),
    ([b"x", bytearray(b"y"), memoryview(b"z")], "binary"), ([datetime.date(2024, 2, 29)], "date"), ([datetime.time(1)], "time[us]"),
    ([datetime.datetime(2024, 1, 1)], "timestamp[us]"), ([datetime.datetime(2024, 1, 1, tzinfo=UTC), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))],
    "timestamp[us, UTC]"), ([uuid.UUID(int=1)], "uuid"), ([{}, [], {"a": [1]}, ccpq.Json(3)], "json"), ([Level.LOW, 3], "int64"), ([Text("a"), "b"], "string"),
])  # fmt: skip
@pytest.mark.parametrize("nulls", [0, 2])
def test_values(values, text, nulls):
    assert infer([{"v": None}] * nulls + [{"v": v} for v in values]) == {"v": text + "?"}


def test_values_of_numpy_and_pandas():
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    rows = [
        {"i": np.int8(3), "u": np.uint64(3), "f": np.float32(0.5), "d": np.float64(0.5), "b": np.bool_(True), "s": np.str_("x"), "t": pd.NaT, "n": pd.NA},
        {"i": 4, "u": 5, "f": 2, "d": 1.5, "b": True, "s": "y", "t": pd.Timestamp("2024-01-01", tz="UTC"), "n": 3},
    ]  # fmt: skip
    assert infer(rows) == {"i": "int64?", "u": "int64?", "f": "float64?", "d": "float64?", "b": "bool?", "s": "string?", "t": "timestamp[us, UTC]?", "n": "int64?"}
    assert infer([{"t": pd.Timestamp("2024-01-01")}]) == {"t": "timestamp[us]?"}
    with pytest.raises(SchemaError, match="is beyond int64"):
        infer([{"u": np.uint64(2**63)}])


NAIVE, AWARE = datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("values", "first", "second"), [
    ([1, "x"], "int (row 0)", "str (row 1)"), ([None, True, None, 1], "bool (row 1)", "int (row 3)"), ([1, True], "int (row 0)", "bool (row 1)"), ([1.5, "x"], "float (row 0)", "str (row 1)"),
    ([1, 2.5, "x"], "int (row 0)", "str (row 2)"), ([b"x", "x"], "bytes (row 0)", "str (row 1)"), ([AWARE, NAIVE], "aware datetime (row 0)", "naive datetime (row 1)"),
    ([AWARE.date(), NAIVE], "date (row 0)", "naive datetime (row 1)"), (["x", {}], "str (row 0)", "dict (row 1)"), ([uuid.UUID(int=1), "x"], "UUID (row 0)", "str (row 1)"),
    ([[1], 1], "list (row 0)", "int (row 1)"),
])  # fmt: skip
def test_mixed_types_name_column_and_both_types(values, first, second):
    with pytest.raises(SchemaError) as e:
        ccpq.infer_schema([{"a": 1, "v": v} for v in values])
    assert str(e.value) == f"column 'v' holds {first} and {second}; {GIVE} with a type for it"


@pytest.mark.parametrize(("value", "message"), [
    (decimal.Decimal(1), f'column \'v\', row 1: a Decimal has no fixed number of digits; {GIVE} with "decimal(P, S)" for it'),
    (2**63, f'column \'v\', row 1: 9223372036854775808 is beyond int64; {GIVE} with "uint64" or "decimal(P, S)" for it'),
    (Tone.LOUD, f"column 'v', row 1: Tone is an Enum; {GIVE}, or rows of a dataclass whose annotation names it"),
    (datetime.time(1, tzinfo=UTC), f"column 'v', row 1: an aware time has no date, so its instant is not known; make it naive, and {GIVE}"),
    (datetime.timedelta(1), f"column 'v', row 1: timedelta has no column type; {GIVE}, and values of it"),
    (ipaddress.ip_address("::1"), f"column 'v', row 1: IPv6Address has no column type; {GIVE}, and values of it"), ({1}, None), ((1,), None), (1j, None), (object(), None),
])  # fmt: skip
def test_values_without_a_type(value, message):
    with pytest.raises(SchemaError) as e:
        ccpq.infer_schema([{"v": None}, {"v": value}])
    assert str(e.value) == (message or f"column 'v', row 1: {type(value).__name__} has no column type; {GIVE}, and values of it")


@pytest.mark.parametrize(("rows", "message"), [
    ([{"a": None, "b": 1}] * 3, f"column 'a' is None in every row that was looked at (3); {GIVE} with a type for it"),
    ([{"a": None, "b": None}], f"columns 'a', 'b' are None in every row that was looked at (1); {GIVE} with a type for them"),
    ([dict.fromkeys("abcdefg")], f"columns 'a', 'b', 'c', 'd', 'e' and 2 more are None in every row that was looked at (1); {GIVE} with a type for them"),
    ([], f"there are no rows to find a schema from; {GIVE}"), ([{}, {}], f"the first 2 rows have no columns; {GIVE}"),
    ([(1, 2)], f"row 0 is a bare tuple: its values have no names; {GIVE}, or rows that are mappings, NamedTuples or dataclasses"),
    ([{"a": 1}, [2]], f"row 1 is a bare list: its values have no names; {GIVE}, or rows that are mappings, NamedTuples or dataclasses"),
    ([3], f"row 0 is of type int, which has no named values; {GIVE}"), ([None], f"row 0 is of type NoneType, which has no named values; {GIVE}"),
    ([{3: 1}], "a column name is a str, not int: 3"),
])  # fmt: skip
def test_rows_without_a_schema(rows, message):
    with pytest.raises(SchemaError) as e:
        ccpq.infer_schema(rows)
    assert str(e.value) == message


@pytest.mark.parametrize(("rows", "message"), [
    ({"a": 1}, "infer_schema() takes rows; a dict is one row, or columns: infer_schema([row])"), ("abc", "infer_schema() takes rows, not a str"), (b"abc", "infer_schema() takes rows, not a bytes"),
    (3, "infer_schema() takes rows, not int"), (None, "infer_schema() takes rows, not NoneType"),
])  # fmt: skip
def test_wrong_doors(rows, message):
    with pytest.raises(TypeError) as e:
        ccpq.infer_schema(rows)
    assert str(e.value) == message


def test_frames_have_a_schema_of_their_own():
    pd = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match=r"infer_schema\(DataFrame\): it has a schema of its own; write ccpq.schema\(x\)"):
        ccpq.infer_schema(pd.DataFrame({"a": [1]}))


@pytest.mark.parametrize(("sample", "error"), [(0, ValueError), (-3, ValueError), (1.5, TypeError), (True, TypeError), (None, TypeError), ("10", TypeError)])
def test_bad_samples(sample, error):
    with pytest.raises(error, match="sample"):
        ccpq.infer_schema([{"a": 1}], sample)


def test_columns_are_those_of_all_sampled_rows_in_order_of_first_use():
    assert infer([{"b": 1}, {"a": "x", "b": 2}, {}, {"c": True}]) == {"b": "int64?", "a": "string?", "c": "bool?"}
    assert infer([collections.OrderedDict(a=1), {"a": 2}]) == {"a": "int64?"}
    Bare = collections.namedtuple("Bare", "x y")
    assert infer([Bare(1, "a"), {"x": 2.5, "z": b""}]) == {"x": "float64?", "y": "string?", "z": "binary?"}


@dataclasses.dataclass
class Sample:
    host: str
    value: typing.Annotated[float, "float32"]
    note: typing.Optional[str] = None


class Pair(typing.NamedTuple):
    host: str
    value: typing.Optional[int]


@pytest.mark.parametrize(("row", "expected"), [
    (Sample("a", 1.5), {"host": "string", "value": "float32", "note": "string?"}), (Pair("a", None), {"host": "string", "value": "int64?"}),
])  # fmt: skip
def test_annotated_classes_are_exact_after_one_row(row, expected):
    taken = []
    schema, again = ccpq.infer_schema(row for i in range(5) if not taken.append(i))
    assert schema.to_dict() == expected
    assert taken == [0]
    assert list(again) == [row] * 5 and taken == [*range(5)]


def test_a_class_that_cannot_be_a_schema_says_why():
    Bad = dataclasses.make_dataclass("Bad", [("x", decimal.Decimal)])
    with pytest.raises(SchemaError, match=r"column 'x' of Bad: .*Annotated\[Decimal"):
        ccpq.infer_schema([Bad(decimal.Decimal(1))])
    Nested = dataclasses.make_dataclass("Nested", [("x", typing.List[int])])
    with pytest.raises(UnsupportedError, match="column 'x' of Nested"):
        ccpq.infer_schema([Nested([])])


def test_no_more_than_the_sample_is_read():
    taken = []

    def source():
        for i in range(5000):
            taken.append(i)
            yield {"a": i if i < 1000 else "late"}

    schema, rows = ccpq.infer_schema(source())
    assert (schema.to_dict(), len(taken)) == ({"a": "int64?"}, 1000)
    assert [r["a"] for r in itertools.islice(rows, 1001)] == [*range(1000), "late"]
    schema, rows = ccpq.infer_schema(source(), sample=1)
    assert len(taken) == 1002
    with pytest.raises(SchemaError, match=r"int \(row 0\) and str \(row 1000\)"):
        ccpq.infer_schema(source(), sample=1001)


def test_sampled_rows_are_let_go_one_by_one():
    class Row(dict):
        pass

    made = []

    def make(i):
        row = Row(a=i)
        made.append(weakref.ref(row))
        return row

    _, rows = ccpq.infer_schema(map(make, range(100)), sample=50)
    assert len(made) == 50
    for i in range(100):
        row = next(rows)
        assert row["a"] == i
        del row
        gc.collect()
        assert [k for k, r in enumerate(made) if r() is not None] == [*range(i + 1, 50)]
    assert list(rows) == []


class Broken(Exception):
    pass


class Restarting:
    """Raises at some rows, and goes on if it is asked again."""

    def __init__(self, *at):
        self.at, self.i = at, -1

    def __iter__(self):
        return self

    def __next__(self):
        self.i += 1
        if self.i in self.at:
            raise Broken(self.i)
        if self.i == 10:
            raise StopIteration
        return {"a": self.i}


def test_the_source_s_exceptions_arrive():
    with pytest.raises(Broken):
        ccpq.infer_schema(Restarting(3))
    _, rows = ccpq.infer_schema(Restarting(7), sample=3)
    assert [r["a"] for r in itertools.islice(rows, 7)] == [*range(7)]
    with pytest.raises(Broken):
        next(rows)
    assert [r["a"] for r in rows] == [8, 9]


# Database cursors


@pytest.fixture
def db():
    made = sqlite3.connect(":memory:")
    made.execute("create table t (a int, b text, c real, d blob, e int)")
    made.executemany("insert into t values (?, ?, ?, ?, ?)", [(1, None, 2, b"x", None), (None, "x", 2.5, None, None)])
    yield made
    made.close()


def test_sqlite_cursors_are_sampled_with_their_names(db):
    schema, rows = ccpq.infer_schema(db.execute("select a, b, c, d from t"))
    assert schema.to_dict() == {"a": "int64?", "b": "string?", "c": "float64?", "d": "binary?"}
    assert list(rows) == [(1, None, 2.0, b"x"), (None, "x", 2.5, None)]
    db.row_factory = sqlite3.Row
    for rows in (db.execute("select a, c from t"), db.execute("select a, c from t").fetchall()):
        schema, again = ccpq.infer_schema(rows)
        assert schema.to_dict() == {"a": "int64?", "c": "float64?"}
        assert [tuple(r) for r in again] == [(1, 2.0), (None, 2.5)]
    db.row_factory = lambda cursor, row: {d[0]: v for d, v in zip(cursor.description, row)}
    assert ccpq.infer_schema(db.execute("select c, a from t"))[0].to_dict() == {"c": "float64?", "a": "int64?"}
    db.row_factory = lambda cursor, row: Sample(*row)
    assert ccpq.infer_schema(db.execute("select b as host, c as value from t"))[0].to_dict() == {"host": "string?", "value": "float64?"}


@pytest.mark.parametrize(("query", "message"), [
    ("select a, e from t", f"column 'e' is None in every row that was looked at (2); {GIVE} with a type for it"),
    ("select a, b from t where a > 5", f"columns 'a', 'b' are of no known type, and there are no rows; {GIVE} with a type for them"),
    ("select c, 'x' as c from t", "column 'c' is there twice"), ("select 1 as x union all select 'y'", f"column 'x' holds int (row 0) and str (row 1); {GIVE} with a type for it"),
])  # fmt: skip
def test_cursors_without_a_schema(db, query, message):
    with pytest.raises(SchemaError) as e:
        ccpq.infer_schema(db.execute(query))
    assert str(e.value) == message


def test_duckdb_tells_its_types():
    duckdb = pytest.importorskip("duckdb")
    db = duckdb.connect()
    columns = {
        "true": "bool", "1::tinyint": "int8", "1::smallint": "int16", "1::int": "int32", "1::bigint": "int64", "1::utinyint": "uint8", "1::usmallint": "uint16",
        "1::uinteger": "uint32", "1::ubigint": "uint64", "1::hugeint": "decimal(38, 0)", "1.5::float": "float32", "1.5::double": "float64", "1.5::decimal(9, 3)": "decimal(9, 3)",
        "'x'": "string", "'x'::blob": "binary", "uuid()": "uuid", "'{}'::json": "json", "date '2024-02-29'": "date", "time '01:02:03'": "time[us]",
        "timestamp '2024-02-29 00:00:00'": "timestamp[us]", "'2024-02-29'::timestamp_s": "timestamp[s]", "'2024-02-29'::timestamp_ms": "timestamp[ms]",
        "'2024-02-29'::timestamp_ns": "timestamp[ns]", "'a'::enum('a', 'b')": "string", "null::varchar": "string", "[1, 2]": "json", "{'a': 1}": "json",
    }  # fmt: skip
    query = "select " + ", ".join(f"{c} as c{i}" for i, c in enumerate(columns)) + " from range(2500)"
    schema, rows = ccpq.infer_schema(db.execute(query))
    assert list(schema.to_dict().values()) == [t + "?" for t in columns.values()]
    assert sum(1 for row in rows if len(row) == len(columns)) == 2500
    schema, rows = ccpq.infer_schema(db.execute("select 1::tinyint as a, 'x' as b limit 0"))
    assert (schema.to_dict(), list(rows)) == ({"a": "int8?", "b": "string?"}, [])
    db.close()


def cursor(package, description, rows):
    """A DB-API cursor as another driver makes it."""
    return type("Cursor", (), {"__module__": package, "description": description, "__iter__": lambda self: iter(rows)})()


def column(name, code, digits=None, scale=None, null_ok=None):
    return (name, code, None, None, digits, scale, null_ok)


def test_postgres_type_numbers():
    codes = {16: "bool", 17: "binary", 20: "int64", 21: "int16", 23: "int32", 25: "string", 114: "json", 700: "float32", 701: "float64", 1043: "string", 1082: "date", 1083: "time[us]",
             1114: "timestamp[us]", 1184: "timestamp[us, UTC]", 2950: "uuid", 3802: "json"}  # fmt: skip
    description = [column(f"c{code}", code) for code in codes] + [column("n", 1700, 12, 2), column("required", 23, null_ok=False)]
    schema, rows = ccpq.infer_schema(cursor("psycopg", description, []))
    assert schema.to_dict() == {**{f"c{code}": t + "?" for code, t in codes.items()}, "n": "decimal(12, 2)?", "required": "int32"}
    assert list(rows) == []


def test_columns_that_a_driver_does_not_tell_are_sampled():
    # numeric without digits, an unknown number, UUIDs that this driver gives as text
    schema, _ = ccpq.infer_schema(cursor("psycopg2.extensions", [column("a", 23), column("b", 99999), column("c", 2950)], [(1, "x", "u"), (2, None, None)]))
    assert schema.to_dict() == {"a": "int32?", "b": "string?", "c": "string?"}
    with pytest.raises(SchemaError, match=r"column 'n', row 0: a Decimal .* \"decimal\(P, S\)\""):
        ccpq.infer_schema(cursor("psycopg", [column("n", 1700)], [(decimal.Decimal(1),)]))
    # the same numbers mean nothing in another driver
    assert ccpq.infer_schema(cursor("pymysql.cursors", [column("a", 16)], [("x",)]))[0].to_dict() == {"a": "string?"}


def test_python_types_as_type_codes():
    description = [column("s", str), column("f", float), column("d", decimal.Decimal, 10, 2, False), column("i", int, null_ok=True), column("t", datetime.datetime)]
    schema, _ = ccpq.infer_schema(cursor("pyodbc", description, [("x", 1.5, decimal.Decimal("1.50"), 3, NAIVE)]))
    assert schema.to_dict() == {"s": "string?", "f": "float64?", "d": "decimal(10, 2)", "i": "int64?", "t": "timestamp[us]?"}


def test_rows_of_a_cursor_that_lack_a_column():
    with pytest.raises(SchemaError) as e:
        ccpq.infer_schema(cursor("x", [column("a", None), column("b", None)], [(1, 2), (1,)]))
    assert str(e.value) == f"row 1 of the cursor is a tuple without column 'b'; {GIVE}"


@pytest.mark.parametrize("description", [None, [], "text", [3], [(3, 4)], [()]])
def test_what_is_no_description_is_none(description):
    assert ccpq.infer_schema(cursor("x", description, [{"a": 1}]))[0].to_dict() == {"a": "int64?"}
