#!/bin/bash
# Builds and tests with Debian's own python3, setuptools and pytest and nothing else, in build/minimal, beside whatever
# is built in place. Tests that need click, hypothesis, pyarrow and the like skip themselves here; memory is measured by
# `make test` alone.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
py=/usr/bin/python3

missing=()
header() { echo "#include <$1>" | gcc -E - >/dev/null 2>&1; }
header stdio.h || missing+=(build-essential)
header zstd.h || missing+=(libzstd-dev)
header snappy-c.h || missing+=(libsnappy-dev)
$py -c 'import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_paths()["include"] + "/Python.h"))' ||
    missing+=(python3-dev)
$py -c 'import setuptools' 2>/dev/null || missing+=(python3-setuptools)
$py -c 'import pytest' 2>/dev/null || missing+=(python3-pytest)
[ ${#missing[@]} = 0 ] || tools/apt_install.sh "${missing[@]}"

mkdir -p build/minimal
rm -rf build/minimal/lib
if ! CCPQ_WERROR=1 $py setup.py -q build --build-base build/minimal/base --build-lib build/minimal/lib \
    >build/minimal/build.log 2>&1; then
    cat build/minimal/build.log >&2
    exit 1
fi
# -P: not this directory, which holds another build, first on the path.
PYTHONPATH="$root/build/minimal/lib" CCPQ_EXPECT_FROM="$root/build/minimal/lib" \
    $py -P -m pytest -o pythonpath="tests build/minimal/lib" -p no:cacheprovider -q -m "not memory" "$@"
