#!/bin/bash
# libFuzzer on every target of tests/fuzz, SECONDS_EACH seconds each, from the corpus in the repository; what is found
# goes to build/fuzz/<target> (new inputs) and build/fuzz/<target>-crash-* (to be fixed and added to the corpus).
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
flock build/native.lock make --no-print-directory -j"$(nproc)" -f tools/native.mk VARIANT=fuzz fuzzers
code=0
for source in tests/fuzz/fuzz_*.c; do
    [ -e "$source" ] || { echo "fuzz: no targets"; break; }
    target=$(basename "${source#*fuzz_}" .c)
    mkdir -p "build/fuzz/$target" "tests/fuzz/corpus/$target"
    echo "fuzz: $target"
    build/native/fuzz/fuzz_"$target" -max_total_time="${SECONDS_EACH:-60}" -timeout=10 -rss_limit_mb=512 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/$target-" "build/fuzz/$target" "tests/fuzz/corpus/$target" || code=1
done
exit $code
