#!/usr/bin/env bash
# From a fresh clone to a picture: sets up, builds, trains a small network on drawn shapes on two ranks.
# Usage: launch/quickstart.sh      (a few minutes on two cores; a second run goes on from the first)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
run=runs/quickstart

launch/setup.sh
echo "launch/quickstart.sh: building (about three minutes the first time)"
swift build -c release --product diffit
launch/local.sh -n 2 -- train --config configs/quickstart.yaml --run "$run"

# The newest grid, of the averaged weights where there is one.
picture=$(find "$run/samples" -name 'images-*.png' -printf '%f\n' 2>/dev/null | sort -V | tail -n 1)
averaged=$(find "$run/samples" -name 'images-*ema*.png' -printf '%f\n' 2>/dev/null | sort -V | tail -n 1)
[ -n "$picture$averaged" ] || {
  echo "launch/quickstart.sh: $run/samples holds no picture; see $run/log.txt" >&2
  exit 1
}
echo "launch/quickstart.sh: done, the picture is $PWD/$run/samples/${averaged:-$picture}"
