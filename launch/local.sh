#!/usr/bin/env bash
# Runs diffit as several ranks on this host, with threads and binding that fit its cores.
#
# Usage: launch/local.sh [-n RANKS] [--threads T] [--restarts N] [--program FILE] -- COMMAND ...
#   -n RANKS        ranks to start (default 1)
#   --threads T     threads a rank (default: cores / ranks)
#   --restarts N    starts training again after a crash, at most N times (default 0)
#   --program FILE  instead of .build/release/diffit
#   Example: launch/local.sh -n 2 -- train --config configs/quickstart.yaml --run runs/quickstart
#
# TERM, HUP and USR1 ask the ranks to save and stop (exit code 64); INT ends them at once (130). The
# exit code is the program's own.
#
# A crash: a rank ended by a signal (codes above 128, but for 130), or ranks that lost each other (75:
# the watchdog, or an error of MPI). Errors that the program found itself (1, 2) would come again. Each
# start goes on from the newest good checkpoint.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'launch/local.sh: %s\n' "$*" >&2; }
usage() {
  say "$1"
  sed -n 's/^# \{0,1\}//; 4,9p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
whole() { case $2 in '' | *[!0-9]* | 0*) usage "$1 is '$2', expected a whole number from 1 on" ;; esac; }

ranks=1
threads=
restarts=0
program=$root/bin/diffit  # of an installed folder
[ -x "$program" ] || program=$root/.build/release/diffit
while [ $# -gt 0 ]; do
  case $1 in
    -n | --threads | --restarts | --program)
      [ $# -ge 2 ] || usage "$1 needs a value"
      case $1 in
        -n) whole -n "$2" && ranks=$2 ;;
        --threads) whole --threads "$2" && threads=$2 ;;
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
if [ "$restarts" -gt 0 ]; then
  [ "$1" = train ] || usage "--restarts is for train, not $1"
  # The same command is given again, and would not go on from what it saved.
  case " $* " in *' --resume auto '* | *' --resume=auto '*) ;; *' --resume'*)
    usage "--restarts goes with --resume auto alone" ;;
  esac
fi
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
  # Left alone it binds a rank of several threads to one core, and inside an affinity mask it may
  # bind outside of it.
  if [ $whole_machine = 1 ] && [ $((ranks * threads)) -le "$cores" ]; then
    options+=(--map-by "slot:PE=$threads" --bind-to core)
  else
    options+=(--bind-to none)
  fi
fi
export DIFFIT_THREADS=$threads
# Open MPI shows every rank a terminal; whether there is one behind it only this script can see.
[ ! -t 1 ] || export DIFFIT_TERMINAL=1

job=
asker=
signalled=0
interrupted=
# mpirun drops a signal that comes before its ranks run: a young job is given time to start.
has_ranks() { [ -n "$(cat "/proc/$job/task/$job/children" 2>/dev/null || echo unknown)" ]; }
ask() {
  if [ "$SECONDS" -lt 5 ]; then
    until has_ranks; do sleep 0.1; done
    sleep 0.5
  fi
  kill -USR1 "$job"
}
# shellcheck disable=SC2317  # the traps call it
request() {
  signalled=1
  job=${job:-${!-}}
  [ -n "$job" ] && [ -z "$asker" ] || return 0
  ask >/dev/null 2>&1 &
  asker=$!
}
# shellcheck disable=SC2317
interrupt() {
  signalled=1
  interrupted=1
  job=${job:-${!-}}
  [ -n "$job" ] || exit 130
  kill -INT "$job" 2>/dev/null || true
}
trap request TERM HUP USR1
trap interrupt INT

# A folder of its own for message segments, so that a killed job's can be found and removed.
segments=
trap 'rm -rf "$segments"' EXIT
if segments=$(mktemp -d /dev/shm/diffit.XXXXXX 2>/dev/null); then
  export OMPI_MCA_btl_vader_backing_directory=$segments OMPI_MCA_btl_sm_backing_directory=$segments
fi

# Open MPI 4.1 can miss the end of a rank that is killed while it starts: its ranks are dead, and it waits
# for ever for what is left of them.
all_dead() {
  local child children=() states=
  read -r -a children 2>/dev/null <"/proc/$job/task/$job/children" || true
  for child in "${children[@]}"; do
    states+=$(sed 's/.*) \(.\).*/\1/' "/proc/$child/stat" 2>/dev/null || true)
  done
  [ -n "$states" ] && [ -z "${states//Z/}" ]
}
bury() {
  local times=0
  while sleep 1 >/dev/null 2>&1 && kill -0 "$job" 2>/dev/null; do
    if all_dead; then times=$((times + 1)); else times=0; fi
    if [ "$times" -eq 10 ]; then
      say "mpirun waits for ranks that are dead: ending it"
      kill -KILL "$job"
    fi
  done
}

# Runs the job to its end and leaves its exit code in `code`.
run() {
  job=
  SECONDS=0
  # Job control gives mpirun a process group of its own: Ctrl-C reaches this script alone, and once.
  set -m
  mpirun "${options[@]}" "$program" "$@" </dev/null &
  job=$!
  set +m
  # What came while there was no job.
  [ -z "$interrupted" ] || kill -INT "$job"
  [ "$signalled" -eq 0 ] || { asker= && request; }

  bury &
  local burier=$!

  # A trapped signal ends `wait` early, with a code of its own: wait again for the job's.
  code=127
  local status
  while true; do
    signalled=0
    status=0
    wait "$job" || status=$?
    [ "$status" -eq 127 ] || code=$status # 127: there is no more to wait for
    if [ "$signalled" -eq 0 ] || [ "$status" -eq 127 ]; then break; fi
  done
  { kill "$burier" && wait "$burier"; } 2>/dev/null || true
  [ -z "$asker" ] || { kill "$asker" && wait "$asker"; } 2>/dev/null || true

  # A rank that does not listen yet dies of the request; then there was nothing to save.
  if [ -n "$asker" ] && [ "$code" -eq 138 ] && [ "$1" = train ]; then
    say "stopped on request before training began: start again to go on"
    code=64
  fi
  if [ -n "$interrupted" ] && [ "$code" -ne 0 ]; then
    say "interrupted"
    code=130
  fi
}

is_crash() { [ "$1" -eq 75 ] || { [ "$1" -gt 128 ] && [ "$1" -ne 130 ]; }; }

restarted=0
while true; do
  run "$@"
  if [ "$restarted" -eq "$restarts" ] || ! is_crash "$code" || [ -n "$asker$interrupted" ]; then break; fi
  restarted=$((restarted + 1))
  say "the job crashed (code $code): restart $restarted of $restarts"
  sleep 1  # for what is left of the job to go
  [ -z "$segments" ] || rm -rf "${segments:?}"/*
done

case $code in
  0 | 1 | 2 | 64 | 75 | 130) ;;
  *)
    if [ "$code" -gt 128 ] && name=$(kill -l $((code - 128)) 2>/dev/null); then
      say "the job was ended by signal $name (code $code)"
    else
      say "the job ended with code $code"
    fi
    ;;
esac
exit "$code"
