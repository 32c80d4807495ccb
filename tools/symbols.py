"""Checks the built extension: it exports PyInit__core and nothing else, and the core has no writable data.

    tools/symbols.py [root]       looks at ccpq/_core*.so and the newest object of every source of csrc/core

A writable static would be shared between interpreters and threads, and is state that no handle owns. Constant tables
of pointers sit in .data.rel.ro, which the loader makes read-only after relocation: they are allowed.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

EXPORTED = {"PyInit__core"}
LINKER = {"_init", "_fini", "__bss_start", "_edata", "_end"}
WRITABLE = set("BbDdCGgSs")


def nm(path, *options):
    return subprocess.run(["nm", "--defined-only", *options, str(path)],
                          check=True, capture_output=True, text=True).stdout


def check_exports(extension):
    names = {line.split()[-1].split("@")[0] for line in nm(extension, "-D").splitlines() if line.strip()}
    bad = [f"{extension}: exports {name}" for name in sorted(names - EXPORTED - LINKER)]
    return bad + [f"{extension}: does not export {name}" for name in sorted(EXPORTED - names)]


def check_object(path, label=None):
    bad = []
    for line in nm(path, "-f", "sysv").splitlines():
        fields = [f.strip() for f in line.split("|")]
        if len(fields) < 7:
            continue
        name, kind, section = fields[0], fields[2], fields[6]
        if kind in WRITABLE and not section.startswith(".data.rel.ro"):
            bad.append(f"{label or path}: writable static {name} ({section})")
    return bad


def newest_object(source, root):
    """Of the builds for this and other Pythons the newest; None when the source was not built."""
    found = list((root / "build").glob(f"temp.*/{source.relative_to(root).with_suffix('.o')}"))
    return max(found, key=lambda p: p.stat().st_mtime, default=None)


def check(root):
    root = Path(root).resolve()
    bad = []
    extension = root / "ccpq" / ("_core" + sysconfig.get_config_var("EXT_SUFFIX"))
    if extension.exists():
        bad += check_exports(extension)
    for source in sorted((root / "csrc/core").rglob("*.c")):
        obj = newest_object(source, root)
        if obj:
            bad += check_object(obj, source.relative_to(root))
    return bad


if __name__ == "__main__":
    found = check(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    print("\n".join(found) or "symbols: clean")
    sys.exit(bool(found))
