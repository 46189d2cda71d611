#!/usr/bin/env bash
# Makes a folder that runs on hosts without Swift, wherever it is moved: program with the Swift runtime
# inside, launch scripts, configurations, manual pages, completions for shells, and a list of the shared libraries
# that the system has to bring.
#
# Usage: launch/install.sh PREFIX [--program FILE]
#   --program FILE  a program built before with --static-swift-stdlib; without it one is built in
#                   .build-install of this package (two minutes the first time)
#   Example: launch/install.sh /shared/diffit && /shared/diffit/launch/lib-check.sh
#
# Nothing else is written outside PREFIX. A second call renews the folder; running jobs keep the program
# they have started.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf 'launch/install.sh: %s\n' "$*" >&2
  exit 1
}
usage() {
  printf 'launch/install.sh: %s\n' "$1" >&2
  sed -n '6,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

prefix=
program=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
    --program)
      [ $# -ge 2 ] || usage "--program needs a value"
      program=$2
      shift
      ;;
    -*) usage "unknown option '$1'" ;;
    *)
      [ -z "$prefix" ] || usage "one PREFIX, please: '$prefix' or '$1'"
      prefix=$1
      ;;
  esac
  shift
done
[ -n "$prefix" ] || usage "no PREFIX"

# Only a new, an empty or a folder of our own making: /usr/local would be littered.
marker=LIBRARIES
if [ -e "$prefix" ]; then
  [ -d "$prefix" ] || fail "$prefix is no folder"
  [ -z "$(ls -A "$prefix")" ] || [ -f "$prefix/$marker" ] ||
    fail "$prefix holds other files: give a new or an empty folder"
fi

if [ -z "$program" ]; then
  [ -f "$root/Package.swift" ] || fail "this is an installed folder: copy it whole, or install from the package"
  command -v swift >/dev/null || fail "swift is missing: install it, or give --program"
  echo "launch/install.sh: building"
  swift build --package-path "$root" --scratch-path "$root/.build-install" -c release \
    --product diffit --static-swift-stdlib
  program=$root/.build-install/release/diffit
fi
[ -x "$program" ] || fail "$program is missing or no program"
linked=$(ldd "$program") || fail "$program cannot be examined: $linked"
case $linked in
  *libswift*) fail "$program needs the Swift runtime: build it with --static-swift-stdlib" ;;
  *"not found"*) fail "$program lacks libraries on this host: run launch/setup.sh" ;;
esac

# A library's package, found under the names that a merged /usr and alternatives give its file.
package_of() {
  local name found
  command -v dpkg-query >/dev/null || { echo - && return; }
  for name in "$1" "/usr$1" "$(readlink -f "$1")" "$(readlink -f "$1" | sed 's|^/usr||')"; do
    if found=$(dpkg-query -S "$name" 2>/dev/null); then
      echo "${found%%:*}"
      return
    fi
  done
  echo -
}
list_libraries() {
  local system library arrow path rest
  system=$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME") || system="unknown system"
  echo "# What bin/diffit needs of the system, and the Debian packages that bring it (written on $system)."
  while read -r library arrow path rest; do
    [ "$arrow" = "=>" ] || continue
    printf '%-28s %s\n' "$library" "$(package_of "$path")"
  done <<<"$linked" | sort
  printf '%-28s %s\n' mpirun openmpi-bin orted openmpi-bin ssh openssh-client
}

mkdir -p "$prefix/bin" "$prefix/launch" "$prefix/configs"
# install replaces the file, it does not write into one that may be running.
install -m 755 "$program" "$prefix/bin/diffit"
for script in local.sh cluster.sh slurm.sbatch pbs.sh lib-check.sh; do
  install -m 755 "$root/launch/$script" "$prefix/launch/$script"
done
install -m 644 "$root/launch/common.sh" "$prefix/launch/common.sh"
install -m 644 "$root"/configs/*.yaml "$prefix/configs/"
install -m 644 "$root/LICENSE" "$prefix/LICENSE"
list_libraries >"$prefix/$marker.new"
mv "$prefix/$marker.new" "$prefix/$marker"

# The program writes them itself.
share=$prefix/share
completions=("$share/bash-completion/completions/diffit" "$share/zsh/site-functions/_diffit"
  "$share/fish/vendor_completions.d/diffit.fish")
rm -f "$share"/man/man1/diffit*.1
"$prefix/bin/diffit" manual --out "$share/man/man1"
for file in "${completions[@]}"; do
  mkdir -p "${file%/*}"
  case $file in */bash-completion/*) shell=bash ;; */zsh/*) shell=zsh ;; *) shell=fish ;; esac
  "$prefix/bin/diffit" --generate-completion-script "$shell" >"$file"
done

echo "launch/install.sh: $prefix is ready; copy or share it at one path on all hosts"
"$prefix/launch/lib-check.sh"
