#!/usr/bin/env bash
# Trains the same run on 1, 2, 4 and 8 ranks, with and without a sharded optimiser, and once stopped on four
# ranks and resumed on two: with parallel.reduction reproducible all final weights have one SHA-256.
#
# Usage: Tests/Endurance/same_bits.sh [-i IMAGES] [--program FILE] [-- OPTION ...]
#   -i IMAGES       images of a run (default 2000)
#   --program FILE  instead of .build/release/diffit
#   OPTION ...      further options of `diffit train`, such as --set parallel.wire=bf16
# Exit code: 0 where all are the same.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
images=2000
program=$root/.build/release/diffit
while [ $# -gt 0 ]; do
  case $1 in
    -i) images=$2 && shift 2 ;;
    --program) program=$2 && shift 2 ;;
    --) shift && break ;;
    *) sed -n 's/^# \{0,1\}//; 2,10p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
  esac
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

train() {  # RUN RANKS IMAGES OPTION ...
  local run=$1 ranks=$2 until=$3
  shift 3
  "$root/launch/local.sh" -n "$ranks" --threads 1 --program "$program" -- train \
    --config "$root/configs/debug.yaml" --run "$scratch/$run" --set "train.images=$until" \
    --set train.batch=16 --set sample.every=0 --set checkpoint.every=160 --set log.straggler=0 \
    --set parallel.reduction=reproducible "$@" >"$scratch/out" 2>&1 || { cat "$scratch/out" && exit 1; }
}
sum() {  # RUN: the weights' SHA-256
  "$program" export "$scratch/$1" --bare --out "$scratch/weights.safetensors" >/dev/null
  sha256sum <"$scratch/weights.safetensors" | cut -d ' ' -f 1
}

expected=
compare() {  # RUN TEXT
  local found
  found=$(sum "$1")
  expected=${expected:-$found}
  printf '%s  %s\n' "$found" "$2"
  [ "$found" = "$expected" ] || { echo "same_bits: they differ" >&2 && exit 1; }
}
for ranks in 1 2 4 8; do
  train "whole-$ranks" "$ranks" "$images" "$@"
  compare "whole-$ranks" "$ranks ranks"
  train "sharded-$ranks" "$ranks" "$images" --set parallel.shard_optimizer=true "$@"
  compare "sharded-$ranks" "$ranks ranks, sharded optimiser"
done
train resumed 4 $((images / 2)) --set parallel.shard_optimizer=true "$@"
train resumed 2 "$images" "$@"
compare resumed "stopped on 4 ranks at $((images / 2)) images, resumed on 2"
