"""The options of ``Writer``, checked: first all that needs no schema, then, when it is known, what names columns.

Nothing is opened here. Options that a later release will bring are known, so that they are told from misspelt ones.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from ccpq._budget import resolve_memory
from ccpq._compression import check_profile, resolve_compression
from ccpq._errors import UnsupportedError
from ccpq._near import near
from ccpq._publish import DURABILITIES
from ccpq._schema import Schema, core_fields
from ccpq._sizes import parse_size

__all__ = ["Options", "check_options", "core_arguments", "metadata_pairs", "row_minimum"]

EXTRAS = ("error", "ignore")
_MAX_GROUP_ROWS = 2**31 - 2
_MAX_FIELD_ID = 2**31 - 1


class Options(NamedTuple):
    """Checked options. ``core`` are arguments of the core that need no schema."""

    core: dict[str, Any]
    compression: object
    compression_level: object
    sorting: list[tuple[str, bool]]
    field_ids: Mapping[str, int] | None
    memory_limit: int
    ignore_extra: bool


def _later(what: str, today: str) -> NoReturn:
    raise UnsupportedError(f"{what} comes with a later release; today {today}")


def _integer(value: object, what: str) -> int:
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{what} is an int, not {type(value).__name__}")
    return operator.index(value)  # type: ignore[arg-type]


def _count(value: object, what: str, highest: int) -> int:
    n = _integer(value, what)
    if not 1 <= n <= highest:
        raise ValueError(f"{what}={n} is not between 1 and {highest}")
    return n


def row_minimum(value: object) -> int:
    """``min_rows`` of flush_group."""
    n = _integer(value, "min_rows")
    if n < 0:
        raise ValueError(f"min_rows={n} is negative")
    return n


def _flag(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{what} is True or False, not {value!r:.80}")
    return value


def _sorting(columns: object) -> list[tuple[str, bool]]:
    if columns is None:
        return []
    if isinstance(columns, (str, bytes)) or not isinstance(columns, Iterable):
        raise TypeError(f"sorting_columns is a list of names or (name, 'descending'); write [{columns!r:.80}]")
    keys: list[tuple[str, bool]] = []
    for item in columns:
        name, direction = (item, "ascending") if isinstance(item, str) else _pair(item)
        if direction not in ("ascending", "descending"):
            raise ValueError(f"sorting_columns: {direction!r} is neither 'ascending' nor 'descending'")
        if any(name == k for k, _ in keys):
            raise ValueError(f"sorting_columns: {name!r} is there twice")
        keys.append((name, direction == "descending"))
    return keys


def _pair(item: object) -> tuple[str, object]:
    if isinstance(item, (tuple, list)) and len(item) == 2 and isinstance(item[0], str):
        return item[0], item[1]
    raise TypeError(f"sorting_columns: an item is a name or (name, 'descending'), not {item!r:.80}")


def _field_ids(ids: object) -> dict[str, int] | None:
    if ids is None:
        return None
    if not isinstance(ids, Mapping):
        raise TypeError(f"field_ids is a mapping name -> int, not {type(ids).__name__}")
    checked: dict[str, int] = {}
    by_id: dict[int, str] = {}
    for name, value in ids.items():
        n = _integer(value, f"field_ids: the id of {name!r}")
        if not 0 <= n <= _MAX_FIELD_ID:
            raise ValueError(f"field_ids: {n} of {name!r} is not between 0 and {_MAX_FIELD_ID}")
        if n in by_id:
            raise ValueError(f"field_ids: {by_id[n]!r} and {name!r} have the same id {n}")
        by_id[n] = name
        checked[name] = n
    return checked


def metadata_pairs(metadata: object) -> list[tuple[str, str]]:
    """The pairs of a mapping str -> str, without the key under which readers of Arrow look for the file's schema."""
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata is a mapping str -> str, not {type(metadata).__name__}")
    pairs = []
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"metadata is a mapping str -> str; {key!r:.80}: {value!r:.80} is not")
        try:
            key.encode(), value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"metadata: {key!r:.80} holds a lone surrogate, which UTF-8 cannot express") from None
        if key == "ARROW:schema":
            raise ValueError("metadata: readers of Arrow take the key 'ARROW:schema' for the file's schema; leave it out")
        pairs.append((str(key), str(value)))
    return pairs


def check_options(given: Mapping[str, Any], max_value_bytes: int) -> Options:
    """All that is wrong without a schema: TypeError, ValueError, UnsupportedError."""
    o = given
    if o["bloom_filter"]:
        _later("bloom_filter", "files have statistics and page indexes")
    if _flag(o["hashes"], "hashes"):
        _later("hashes=True", "pages have CRCs")
    if not isinstance(o["extra"], str) or o["extra"] not in EXTRAS:
        raise ValueError(f"extra is 'error' or 'ignore', not {o['extra']!r:.80}{near(o['extra'], EXTRAS)}")
    if isinstance(o["threads"], bool) or not isinstance(o["threads"], int) or o["threads"] < 1:
        raise ValueError(f"threads is a number from 1, not {o['threads']!r:.80}")
    if o["threads"] != 1:
        _later(f"threads={o['threads']!r}", "a writer works in the thread that calls it")
    if o["durability"] not in DURABILITIES:
        raise ValueError(f"durability is one of {', '.join(map(repr, DURABILITIES))}, not {o['durability']!r}")
    if not isinstance(o["compression"], Mapping):
        resolve_compression(o["compression"], o["compression_level"], ())
    _flag(o["overwrite"], "overwrite")
    _flag(o["mkdir"], "mkdir")
    size, budget = resolve_memory(o["memory_limit"])
    core = {
        "profile": check_profile(o["profile"]),
        "memory_limit": size,
        "budget": budget,
        "row_group_size": _count(o["row_group_size"], "row_group_size", _MAX_GROUP_ROWS),
        "row_group_bytes": parse_size(o["row_group_bytes"], "row_group_bytes"),
        "data_page_size": 0 if o["data_page_size"] is None else parse_size(o["data_page_size"], "data_page_size"),
        "strict": _flag(o["strict"], "strict"),
        "extra": str(o["extra"]),
        "max_value_bytes": max_value_bytes,
    }
    return Options(core, o["compression"], o["compression_level"], _sorting(o["sorting_columns"]), _field_ids(o["field_ids"]),
                   size, o["extra"] == "ignore")  # fmt: skip


def _known(names: Iterable[object], schema: Schema, what: str) -> None:
    for name in names:
        if name not in schema:
            raise ValueError(f"{what}: there is no column {name!r}{near(name, schema.names)}")


def core_arguments(o: Options, schema: Schema) -> dict[str, Any]:
    """Everything that the core is told about a file: checked against the schema."""
    _known((name for name, _ in o.sorting), schema, "sorting_columns")
    _known(o.field_ids or (), schema, "field_ids")
    codecs = resolve_compression(o.compression, o.compression_level, schema.names)
    ids: Sequence[int | None] | None = None if o.field_ids is None else [o.field_ids.get(name) for name in schema]
    return {
        **o.core, "fields": core_fields(schema), "codec": codecs.codec, "codecs": codecs.columns, "level": codecs.level,
        "sorting": o.sorting, "field_ids": ids,
    }  # fmt: skip
