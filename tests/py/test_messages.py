"""What somebody reads who is new: the message of a common mistake names the cause and what to write instead."""

import io
import sqlite3

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


# -- frames


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
