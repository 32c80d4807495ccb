"""Builds and runs what is written in C: the test runner plain, and each fuzz target over its corpus under sanitizers."""

import os
import shutil
import subprocess

import pytest
from conftest import ROOT

pytestmark = pytest.mark.skipif(not (shutil.which("cc") and shutil.which("make")), reason="needs a C compiler and make")
TARGETS = sorted(p.stem.removeprefix("fuzz_") for p in (ROOT / "tests/fuzz").glob("fuzz_*.c"))


def build(variant, goal):
    (ROOT / "build").mkdir(exist_ok=True)
    run = subprocess.run(["flock", "build/native.lock", "make", "-s", f"-j{os.cpu_count()}", "-f", "tools/native.mk",
                          f"VARIANT={variant}", goal], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return ROOT / "build/native" / variant


def run(*command):
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    done = subprocess.run([str(c) for c in command], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    return done.stdout


def test_c_runner():
    out = run(build("plain", "tests") / "test_all")
    last = out.strip().splitlines()[-1]
    assert last.endswith(" 0 failed")
    if list((ROOT / "tests/c").glob("test_[!am]*.c")):
        assert not last.startswith("0 passed"), out


@pytest.mark.parametrize("target", TARGETS)
def test_fuzz_corpus(target):
    out = run(build("asan", "replays") / f"replay_{target}", ROOT / "tests/fuzz/corpus" / target)
    assert "inputs replayed" in out
