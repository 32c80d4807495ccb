#!/bin/bash
# Builds ccpq/_core in place with the virtual environment's Python; warnings are errors.
set -eu
cd "$(dirname "$0")/.."
log=build/build.log
mkdir -p build
if ! CCPQ_WERROR=1 flock build/ext.lock .venv/bin/python setup.py -q build_ext --inplace >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
grep -n 'warning:' "$log" >&2 || true
