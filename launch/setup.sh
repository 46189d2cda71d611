#!/usr/bin/env bash
# Installs what building and running needs, as far as it is missing. Silent and quick where all is there.
# Usage: launch/setup.sh [--tests]
#   --tests   also what only launch/test.sh needs: shellcheck, and ruff in a virtual environment of Python below
#             ${XDG_CACHE_HOME:-~/.cache}/diffit-checks
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

packages=(
  libopenmpi-dev openmpi-bin libopenblas-dev libpng-dev libjpeg-dev libarchive-dev libxxhash-dev
  zlib1g-dev pkg-config util-linux coreutils
)

say() { printf 'launch/setup.sh: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
usage() {
  say "$1"
  sed -n '3,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Where there is no apt-get, somebody else installs (modules, dnf, zypper): only say what is missing.
check_without_apt() {
  local missing=()
  command -v mpirun >/dev/null || missing+=("mpirun (Open MPI or MPICH)")
  command -v pkg-config >/dev/null || fail "pkg-config is missing, and this system has no apt-get to install it with"
  for module in mpi-c openblas libpng libjpeg libarchive libxxhash zlib; do
    pkg-config --exists "$module" || missing+=("pkg-config module $module")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local list
  list=$(printf '%s, ' "${missing[@]}")
  fail "missing: ${list%, }; this system has no apt-get: install them with its own packages, or load its modules"
}

# install_missing FAIL PACKAGE ...: calls FAIL with the reason where it cannot install.
install_missing() {
  local failed=$1 missing=() as_root=()
  shift
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      "$failed" "missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"
      return
    fi
    as_root=(sudo)
  fi
  echo "launch/setup.sh: installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
  # The lists of a fresh machine are empty or old; a failed update may still leave usable ones.
  "${apt[@]}" update </dev/null >/dev/null || say "apt-get update failed, trying with the lists at hand"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null ||
    "$failed" "apt-get could not install: ${missing[*]} (its reason is above)"
}

check_swift() {
  command -v swift >/dev/null ||
    fail "Swift is missing: install 6.2 or newer for Linux from swift.org/install, put it on PATH, and run this again"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
  [ -n "$version" ] || fail "swift --version does not name a version: is the installation complete?"
  [ "$(printf '%s\n' 6.2 "$version" | sort -V | head -n 1)" = 6.2 ] ||
    fail "Swift $version is too old: install 6.2 or newer from swift.org/install"
}

# What only tests need may be missing, except in CI: the check that needs it says that it does without.
missing_for_tests() {
  if [ "${CI-}" = true ]; then fail "$1"; fi
  say "$1; launch/test.sh will do without"
}

install_ruff() {
  local reason
  # shellcheck source-path=SCRIPTDIR source=../Tests/Checks/common.sh
  . "$root/Tests/Checks/common.sh"
  ! has_ruff || return 0
  mkdir -p "$checks_cache"
  echo "launch/setup.sh: installing ruff $ruff_version in $checks_cache"
  if ! reason=$(python3 -m venv "$checks_cache" 2>&1); then
    missing_for_tests "ruff needs python3 with its module venv: $(tail -n 1 <<<"$reason")"
  elif ! reason=$("$checks_cache/bin/pip" install --quiet --disable-pip-version-check "ruff==$ruff_version" 2>&1); then
    missing_for_tests "pip could not install ruff: $(tail -n 1 <<<"$reason")"
  fi
}

tests=0
for option in "$@"; do
  case $option in
    --tests) tests=1 ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
    *) usage "unknown option '$option'" ;;
  esac
done

check_swift
if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  install_missing fail "${packages[@]}"
  [ "$tests" = 0 ] || install_missing missing_for_tests shellcheck python3-venv
else
  check_without_apt
  [ "$tests" = 0 ] || command -v shellcheck >/dev/null || missing_for_tests "shellcheck is missing"
fi
[ "$tests" = 0 ] || install_ruff
