#!/usr/bin/env bash
# Tests the installed folder and launch/cluster.sh over ssh, between namespaces as hosts of which the second
# has no Swift, no package and no build. Not part of CI: it needs root and what Tests/Cluster/hosts.sh names.
#
# Usage: Tests/Cluster/ssh.sh [PROGRAM]
#   PROGRAM   built with --static-swift-stdlib (default: launch/install.sh builds one)
# Takes about two minutes. Exit codes: 0 passed, 1 failed, 77 skipped because something is missing
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
package=$PWD
export DIFFIT_HOSTS=diffit-test

missing=()
[ "$(id -u)" -eq 0 ] || missing+=("root")
for tool in ip:iproute2 sshd:openssh-server mpirun:openmpi-bin; do
  command -v "${tool%:*}" >/dev/null || missing+=("${tool%:*} (package ${tool#*:})")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Tests/Cluster/ssh.sh: skipped, missing: $(printf '%s, ' "${missing[@]}" | sed 's/, $//')"
  exit 77
fi

scratch=$(mktemp -d /tmp/diffit-ssh.XXXXXX)
hosts() { "$package/Tests/Cluster/hosts.sh" "$@"; }
take_down() {
  hosts down
  rm -rf "$scratch"
}
trap take_down EXIT
fail() {
  echo "FAILED: $*" >&2
  cat "$scratch/out" >&2 2>/dev/null || true
  exit 1
}
pass() { echo "passed: $*"; }

# Runs with a limit on time; what it says is in $scratch/out, its exit code in $code.
try() {
  local limit=$1
  shift
  code=0
  timeout "$limit" "$@" </dev/null >"$scratch/out" 2>&1 || code=$?
}
cluster() { try 90 "$package/Tests/Cluster/hosts.sh" run node1 "$folder/launch/cluster.sh" "$@"; }
says() { grep -q -- "$1" "$scratch/out"; }
no_leftovers() {
  local host
  for host in node1 node2; do
    [ -z "$(hosts run "$host" find /dev/shm -mindepth 1)" ] || fail "$1: /dev/shm of $host keeps files"
  done
}
# A process on a host, by its command's name.
process() { ip netns pids "$DIFFIT_HOSTS-$1" | xargs -r ps -o pid=,comm= -p | awk -v name="$2" '$2 == name {print $1; exit}'; }

# The folder is moved after it was made: nothing in it may know where it lay.
launch/install.sh "$scratch/made" ${1:+--program "$1"} >"$scratch/out" 2>&1 || fail "launch/install.sh"
cp "$scratch/made/bin/diffit" "$scratch/again"
launch/install.sh "$scratch/made" --program "$scratch/again" >"$scratch/out" 2>&1 || fail "a second install"
mv "$scratch/made" "$scratch/node folder"
mv "$scratch/node folder" "$scratch/diffit"
folder=$scratch/diffit
mkdir "$scratch/work" "$scratch/private"
cd "$scratch/work"
mkdir "$scratch/empty" "$scratch/other"
touch "$scratch/other/file"
! "$package/launch/install.sh" "$scratch/other" --program "$folder/bin/diffit" 2>"$scratch/out" ||
  fail "install.sh wrote into a folder that holds other files"
pass "a relocatable folder"

hidden=(--hide "node2:$package" --hide "node2:$scratch/private")
if swift=$(command -v swift); then
  hidden+=(--hide "node2:$(dirname "$(dirname "$(dirname "$(readlink -f "$swift")")")")")
fi
hosts up 2 "${hidden[@]}" >"$scratch/out" 2>&1 || fail "hosts.sh up"
printf '# two hosts\nnode1 slots=1\n\nnode2 # no Swift here\n' >"$scratch/hosts"
! hosts run node2 sh -c 'command -v swift' >/dev/null || fail "node2 has Swift"
! hosts run node2 test -e "$package/Package.swift" || fail "node2 sees the package"
hosts run node2 "$folder/launch/lib-check.sh" >"$scratch/out" 2>&1 || fail "lib-check.sh on node2"
cp -r "$folder" "$scratch/lacking"
echo "libnone.so.7 libnone7" >>"$scratch/lacking/LIBRARIES"
echo "no-such-program none-bin" >>"$scratch/lacking/LIBRARIES"
try 10 "$package/Tests/Cluster/hosts.sh" run node2 "$scratch/lacking/launch/lib-check.sh"
{ [ "$code" -eq 1 ] && says "node2 lacks no-such-program" && says "none-bin"; } ||
  fail "lib-check.sh does not say what is missing"
pass "lib-check.sh on a host without Swift"

cluster --hosts "$scratch/hosts" -- doctor
{ [ "$code" -eq 0 ] && says "rank 1 on node2"; } ||
  fail "doctor on two hosts: code $code"
pass "doctor on two hosts"

sent() { hosts run node2 cat /sys/class/net/eth0/statistics/tx_bytes; }
before=$(sent)
cluster --hosts "$scratch/hosts" -- train --config "$folder/configs/debug.yaml" --run run
{ [ "$code" -eq 0 ] && says "done: 512 images"; } ||
  fail "training on two hosts: code $code"
# 16 steps, each with the gradients of 55,319 weights: shared memory would have bypassed the link.
[ $(($(sent) - before)) -gt $((16 * 55319 * 4)) ] || fail "gradients did not pass the link"
no_leftovers "training"
pass "two hosts with a rank each train over ssh"

cluster --hosts "$scratch/hosts" --ranks-per-host 2 -n 3 --threads 1 -- \
  train --config "$folder/configs/debug.yaml" --run three --set train.batch=32
{ [ "$code" -eq 0 ] && says "done: 512 images" && says "ranks: 3 x"; } ||
  fail "three ranks: code $code"
no_leftovers "three ranks"
pass "three ranks share a batch of 32"

# A job with segments in shared memory on both hosts, to be disturbed.
start() {
  rm -rf "$1"
  timeout 90 "$package/Tests/Cluster/hosts.sh" run node1 env --default-signal=INT \
    "$folder/launch/cluster.sh" --hosts "$scratch/hosts" --ranks-per-host 2 -- train \
    --config "$folder/configs/debug.yaml" --set train.images=1M --set sample.every=0 --run "$1" \
    </dev/null >"$scratch/out" 2>&1 &
  job=$!
  local tries=0
  until grep -q images "$1/stats.jsonl" 2>/dev/null; do
    [ $((tries += 1)) -lt 300 ] || fail "the job does not train"
    sleep 0.1
  done
}
# Daemons of a killed mpirun need a moment to notice.
gone() {
  local tries=0
  while [ -n "$(process node2 diffit)$(process node1 diffit)$(process node1 mpirun)" ]; do
    [ $((tries += 1)) -lt 20 ] || fail "$1: a process of the job lives on"
    sleep 0.5
  done
}
ends_with() {
  local before=$SECONDS
  code=0
  wait "$job" || code=$?
  [ $((SECONDS - before)) -le 20 ] || fail "$2: the job took $((SECONDS - before)) s to end"
  case " $1 " in *" $code "*) ;; *) fail "$2: code $code, expected one of: $1" ;; esac
  gone "$2"
  no_leftovers "$2"
  pass "$2: code $code after $((SECONDS - before)) s, /dev/shm clean on both hosts"
}
launcher() { ip netns pids "$DIFFIT_HOSTS-node1" | xargs ps -o pid=,args= -p | awk '/bash .*launch\/cluster.sh/ {print $1; exit}'; }

start killed
[ -n "$(hosts run node2 find /dev/shm -name 'vader*')" ] || fail "expected message segments on node2 while it runs"
kill -KILL "$(process node2 diffit)"
ends_with "1 137" "kill -9 of a rank on node2"
start stopped
kill -TERM "$(launcher)"
ends_with 64 "TERM to the launcher"
says "state saved" || fail "TERM: no state was saved"
start interrupted
kill -INT "$(launcher)"
ends_with 64 "INT to the launcher"
says "asked the ranks to save" || fail "INT: nothing says that the ranks were asked to save"
says "state saved" || fail "INT: no state was saved"
start interrupted-twice
kill -INT "$(launcher)"
sleep 0.1
kill -INT "$(launcher)"
ends_with 130 "INT to the launcher twice"
start orphan
kill -KILL "$(process node1 mpirun)"
ends_with "1 137" "kill -9 of mpirun"
start alone
kill -KILL "$(launcher)"
wait "$job" 2>/dev/null || true
gone "kill -9 of the launcher"
sleep 2
no_leftovers "kill -9 of the launcher"
pass "kill -9 of the launcher: its guard ends the job and cleans both hosts"

refused() {
  [ "$code" -eq "$1" ] || fail "$3: code $code, expected $1"
  says "$2" || fail "$3: expected it to say '$2'"
  no_leftovers "$3"
  pass "refused: $3"
}
cluster --hosts "$scratch/hosts" -- train --config "$folder/configs/debug.yaml" --run "$scratch/private/run"
refused 2 node2 "a run directory that hosts do not share"
mkdir "$scratch/private/here"
(cd "$scratch/private/here" && try 30 "$package/Tests/Cluster/hosts.sh" run node1 "$folder/launch/cluster.sh" --hosts "$scratch/hosts" -- doctor && echo "$code" >"$scratch/code")
code=$(cat "$scratch/code")
refused 1 "node2 has no folder $scratch/private/here" "a working folder that hosts do not share"
cp "$folder/bin/diffit" "$scratch/private/diffit"
cluster --hosts "$scratch/hosts" --program "$scratch/private/diffit" -- doctor
refused 1 "node2 has no $scratch/private/diffit" "a program that is not on each host"
hosts run node2 sh -c "{ cat '$folder/bin/diffit'; echo; } >'$scratch/private/diffit'; chmod +x '$scratch/private/diffit'"
cluster --hosts "$scratch/hosts" --program "$scratch/private/diffit" -- doctor
refused 1 "node2 has another $scratch/private/diffit" "another build on one host"
printf 'node1\nnode9\n' >"$scratch/hosts-9"
cluster --hosts "$scratch/hosts-9" -- doctor
refused 1 "node9 cannot be reached with ssh" "a host that is not there"
printf 'node2\n10.77.0.2\n' >"$scratch/hosts-2"
cluster --hosts "$scratch/hosts-2" -- doctor
refused 1 "both call themselves node2" "a host listed twice"
printf 'node1 slots=two\n' >"$scratch/hosts-bad"
cluster --hosts "$scratch/hosts-bad" -- doctor
refused 1 "hosts-bad:1: found 'slots=two'" "a bad line in the host file"
cluster --hosts "$scratch/hosts" -n 5 -- doctor
refused 1 "slots for 2 of 5 ranks" "more ranks than slots"
cluster --hosts "$scratch/hosts" --interface eth0 -- doctor
[ "$code" -eq 0 ] || fail "--interface eth0: code $code"
cluster --hosts "$scratch/hosts" --interface 10.77.0.0/16 -- doctor
[ "$code" -eq 0 ] || fail "--interface 10.77.0.0/16: code $code"
pass "--interface by name and by network"
echo "Tests/Cluster/ssh.sh: passed"
