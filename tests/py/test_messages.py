"""What somebody reads who is new: the message of a common mistake names the cause and what to write instead."""

import datetime as dt
import io
import re
import sqlite3
from decimal import Decimal

import ccpq
import pytest
from api_readback import need, read


def write(schema, data, method="write_rows", *, columns=None, **options):
    buffer = io.BytesIO()
    with ccpq.Writer(buffer, schema, **options) as w:
        getattr(w, method)(data, **({} if columns is None else {"columns": columns}))
    return buffer.getvalue()


def said(call, cls):
    """The message, of one line."""
    with pytest.raises(cls) as info:
        call()
    text = str(info.value)
    assert "\n" not in text
    return text


# -- names


def test_a_name_in_another_case():
    schema = {"Host": "string?", "load": "float64?"}
    for call in (
        lambda: write(schema, [{"host": "a"}]),
        lambda: write(schema, [("a",)], columns=["HOST"]),
        lambda: write(schema, {"hOST": ["a"]}, "write_columns"),
        lambda: write(schema, [], sorting_columns=["host"]),
    ):
        assert "did you mean 'Host'?" in said(call, ValueError)


# -- values


def test_nan_is_no_text_and_no_int():
    for type_ in ("string?", "enum?", "int64?"):
        text = said(lambda type_=type_: write({"c": type_}, [(float("nan"),)]), ccpq.RowTypeError)
        assert "write None for no value" in text and "str(value)" not in text and "int(value)" not in text
    assert "write int(value) if that is meant" in said(lambda: write({"c": "int64"}, [(1.5,)]), ccpq.RowTypeError)


def test_a_value_of_many_lines_is_told_in_one():
    class Table:
        def __repr__(self):
            return "a  b\n1  2\n" * 100

    text = said(lambda: write({"c": "int64"}, [(Table(),)]), ccpq.RowTypeError)
    assert "a b 1 2 a b" in text and "..." in text
    pandas = need("pandas")
    assert "write_arrow(df)" in said(lambda: write({"c": "int64"}, [pandas.Series({"c": 1})]), ccpq.RowTypeError)


REMEDIES = [
    ("int64", Decimal(1), "write int(value)"), ("int64", b"x", "it takes int"), ("int64", [1], "it takes int"),
    ("float64", [1], "it takes float and int"), ("bool", 1.5, "write bool(value)"), ("bool", "true", 'write value == "true"'),
    ("bool", b"x", "it takes True and False"), ("binary", 5, "it takes bytes"), ("timestamp[us]", True, "it takes a naive datetime"),
    ("decimal(5, 2)", b"x", "it takes decimal.Decimal and int"),
]  # fmt: skip


@pytest.mark.parametrize("type_, value, words", REMEDIES)
def test_every_refusal_has_a_remedy(type_, value, words):
    assert words in said(lambda: write({"c": type_}, [(value,)]), ccpq.RowTypeError)


def test_where_in_a_json_value():
    inner = {"x": [1, {"y": Decimal(5)}]}
    for value, cls, words in [
        (inner, TypeError, "Decimal is not JSON serializable, at c.x[1].y"), ([[0.5], [float("nan")]], ValueError, ", at c[1][0]"),
        (ccpq.Json({"a": {1}}), TypeError, ", at c.a"), ({"a": {(1, 2): 3}}, TypeError, ", at c.a"), (ccpq.Json({1}), TypeError, "serializable"),
    ]:  # fmt: skip
        assert said(lambda value=value: write({"c": "json"}, [(value,)]), cls).endswith(words)
    tags = [1, 2, 3, {"name": Decimal(1), "odd key": {"": Decimal(1)}}]
    assert said(lambda: write({"tags": "json"}, [(tags,)]), ccpq.RowTypeError).endswith(", at tags[3].name")
    del tags[3]["name"]
    assert said(lambda: write({"tags": "json"}, [(tags,)]), ccpq.RowTypeError).endswith(", at tags[3]['odd key']['']")
    ring: list = [1]
    ring.append({"a": ring})
    assert said(lambda: write({"c": "json"}, [(ring,)]), ccpq.RowValueError).endswith(", at c[1].a")


# -- rows


def test_one_row_given_as_rows():
    schema = {"n": "int64", "s": "string"}
    for row in ((1, "a"), ("a", 1), [None, "a"], (0.5,)):
        assert "write_row(row) takes one row" in said(lambda row=row: write(schema, row), ccpq.RowTypeError)


def test_a_row_of_a_wrong_length_names_the_columns():
    schema = {"n": "int64", "s": "string?"}
    assert said(lambda: write(schema, [(1,)]), ccpq.RowValueError).endswith("1 value in the row, 2 are needed: 'n', 's'")
    assert said(lambda: write({"n": "int64"}, [[1, 2]]), ccpq.RowValueError).endswith("2 values in the row, 1 is needed: 'n'")
    text = said(lambda: write(schema, [(1,)], columns=["s", "x", "n"], extra="ignore"), ccpq.RowValueError)
    assert text.endswith("3 are needed: 's', (left out), 'n'")
    text = said(lambda: write({f"column_{i}": "int64" for i in range(1000)}, [(1,)]), ccpq.RowValueError)
    assert text.endswith("...") and len(text.partition(" are needed: ")[2]) == 80


def test_an_object_with_plain_attributes():
    class Plain:
        def __init__(self):
            self.n = 1

    assert "write vars(value)" in said(lambda: write({"n": "int64"}, [Plain()]), ccpq.RowTypeError)
    assert "vars" not in said(lambda: write({"n": "int64"}, [object()]), ccpq.RowTypeError)
    assert read(write({"n": "int64"}, [vars(Plain())]), {"n": "int64"}) == {"n": [1]}


# -- frames


def test_extension_types_are_not_taken_for_their_storage():
    pandas, pa = need("pandas", "pyarrow")
    frame = pandas.DataFrame({"p": pandas.period_range("2024-01", periods=2, freq="M")})
    words = "extension type 'pandas.period': declare the column's type to write its storage (int64), or cast it"
    for data in (frame, pa.table(frame)):
        assert words in said(lambda data=data: write(None, data, "write_arrow"), ccpq.UnsupportedError)
        assert words in said(lambda data=data: ccpq.schema(data), ccpq.UnsupportedError)
    assert words in said(lambda: write(None, {"p": frame["p"]}, "write_columns"), ccpq.UnsupportedError)
    for method in ("write_arrow", "write_columns"):
        data = frame if method == "write_arrow" else {"p": frame["p"]}
        assert read(write({"p": "int64?"}, data, method), {"p": "int64?"}) == {"p": [648, 649]}


def test_frames_of_ordinary_types_have_no_extensions():
    pl, duckdb = need("polars", "duckdb")
    frame = pl.DataFrame({"c": pl.Series(["u"], dtype=pl.Categorical), "e": pl.Series(["u"], dtype=pl.Enum(["u"])), "s": ["x"], "t": [dt.datetime(2024, 1, 1)]})
    assert ccpq.schema(frame).to_dict() == {"c": "string?", "e": "string?", "s": "string?", "t": "timestamp[us]?"}
    with duckdb.connect() as db:
        query = "select uuid() u, '{}'::json j, 'a'::enum('a') e, 1::hugeint h"
        assert list(ccpq.schema(db.sql(query).arrow()).to_dict().values())[2:] == ["string?", "decimal(38, 0)?"]
        db.execute("set arrow_lossless_conversion = true")
        assert list(ccpq.schema(db.sql(query.partition(", 1::")[0]).arrow()).to_dict().values()) == ["uuid?", "json?", "string?"]
        assert "extension type 'arrow.opaque'" in said(lambda: ccpq.schema(db.sql("select '1'::bit b").arrow()), ccpq.UnsupportedError)


def test_integers_that_only_polars_knows():
    pl = need("polars")
    frame = pl.DataFrame({"x": pl.Series([1], dtype=pl.Int128)})
    assert "Polars' Int128: to Int64 or a decimal" in said(lambda: write(None, frame, "write_arrow"), ccpq.UnsupportedError)


def test_an_index_without_a_name_is_no_column():
    pandas = need("pandas")
    frame = pandas.DataFrame({"a": [1]}, index=["x"])
    for call in (lambda: write(None, frame, "write_arrow"), lambda: ccpq.write(io.BytesIO(), frame)):
        assert "reset_index(drop=True)" in said(call, ccpq.SchemaError)
    frame.index.name = "k"
    data = write(None, frame, "write_arrow")
    assert read(data, {"a": "int64?", "k": "string?"}) == {"a": [1], "k": ["x"]}
    schema = {"a": "int64", "__index_level_0__": "string"}
    frame.index.name = None
    assert read(write(schema, frame, "write_arrow"), schema) == {"a": [1], "__index_level_0__": ["x"]}


def test_a_column_of_nulls_of_polars():
    polars = need("polars")
    frame = polars.DataFrame({"a": [1, 2], "b": [None, None]})
    assert frame.schema["b"] == polars.Null
    schema = {"a": "int64", "b": "string?"}
    assert read(write(schema, frame, "write_arrow"), schema) == {"a": [1, 2], "b": [None, None]}
    assert read(write(schema, {"a": [1, 2], "b": frame["b"]}, "write_columns"), schema) == {"a": [1, 2], "b": [None, None]}


# -- the wrong method, the wrong order of arguments


def test_what_is_no_arrow_data(tmp_path):
    np, pa, pl = need("numpy", "pyarrow", "polars")
    table = pa.table({"a": [1]})
    for data, words in [
        (table.to_batches(), "for batch in batches: w.write_arrow(batch)"), (iter(table.to_batches()), "write one after the other"),
        (pl.LazyFrame({"a": [1]}), "write_arrow(frame.collect())"), (np.zeros(3), 'write_columns({"name": array})'),
        ("x.csv", "no path"), (tmp_path, "no path"), (None, "not None: it takes"), ([{"a": 1}], "not a list: rows are for write_rows"),
        (5, "not an int: it takes"), ({"a": [1]}, "write_columns"),
    ]:  # fmt: skip
        assert words in said(lambda data=data: write({"a": "int64"}, data, "write_arrow"), TypeError)
    duckdb = need("duckdb")
    with duckdb.connect() as db:
        db.execute("select 1 as a")
        assert "connection.sql(query)" in said(lambda: write({"a": "int64"}, db, "write_arrow"), TypeError)


def test_what_is_no_mapping_of_columns():
    np = need("numpy")
    fields = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    assert "{n: array[n] for n in array.dtype.names}" in said(lambda: write({"a": "int64"}, fields, "write_columns"), TypeError)
    assert "extra='ignore'" in said(lambda: write({"a": "int64"}, {"a": [1], "zzz": [1]}, "write_columns"), ccpq.RowValueError)


@pytest.mark.parametrize("given", [True, False])
def test_numpy_types_without_a_column_type(given):
    np = need("numpy")
    schema = {"x": "int64"} if given else None
    for array, words in [
        (np.zeros(2, "m8[s]"), "array // numpy.timedelta64(1, 'us')"), (np.zeros(2, "M8[Y]"), "array.astype('datetime64[us]')"),
        (np.zeros(2, "c16"), "array.real and array.imag"), (np.zeros(2, [("a", "i4")]), "array.dtype.names"),
        (np.zeros(2, np.longdouble), "array.astype('float64')" if np.dtype(np.longdouble).itemsize > 8 else ""),
    ]:  # fmt: skip
        assert words in said(lambda array=array: write(schema, {"x": array}, "write_columns"), ccpq.Error)


def test_the_whole_file_in_one_call(tmp_path):
    np, pa, pl = need("numpy", "pyarrow", "polars")
    path = tmp_path / "x.parquet"
    for data, cls, words in [
        ("x.parquet", TypeError, "is it the target? That comes first"), (pl.Series("a", [1]), TypeError, 'give {"name": column}'),
        (pl.LazyFrame({"a": [1]}), TypeError, "write(target, frame.collect())"), ([np.zeros(3)], ccpq.SchemaError, "not a row"),
        (pa.table({"a": [1]}).to_batches(), ccpq.SchemaError, "not a row"), ([pl.DataFrame({"a": [1]})], ccpq.SchemaError, "not a row"),
    ]:  # fmt: skip
        assert words in said(lambda data=data: ccpq.write(path, data), cls)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_rows():
    with open(__file__, encoding="utf-8") as f:
        assert "csv.DictReader(file)" in said(lambda: ccpq.infer_schema(f), TypeError)


# -- schemas


def test_dtypes_of_others():
    np, pl = need("numpy", "polars")
    for dtype, words in [
        (np.dtype("f4"), '"float32"'), (pl.Int64(), '"int64"'), (np.dtype("M8[ns]"), '"timestamp[us, UTC]"'), (pl.Datetime("us", "UTC"), '"timestamp[us, UTC]"'),
    ]:  # fmt: skip
        assert words in said(lambda dtype=dtype: ccpq.schema({"x": dtype}), ccpq.SchemaError)
    assert "write the string" not in said(lambda: ccpq.schema({"x": pl.List(pl.Int64)}), ccpq.SchemaError)


def test_schemas_in_another_form():
    assert "write dict(...)" in said(lambda: ccpq.schema({"a": "int64"}.items()), ccpq.SchemaError)
    assert "write dict(...)" in said(lambda: ccpq.schema(zip("a", ["int64"])), ccpq.SchemaError)
    assert "infer_schema(cursor)" in said(lambda: ccpq.schema(sqlite3.connect(":memory:").execute("select 1 as a")), ccpq.SchemaError)


def test_moments_of_numpy_have_a_schema():
    np = need("numpy")
    for text, type_ in [("2024-01-01", "date?"), ("2024-01-01T10:00:00", "timestamp[s]?"), ("2024-01-01T10:00:00.000000001", "timestamp[ns]?")]:
        rows = [{"t": np.datetime64("NaT")}, {"t": np.datetime64(text)}]
        schema, found = ccpq.infer_schema(rows)
        assert schema.to_dict() == {"t": type_}
        write(schema, found)
    assert "no column type" in said(lambda: ccpq.infer_schema([{"t": np.datetime64("2024")}]), ccpq.SchemaError)


# -- options and targets


def test_an_unknown_option_and_a_bad_path(tmp_path):
    assert "help(ccpq.Writer)" in said(lambda: write({"a": "int64"}, [], engine="x"), TypeError)
    assert "spill_dir is a path or None, not int" in said(lambda: write({"a": "int64"}, [], spill_dir=5), TypeError)
    path = tmp_path / "x.parquet"
    path.touch()
    assert "overwrite=True" in said(lambda: ccpq.Writer(path, {"a": "int64"}), FileExistsError)


def test_a_path_in_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for options in ({}, {"mkdir": True}):
        with pytest.raises(FileNotFoundError, match=r"os\.path\.expanduser\(path\)"):
            ccpq.Writer("~/new/x.parquet", {"a": "int64"}, **options)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "~").mkdir()
    ccpq.write("~/x.parquet", {"a": [1]})
    assert (tmp_path / "~" / "x.parquet").exists()


def test_a_memory_limit_that_would_do():
    schema = {f"c{i}": "string" for i in range(500)}
    for limit in ("64KiB", "1MiB"):
        text = said(lambda limit=limit: write(schema, [], memory_limit=limit), ccpq.BudgetError)
        size = re.search(r'\(memory_limit="(\d+[KM]iB)"\)$', text)[1]
        write(schema, [], memory_limit=size)


def test_the_key_of_arrow_schemas():
    assert "leave it out" in said(lambda: write({"a": "int64"}, [], metadata={"ARROW:schema": "x"}), ValueError)
    w = ccpq.Writer(io.BytesIO(), {"a": "int64"})
    w.metadata["ARROW:schema"] = "x"
    assert "leave it out" in said(w.close, ValueError)
    del w.metadata["ARROW:schema"]
    assert w.close().rows == 0


@pytest.mark.parametrize("end, words", [("close", "the writer is closed"), ("abort", "the writer was aborted")])
@pytest.mark.parametrize("schema", [{"a": "int64"}, None])
def test_a_writer_that_has_ended_says_so_first(schema, end, words):
    w = ccpq.Writer(io.BytesIO(), schema)
    if end == "close" and schema is None:
        w.write_row({"a": 1})
    getattr(w, end)()
    for call in (
        lambda: w.write_columns({}), lambda: w.write_columns(5), lambda: w.write_arrow(5), lambda: w.write_rows(5),
        lambda: w.write_group(None), lambda: w.write_row(5), lambda: w.flush_group(min_rows="x"),
    ):  # fmt: skip
        assert words in said(call, RuntimeError)


def test_long_tables_show_the_first_and_the_last():
    for n in (50, 51, 10_000):
        names = [f"c{i}" for i in range(n)]
        schema = ccpq.schema(dict.fromkeys(names, "int64"))
        texts = [str(schema)]
        if n <= 51:
            texts.append(str(ccpq.write(io.BytesIO(), {name: [1] for name in names})).split("\n", 2)[2])
        for text in texts:
            shown = [line.split()[0] for line in text.splitlines()]
            assert shown == (names if n == 50 else [*names[:45], "...", *names[-5:]])
            assert n == 50 or f"... {n - 50:,} more" in text


def test_long_names_keep_both_ends():
    names = [f"a_column_with_quite_a_long_name_{i}" for i in range(3)]
    report = ccpq.write(io.BytesIO(), {n: [1] for n in names})
    lines = str(report).splitlines()[2:]
    shown = [line.split()[0] for line in lines]
    assert shown == [f"a_column_with_...a_long_name_{i}" for i in range(3)] and len(shown[0]) == 30


def test_names_that_would_break_a_line():
    report = ccpq.write(io.BytesIO(), {"a\nb": [1]})
    assert len(str(report).splitlines()) == 3 and "'a\\nb'" in str(report)
    schema = ccpq.schema({"a\nb": "int64", "c": "string"})
    assert str(schema) == "'a\\nb'  int64\nc       string" and "\n" not in repr(schema)
