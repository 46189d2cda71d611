#!/usr/bin/env bash
# Runs diffit as a job of PBS Professional or OpenPBS, and has it save ahead of its time limit. An example: clusters
# with PBS differ more than those with Slurm.
#
# Usage: qsub [QSUB OPTION ...] -v DIFFIT_COMMAND='COMMAND ...' launch/pbs.sh     (from the package's folder)
#   Example: qsub -v DIFFIT_COMMAND='train --config configs/cifar10.yaml --run runs/cifar10' launch/pbs.sh
#
# Change the lines below, or give options to qsub, which win. A chunk of `select` is a node: `mpiprocs` are its
# ranks, `ompthreads` the threads of each, `ncpus` the product of both.
#   DIFFIT_COMMAND   the command with its options; quote for the shell what has spaces
#   DIFFIT_SAVE      seconds that saving is given ahead of the time limit (default 300)
#   DIFFIT_NETWORK   use only this network: ib0, 10.1.0.0/16
#   DIFFIT_PROGRAM   instead of the one in this folder
# PBS takes commas in the value of -v for the next variable: where the command has some, put it between " inside '.
#
# Exit code 64: the ranks have saved; submit again to go on. Jobs that go on one after the other without waiting
# for you: submit several, each with -W depend=afterany:JOB of the one before.
#PBS -N diffit
#PBS -l select=1:ncpus=16:mpiprocs=2:ompthreads=8
#PBS -l place=scatter:excl
#PBS -l walltime=24:00:00
#PBS -j oe
# Where your cluster needs a queue or an account, remove the first number sign and replace the word in capitals.
##PBS -q QUEUE
##PBS -A ACCOUNT
#
# USR1 and TERM, as from `qsig -s USR1 JOB`, have the ranks save and stop with 64.
set -euo pipefail

say() { printf 'launch/pbs.sh: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
[ -n "${PBS_JOBID-}" ] || fail "this is for qsub: qsub -v DIFFIT_COMMAND='train ...' launch/pbs.sh"
[ -n "${DIFFIT_COMMAND-}" ] || fail "no command: qsub -v DIFFIT_COMMAND='train --config FILE --run FOLDER' launch/pbs.sh"

# PBS runs a copy in a folder of its own.
root=$PBS_O_WORKDIR
[ -r "$root/launch/common.sh" ] || fail "$root/launch/common.sh is missing: submit from the folder that holds launch"
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$root/launch/common.sh"
cd "$root"
program=${DIFFIT_PROGRAM:-$(find_program "$root")}
[ -x "$program" ] || fail "$program is missing: build it with swift build -c release, or set DIFFIT_PROGRAM"
command -v mpirun >/dev/null || fail "mpirun is missing: load its module"
eval "set -- $DIFFIT_COMMAND"
[ $# -gt 0 ] || fail "DIFFIT_COMMAND is empty"

ranks=$(grep -c . "$PBS_NODEFILE") # one line per rank
threads=${OMP_NUM_THREADS:-1}      # PBS sets it to ompthreads
export DIFFIT_THREADS=$threads
if [ -n "${DIFFIT_NETWORK-}" ]; then
  export OMPI_MCA_btl_tcp_if_include=$DIFFIT_NETWORK OMPI_MCA_oob_tcp_if_include=$DIFFIT_NETWORK
fi
options=(--hostfile "$PBS_NODEFILE" -n "$ranks" --quiet)
[ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
# Inside a mask mpirun may bind outside of it, to another job's cores.
if [ "$(nproc)" -eq "$(getconf _NPROCESSORS_ONLN)" ]; then
  options+=(--map-by "slot:PE=$threads" --bind-to core)
else
  options+=(--bind-to none)
fi
for variable in $(compgen -e | grep -E '^(DIFFIT|UCX)_'); do options+=(-x "$variable"); done

# Ranks mark their start in a folder that all nodes share, as the run directory is.
marks=$root/.diffit.$PBS_JOBID
mkdir -p "$marks"

# PBS sends TERM when the time is up, and KILL ten seconds later, which may be too soon to save: USR1 comes earlier.
limit=$(qstat -f "$PBS_JOBID" 2>/dev/null | sed -n 's/^ *Resource_List.walltime = //p') || true
alarm=
if [[ $limit =~ ^([0-9]+):([0-9]+):([0-9]+)$ ]]; then
  seconds=$((10#${BASH_REMATCH[1]} * 3600 + 10#${BASH_REMATCH[2]} * 60 + 10#${BASH_REMATCH[3]} - ${DIFFIT_SAVE:-300}))
  [ "$seconds" -gt 0 ] ||
    fail "the time limit $limit is not longer than the ${DIFFIT_SAVE:-300} s for saving: ask for more, or set DIFFIT_SAVE"
  set -m # gives it a process group, to be ended as one
  { sleep "$seconds" && kill -USR1 $$; } </dev/null >/dev/null 2>&1 &
  alarm=$!
  set +m
else
  say "qstat names no time limit: nothing is saved ahead of it beside what checkpoint.every asks for"
fi
trap 'rm -rf "$marks"; [ -z "$alarm" ] || kill -- "-$alarm" 2>/dev/null || true' EXIT

# The first rank runs here, on the job's first node.
# shellcheck disable=SC2317  # common.sh calls it
has_ranks() { [ -e "$marks/started" ]; }
code=0
supervise "$1" mpirun "${options[@]}" sh -c "$mark_start" "$marks/started" "$program" "$@" || code=$?
explain "$code"
exit "$code"
