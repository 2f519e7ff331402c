#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Live fuzzing of every target, with AddressSanitizer and UndefinedBehaviorSanitizer, for the seconds of tests/counts.toml.
#
#   run.sh [--counts ci|soak] [--seconds N] [--jobs N] [TARGET...]
#
# Inputs found on the way stay in build/fuzz/found, an input that fails in build/fuzz/crashes: after the mend it goes into
# tests/fuzz/corpus/TARGET under a name that tells what it is. Exit 1 when a target fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
counts=${SENTINEL_COUNTS:-ci}
seconds=''
jobs=$(nproc)
targets=()
while [ $# -gt 0 ]; do
    case $1 in
    --counts) counts=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    -*) sed -n 's/^#   //p' "$0" >&2; exit 2 ;;
    *) targets+=("$1"); shift ;;
    esac
done
[ -n "$seconds" ] || seconds=$(python3 tests/support/counts.py fuzz_seconds "$counts")

build=build/fuzz/build
mkdir -p build/fuzz/crashes build/fuzz/found build/fuzz/logs
options=(-Dfuzz=true -Dtests=true -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
    --buildtype=debugoptimized)
if [ -e "$build/build.ninja" ]; then
    reconfigure=--reconfigure
fi
CC=${FUZZ_CC:-clang} meson setup ${reconfigure:-} "$build" "${options[@]}" >build/fuzz/logs/meson.log 2>&1 ||
    { tail -n 20 build/fuzz/logs/meson.log; exit 1; }
ninja -C "$build" -j"$(nproc)" --quiet fuzzers

if [ ${#targets[@]} -eq 0 ]; then
    for program in "$build"/tests/fuzz/fuzz_*; do
        name=${program##*/fuzz_}
        case $name in replay_* | *.p) ;; *) targets+=("$name") ;; esac
    done
fi
[ ${#targets[@]} -gt 0 ] || { echo "no fuzz targets were built" >&2; exit 1; }

fuzz_one() {
    local name=$1 log=build/fuzz/logs/$1.log
    mkdir -p "build/fuzz/found/$name"
    if UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$build/tests/fuzz/fuzz_$name" "-max_total_time=$seconds" \
        -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 "-artifact_prefix=build/fuzz/crashes/$name-" \
        "build/fuzz/found/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
        printf 'ok      %-16s %10s inputs in %s s\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$seconds"
    else
        printf 'FAILED  %-16s see %s\n' "$name" "$log"
        tail -n 40 "$log"
        return 1
    fi
}
export -f fuzz_one
export build seconds
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz_one "$1"' fuzz_one {}
