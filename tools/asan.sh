#!/bin/bash
# Everything under address, leak and undefined-behaviour sanitizers: C tests, fuzz corpus, then the Python tests with an
# extension of its own in build/asan. Tests that measure memory and the peers' libraries (their leaks are not ours)
# stay out, as do the tests that run compilers and those of the model, which is Python alone.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
jobs=$(nproc)
py=$root/.venv/bin/python

mkdir -p build
flock build/native.lock make --no-print-directory -j"$jobs" -f tools/native.mk VARIANT=asan tests replays
export UBSAN_OPTIONS=print_stacktrace=1
code=0
ASAN_OPTIONS=detect_leaks=1 build/native/asan/test_all || code=1
log=build/native/asan/replay.log
for replay in build/native/asan/replay_*; do
    [ ! -x "$replay" ] || ASAN_OPTIONS=detect_leaks=1 "$replay" "tests/fuzz/corpus/$(basename "${replay#*replay_}")" 2>"$log" ||
        { tail -50 "$log"; code=1; }
done

flags='-O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
mkdir -p build/asan
if ! CCPQ_CFLAGS=$flags $py setup.py -q build --build-base build/asan/base --build-lib build/asan/lib \
    >build/asan/build.log 2>&1; then
    cat build/asan/build.log >&2
    exit 1
fi

# CPython 3.11 leaves nothing behind at its end, so each leak is ours; later ones leave thousands of blocks.
leaks=$($py -c 'import sys; print(int(sys.version_info[:2] <= (3, 11)))')
echo "asan: Python tests, leak detection $leaks"
# Not by `python -m`: that would put this directory, and so the plain build, first on the path.
env LD_PRELOAD="$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)" \
    PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks="$leaks":allocator_may_return_null=1 \
    PYTHONPATH="$root/build/asan/lib" CCPQ_EXPECT_FROM="$root/build/asan/lib" \
    CCPQ_TESTS_WITHOUT=pyarrow,duckdb,polars,pandas,numpy,pydantic,msgspec \
    .venv/bin/pytest -o pythonpath="tests build/asan/lib" -p no:cacheprovider --timeout=600 -q \
    -m 'not memory and not slow' \
    --ignore tests/py/test_c_suite.py --ignore tests/py/test_house.py \
    --ignore tests/py/test_docs.py --ignore tests/py/test_model.py "$@" || code=1
exit $code
