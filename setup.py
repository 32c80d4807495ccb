"""Builds the extension ccpq._core from csrc/core and csrc/py; everything else is in pyproject.toml.

Objects are compiled in parallel (-j, or CCPQ_JOBS) and each is made anew only when its source, a header it included or
its command changed. CCPQ_WERROR=1 turns warnings into errors: the Makefile sets it, an installation by pip does not,
so that a new compiler's new warning stops nobody. CCPQ_CFLAGS adds flags for compiling and linking (sanitizers).
"""

import os
import re
import shlex
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

os.chdir(Path(__file__).resolve().parent)

VERSION = Path("VERSION").read_text().strip()
WARNINGS = Path("csrc/warnings.txt").read_text().split()
EXTRA = shlex.split(os.environ.get("CCPQ_CFLAGS", ""))
# Slot tables hold functions as void *, which ISO C does not know.
NOT_IN_BINDING = {"-Wpedantic"}


def build_id():
    """The commit's short hash in a checkout, 'release' anywhere else."""
    if not Path(".git").exists():
        return "release"
    try:
        out = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "release"
    return out.stdout.strip()


def flags_for(source):
    flags = ["-std=c11", "-O3", "-g", "-fvisibility=hidden", f'-DCQ_VERSION="{VERSION}"']
    # Only where it is used: it changes with each commit, and only these objects should then be made again.
    if re.search(r"\bCQ_BUILD\b", Path(source).read_text(encoding="utf-8")):
        flags.append(f'-DCQ_BUILD="{build_id()}"')
    binding = Path(source).parts[:2] == ("csrc", "py")
    flags += [w for w in WARNINGS if not (binding and w in NOT_IN_BINDING)]
    # A directory given by -isystem as well as -I counts as a system directory: warnings in it are not ours.
    flags += ["-isystem", sysconfig.get_paths()["include"]]
    if os.environ.get("CCPQ_WERROR") == "1":
        flags.append("-Werror")
    return flags + EXTRA


def up_to_date(obj, command):
    """The object, the recorded command, and everything its dependency file names agree."""
    obj = Path(obj)
    record, deps = obj.with_suffix(".cmd"), obj.with_suffix(".d")
    if not (obj.exists() and record.exists() and deps.exists()) or record.read_text() != command:
        return False
    names = deps.read_text().replace("\\\n", " ").split(":", 1)[1].split()
    made = obj.stat().st_mtime_ns
    return all(os.path.exists(n) and os.stat(n).st_mtime_ns <= made for n in names)


class BuildExt(build_ext):
    def build_extensions(self):
        # The objects decide (see up_to_date); distutils would look at the extension's own date only.
        self.force = True
        self.compiler.compile = self._compile_parallel
        super().build_extensions()

    def _compile_parallel(self, sources, output_dir=None, macros=None, include_dirs=None, debug=0,
                          extra_preargs=None, extra_postargs=None, depends=None):
        cc = self.compiler
        _, objects, _, pp_opts, build = cc._setup_compile(
            output_dir, macros, include_dirs, sources, depends, extra_postargs)
        cc_args = cc._get_cc_args(pp_opts, debug, extra_preargs)

        def compile_one(obj):
            source, suffix = build[obj]
            args = flags_for(source) + ["-MMD", "-MF", str(Path(obj).with_suffix(".d"))]
            command = shlex.join([*cc.compiler_so, *cc_args, *args, source])
            if up_to_date(obj, command):
                return
            cc._compile(obj, source, suffix, cc_args, args, pp_opts)
            Path(obj).with_suffix(".cmd").write_text(command)

        jobs = self.parallel if isinstance(self.parallel, int) and self.parallel > 1 else None
        jobs = int(os.environ.get("CCPQ_JOBS") or jobs or os.cpu_count() or 1)
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            list(pool.map(compile_one, [o for o in objects if o in build]))
        return objects


setup(
    ext_modules=[
        Extension(
            "ccpq._core",
            sources=sorted(glob("csrc/core/*/*.c") + glob("csrc/py/*.c")),
            depends=sorted(glob("csrc/**/*.h", recursive=True)) + ["csrc/warnings.txt", "VERSION"],
            include_dirs=["csrc/core", "csrc/py"],
            extra_link_args=EXTRA,
            libraries=["zstd", "snappy"],
        )
    ],
    cmdclass={"build_ext": BuildExt},
)
