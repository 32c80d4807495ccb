"""What somebody reads who is new: the message of a common mistake names the cause and what to write instead."""

import io

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
