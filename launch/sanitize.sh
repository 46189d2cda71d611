#!/usr/bin/env bash
# Runs the tests of kernels, tensors and operators under the sanitizers for addresses (C and Swift) and
# for undefined behaviour (C): on the portable kernels, and on the best ones this CPU runs. Tests that go
# through the instruction sets by themselves do so both times. About two minutes on two cores.
# Usage: launch/sanitize.sh [SWIFT TEST OPTION ...]
#   Example: launch/sanitize.sh --filter ConvolutionKernelTests
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
step() { printf '\n== %s\n' "$*"; }

# swift knows --sanitize undefined on no Linux: its C compiler is told directly, and the runtime of the
# address sanitizer brings what that needs. The first finding ends the tests.
flags=(-c release --scratch-path .build-sanitize --sanitize address
  -Xcc -fsanitize=undefined -Xcc -fno-sanitize-recover=undefined)
[ $# -gt 0 ] || set -- --filter 'TensorCoreTests|OperatorsTests|OptimizationTests'

# XCTest does not free its own.
leaks=.build-sanitize/leaks.txt
mkdir -p .build-sanitize
echo 'leak:libXCTest' > "$leaks"
export LSAN_OPTIONS=suppressions=$PWD/$leaks:print_suppressions=0

step build with sanitizers
swift build "${flags[@]}" --build-tests

step portable kernels
DIFFIT_KERNELS=portable swift test "${flags[@]}" --skip-build "$@"

step best kernels
env -u DIFFIT_KERNELS swift test "${flags[@]}" --skip-build "$@"
