"""Arrow's C structs made by hand, so that tests can give what no library would: see test_hostile_columns.py.

A struct that is given out is kept with its buffers until its release callback is called; then they are dropped, so that a
read after the release is seen by AddressSanitizer. `alive` are the structs that nobody released yet.
"""

from __future__ import annotations

import ctypes
import itertools
import struct
from collections.abc import Callable, Iterable

P, I64 = ctypes.c_void_p, ctypes.c_int64


class CSchema(ctypes.Structure):
    _fields_ = [("format", P), ("name", P), ("metadata", P), ("flags", I64), ("n_children", I64), ("children", P), ("dictionary", P), ("release", P), ("private_data", P)]  # fmt: skip


class CArray(ctypes.Structure):
    _fields_ = [("length", I64), ("null_count", I64), ("offset", I64), ("n_buffers", I64), ("n_children", I64), ("buffers", P), ("children", P), ("dictionary", P), ("release", P), ("private_data", P)]  # fmt: skip


class CStream(ctypes.Structure):
    _fields_ = [("get_schema", P), ("get_next", P), ("get_last_error", P), ("release", P), ("private_data", P)]


_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [P, ctypes.c_char_p, P]
_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.restype = P
_get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]

_NUMBERS = itertools.count(1)
alive: dict[int, tuple] = {}  # number -> whatever must live as long as the struct
given: set[int] = set()  # numbers of those that a consumer has, or had
on_release: dict[int, Callable[[], object]] = {}  # number -> what its release does beside


def _released(address: int, kind: type) -> None:
    s = kind.from_address(address)
    if not s.release:
        raise AssertionError("released twice")
    s.release = None
    parts = [s.dictionary, *_pointers(s.children, s.n_children)] if kind is not CStream else []
    for part in parts:
        if part and kind.from_address(part).release:
            _released(part, kind)
    alive.pop(s.private_data)
    then = on_release.pop(s.private_data, None)
    if then:
        then()


def _pointers(list_: int | None, n: int) -> list[int | None]:
    return list((P * n).from_address(list_)) if list_ and 0 < n < 1000 else []


_RELEASE = ctypes.CFUNCTYPE(None, P)
_CALLBACKS = {kind: _RELEASE(lambda address, kind=kind: _released(address, kind)) for kind in (CSchema, CArray, CStream)}


def _adopt(s, *kept) -> int:
    s.private_data = number = next(_NUMBERS)
    s.release = ctypes.cast(_CALLBACKS[type(s)], P).value
    alive[number] = (s, kept)
    return number


def _address(s) -> int | None:
    return None if s is None else ctypes.addressof(s)


def _list(parts: Iterable) -> ctypes.Array:
    parts = list(parts)
    return (P * max(len(parts), 1))(*[_address(p) for p in parts])


def metadata(pairs: dict[bytes, bytes]) -> bytes:
    parts = [struct.pack("<i", len(x)) + x for pair in pairs.items() for x in pair]
    return struct.pack("<i", len(pairs)) + b"".join(parts)


def schema(format_: bytes | None, name: bytes | None = b"", children=(), dictionary=None, flags=2, meta: bytes | None = None, **members) -> CSchema:
    """`members` are set as they are, last."""
    s = CSchema()
    texts = [None if x is None else ctypes.create_string_buffer(x) for x in (format_, name, meta)]
    s.format, s.name, s.metadata = map(_address, texts)
    s.flags, s.n_children, s.children, s.dictionary = flags, len(children), None, _address(dictionary)
    of_children = _list(children)
    if children:
        s.children = _address(of_children)
    _adopt(s, texts, of_children)
    for member, value in members.items():
        setattr(s, member, value)
    return s


def array(length: int, buffers=(), children=(), dictionary=None, null_count=0, offset=0, **members) -> CArray:
    """Buffers are bytes or None."""
    a = CArray()
    kept = [None if b is None else ctypes.create_string_buffer(bytes(b), max(len(b), 1)) for b in buffers]
    of_buffers, of_children = (P * max(len(kept), 1))(*map(_address, kept)), _list(children)
    a.length, a.null_count, a.offset, a.n_buffers, a.n_children = length, null_count, offset, len(kept), len(children)
    a.buffers, a.children, a.dictionary = _address(of_buffers), _address(of_children) if children else None, _address(dictionary)
    _adopt(a, kept, of_buffers, of_children)
    for member, value in members.items():
        setattr(a, member, value)
    return a


def numbers(code: str, values, **more) -> CArray:
    """An array of a struct code, without nulls."""
    values = list(values)
    return array(len(values), [None, struct.pack(f"<{len(values)}{code}", *values)], **more)


def texts(values: list[bytes], **more) -> CArray:
    ends = [0, *itertools.accumulate(map(len, values))]
    return array(len(values), [None, struct.pack(f"<{len(ends)}i", *ends), b"".join(values)], **more)


def table(**columns: CSchema) -> CSchema:
    """The schema of batches; names by keyword."""
    return schema(b"+s", children=columns_named(columns))


def columns_named(columns: dict[str, CSchema]) -> list[CSchema]:
    for name, s in columns.items():
        text = ctypes.create_string_buffer(name.encode())
        s.name = _address(text)
        alive[s.private_data] += (text,)
    return list(columns.values())


def batch(*children: CArray, length: int | None = None, **more) -> CArray:
    return array(children[0].length if length is None else length, [None], children, **more)


def _move(s, address: int) -> None:
    """What a producer does: the consumer has the only copy afterwards. The struct itself stays for its buffers."""
    given.add(s.private_data)
    ctypes.memmove(address, ctypes.addressof(s), ctypes.sizeof(s))


class Stream:
    """`items` are arrays, ints (error numbers) or functions that give one of these; then comes the end.

    A schema that is asked for more than once is a function, too: what was given once is gone.
    """

    def __init__(self, schema_, items, *, last_error: bytes | None = b"no more", **members):
        self.schema, self.items, self.last_error, self.members = schema_, iter(items), last_error, members
        self.asked = 0

    def _get_schema(self, _, out: int) -> int:
        given = self.schema() if callable(self.schema) else self.schema
        if isinstance(given, int):
            return given
        _move(given, out)
        return 0

    def _get_next(self, _, out: int) -> int:
        self.asked += 1
        item = next(self.items, None)
        item = item() if callable(item) else item
        if isinstance(item, int):
            return item
        if item is not None:
            _move(item, out)
        return 0

    def __arrow_c_stream__(self, requested_schema=None):
        s = CStream()
        message = None if self.last_error is None else ctypes.create_string_buffer(self.last_error)
        functions = [
            ctypes.CFUNCTYPE(ctypes.c_int, P, P)(self._get_schema),
            ctypes.CFUNCTYPE(ctypes.c_int, P, P)(self._get_next),
            ctypes.CFUNCTYPE(P, P)(lambda _: _address(message)),
        ]
        s.get_schema, s.get_next, s.get_last_error = (ctypes.cast(f, P).value for f in functions)
        _adopt(s, functions, message, self)
        self.number = s.private_data
        for member, value in self.members.items():
            setattr(s, member, value)
        return capsule(s, b"arrow_array_stream")


class Column:
    """One array by __arrow_c_array__."""

    def __init__(self, schema_, array_):
        self.schema, self.array = schema_, array_

    def __arrow_c_array__(self, requested_schema=None):
        return capsule(self.schema, b"arrow_schema"), capsule(self.array, b"arrow_array")


def capsule(s, name: bytes):
    """Without a destructor: who does not consume it leaves it in `alive`; `release_all` is for those."""
    text = ctypes.create_string_buffer(name)
    _OF_CAPSULES.append((s, text))
    return _new_capsule(_address(s), ctypes.cast(text, ctypes.c_char_p), None)


_OF_CAPSULES: list = []  # what they point to: the struct outlives its release there


def release_all() -> None:
    """Lets go what is left over, without a call; no capsule may be in use."""
    _OF_CAPSULES.clear()
    alive.clear()
    on_release.clear()
    given.clear()
