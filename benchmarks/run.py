"""Ratios to the peers, measured in one run: rows and columns into a file, checkpoints into an archive, and the size of files.

    benchmarks/run.py [rows] [columns] [archive] [size] [--rows N] [--hosts N] [--rounds N] [--level N] [--json FILE]

Everything by default. One thread on one processor on every side, the same codec and level, no side syncs. Contenders run in turns, and a
ratio is the median over the rounds, with the least and the most behind it; `spread` is half the range of a contender's own
times, which is what the machine adds. Ratios above 1 mean that the peer took more. Nothing here is asserted: tests judge
what is right, this tells what is fast.
"""

import os

# Before anything imports polars, which reads it once.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import argparse  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
CASES = ("rows", "columns", "archive", "size")


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("case", nargs="*", help="rows, columns, archive, size; default all")
    args.add_argument("--rows", type=int, default=500_000, help="rows of each shape")
    args.add_argument("--hosts", type=int, default=4, help="hosts of an archive; each makes 685,000 rows")
    args.add_argument("--rounds", type=int, default=7)
    args.add_argument("--level", type=int, default=3, help="level of zstd for what is timed")
    args.add_argument("--json", help="also write the figures to this file")
    args = args.parse_args()
    unknown = set(args.case) - set(CASES)
    if unknown or min(args.rows, args.hosts, args.rounds) < 1:
        sys.exit(f"{' '.join(sorted(unknown)) or 'a number below 1'}: choose from {', '.join(CASES)} and numbers from 1")

    # The build that is tested, not one that is installed; in the processes that measure memory, too.
    sys.path[:0] = [str(ROOT)]
    os.environ["PYTHONPATH"] = str(ROOT)
    import archive_case
    import ccpq
    import columns_case
    import measure
    import rows_case
    import size_case

    try:
        import pyarrow
    except ImportError:
        sys.exit("pyarrow is not here: there is nobody to compare with (make bench installs it)")
    measure.one_thread()
    load = os.getloadavg()[0]
    print(f"ccpq {ccpq.__version__}, pyarrow {pyarrow.__version__}, one thread on one processor, {args.rounds} rounds, load of the machine {load:.1f} "
          f"on {os.cpu_count()} processors")
    data = os.environ.get("CCPQ_TEST_DATA") or str(ROOT.parent / "shared" / "data")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in args.case or CASES:
            if name == "rows":
                found[name] = rows_case.run(folder, args.rows, args.rounds, args.level)
            elif name == "columns":
                found[name] = columns_case.run(folder, 4 * args.rows, args.rounds, args.level)
            elif name == "archive":
                found[name] = archive_case.run(folder, args.hosts, args.rounds, args.level)
            else:
                found[name] = size_case.run(folder, data, args.hosts)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(found, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
