#!/bin/bash
# Runs every lint of the house; the exit code says whether one of them complained.
set -u
cd "$(dirname "$0")/.."
py=.venv/bin/python
[ -x $py ] || py=python3
code=0
for lint in floors symbols cpylint treelint; do
    $py tools/$lint.py || code=1
done
exit $code
