#!/usr/bin/env bash
# Installs what building and running needs, as far as it is missing. Silent and quick where all is there.
# Usage: launch/setup.sh
set -euo pipefail

packages=(
  libopenmpi-dev openmpi-bin libopenblas-dev libpng-dev libjpeg-dev libarchive-dev libxxhash-dev
  zlib1g-dev pkg-config util-linux coreutils
)

fail() {
  printf 'launch/setup.sh: %s\n' "$*" >&2
  exit 1
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

install_missing() {
  local missing=() root=()
  for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  echo "launch/setup.sh: installing ${missing[*]}"
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
  # The lists of a fresh machine are empty or old; a failed update may still leave usable ones.
  "${apt[@]}" update </dev/null >/dev/null || echo "launch/setup.sh: apt-get update failed, trying with the lists at hand" >&2
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null ||
    fail "apt-get could not install: ${missing[*]} (its reason is above)"
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

check_swift
if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  install_missing
else
  check_without_apt
fi
