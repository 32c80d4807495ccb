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
run du -sh checkpoints archive
run find archive -type f -printf '%10s  %p\n'

# Only where the packages of the tests are installed: another reader's view.
if python -c 'import pyarrow' 2>/dev/null; then
    printf '\nas pyarrow reads it:\n'
    (cd "$dir" && python - archive/*/*.parquet) <<'EOF'
import sys

import pyarrow.parquet as pq

for path in sys.argv[1:]:
    f = pq.ParquetFile(path)
    print(f"{path}: {f.metadata.num_rows:,} rows in {f.num_row_groups} groups, by {f.metadata.created_by}")
    for row in next(f.iter_batches(3)).to_pylist():
        print("  ", *row.values())
EOF
fi
