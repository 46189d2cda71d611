#!/usr/bin/env bash
# Checks the shape of the package and prints its figures: sizes of targets and files, files that need each other
# in a circle, and whether targets import what Package.swift lists for them, and only lower floors.
#
# Usage: Tests/Checks/structure.sh [--edges TARGET] [--package FOLDER]
#   --edges TARGET    prints instead why the files of a target need each other
#   --package FOLDER  checks another package than this one
#
# What fails: a target with more than 3,500 lines of Swift; a Swift or C file with more than 400 lines; more
# than 6 Swift files of a target that need each other in a circle; a target below Sources that is not in
# Sources/N-Floor/TARGET, or that uses a target with a larger N; an import that Package.swift does not list;
# a dependency that is listed and not imported; a folder or a file that is not where Package.swift says.
#
# Which file needs which is read from the names in them, without a compiler: Structure/FileGraph.swift says how.
# Exit codes: 0 passed, 1 failed, 2 wrong usage. Takes ten seconds the first time, then one.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$root/Tests/Checks/common.sh"
package=$root
edges=()

usage() {
  printf 'Tests/Checks/structure.sh: %s\n' "$1" >&2
  sed -n '5,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
    --edges | --package)
      [ $# -ge 2 ] || usage "$1 needs a value"
      if [ "$1" = --edges ]; then edges=(--edges "$2"); else package=$2; fi
      shift 2
      ;;
    *) usage "unknown option '$1'" ;;
  esac
done
[ -f "$package/Package.swift" ] || usage "$package has no Package.swift"

description=$(mktemp)
trap 'rm -f "$description"' EXIT
# With a folder of its own it does not wait for a build that is running.
swift package --package-path "$package" --scratch-path "$root/.build-checks/package" dump-package >"$description"
program=$(build_check Structure)
"$program" "$package" "$description" "${edges[@]}"
