#!/usr/bin/env bash
# Everything a change must pass: set-up, checks of the repository, build, tests (some under mpirun), a run on two
# ranks, and the numeric tests under sanitizers. Prints how long each step took.
#
# Usage: launch/test.sh [--checks | --target NAME]
#   --checks        only what needs no build: structure of the package, links of the documents, shellcheck, ruff,
#                   format of the Swift files
#   --target NAME   builds, and runs only the tests of one target
#   Example: launch/test.sh --target OperatorsTests
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  printf 'launch/test.sh: %s\n' "$1" >&2
  sed -n '5,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
only=
target=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
    --checks) only=checks ;;
    --target)
      [ $# -ge 2 ] || usage "--target needs a name"
      only=target target=$2
      shift
      ;;
    *) usage "unknown option '$1'" ;;
  esac
  shift
done
if [ "$only" = target ]; then
  known=$(find Tests Tests/Integration -mindepth 1 -maxdepth 1 -type d -name '*Tests' -printf '%f\n' | sort)
  grep -qxF -- "$target" <<<"$known" || usage "no test target '$target', there are: $(paste -sd ' ' <<<"$known")"
fi

# Begins a step; the one before has ended.
name=
since=0
times=()
step() {
  end_step
  name=$* since=$SECONDS
  printf '\n== %s\n' "$name"
}
end_step() {
  [ -n "$name" ] || return 0
  times+=("$name $((SECONDS - since)) s")
  printf '== %s: %d s\n' "$name" "$((SECONDS - since))"
  name=
}
scratch=$(mktemp -d)
finish() {
  local code=$? failed=$name list
  rm -rf "$scratch"
  end_step
  list=$(printf '%s, ' "${times[@]}")
  printf '\n== %sin all %d s\n' "$list" "$SECONDS"
  [ "$code" -eq 0 ] || printf 'launch/test.sh: failed with code %d in the step: %s\n' "$code" "$failed" >&2
}
trap finish EXIT

step set up
launch/setup.sh --tests

if [ "$only" = target ]; then
  step "test $target"
  swift test -c release --filter "^$target\\."
  exit
fi

step checks
# Each says all that is wrong before the step ends.
failed=()
check() {
  local begun=$SECONDS
  printf -- '-- %s\n' "$*"
  "$@" || failed+=("$*")
  printf -- '-- %d s\n' "$((SECONDS - begun))"
}
check Tests/Checks/lint.sh
check Tests/Checks/structure_test.sh
check Tests/Checks/structure.sh
check Tests/Checks/links_test.sh
check Tests/Checks/links.sh
check Tests/Checks/examples.sh --check
check swift format lint --strict --recursive Sources Tests Package.swift
[ ${#failed[@]} -eq 0 ] || {
  printf 'launch/test.sh: failed: %s\n' "${failed[@]}" >&2
  exit 1
}
[ "$only" != checks ] || exit 0

step build
swift build -c release --build-tests --explicit-target-dependency-import-check error

# Tests of traps end processes on purpose, and a backtrace of each would take three seconds. To see one of a crash that
# is not meant, run `swift test -c release --skip-build` by itself.
export SWIFT_BACKTRACE=enable=no

step test
swift test -c release --skip-build

step examples
Tests/Checks/examples.sh --build

step two ranks
launch/local.sh -n 2 -- doctor
launch/local.sh -n 2 -- train --config configs/debug.yaml --run "$scratch/run"
launch/local.sh -n 2 -- inspect "$scratch/run"

step commands of the documents
Tests/Checks/commands.sh

step launch scripts
Tests/Cluster/scripts.sh

step sanitizers
launch/sanitize.sh
