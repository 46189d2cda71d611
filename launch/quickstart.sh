#!/usr/bin/env bash
# From a fresh clone to an image: sets up, builds, trains a small network on drawn shapes on two ranks.
# Usage: launch/quickstart.sh      (ten minutes on two cores, the build included)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
run=runs/quickstart

launch/setup.sh
echo "launch/quickstart.sh: building (about three minutes the first time)"
swift build -c release --product diffit
launch/local.sh -n 2 -- train --config configs/quickstart.yaml --run "$run"

# Guidance (Ho and Salimans, arXiv:2207.12598) makes each image more like its class.
grid=$run/quickstart.png
launch/local.sh -n 2 -- sample "$run" --seeds 0-63 --guidance 3 --out "$run/images" --grid "$grid"
echo "launch/quickstart.sh: done, the image is $PWD/$grid"
