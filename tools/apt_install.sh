#!/bin/bash
# Installs the named Debian packages, saying so; with sudo when not root. Names them and stops where it cannot.
set -eu

say() { echo "setup: $*"; }

if ! command -v apt-get >/dev/null; then
    say "missing, please install what these Debian packages hold: $*" >&2
    exit 1
fi
root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "missing; run as root: apt-get install $*" >&2; exit 1; }
    root=(sudo)
fi
say "installing Debian packages: $*"
"${root[@]}" apt-get update -qq </dev/null
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null
