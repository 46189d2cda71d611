# shellcheck shell=bash
# What local.sh, cluster.sh, slurm.sbatch and pbs.sh share: the program's place, and a job that is asked to save,
# ended where it hangs or where the script is gone, and started again after a crash. Sourced.

# In an installed folder the program is in bin, in the package where it was built.
find_program() {
  local root=$1
  if [ -x "$root/bin/diffit" ]; then echo "$root/bin/diffit"; else echo "$root/.build/release/diffit"; fi
}

# Stops the script with `usage`, which the script defines, unless VALUE is a whole number from 1 on.
whole() { case $2 in '' | *[!0-9]* | 0*) usage "$1 is '$2', expected a whole number from 1 on" ;; esac; }

# Stops the script unless VALUE is a number of threads that the program takes.
thread_count() {
  whole "$1" "$2"
  if [ ${#2} -gt 4 ] || [ "$2" -gt 4096 ]; then usage "$1 is '$2', expected at most 4096"; fi
}

# Tells the ranks of the terminal behind standard output, which Open MPI hides from them.
show_terminal() {
  local size
  [ -t 1 ] || return 0
  export DIFFIT_TERMINAL=1
  { size=$(stty size <&9 2>/dev/null) || size=; } 9>&1
  [ -z "$size" ] || export DIFFIT_COLUMNS=${size#* }
}

# Stops the script unless the command with its arguments can be given again, to go on from what it saved.
can_restart() {
  [ "$1" = train ] || usage "--restarts is for train, not $1"
  case " $* " in *' --resume auto '* | *' --resume=auto '*) ;; *' --resume'*)
    usage "--restarts goes only with --resume auto" ;;
  esac
}

# guard_job FOLDER: FOLDER is the script's own, for its files; it has to be there.
#
# Starts a guard that ends the launcher and calls `leave`, which the script that sources this defines, when the
# script is gone, whatever ended it. The guard reads from a pipe that nobody writes to, and it has a process group
# of its own, so that kill -9 of the script's group does not reach it. A launcher that lived on would have nobody
# to pass on a request to save, or to know of it.
guard_job() {
  guard_file=$1/launcher
  mkfifo "$1/guard"
  set -m
  guard <"$1/guard" &
  guard_process=$!
  set +m
  exec {guard_pipe}>"$1/guard"
  trap 'exec {guard_pipe}>&-; wait "$guard_process" || true' EXIT
}

# shellcheck disable=SC2317  # guard_job starts it
guard() {
  local launcher i
  trap '' TERM HUP USR1 INT
  cat >/dev/null || true
  if launcher=$(cat "$guard_file" 2>/dev/null) && kill -TERM "$launcher" 2>/dev/null; then
    say "the script was killed: ending the job that it started" || true
    for ((i = 0; i < 100; i++)); do
      [ -e "/proc/$launcher/exe" ] || break # a zombie has none
      sleep 0.1
    done
    [ ! -e "/proc/$launcher/exe" ] || kill -KILL "$launcher" 2>/dev/null || true
  fi
  leave
}

# Processes that outlive a moment must not keep the guard waiting.
let_go_of_guard() {
  [ -z "${guard_pipe-}" ] || exec {guard_pipe}>&-
}

# Until there is a job there is nothing to save.
await_job() {
  trap 'say "stopped on request before the job began: start again to go on"; exit 64' TERM HUP USR1
  trap 'say "interrupted"; exit 130' INT
}

# supervise [--restarts N] COMMAND LAUNCHER ...
#
# Runs a launcher (mpirun, srun) of diffit's COMMAND and passes signals on: TERM, HUP and USR1 as USR1, which
# asks the ranks to save and stop. The first INT (Ctrl-C) asks too where the command saves on request, and says
# so; the second one, and the first one of other commands, ends the ranks at once. Returns the launcher's exit
# code; 64 also where a rank that did not listen died of the request and lost nothing that the same command would
# not find again; 130 where INT ended the ranks. Starts again after a crash, at most N times, when `tidy` has
# removed what the ranks left.
#
# The script that sources this defines `say`, `has_ranks`, and `tidy` where it restarts. LAUNCHER may be a
# function that ends with exec. `asked` and `interrupted` say afterwards what came.
supervise() {
  local restarts=0 restarted=0 command code
  if [ "$1" = --restarts ]; then
    restarts=$2
    shift 2
  fi
  command=$1
  shift
  job='' asker='' asked='' interrupted='' signalled='' saves='' warned=''
  [ "$command" != train ] || saves=1 # only training saves its state on request
  exec {errors}>&2 # run_once redirects it while it waits
  trap request TERM HUP USR1
  trap interrupt INT
  while true; do
    code=0
    run_once "$@" || code=$?
    if [ "$restarted" -eq "$restarts" ] || [ -n "$asked$interrupted" ] || ! is_crash "$code"; then break; fi
    restarted=$((restarted + 1))
    say "the job crashed (code $code): restart $restarted of $restarts"
    sleep 1 # for what is left of the job to go
    tidy
    [ -z "$interrupted" ] || break
    if [ -n "$asked" ]; then
      say "stopped on request before the restart: start again to go on"
      code=64
      break
    fi
  done
  trap '' TERM HUP USR1 INT
  if [ -n "$interrupted" ] && [ "$code" -ne 0 ]; then code=130; fi
  if [ -n "$asked" ] && [ "$code" -eq 138 ]; then
    case $command in
      train) say "stopped on request before training began: start again to go on" && code=64 ;;
      sample) say "stopped on request: start again to go on" && code=64 ;;
    esac
  fi
  return "$code"
}

# A rank ended by a signal, or ranks that lost each other (75: the watchdog, or an error of MPI). Errors that
# the program found itself (1, 2) would come again.
is_crash() { [ "$1" -eq 75 ] || { [ "$1" -gt 128 ] && [ "$1" -ne 130 ]; }; }

run_once() {
  local status=0 code=127 burier
  job='' asker=''
  SECONDS=0
  [ "$(type -t "$1")" = function ] || set -- exec "$@"
  # Job control gives the launcher a process group of its own: Ctrl-C reaches only this script, and once.
  set -m
  {
    # mpirun passes USR1 on, but not yet when it begins and no more when it ends: it would die of it.
    trap '' USR1
    [ -z "${guard_file-}" ] || echo "$BASHPID" >"$guard_file"
    let_go_of_guard
    "$@"
  } </dev/null &
  job=$!
  set +m
  # What came while there was no job.
  if [ -n "$interrupted" ]; then interrupt; elif [ -n "$asked" ]; then request; fi
  bury "$job" &
  burier=$!
  # A trapped signal ends `wait` early, with a code of its own: wait again for the job's.
  while true; do
    signalled=
    status=0
    { wait "$job" || status=$?; } 2>/dev/null # bash would say "Killed", explain says it better
    [ "$status" -eq 127 ] || code=$status # 127: there is no more to wait for
    if [ -z "$signalled" ] || [ "$status" -eq 127 ]; then break; fi
  done
  job=
  [ -z "${guard_file-}" ] || rm -f "$guard_file"
  { kill "$burier" && wait "$burier"; } 2>/dev/null || true
  [ -z "$asker" ] || { kill "$asker" && wait "$asker"; } 2>/dev/null || true
  return "$code"
}

# Open MPI 4.1 can miss the end of a rank that is killed while it starts: its ranks are dead, and it waits
# for ever for what is left of them. Ends a launcher whose children have all been dead for ten seconds.
bury() {
  trap - TERM
  let_go_of_guard
  local times=0
  while sleep 1 >/dev/null 2>&1 && kill -0 "$1" 2>/dev/null; do
    if all_dead "$1"; then times=$((times + 1)); else times=0; fi
    if [ "$times" -eq 10 ]; then
      say "mpirun waits for ranks that are dead: ending it"
      kill -KILL "$1"
    fi
  done
}

# Whether a process has children and all of them are dead.
all_dead() {
  local child children=() states=
  read -r -a children 2>/dev/null <"/proc/$1/task/$1/children" || true
  for child in "${children[@]}"; do
    states+=$(sed 's/.*) \(.\).*/\1/' "/proc/$child/stat" 2>/dev/null || true)
  done
  [ -n "$states" ] && [ -z "${states//Z/}" ]
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
  let_go_of_guard
  until has_ranks; do sleep 0.2; done
  [ "$SECONDS" -ge 10 ] || sleep 0.5
  while kill -USR1 "$1"; do sleep 1; done
}

# Ranks are started as: sh -c "$mark_start" FILE PROGRAM ...
# shellcheck disable=SC2016,SC2034  # the rank's shell expands it
mark_start=': >"$0" || exit 1; exec "$@"'

# shellcheck disable=SC2317
interrupt() {
  if [ -n "$saves" ] && [ -z "$warned" ]; then
    warned=1
    say "asked the ranks to save and stop after the present step; Ctrl-C again ends them at once, and what they" \
      "trained since the last checkpoint may be lost" 2>&"$errors"
    request
    return 0 # without a number it would be that of the command before the trap
  fi
  signalled=1 interrupted=1
  [ -z "$job" ] || kill -INT "$job" 2>/dev/null || true
}

# Says what a code means that is not the program's own.
explain() {
  local name
  case $1 in
    0 | 1 | 2 | 64 | 75) ;;
    130)
      if [ -n "$interrupted" ] && [ -n "$warned" ]; then
        say "ended at once: start again to go on from the newest checkpoint"
      elif [ -n "$interrupted" ]; then
        say "interrupted"
      fi
      ;;
    *)
      if [ "$1" -gt 128 ] && name=$(kill -l $(($1 - 128)) 2>/dev/null); then
        say "the job was ended by signal $name (code $1)"
      else
        say "the job ended with code $1"
      fi
      ;;
  esac
}
