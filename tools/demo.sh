#!/bin/bash
# The demo: writes a checkpoint tree, archives it, shows what came out, and what other readers make of it.
# HOSTS (default 8) sets the size; everything is in a temporary folder that is removed at the end (KEEP=1 keeps it).
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"

dir=$(mktemp -d "${TMPDIR:-/tmp}/ccpq-demo.XXXXXX")
if [ "${KEEP:-0}" = 1 ]; then echo "demo: in $dir"; else trap 'rm -rf "$dir"' EXIT; fi

run() { printf '\n$ %s\n' "$*"; (cd "$dir" && "$@"); }

run ccpq demo-data checkpoints --hosts "${HOSTS:-8}"
run ccpq archive checkpoints archive --older-than 0s
run find checkpoints archive -maxdepth 2 -printf '%y %10s  %p\n'
