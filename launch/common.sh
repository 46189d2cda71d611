# shellcheck shell=bash
# What cluster.sh and slurm.sbatch share: the program's place, and a job that is asked to save. Sourced.

# In an installed folder the program is in bin, in the package where it was built.
find_program() {
  local root=$1
  if [ -x "$root/bin/diffit" ]; then echo "$root/bin/diffit"; else echo "$root/.build/release/diffit"; fi
}

# Runs a launcher (mpirun, srun) and passes signals on: TERM, HUP and USR1 as USR1, which asks the ranks to
# save and stop; INT as it is. Returns the launcher's exit code; 64 also where a rank that did not listen
# yet died of the request, because then there was nothing to save; 130 after INT.
#
# `asked` and `interrupted` say afterwards what came.
supervise() {
  local status=0 code=127
  job='' asker='' asked='' interrupted='' signalled=''
  trap request TERM HUP USR1
  trap interrupt INT
  # Job control gives the launcher a process group of its own: Ctrl-C reaches this script alone, and once.
  set -m
  "$@" </dev/null &
  job=$!
  set +m
  [ -z "$asked" ] || request
  # A trapped signal ends `wait` early, with a code of its own: wait again for the job's.
  while true; do
    signalled=
    status=0
    { wait "$job" || status=$?; } 2>/dev/null # bash would say "Killed", explain says it better
    [ "$status" -eq 127 ] || code=$status # 127: there is no more to wait for
    if [ -z "$signalled" ] || [ "$status" -eq 127 ]; then break; fi
  done
  trap '' TERM HUP USR1 INT
  [ -z "$asker" ] || { kill "$asker" && wait "$asker"; } 2>/dev/null || true
  if [ -n "$interrupted" ] && [ "$code" -ne 0 ]; then code=130; fi
  if [ -n "$asked" ] && [ "$code" -eq 138 ]; then code=64; fi
  return "$code"
}

# shellcheck disable=SC2317  # the traps call it
request() {
  signalled=1 asked=1
  [ -n "$job" ] && [ -z "$asker" ] || return 0
  ask "$job" >/dev/null 2>&1 &
  asker=$!
}

# mpirun drops a signal that comes before its ranks run, and with other hosts ends with 0 (seen): wait until
# `has_ranks`, which the script that sources this defines, then ask until it ends. Asking twice does no harm.
ask() {
  trap - TERM
  [ -z "${guard_pipe-}" ] || exec {guard_pipe}>&-
  until has_ranks; do sleep 0.2; done
  [ "$SECONDS" -ge 10 ] || sleep 0.5
  while kill -USR1 "$1"; do sleep 1; done
}

# Ranks are started as: sh -c "$mark_start" FILE PROGRAM ...
# shellcheck disable=SC2016,SC2034  # the rank's shell expands it
mark_start=': >"$0" || exit 1; exec "$@"'

# shellcheck disable=SC2317
interrupt() {
  signalled=1 interrupted=1
  [ -z "$job" ] || kill -INT "$job" 2>/dev/null || true
}

# Says what a code means that is not the program's own.
explain() {
  local name
  case $1 in
    0 | 1 | 2 | 64 | 130) ;;
    *)
      if [ "$1" -gt 128 ] && name=$(kill -l $(($1 - 128)) 2>/dev/null); then
        say "the job was ended by signal $name (code $1)"
      else
        say "the job ended with code $1"
      fi
      ;;
  esac
}
