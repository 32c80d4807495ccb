"""ccpq: Parquet archives of job metrics, written in a hard memory budget.

    with ccpq.Writer("out.parquet", {"host": "string", "value": "float32?"}, memory_limit="64MiB") as w:
        w.write_rows(rows)
    print(w.report)

    report = ccpq.archive_checkpoints("checkpoints", "archive", older_than="48h")
"""

import logging as _logging

from ccpq import checkpoint
from ccpq._archive import archive_checkpoints
from ccpq._archive_report import ArchiveError, ArchiveReport
from ccpq._budget import MemoryBudget
from ccpq._core import __version__
from ccpq._errors import (
    BudgetError,
    Error,
    FormatError,
    RowError,
    RowOverflowError,
    RowTypeError,
    RowValueError,
    SchemaError,
    UnsupportedError,
    VerifyError,
)
from ccpq._infer import infer_schema
from ccpq._json import Json
from ccpq._report import Report
from ccpq._schema import Field, Schema, schema
from ccpq._write import write
from ccpq._writer import Writer

__all__ = [
    "ArchiveError",
    "ArchiveReport",
    "BudgetError",
    "Error",
    "Field",
    "FormatError",
    "Json",
    "MemoryBudget",
    "Report",
    "RowError",
    "RowOverflowError",
    "RowTypeError",
    "RowValueError",
    "Schema",
    "SchemaError",
    "UnsupportedError",
    "VerifyError",
    "Writer",
    "__version__",
    "archive_checkpoints",
    "checkpoint",
    "infer_schema",
    "schema",
    "write",
]

_logging.getLogger("ccpq").addHandler(_logging.NullHandler())
