#!/usr/bin/env bash
# Kills a random rank at a random moment, again and again, and expects that nothing but time is lost.
#
# Usage: Tests/Endurance/kill_loop.sh [-k KILLS] [-n RANKS] [-i IMAGES] [-t SECONDS] [--program FILE] [-- OPTION ...]
#   -k KILLS        kills in all (default 50)
#   -n RANKS        ranks of a job (default 3)
#   -i IMAGES       images of a run (default 3200)
#   -t SECONDS      gives up after this time (default 900)
#   --program FILE  instead of .build/release/diffit
#   OPTION ...      further options of `diffit train`, such as --set parallel.reduction=reproducible
#
# A run that saves after every step is started, one of its ranks gets SIGKILL, and it is started again, until
# it ends; then comes the next run, until there were enough kills. Each start has to go on from the newest
# complete checkpoint (or from the beginning where there is none), each killed job has to end by itself, and
# the exported weights and averages of every run have to equal those of an undisturbed one.
# Exit code: 0, or 1 with a line that says what was wrong.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kills=50 ranks=3 images=3200 limit=900
program=$root/.build/release/diffit

fail() { printf 'kill_loop: %s\n' "$*" >&2 && exit 1; }
while [ $# -gt 0 ]; do
  case $1 in
    -k | -n | -i | -t | --program)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case $1 in
        -k) kills=$2 ;; -n) ranks=$2 ;; -i) images=$2 ;; -t) limit=$2 ;; --program) program=$2 ;;
      esac
      shift 2
      ;;
    --) shift && break ;;
    *) sed -n 's/^# \{0,1\}//; 2,17p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
  esac
done
extra=("$@")
name_of_ranks=$(basename "$program")
name_of_ranks=${name_of_ranks:0:15}  # as the kernel keeps it

scratch=$(mktemp -d)
job=
trap '[ -z "$job" ] || kill -INT "$job" 2>/dev/null || true; rm -rf "$scratch"' EXIT

start() {  # RUN: starts a job and leaves its process in `job`
  "$root/launch/local.sh" -n "$ranks" --threads 1 --program "$program" -- train \
    --config "$root/configs/debug.yaml" --run "$1" \
    --set "train.images=$images" --set train.batch=16 --set train.micro_batch=2 \
    --set log.every=160 --set sample.every=0 --set checkpoint.every=16 --set checkpoint.keep=2 \
    "${extra[@]}" >"$scratch/out" 2>"$scratch/err" </dev/null &
  job=$!
}
list_ranks() {  # leaves the processes of the ranks in `members`: children of the launcher's mpirun
  local child rank children=() ranks_of=()
  members=()
  read -r -a children <"/proc/$job/task/$job/children" || true
  for child in "${children[@]}"; do
    ranks_of=()
    read -r -a ranks_of <"/proc/$child/task/$child/children" || true
    for rank in "${ranks_of[@]}"; do
      if [ "$(cat "/proc/$rank/comm" 2>/dev/null)" = "$name_of_ranks" ]; then members+=("$rank"); fi
    done
  done
} 2>/dev/null
await() {  # SECONDS: leaves the job's exit code in `code`
  local end=$((SECONDS + $1))
  while kill -0 "$job" 2>/dev/null; do
    [ "$SECONDS" -le "$end" ] || fail "the job did not end within $1 s: $(tail -n 3 "$scratch/err")"
    sleep 0.02
  done
  code=0
  wait "$job" || code=$?
  job=
}
weights() {  # RUN: checksums of what it learnt
  local name
  for name in raw ema; do
    local chosen=()
    [ $name = raw ] || chosen=(--ema ema)
    "$program" export "$1" --bare --out "$scratch/$name.safetensors" "${chosen[@]}" >/dev/null
    sha256sum <"$scratch/$name.safetensors" | cut -c1-16
  done | paste -sd ' '
}
newest() {  # RUN: the newest complete checkpoint, or nothing
  { find "$1/checkpoints" -path '*/images-*/COMPLETE' -printf '%h\n' 2>/dev/null || true; } | sort | tail -n 1
}

start "$scratch/whole"
await 300
[ "$code" -eq 0 ] || fail "the undisturbed run ended with $code: $(cat "$scratch/err")"
expected=$(weights "$scratch/whole")

done_kills=0 in_start=0 in_training=0 in_saving=0 resumed=0 afresh=0 runs=0
run=$scratch/run-0 before=
while true; do
  [ "$SECONDS" -lt "$limit" ] || fail "only $done_kills of $kills kills within $limit s"
  before=$(newest "$run")
  start "$run"
  if [ "$done_kills" -lt "$kills" ]; then
    while kill -0 "$job" 2>/dev/null; do
      list_ranks
      [ ${#members[@]} -lt "$ranks" ] || break
      sleep 0.01
    done
    sleep "$((RANDOM % 4)).$((RANDOM % 900 + 100))"
    list_ranks
    killed=0
    if [ ${#members[@]} -gt 0 ] && kill -9 "${members[RANDOM % ${#members[@]}]}" 2>/dev/null; then killed=1; fi
    await $((killed == 1 ? 30 : 120))
  else
    killed=0
    await 300
  fi

  # What it said of its start, if it lived to say it.
  if grep -q '^run directory:' "$scratch/out"; then
    from=$(sed -n 's/^resumed from \(.*\) ([0-9]* images.*/\1/p' "$scratch/out")
    [ "$from" = "$before" ] || fail "went on from '${from:-nothing}' where '${before:-nothing}' was the newest"
    [ -n "$from" ] && resumed=$((resumed + 1)) || afresh=$((afresh + 1))
  fi
  if grep -q 'passed over' "$scratch/err"; then fail "a checkpoint was damaged: $(cat "$scratch/err")"; fi

  if [ "$code" -eq 0 ]; then
    found=$(weights "$run")
    [ "$found" = "$expected" ] || fail "run $runs learnt $found, the undisturbed one $expected"
    rm -rf "$run"
    runs=$((runs + 1)) run=$scratch/run-$((runs + 1))
    [ "$done_kills" -lt "$kills" ] || break
  elif [ "$killed" -eq 1 ]; then
    done_kills=$((done_kills + 1))
    if ! grep -q '^run directory:' "$scratch/out"; then
      in_start=$((in_start + 1))
    elif compgen -G "$run/checkpoints/.images-*.tmp" >/dev/null; then
      in_saving=$((in_saving + 1))
    else
      in_training=$((in_training + 1))
    fi
  else
    fail "ended with $code though nobody killed it: $(cat "$scratch/err")"
  fi
done

printf 'kill_loop: %d kills of one of %d ranks (%d in start-up, %d in training, %d in saving), %d starts from' \
  "$done_kills" "$ranks" "$in_start" "$in_training" "$in_saving" "$resumed"
printf ' a complete checkpoint, %d afresh: %d runs equal the undisturbed one (sha256 %s) in %d s\n' \
  "$afresh" "$runs" "$expected" "$SECONDS"
