"""Fixtures and settings of all Python tests: where test data is, which libraries are to be absent, how hypothesis runs.

Environment: CCPQ_TEST_DATA is the folder of shared test data (default ../shared/data beside the checkout); with CI=true
its absence is a failure and no skip. CCPQ_EXPECT_FROM is the folder that ccpq must come from, so that a run meant for
one build cannot test another. CCPQ_TESTS_WITHOUT=pyarrow,numpy makes libraries unimportable.
"""

import os
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CCPQ_TEST_DATA") or ROOT / "../shared/data").resolve()
IN_CI = os.environ.get("CI") == "true"

for _name in filter(None, os.environ.get("CCPQ_TESTS_WITHOUT", "").split(",")):
    sys.modules[_name] = None  # makes `import` raise ModuleNotFoundError

try:
    import tqdm
except ImportError:
    pass
else:
    # Its monitor is a daemon thread, which is still there at exit: a leak to LeakSanitizer.
    tqdm.tqdm.monitor_interval = 0

try:
    import hypothesis
except ImportError:
    pass
else:
    # Time is no failure on a shared machine; CI repeats exactly.
    hypothesis.settings.register_profile("default-here", deadline=None, print_blob=True)
    hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
    hypothesis.settings.load_profile("ci" if IN_CI else "default-here")


def pytest_configure():
    # A background job of a shell is born with SIGINT ignored, and so would be every process that a test interrupts.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config):
    try:
        import ccpq
    except ImportError as e:
        return f"ccpq: not importable ({e})"
    place = Path(ccpq.__file__).resolve().parent.parent
    expected = os.environ.get("CCPQ_EXPECT_FROM")
    if expected and place != Path(expected).resolve():
        raise pytest.UsageError(f"ccpq comes from {place}, expected {expected}")
    return f"ccpq: from {place}; test data: {DATA if DATA.is_dir() else 'absent'}"


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return ROOT


def need_data(*parts):
    """A path inside the shared test data; skips the test where it is absent (in CI: fails it)."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        reason = f"no test data at {path} (set CCPQ_TEST_DATA)"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def data_dir():
    """The shared test data: golden checkpoints, parquet-testing, job metrics."""
    return need_data()


@pytest.fixture(scope="session")
def checkpoints_dir():
    """The golden checkpoint trees."""
    return need_data("checkpoints")
