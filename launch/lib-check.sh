#!/usr/bin/env bash
# Says what an installed folder lacks on this host: shared libraries and programs, with the Debian packages
# that bring them. Exit code 1 where something is missing.
# Usage: launch/lib-check.sh
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
host=$(hostname)
program=$root/bin/diffit

say() { printf 'launch/lib-check.sh: %s\n' "$*"; }
[ -x "$program" ] || { say "$program is missing: this is for folders made by launch/install.sh" >&2 && exit 1; }

linked=$(ldd "$program" 2>&1) || { say "$host cannot run $program: $linked" >&2 && exit 1; }
missing=()
packages=()
while read -r what package; do
  case $what in '' | '#') continue ;; esac
  case $what in
    *.so*) grep -qF "$what => not found" <<<"$linked" || continue ;;
    *) ! command -v "$what" >/dev/null || continue ;;
  esac
  missing+=("$what")
  [ "$package" = - ] || packages+=("$package")
done <"$root/LIBRARIES"
# A library that is there and too old.
while read -r line; do missing+=("$line"); done < <(grep -o "version \`.*' not found" <<<"$linked" | sort -u || true)

if [ ${#missing[@]} -eq 0 ]; then
  say "$host has all that is needed"
  exit 0
fi
list=$(printf '%s, ' "${missing[@]}")
say "$host lacks ${list%, }" >&2
[ ${#packages[@]} -eq 0 ] || say "on Debian: apt-get install $(printf '%s\n' "${packages[@]}" | sort -u | tr '\n' ' ')" >&2
exit 1
