#!/usr/bin/env bash
# Tests launch/local.sh and launch/cluster.sh on this host: Ctrl-C, kill -9, host files; and launch/pbs.sh and
# launch/slurm.sbatch --check with stand-ins for the commands of PBS and Slurm. Needs neither root nor a network.
#
# Usage: Tests/Cluster/scripts.sh [PROGRAM]      (about a minute; default .build/release/diffit)
# Exit codes: 0 passed, 1 failed
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
package=$PWD
program=$(readlink -f "${1:-.build/release/diffit}")
scratch=$(mktemp -d)
job=
# The processes of the ranks of the job, whose arguments hold the scratch folder as those of mpirun do.
ranks() {
  local process
  for process in $(pgrep -f -- "$scratch"); do
    if [ "$(cat "/proc/$process/comm" 2>/dev/null)" = diffit ]; then echo "$process"; fi
  done
}
take_down() {
  local left
  # The guard of a killed script removes what the job left in /dev/shm.
  [ -z "$job" ] || kill -KILL -- "$job" 2>/dev/null || true
  within 15 no_process || true
  left=$(pgrep -f -- "$scratch") || true
  # shellcheck disable=SC2086  # a list
  [ -z "$left" ] || kill -KILL $left 2>/dev/null || true
  rm -rf "$scratch"
}
trap take_down EXIT
fail() {
  echo "FAILED: $*" >&2
  cat "$scratch/out" >&2
  exit 1
}
pass() { echo "passed: $*"; }
says() { grep -qF -- "$1" "$scratch/out"; }
expect() { says "$1" || fail "$test: expected '$1'"; }
refuse() { ! says "$1" || fail "$test: did not expect '$1'"; }
no_process() { ! pgrep -f -- "$scratch"; }
within() { # SECONDS COMMAND ...
  local limit=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$limit" ] || return 1
    sleep 0.1
  done
}

printf 'localhost slots=2\n' >"$scratch/hosts"
settings=(--config "$package/configs/debug.yaml" --set train.images=1M --set sample.every=0 --set log.every=32)
# Starts a script in the background, with a process group of its own and without ignoring INT. env and setsid both
# become the script, so that $job is its process and its group.
begin() {
  env --default-signal=INT setsid "$@" </dev/null >"$scratch/out" 2>&1 &
  job=$!
}
# start SCRIPT OPTION ...: training on two ranks that has saved nothing yet; leaves the folder of its segments.
start() {
  local script=$1 hosts=()
  shift
  [ "$script" != cluster.sh ] || hosts=(--hosts "$scratch/hosts")
  rm -rf "$scratch/run"
  begin "launch/$script" "${hosts[@]}" -n 2 --threads 1 --program "$program" "$@" -- \
    train "${settings[@]}" --run "$scratch/run"
  within 30 grep -q images "$scratch/run/stats.jsonl" || fail "$test: the job does not train"
  read -r rank <<<"$(ranks)"
  segments=$(tr '\0' '\n' <"/proc/$rank/environ" | sed -n 's/^OMPI_MCA_btl_vader_backing_directory=//p')
  [ -d "$segments" ] || fail "$test: there is no folder for segments"
}
# ends CODE: and leaves nothing behind.
ends() {
  local code=0
  within 20 gone || fail "$test: these live on: $(pgrep -af -- "$scratch")"
  { wait "$job" || code=$?; } 2>/dev/null # bash would say "Killed"
  [ "$code" -eq "$1" ] || fail "$test: code $code, expected $1"
  within 5 test ! -e "$segments" || fail "$test: $segments is still there"
}
gone() { [ -z "$(pgrep -f -- "$scratch/run")" ]; }

for script in local.sh cluster.sh; do
  test="$script, Ctrl-C"
  start "$script"
  kill -INT "$job"
  ends 64
  expect "launch/$script: asked the ranks to save and stop after the present step; Ctrl-C again ends them at once"
  expect "stopped on request (SIGUSR1)"
  expect "state saved"
  [ -e "$scratch/run/STOPPED" ] || fail "$test: no STOPPED"
  pass "$test: saved, code 64"

  test="$script, Ctrl-C twice in a step that does not end"
  export DIFFIT_TEST_FAULT=hang@images=320,rank=1
  start "$script"
  unset DIFFIT_TEST_FAULT
  within 20 says "320 images" || fail "$test: the job does not come to the long step"
  sleep 1
  kill -INT "$job"
  sleep 3
  [ -n "$(ranks)" ] || fail "$test: the first one did not wait for the step"
  before=$SECONDS
  kill -INT "$job"
  ends 130
  [ $((SECONDS - before)) -le 6 ] || fail "$test: it took $((SECONDS - before)) s"
  expect "launch/$script: ended at once: start again to go on from the newest checkpoint"
  pass "$test: ended at once, code 130"

  for group in "" -; do
    test="$script, kill -9 of the ${group:+group of the }script"
    start "$script"
    kill -KILL -- "$group$job"
    ends 137
    expect "launch/$script: the script was killed: ending the job that it started"
    pass "$test: the guard ends the job"
  done
done

test="Ctrl-C of a command that saves nothing"
cp configs/debug.yaml "$scratch/run.yaml"
begin launch/local.sh -n 2 --threads 1 --program "$program" -- bench --config "$scratch/run.yaml" --images 100000000
within 20 pgrep -f "diffit bench --config $scratch" || fail "$test: it does not start"
sleep 2
segments=$scratch/none
kill -INT "$job"
ends 130
expect "launch/local.sh: interrupted"
refuse "asked the ranks"
pass "$test: ended at once, code 130"

# Runs to its end, with stand-ins for programs in front of the real ones.
mkdir "$scratch/bin"
run() {
  code=0
  PATH=$scratch/bin:$PATH timeout 60 "$@" </dev/null >"$scratch/out" 2>&1 || code=$?
}
code_is() { [ "$code" -eq "$1" ] || fail "$test: code $code, expected $1"; }
stand_in() { # NAME: its shell commands come from standard input
  { echo '#!/bin/sh' && cat; } >"$scratch/bin/$1"
  chmod +x "$scratch/bin/$1"
}

test="a request to stop between a crash and its restart"
# shellcheck disable=SC2016  # the stand-in expands it
stand_in mpirun <<<'[ "$1" != --version ] || { echo "mpirun (Open MPI)" && exit; }
exit 137'
PATH=$scratch/bin:$PATH begin launch/local.sh --program "$program" --restarts 3 -- train --run "$scratch/run"
within 10 says "restart 1 of 3" || fail "$test: it does not restart"
kill -TERM "$job"
ends 64
expect "stopped on request before the restart"
refuse "restart 2 of 3"
rm "$scratch/bin/mpirun"
pass "$test ends the restarts"

cluster() {
  test="a host file with $1"
  printf %b "$2" >"$scratch/hosts"
  run launch/cluster.sh --hosts "$scratch/hosts" --program "$program" -- doctor
}
for text in '\xef\xbb\xbflocalhost\n' 'localhost slots=1\r\n\r\n# rank\r\n' '\tlocalhost\tslots=1\t\r\n' \
  '\xef\xbb\xbf# hosts\r\nlocalhost # here' '\nlocalhost'; do
  cluster "$text" "$text"
  [ "$code" -le 1 ] || fail "$test: code $code"
  expect "rank 0"
done
pass "host files with a byte order mark, CR LF, tabs, and no newline at the end"
# shellcheck disable=SC2016  # that is the name
for name in -oProxyCommand=touch -l 'a;b' 'a$b' "é"; do
  cluster "the name $name" "$name slots=1\n"
  code_is 1
  expect "$scratch/hosts:1: '$name' is no host name"
done
cluster "more than slots" 'localhost slots=1 max_slots=2\r\n'
code_is 1
expect "$scratch/hosts:1: found 'slots=1 max_slots=2' after localhost, expected slots=N"
pass "host files with names that are none"

test="launch/pbs.sh"
folder="$scratch/a folder"
mkdir -p "$folder/bin"
cp -r launch configs "$folder/"
ln -s "$program" "$folder/bin/diffit"
cp launch/pbs.sh "$scratch/7.SC" # PBS runs a copy
printf 'localhost\nlocalhost\n' >"$scratch/nodes"
pbs() {
  run env PBS_JOBID=7.test PBS_O_WORKDIR="$folder" PBS_NODEFILE="$scratch/nodes" OMP_NUM_THREADS=1 "$@" \
    bash "$scratch/7.SC"
}
stand_in qstat <<<'echo "    Resource_List.walltime = 00:01:05"'
pbs DIFFIT_SAVE=60 DIFFIT_COMMAND="train --config configs/debug.yaml --set train.images=1M --set log.every=32 \
  --set sample.every=0 --run 'a run'"
code_is 64
expect "ranks: 2 x"
expect "state saved"
[ -e "$folder/a run/STOPPED" ] || fail "$test: no STOPPED"
[ ! -e "$folder/.diffit.7.test" ] || fail "$test: leaves its folder of marks"
pbs DIFFIT_COMMAND="train --config configs/debug.yaml"
code_is 1
expect "the time limit 00:01:05 is not longer than the 300 s for saving"
pbs DIFFIT_COMMAND=
code_is 1
expect "no command: qsub -v DIFFIT_COMMAND="
stand_in qstat <<<'exit 1'
pbs DIFFIT_COMMAND="train --config configs/none.yaml"
code_is 2
expect "qstat names no time limit"
pass "$test: saves ahead of the time limit, spaces in names, refuses what cannot be"

test="launch/slurm.sbatch --check"
stand_in sbatch <<<'echo "sbatch: Job 1 to start at noon" >&2'
stand_in sinfo <<<'printf "%s\n" short "long*"'
# shellcheck disable=SC2016  # the stand-in expands it
stand_in scontrol <<<'if [ "$2" = config ]; then
  echo "AccountingStorageEnforce = associations,limits"
  echo "DefMemPerNode           = UNLIMITED"
else
  echo "   DefMemPerCPU=2048 MaxMemPerNode=UNLIMITED"
fi'
stand_in sacctmgr <<<'case $* in *DefaultAccount*) ;; *) printf "%s\n" physics art physics ;; esac'
run bash launch/slurm.sbatch --check
code_is 1
expect "--account is needed, you have no default: art physics"
expect "without --mem a job gets 2048 MB per CPU"
expect "launch/slurm.sbatch: Job 1 to start at noon"
run bash launch/slurm.sbatch --check -A art --mem-per-cpu=4G
code_is 0
refuse "is needed"
refuse "without --mem"
sed 's/^##SBATCH/#SBATCH/; s/=ACCOUNT$/=art/; s/=MEMORY$/=0/' launch/slurm.sbatch >"$scratch/edited.sbatch"
run bash "$scratch/edited.sbatch" --check
code_is 1
expect "the line '#SBATCH --partition=PARTITION' still has its placeholder"
refuse "=art"
refuse "without --mem"
stand_in sinfo <<<'printf "%s\n" short long'
run env SBATCH_ACCOUNT=art bash launch/slurm.sbatch --check
code_is 1
expect "--partition is needed, there is no default: short long"
run env SBATCH_ACCOUNT=art bash launch/slurm.sbatch --check --partition short
code_is 0
run bash launch/slurm.sbatch train
code_is 1
expect "this is for sbatch"
pass "$test names partition, account, memory and placeholders"
echo "Tests/Cluster/scripts.sh: passed"
