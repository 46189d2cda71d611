#!/usr/bin/env bash
# Tests launch/slurm.sbatch against a real Slurm of one node, set up in a scratch folder and taken down at
# the end. Not part of CI: it needs root and, on Debian, the packages slurmctld slurmd slurm-client munge.
#
# Usage: Tests/Cluster/slurm.sh [PROGRAM]      (about five minutes; default .build/release/diffit)
# Exit codes: 0 passed, 1 failed, 77 skipped because something is missing
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export DIFFIT_PROGRAM=${1:-$PWD/.build/release/diffit}

missing=()
[ "$(id -u)" -eq 0 ] || missing+=("root")
for tool in slurmctld slurmd munged srun:slurm-client mpirun:openmpi-bin; do
  command -v "${tool%:*}" >/dev/null || missing+=("${tool%:*} (package ${tool#*:})")
done
[ -x "$DIFFIT_PROGRAM" ] || missing+=("$DIFFIT_PROGRAM (swift build -c release)")
if [ ${#missing[@]} -gt 0 ]; then
  echo "Tests/Cluster/slurm.sh: skipped, missing: $(printf '%s, ' "${missing[@]}" | sed 's/, $//')"
  exit 77
fi

scratch=$(mktemp -d /tmp/diffit-slurm.XXXXXX)
daemons=()
job=
# Everything of this Slurm, its jobs too, has the folder in its environment or is a daemon started here.
ours() {
  local file
  for file in /proc/[0-9]*/environ; do
    ! grep -qsF "$scratch/slurm.conf" "$file" || echo "${file//[!0-9]/}"
  done
  printf '%s\n' "${daemons[@]}"
}
ended() { [ -z "$(squeue -h -j "$job" -o %T 2>/dev/null)" ]; }
take_down() {
  local list
  if [ -n "$job" ]; then
    scancel "$job" 2>/dev/null || true
    within 30 ended || true
  fi
  kill "${daemons[@]}" 2>/dev/null || true
  sleep 2
  list=$(ours)
  # shellcheck disable=SC2086  # a list
  kill -KILL $list 2>/dev/null || true
  rm -rf "$scratch" "/dev/shm/diffit.slurm.${job:-none}"
}
trap take_down EXIT
fail() {
  echo "FAILED: $*" >&2
  tail -n 30 "$scratch"/job-*.out "$scratch"/*.log >&2 || true
  exit 1
}
pass() { echo "passed: $*"; }

# Waits up to a number of seconds for a command to succeed.
within() {
  local limit=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$limit" ] || return 1
    sleep 0.5
  done
}

chmod 755 "$scratch"
mkdir -p "$scratch/munge" "$scratch/state" "$scratch/spool"
dd if=/dev/urandom of="$scratch/munge/key" bs=128 count=1 status=none
chmod 600 "$scratch/munge/key"
munged --foreground --force --socket "$scratch/munge/socket" --key-file "$scratch/munge/key" \
  --pid-file "$scratch/munge/pid" --log-file "$scratch/munged.log" --seed-file "$scratch/munge/seed" \
  >"$scratch/munged-start.log" 2>&1 &
daemons+=($!)

host=$(hostname -s)
cpus=$(nproc)
export SLURM_CONF=$scratch/slurm.conf
# cred_expire is also how long a requeued job waits.
cat >"$SLURM_CONF" <<END
ClusterName=diffit
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$scratch/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobRequeue=1
ReturnToService=2
KillWait=5
FirstJobId=900001
SchedulerParameters=sched_interval=2,bf_interval=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
slurmctld -D -f "$SLURM_CONF" >"$scratch/slurmctld.log" 2>&1 &
daemons+=($!)
slurmd -D -f "$SLURM_CONF" >"$scratch/slurmd.log" 2>&1 &
daemons+=($!)
within 30 sh -c 'sinfo -h -o %t | grep -q idle' || fail "Slurm does not come up"
echo "Slurm: $(sinfo --version), MPI: $(srun --mpi=list 2>&1 | tail -n +2 | tr -s '\n\t ' ' ')"

# Two ranks with a thread each; long enough for a signal to come in between.
submit() {
  job=$(sbatch --parsable --ntasks-per-node=2 --cpus-per-task=1 --chdir="$PWD" \
    --output="$scratch/job-%j.out" "$@")
}
train() { echo train --config configs/debug.yaml --set sample.every=0 --set checkpoint.every=100k --set "train.images=$2" --run "$scratch/$1"; }
state() { scontrol show job "$job" | sed -n 's/^ *JobState=\([A-Z_]*\).*/\1/p'; }
is() { [ "$(state)" = "$1" ]; }
says() { grep -q -- "$1" "$scratch/job-$job.out"; }
seen() { grep -q '"images"' "$scratch/$1/stats.jsonl"; }
restarts() { scontrol show job "$job" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p'; }
requeued() { [ "$(restarts)" -ge 1 ]; }
steps() { squeue --steps --noheader --jobs="$job" --format=%j | grep -qx "$1"; }
clean() { [ -z "$(find /dev/shm -maxdepth 1 -name "diffit.slurm.$job")" ]; }

# 1. The time limit's signal: saves, stops with 64, requeues itself, goes on.
# Limits are whole minutes, Slurm looks every half minute: the signal comes within 40 s of the start.
# shellcheck disable=SC2046  # words
submit --time=1 --signal=B:USR1@55 launch/slurm.sbatch $(train limit 100M)
within 60 seen limit || fail "the job does not train"
within 90 says "stopped on request" || fail "the job was not asked to stop ahead of its limit"
within 30 sh -c "[ -e '$scratch/limit/STOPPED' ] || grep -q 'state saved' '$scratch/job-$job.out'" ||
  fail "no state was saved"
within 60 requeued || fail "the job was not requeued"
pass "signal ahead of the time limit: saved and requeued by itself"
within 90 says "resumed from" || fail "the job did not go on from its checkpoint"
pass "went on from the checkpoint after $(restarts) restart(s)"
scancel "$job"
within 30 ended || fail "the job did not end after scancel"
rm -rf "/dev/shm/diffit.slurm.$job" # a job that Slurm kills cannot tidy up

# 2. scancel with USR1 to the batch script, by hand; then it completes.
# shellcheck disable=SC2046
submit --time=10 launch/slurm.sbatch $(train asked 40k)
within 60 seen asked || fail "the job does not train"
scancel --signal=USR1 --batch "$job"
within 30 says "stopped on request" || fail "scancel --signal=USR1 --batch did not stop the ranks"
within 60 requeued || fail "the job was not requeued"
within 200 is COMPLETED || fail "the job did not complete after scancel: $(state)"
says "done: 40000 images" || fail "the run is not finished"
within 10 clean || fail "/dev/shm keeps the job's folder"
pass "scancel --signal=USR1 --batch: saved, requeued, completed; /dev/shm is clean"

# 3. A failing command is not requeued and its code comes back.
submit --time=5 launch/slurm.sbatch train --config configs/none.yaml --run "$scratch/none"
within 60 is FAILED || fail "a bad configuration did not fail the job: $(state)"
scontrol show job "$job" | grep -q 'ExitCode=2:0' || fail "expected exit code 2: $(scontrol show job "$job" | grep Exit)"
[ "$(restarts)" -eq 0 ] || fail "a failed job was requeued"
pass "a bad configuration ends with code 2 and is not requeued"

# 4. srun starts the ranks where Slurm has PMIx.
if srun --mpi=list 2>&1 | grep -qw pmix; then
  # shellcheck disable=SC2046
  DIFFIT_LAUNCHER=srun submit --time=10 launch/slurm.sbatch $(train srun 40k)
  within 60 seen srun || fail "the job does not train under srun"
  says "ranks: 2 x" || fail "srun did not join two ranks"
  within 10 steps diffit || fail "the accounting would not name the program: $(squeue --steps -h -j "$job" -o '%i %j')"
  scancel --signal=USR1 --batch "$job"
  within 30 says "stopped on request" || fail "the signal did not reach ranks under srun"
  within 150 is COMPLETED || fail "the job under srun did not complete: $(state)"
  [ "$(restarts)" -ge 1 ] || fail "the job under srun was not requeued"
  within 10 clean || fail "/dev/shm keeps the job's folder under srun"
  pass "srun --mpi=pmix: two ranks, saved, requeued, completed"
else
  echo "skipped: this Slurm has no PMIx"
fi

# 5. A package, a working folder and a run whose names have spaces.
mkdir -p "$scratch/a package/bin" "$scratch/a folder"
cp -r launch configs "$scratch/a package/"
ln -s "$DIFFIT_PROGRAM" "$scratch/a package/bin/diffit"
(
  unset DIFFIT_PROGRAM
  sbatch --parsable --ntasks-per-node=2 --cpus-per-task=1 --chdir="$scratch/a folder" --time=5 \
    --output="$scratch/job-%j.out" "$scratch/a package/launch/slurm.sbatch" \
    train --config "$scratch/a package/configs/debug.yaml" --run "a run"
) >"$scratch/id"
job=$(cat "$scratch/id")
within 60 is COMPLETED || fail "the job with spaces in its paths did not complete: $(state)"
[ -e "$scratch/a folder/a run/config.yaml" ] || fail "the run with a space in its name is not there"
pass "spaces in the paths of package, working folder and run"

# 6. --check says what a cluster needs.
check() {
  code=0
  bash "$1" --check "${@:2}" >"$scratch/check" 2>&1 || code=$?
}
told() { { [ "$code" -eq "$1" ] && grep -q -- "$2" "$scratch/check"; } || fail "--check, code $code: $(cat "$scratch/check")"; }
check launch/slurm.sbatch --ntasks-per-node=1 --cpus-per-task=1
told 0 "Job [0-9]* to start at"
check launch/slurm.sbatch --ntasks-per-node=$((cpus + 1)) --cpus-per-task=1
told 1 "nodes have $cpus CPUs"
sed 's/^##SBATCH/#SBATCH/' launch/slurm.sbatch >"$scratch/placeholders.sbatch"
check "$scratch/placeholders.sbatch"
told 1 "'#SBATCH --partition=PARTITION' still has its placeholder"
told 1 "'#SBATCH --account=ACCOUNT' still has its placeholder"
told 1 "'#SBATCH --mem=MEMORY' still has its placeholder"
scontrol update PartitionName=all Default=NO
check launch/slurm.sbatch --ntasks-per-node=1 --cpus-per-task=1
told 1 "partition is needed, there is no default: all"
check launch/slurm.sbatch --ntasks-per-node=1 --cpus-per-task=1 -p all
told 0 "in partition all"
pass "--check names placeholders, CPUs and the missing partition"
echo "Tests/Cluster/slurm.sh: passed"
