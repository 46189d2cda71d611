#!/usr/bin/env bash
# Runs diffit as several ranks on this host, with threads and binding that fit its cores.
#
# Usage: launch/local.sh [-n RANKS] [--threads T] [--restarts N] [--program FILE] -- COMMAND ...
#   -n RANKS        ranks to start (default 1)
#   --threads T     threads per rank (default: cores / ranks)
#   --restarts N    starts training again after a crash, at most N times (default 0)
#   --program FILE  instead of .build/release/diffit
#   Example: launch/local.sh -n 2 -- train --config configs/quickstart.yaml --run runs/quickstart
#
# TERM, HUP, USR1 and the first Ctrl-C (INT) ask the ranks of a training to save and stop (exit code 64); the
# second Ctrl-C, and the first one of other commands, ends them at once (130). The exit code is the program's own.
#
# A crash: a rank ended by a signal (codes above 128, but for 130), or ranks that lost each other (75:
# the watchdog, or an error of MPI). Errors that the program found itself (1, 2) would come again. Each
# start goes on from the newest good checkpoint.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$root/launch/common.sh"

say() { printf 'launch/local.sh: %s\n' "$*" >&2; }
usage() {
  say "$1"
  sed -n 's/^# \{0,1\}//; 4,9p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

ranks=1
threads=
restarts=0
program=$(find_program "$root")
while [ $# -gt 0 ]; do
  case $1 in
    -n | --threads | --restarts | --program)
      [ $# -ge 2 ] || usage "$1 needs a value"
      case $1 in
        -n) whole -n "$2" && ranks=$2 ;;
        --threads) thread_count --threads "$2" && threads=$2 ;;
        --restarts) [ "$2" = 0 ] || whole --restarts "$2" && restarts=$2 ;;
        --program) program=$2 ;;
      esac
      shift 2
      ;;
    -h | --help)
      sed -n '2,17s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --) shift && break ;;
    *) usage "unknown option '$1' (the command follows after --)" ;;
  esac
done
[ $# -gt 0 ] || usage "no command after --"
[ "$restarts" -eq 0 ] || can_restart "$@"
[ -x "$program" ] || { say "$program is missing: build it with swift build -c release" && exit 1; }
command -v mpirun >/dev/null || { say "mpirun is missing: run launch/setup.sh" && exit 1; }

# Physical cores this process may use, and whether it may use all that the machine has.
cpus=$(nproc)
online=$(getconf _NPROCESSORS_ONLN)
cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l) || cores=0
{ [ "$cores" -gt 0 ] && [ "$cores" -lt "$cpus" ]; } || cores=$cpus
whole_machine=1
[ "$cpus" -eq "$online" ] || whole_machine=0
# A container's share of CPU time is not in the affinity mask.
if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [ "$quota" != max ]; then
  granted=$((quota / period > 0 ? quota / period : 1))
  [ "$granted" -ge "$cores" ] || { cores=$granted && whole_machine=0; }
fi
[ -n "$threads" ] || threads=$((cores / ranks > 0 ? cores / ranks : 1))

options=(-n "$ranks")
if mpirun --version 2>/dev/null | grep -q 'Open MPI'; then
  options+=(--quiet)  # its report on a rank's exit code; the program has said why in one line
  [ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
  [ "$ranks" -le "$cores" ] || options+=(--oversubscribe)
  # Without options it binds a rank of several threads to one core, and inside an affinity mask it may
  # bind outside of it.
  if [ $whole_machine = 1 ] && [ $((ranks * threads)) -le "$cores" ]; then
    options+=(--map-by "slot:PE=$threads" --bind-to core)
  else
    options+=(--bind-to none)
  fi
fi
export DIFFIT_THREADS=$threads
show_terminal

await_job
# A folder of its own for message segments, so that a killed job's can be found and removed.
scratch=$(mktemp -d)
segments=
if segments=$(mktemp -d /dev/shm/diffit.XXXXXX 2>/dev/null); then
  export OMPI_MCA_btl_vader_backing_directory=$segments OMPI_MCA_btl_sm_backing_directory=$segments
fi
# shellcheck disable=SC2317  # the guard calls it
leave() { rm -rf "$scratch" "$segments"; }
guard_job "$scratch"

# shellcheck disable=SC2317  # supervise calls both
has_ranks() { [ -n "$(cat "/proc/$job/task/$job/children" 2>/dev/null || echo unknown)" ]; }
# shellcheck disable=SC2317
tidy() { [ -z "$segments" ] || rm -rf "${segments:?}"/*; }
code=0
supervise --restarts "$restarts" "$1" mpirun "${options[@]}" "$program" "$@" || code=$?
explain "$code"
exit "$code"
