"""Measuring of the benchmarks: alternating runs, medians, spread, memory of fresh processes, and tables of figures.

On a machine that others use, one figure says nothing. All contenders of a comparison run in turns, in an order that
changes from round to round; a ratio is the median of the ratios within a round, so that a slow minute slows both sides.
"""

import gc
import os
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field


@dataclass
class Runs:
    """Seconds of one contender, round by round: by the clock, and of the processor (which others do not slow as much)."""

    seconds: list = field(default_factory=list)
    cpu: list = field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def spread(self):
        """Half the distance from the least to the most, in per cent of the median: what the machine adds or takes."""
        return 50 * (max(self.seconds) - min(self.seconds)) / self.median if self.median else 0.0

    def less(self, other):
        """What is left of each round's time when the other's median is taken away."""
        cpu = statistics.median(other.cpu)
        return Runs([max(s - other.median, 1e-9) for s in self.seconds], [max(s - cpu, 1e-9) for s in self.cpu])

    def ratio(self, base):
        """How many times the time of `base` this took: the median over the rounds, the least, the most, and by processor."""
        found = [a / b for a, b in zip(self.seconds, base.seconds)]
        return statistics.median(found), min(found), max(found), statistics.median(self.cpu) / statistics.median(base.cpu)


def alternate(contenders, rounds, warm=True):
    """name -> Runs of name -> function. Each function is called once before anything is measured."""
    names = list(contenders)
    if warm:
        for name in names:
            contenders[name]()
    found = {name: Runs() for name in names}
    for i in range(rounds):
        turn = i % len(names)
        for name in names[turn:] + names[:turn]:
            gc.collect()
            start, cpu = time.perf_counter(), time.process_time()
            contenders[name]()
            found[name].seconds.append(time.perf_counter() - start)
            found[name].cpu.append(time.process_time() - cpu)
    return found


def growth(script, *args):
    """Peak growth in MiB of a fresh process, a script that ends with print_growth; NaN where it failed."""
    done = subprocess.run([sys.executable, script, *map(str, args)], capture_output=True, text=True)
    return json.loads(done.stdout)["growth"] / 2**20 if done.returncode == 0 else float("nan")


def _status(key):
    with open("/proc/self/status", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(key + ":"))


def print_growth(work):
    """Calls it and prints by how much this process grew at most meanwhile."""
    with open("/proc/self/clear_refs", "wb", buffering=0) as f:
        f.write(b"5")
    before = _status("VmRSS")
    work()
    print(json.dumps({"growth": _status("VmHWM") - before}))


def one_thread():
    """Peers use as many threads as we do: one. Polars reads its environment when it is imported, see run.py; what still works
    in the background (Polars and DuckDB write files so) shares one processor with the rest."""
    import pyarrow as pa

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def table(title, head, rows, notes=()):
    """Prints columns: the first left, the others right."""
    cells = [tuple(map(str, row)) for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))))
    for note in notes:
        print(f"  {note}")


def times(ratio):
    """A ratio with its range, and that of processor time: 3.10x (2.95-3.30, cpu 3.05)."""
    middle, low, high, cpu = ratio
    return f"{middle:.2f}x ({low:.2f}-{high:.2f}, cpu {cpu:.2f})"
