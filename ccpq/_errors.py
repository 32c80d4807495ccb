"""The exception classes of ccpq: one base, ``Error``, and beside it the built-in class a caller would look for.

The extension module imports them when it is loaded; everything that raises them is elsewhere.
"""

from __future__ import annotations

__all__ = [
    "BudgetError",
    "Error",
    "FileChanged",
    "FormatError",
    "RowError",
    "RowOverflowError",
    "RowTypeError",
    "RowValueError",
    "SchemaError",
    "UnsupportedError",
    "VerifyError",
]


class Error(Exception):
    """Base of every exception that ccpq defines."""


def _rebuild(cls, args, attributes):
    error = cls(*args)
    error.__dict__.update(attributes)
    return error


class _Attributed(Error):
    """An error whose facts are attributes; they survive pickling."""

    def __reduce__(self):
        return _rebuild, (type(self), self.args, dict(self.__dict__))


class RowError(_Attributed):
    """A row that was refused. The writer is as if the row had never been offered.

    Attributes
    ----------
    row : int
        Index of the row in the file, counted from 0 (the number of rows written before it).
    row_in_call : int
        Index of the row among those this call took from its iterable, counted from 0; 0 for ``write_row``.
    column : str or None
        Name of the column; None where the row as a whole is refused (its length, its keys, its type).
    value : object
        The value that was refused, or the row where ``column`` is None.
    rows_written : int
        Rows that this call had written before; they stay (in ``write_group`` they do not: 0).
    """

    def __init__(self, message="", *, row=-1, row_in_call=0, column=None, value=None, rows_written=0):
        super().__init__(message)
        self.row = row
        self.row_in_call = row_in_call
        self.column = column
        self.value = value
        self.rows_written = rows_written


class RowTypeError(RowError, TypeError):
    """A value or row of a type that is not taken."""


class RowValueError(RowError, ValueError):
    """A value of the right type that the column does not take: null, order, size, exactness."""


class RowOverflowError(RowError, OverflowError):
    """A number outside the range of its column's type."""


class SchemaError(Error, ValueError):
    """A schema that cannot be: unknown type, bad or double name."""


class FormatError(_Attributed, ValueError):
    """Bytes that break the format of their file.

    Attributes (None where not known): ``file`` (path), ``offset`` (bytes), ``row_group``, ``column`` (name).
    """

    def __init__(self, message="", *, file=None, offset=None, row_group=None, column=None):
        super().__init__(message)
        self.file = file
        self.offset = offset
        self.row_group = row_group
        self.column = column


class VerifyError(Error):
    """A file that was read back and does not hold what it should."""


class UnsupportedError(Error, NotImplementedError):
    """Valid, but not in this version or not in this build; the message says what is there."""


class BudgetError(_Attributed, MemoryError):
    """The memory limit does not allow it. ``needed``: bytes that would do; ``limit``: bytes allowed."""

    def __init__(self, message="", *, needed=None, limit=None):
        super().__init__(message)
        self.needed = needed
        self.limit = limit


class FileChanged(_Attributed):
    """An input file changed between two passes over it. Internal: callers start over without the file."""

    def __init__(self, message="", *, file=None):
        super().__init__(message)
        self.file = file


# Tracebacks and pickles name them as users do.
for _name in __all__:
    if _name != "FileChanged":
        globals()[_name].__module__ = "ccpq"
del _name
