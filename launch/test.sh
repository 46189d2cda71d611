#!/usr/bin/env bash
# Everything a change must pass: set-up, build, lint, tests (some under mpirun), a run on two ranks, and the
# numeric tests under sanitizers.
# Usage: launch/test.sh
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
step() { printf '\n== %s\n' "$*"; }

step set up
launch/setup.sh

step lint
swift format lint --strict --recursive Sources Tests Plugins Package.swift

step build
swift build -c release --build-tests

step test
swift test -c release --skip-build

step two ranks
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
launch/local.sh -n 2 -- doctor
launch/local.sh -n 2 -- train --config configs/debug.yaml --run "$scratch/run"
launch/local.sh -n 2 -- inspect "$scratch/run"

step sanitizers
launch/sanitize.sh
