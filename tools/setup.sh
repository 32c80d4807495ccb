#!/bin/bash
# Makes a machine ready: tools/setup.sh base|test|fuzz. Debian packages, the virtual environment .venv, Python packages.
#
# Installs only what is missing and says so; a second run does nothing and takes well under a second. Uses sudo when not
# root. On other systems than Debian it names what is missing and stops.
set -eu
cd "$(dirname "$0")/.."

stage=${1:-base}
case $stage in base|test|fuzz) ;; *) echo "usage: $0 base|test|fuzz" >&2; exit 2 ;; esac

say() { echo "setup: $*"; }
have() { command -v "$1" >/dev/null 2>&1; }
header() { have gcc && echo "#include <$1>" | gcc -E - >/dev/null 2>&1; }

missing=()
need() { missing+=("$1"); }

{ have gcc && have make && header stdio.h; } || need build-essential
header zstd.h || need libzstd-dev
header snappy-c.h || need libsnappy-dev
have pkg-config || need pkg-config
if ! have python3; then
    need python3-dev; need python3-venv; need python3-setuptools
else
    # The Python first on PATH makes the environment, whoever built it, and needs its own headers.
    py=.venv/bin/python
    $py -c '' 2>/dev/null || { py=python3; python3 -c 'import venv, ensurepip' 2>/dev/null || need python3-venv; }
    $py -c 'import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_paths()["include"] + "/Python.h"))' ||
        need python3-dev
fi
if [ "$stage" = fuzz ]; then
    echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' |
        clang -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null || { need clang; need libclang-rt-dev; }
fi

[ ${#missing[@]} = 0 ] || tools/apt_install.sh "${missing[@]}"

if ! .venv/bin/python -c '' 2>/dev/null; then
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { say "Python 3.10 or later is needed" >&2; exit 1; }
    say "making the virtual environment .venv with $(python3 --version)"
    python3 -m venv --clear .venv
fi

lists=(tools/requirements-base.txt)
if [ "$stage" != base ]; then lists+=(tools/requirements-test.txt); fi

# The stamp holds what the environment was made from; another list, tool or place of the checkout makes it anew.
stamp=.venv/.ccpq-$stage
want=$(pwd; cat "${lists[@]}" tools/setup.sh)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ]; then
    say "Python packages of $(basename -a "${lists[@]}" | tr '\n' ' ')"
    args=()
    for list in "${lists[@]}"; do args+=(-r "$list"); done
    .venv/bin/python -m pip install -q --disable-pip-version-check 'setuptools>=64' "${args[@]}" </dev/null

    # In place, as an editable install would do it, without building a second time.
    site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
    pwd >"$site/ccpq-in-place.pth"
    # The second line is read by the shell and skipped by Python: a first line cannot hold a path with a space.
    cat >.venv/bin/ccpq <<EOF
#!/bin/sh
'''exec' "$(pwd)/.venv/bin/python" "\$0" "\$@"
' '''
import sys

from ccpq._cli import main

sys.exit(main())
EOF
    chmod +x .venv/bin/ccpq
    echo "$want" >"$stamp"
fi
