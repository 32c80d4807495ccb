"""Makes the corpus of fuzz_arrow_import: one input for each type and layout, good arrays and broken ones.

    tests/fuzz/arrow_corpus.py [folder]        writes tests/fuzz/corpus/arrow_import anew

The bytes of an input, as fuzz_arrow_import.c takes them: column type (its number in types.h; 128 more: optional) and two
parameters, Arrow type, coding, then the arrays: for run ends length, offset and the array of ends; for dictionaries the
array of indexes; the array of values; the lie; sizes of chunks.
"""

import struct
import sys
from pathlib import Path

FORMATS = ["n", "b", "c", "C", "s", "S", "i", "I", "l", "L", "e", "f", "g", "u", "U", "vu", "z", "Z", "vz", "w:5", "w:16",
           "tdD", "tdm", "tts", "ttm", "ttu", "ttn", "tss:", "tsm:UTC", "tsu:", "tsn:Z",
           "d:7,2,32", "d:12,3,64", "d:9,2", "d:30,5", "d:25,3,256"]
WIDTHS = {"c": 1, "C": 1, "s": 2, "S": 2, "i": 4, "I": 4, "l": 8, "L": 8, "e": 2, "f": 4, "g": 8, "w:5": 5, "w:16": 16,
          "tdD": 4, "tdm": 8, "tts": 4, "ttm": 4, "ttu": 8, "ttn": 8, "tss:": 8, "tsm:UTC": 8, "tsu:": 8, "tsn:Z": 8,
          "d:7,2,32": 4, "d:12,3,64": 8, "d:9,2": 16, "d:30,5": 16, "d:25,3,256": 32}
(BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT16, FLOAT32, FLOAT64, STRING, BINARY, JSON, BSON,
 ENUM, FIXED, UUID, DECIMAL32, DECIMAL64, DECIMAL128, DATE, TIME_MS, TIME_US, TIME_NS, TIME_MS_UTC, TIME_US_UTC,
 TIME_NS_UTC, TS_S, TS_MS, TS_US, TS_NS, TS_S_UTC, TS_MS_UTC, TS_US_UTC, TS_NS_UTC) = range(37)
COLUMNS = {"n": [INT64], "b": [BOOL], "c": [INT8, UINT8, FLOAT16], "C": [UINT8, INT64], "s": [INT16, INT8], "S": [UINT16],
           "i": [INT32, FLOAT32], "I": [UINT32, INT32], "l": [INT64, INT32, FLOAT64, TS_S, DECIMAL128],
           "L": [UINT64, INT64, TS_NS], "e": [FLOAT16, FLOAT32, FLOAT64], "f": [FLOAT32, FLOAT64, FLOAT16],
           "g": [FLOAT64, FLOAT32, FLOAT16], "u": [STRING, JSON], "U": [STRING], "vu": [STRING, ENUM],
           "z": [BINARY, FIXED], "Z": [BSON], "vz": [BINARY, UUID], "w:5": [FIXED, BINARY], "w:16": [UUID, BINARY],
           "tdD": [DATE], "tdm": [DATE], "tts": [TIME_MS], "ttm": [TIME_MS, TIME_NS_UTC], "ttu": [TIME_US, TIME_MS],
           "ttn": [TIME_NS, TIME_US], "tss:": [TS_S, TS_NS], "tsm:UTC": [TS_MS_UTC, TS_S_UTC], "tsu:": [TS_US, TS_MS],
           "tsn:Z": [TS_NS_UTC, TS_US_UTC], "d:7,2,32": [DECIMAL32], "d:12,3,64": [DECIMAL64, DECIMAL32],
           "d:9,2": [DECIMAL32, DECIMAL128], "d:30,5": [DECIMAL128], "d:25,3,256": [DECIMAL128]}
PARAMETERS = {DECIMAL32: (8, 3), DECIMAL64: (17, 4), DECIMAL128: (37, 6), FIXED: (4, 0)}
TEXTS = [b"", b"a", "grün".encode(), b"twelve bytes", b"thirteen byte", "🌳 and forty bytes of text for a view ...".encode()]
VALID = 0b10110111
LENGTH, OFFSET = 11, 3


def number(fmt, width, i):
    """The bytes of a small value of a type: whole days and times of a day where they have to be."""
    if fmt in ("e", "f", "g"):
        return struct.pack({"e": "<e", "f": "<f", "g": "<d"}[fmt], i * 0.5 - 1)
    if fmt.startswith("w:"):
        return bytes((i * 7 + k) % 256 for k in range(width))
    value = i * 86400000 if fmt == "tdm" else i * 1000 if fmt.startswith("tt") or fmt.startswith("ts") else i * 10
    if fmt in "csil" or fmt.startswith("d:") or fmt == "tdD":
        value -= 30
    return value.to_bytes(width, "little", signed=value < 0)


def flat(fmt, length=LENGTH, offset=OFFSET, nulls=True, values=None):
    """An array without dictionary and run ends; `values`: the numbers of its slots, of the width of fmt."""
    views = fmt in ("vu", "vz")
    out = bytes([(1 if nulls else 0) | (2 << 2 if views else 0), length, offset])
    slots = offset + length
    if fmt == "n":
        return out
    if nulls:
        out += bytes([VALID]) * ((slots + 7) // 8)
    if values is not None:
        return out + b"".join(v.to_bytes(WIDTHS[fmt], "little", signed=v < 0) for v in [0] * offset + values)
    if fmt == "b":
        return out + bytes([0b01100101]) * ((slots + 7) // 8)
    if fmt in ("u", "z", "U", "Z"):
        data, ends = b"", [0]
        for i in range(slots):
            data += TEXTS[i % 5]
            ends.append(len(data))
        return out + bytes([len(data)]) + struct.pack(f"<{slots + 1}{'q' if fmt in 'UZ' else 'i'}", *ends) + data
    if views:
        data = [b"", b""]
        for i in range(slots):
            text = TEXTS[i % 6]
            if len(text) <= 12:
                out += struct.pack("<i12s", len(text), text)
            else:
                out += struct.pack("<i4sii", len(text), text[:4], i % 2, len(data[i % 2]))
                data[i % 2] += text
        return out + b"".join(bytes([len(d), 0]) + d for d in data)
    return out + b"".join(number(fmt, WIDTHS[fmt], i) for i in range(slots))


def head(column, fmt, coding, optional=True):
    """Column, Arrow type (a format string of its own where it is not in the list) and coding."""
    a, b = PARAMETERS.get(column, (0, 0))
    known = fmt in FORMATS
    return bytes([column | (128 if optional else 0), a, b, FORMATS.index(fmt) if known else 255, coding]) + (
        b"" if known else fmt.encode().ljust(12, b"\0"))


def inputs():
    """Name and bytes of every input."""
    chunks = bytes([4, 0, 8, 2, 1])
    for f, fmt in enumerate(FORMATS):
        name = fmt.replace(":", "-").replace(",", "-")
        for k, column in enumerate(COLUMNS[fmt]):
            yield f"flat-{name}-{k}", head(column, fmt, 0) + flat(fmt) + b"\0" + chunks
        column = COLUMNS[fmt][0]
        index = "cCsSiIlL"[f % 8]
        indexes = [i % 9 for i in range(LENGTH)]
        entries = flat(fmt, 9, 2)
        yield f"dictionary-{name}", (head(column, fmt, 1 | (f % 8) << 2) + flat(index, LENGTH, 1, True, indexes) + entries
                                     + b"\0" + chunks)
        ends = [3, 4, 9, 14, 20]
        runs = bytes([LENGTH, OFFSET]) + flat("sil"[f % 3], 5, 1, False, ends)
        yield f"runs-{name}", head(column, fmt, 2 | (f % 3) << 5) + runs + flat(fmt, 5, 2) + b"\0" + chunks
        yield f"runs-dictionary-{name}", (head(column, fmt, 3 | (f % 8) << 2 | (f % 3) << 5) + runs
                                          + flat(index, 5, 1, True, [8, 0, 3, 3, 1]) + entries + b"\0" + chunks)
    for k, lie in enumerate(range(0, 50, 3)):
        yield f"lie-{k}", head(STRING, "u", 3 | 4 << 2 | 1 << 5) + runs_of("i") + flat("i", 5, 0, False, [0, 1, 2, 1, 0]) + flat(
            "u", 3, 0) + bytes([(1, 3, 5, 9)[k % 4], lie])
    yield "offsets-back", head(BINARY, "z", 0) + bytes([0, 3, 0, 20]) + struct.pack("<4i", 0, 9, 5, 20) + bytes(20)
    yield "offsets-negative", head(BINARY, "Z", 0) + bytes([0, 3, 0, 20]) + struct.pack("<4q", 0, -9, 5, 20) + bytes(20)
    yield "view-outside", head(BINARY, "vz", 0) + bytes([1 << 2, 1, 0]) + struct.pack("<i4sii", 13, b"", 1, 0) + bytes([20, 0]) + bytes(20)
    yield "view-beyond", head(BINARY, "vz", 0) + bytes([1 << 2, 1, 0]) + struct.pack("<i4sii", 13, b"", 0, 8) + bytes([20, 0]) + bytes(20)
    yield "index-outside", head(INT64, "l", 1) + flat("c", 3, 0, False, [0, 7, -1]) + flat("l", 3, 0, False)
    yield "ends-back", head(INT64, "l", 2) + bytes([5, 0]) + flat("s", 3, 0, False, [3, 2, 5]) + flat("l", 3, 0, False)
    yield "ends-short", head(INT64, "l", 2) + bytes([9, 0]) + flat("s", 3, 0, False, [1, 2, 5]) + flat("l", 3, 0, False)
    yield "text-cut", head(STRING, "u", 0) + bytes([0, 2, 0, 3]) + struct.pack("<3i", 0, 2, 3) + b"a\xc3\xbc"
    for fmt in ("w:99999999999", "d:400,2", "+l", "tDs", "d:5,-3", "+r"):
        yield f"format-{fmt.replace(':', '-').replace('+', 'nested-')[:16]}", head(BINARY, fmt[:11] + " ", 0)[:-1] + b"\0"


def runs_of(fmt):
    """Length, offset and run ends of eleven rows."""
    return bytes([LENGTH, 0]) + flat(fmt, 5, 0, False, [1, 2, 6, 7, 11])


def main():
    """Writes the corpus anew."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "corpus" / "arrow_import"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in inputs():
        (folder / name).write_bytes(data)
    print(f"{folder}: {sum(1 for _ in inputs())} inputs")


if __name__ == "__main__":
    main()
