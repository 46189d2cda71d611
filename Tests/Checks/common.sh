# shellcheck shell=bash
# What the checks and launch/setup.sh share. Sourced.

# Where launch/setup.sh --tests puts ruff, and which one: another would know other rules.
# shellcheck disable=SC2034  # who sources this uses both
checks_cache=${XDG_CACHE_HOME:-$HOME/.cache}/diffit-checks ruff_version=0.17.6
has_ruff() { [ "$("$checks_cache/bin/ruff" --version 2>/dev/null)" = "ruff $ruff_version" ]; }

# Builds the program in Tests/Checks/NAME where one of its files has changed, and prints where it is: below
# .build-checks, which git ignores as all folders whose names begin with .build.
build_check() {
  local folder build program sources
  folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  build=$folder/../../.build-checks
  program=$build/$1
  sources=("$folder/$1"/*.swift)
  mkdir -p "$build"
  if [ ! -x "$program" ] || [ -n "$(find "${sources[@]}" -newer "$program")" ]; then
    swiftc -O -warnings-as-errors -o "$program.$$" "${sources[@]}" >&2
    mv "$program.$$" "$program"
  fi
  echo "$program"
}
