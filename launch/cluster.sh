#!/usr/bin/env bash
# Runs diffit on several hosts that ssh reaches without a password. Program and data lie at the same paths
# on each; the run directory is on a file system that they share. Needs Open MPI.
#
# Usage: launch/cluster.sh --hosts FILE [OPTION ...] -- COMMAND ...
#   --hosts FILE           one host per line: "node1 slots=2", a slot is a rank (1 where none is given), # comments
#   -n RANKS               ranks in all, filling the hosts in order (default: every slot)
#   --ranks-per-host K     K slots on each host, whatever the file says
#   --threads T            threads per rank (default: cores / ranks, of the host that has fewest)
#   --restarts N           starts training again after a crash, at most N times (default 0)
#   --program FILE         instead of the one in this folder
#   --interface NAME|CIDR  use only this network: ib0, 10.1.0.0/16
#   Example: launch/cluster.sh --hosts hosts.txt -- train --config configs/cifar10.yaml --run runs/cifar10
#
# TERM, HUP, USR1 and the first Ctrl-C (INT) ask the ranks of a training to save and stop (exit code 64); the
# second Ctrl-C, and the first one of other commands, ends them at once (130). The exit code is the program's own.
# The remote shell is ssh, or what OMPI_MCA_plm_rsh_agent names. What counts as a crash: launch/local.sh --help. A
# restart needs all hosts again.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$root/launch/common.sh"

say() { printf 'launch/cluster.sh: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
usage() {
  say "$1"
  sed -n '5,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

hosts=
ranks=
slots_each=
threads=
restarts=0
interface=
program=$(find_program "$root")
while [ $# -gt 0 ]; do
  case $1 in
    --hosts | -n | --ranks-per-host | --threads | --restarts | --program | --interface)
      [ $# -ge 2 ] || usage "$1 needs a value"
      case $1 in
        --hosts) hosts=$2 ;;
        -n) whole -n "$2" && ranks=$2 ;;
        --ranks-per-host) whole --ranks-per-host "$2" && slots_each=$2 ;;
        --threads) thread_count --threads "$2" && threads=$2 ;;
        --restarts) [ "$2" = 0 ] || whole --restarts "$2" && restarts=$2 ;;
        --program) program=$2 ;;
        --interface) interface=$2 ;;
      esac
      shift 2
      ;;
    -h | --help)
      sed -n '2,18s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --) shift && break ;;
    *) usage "unknown option '$1' (the command follows after --)" ;;
  esac
done
[ -n "$hosts" ] || usage "no --hosts"
[ $# -gt 0 ] || usage "no command after --"
[ "$restarts" -eq 0 ] || can_restart "$@"
[ -r "$hosts" ] || fail "cannot read the host file $hosts"
[ -x "$program" ] || fail "$program is missing: build it with swift build -c release, or give --program"
program=$(readlink -f "$program")
command -v mpirun >/dev/null || fail "mpirun is missing: install openmpi-bin"
mpirun --version 2>/dev/null | grep -q 'Open MPI' || fail "mpirun is not Open MPI's: its host files and options are needed"

# The hosts in use and how many ranks each has.
names=() counts=()
left=${ranks:-1000000}
number=0
while IFS= read -r line || [ -n "$line" ]; do
  number=$((number + 1))
  # As editors elsewhere write text: a byte order mark at its beginning, a carriage return at each line's end.
  [ "$number" -gt 1 ] || line=${line#$'\xef\xbb\xbf'}
  line=${line%$'\r'}
  read -r host rest <<<"${line%%#*}"
  [ -n "$host" ] || continue
  # Programs would take a name that begins with a hyphen for an option.
  [[ $host =~ ^[A-Za-z0-9._:][A-Za-z0-9._:-]*$ ]] || fail "$hosts:$number: '$host' is no host name"
  slots=1
  if [ -n "$rest" ]; then
    [[ $rest =~ ^slots=([1-9][0-9]*)$ ]] ||
      fail "$hosts:$number: found '$rest' after $host, expected slots=N"
    slots=${BASH_REMATCH[1]}
  fi
  slots=${slots_each:-$slots}
  [ "$slots" -le "$left" ] || slots=$left
  [ "$slots" -gt 0 ] || continue
  left=$((left - slots))
  names+=("$host") counts+=("$slots")
done <"$hosts"
[ ${#names[@]} -gt 0 ] || fail "$hosts names no host"
[ -z "$ranks" ] || [ "$left" -eq 0 ] ||
  fail "$hosts has slots for $((ranks - left)) of $ranks ranks: add hosts, slots or --ranks-per-host"

# Runs a script from standard input on a host, with arguments.
read -ra remote_shell <<<"${OMPI_MCA_plm_rsh_agent:-ssh}"
case ${remote_shell[0]##*/} in ssh) remote_shell+=(-o BatchMode=yes -o ConnectTimeout=10) ;; esac
own_names=" localhost $(hostname) $(hostname -s 2>/dev/null || true) $(hostname -I 2>/dev/null || true) "
on() {
  local host=$1
  shift
  case $own_names in
    *" $host "*) bash -s -- "$@" ;;
    *) "${remote_shell[@]}" "$host" bash -s -- "$(printf '%q ' "$@")" ;;
  esac
}

# What a host must have. One line comes back: ok, name, digest, cores, whether they are the whole machine.
# shellcheck disable=SC2016  # the host expands it
inspect='
  program=$1 folder=$2 segments=$3
  no() { echo "no $*"; exit 0; }
  [ -d "$folder" ] || no "has no folder $folder, where the job starts: share it, or start from another"
  [ -x "$program" ] || no "has no $program: put the program at the same path on each host"
  ! missing=$(ldd "$program" 2>&1 | grep -m 1 "not found") ||
    no "lacks a library of the program: ${missing#"${missing%%[![:space:]]*}"}"
  command -v orted >/dev/null || no "has no orted: install openmpi-bin"
  online=$(getconf _NPROCESSORS_ONLN) cpus=$(nproc) whole=1
  cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v "^#" | sort -u | wc -l)
  { [ "$cores" -gt 0 ] && [ "$cores" -lt "$cpus" ]; } || cores=$cpus
  [ "$cpus" -eq "$online" ] || whole=0
  # A container share of CPU time is not in the affinity mask.
  if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [ "$quota" != max ]; then
    granted=$((quota / period > 0 ? quota / period : 1))
    [ "$granted" -ge "$cores" ] || { cores=$granted && whole=0; }
  fi
  mkdir -m 700 "$segments" 2>/dev/null || [ -O "$segments" ] || no "cannot make $segments"
  digest=$(sha256sum "$program")
  echo "ok $(hostname) ${digest%% *} $cores $whole"
'
scratch=$(mktemp -d)
segments=/dev/shm/diffit.$(hostname).$$.$RANDOM

# Message segments are in a folder of the job's own on each host.
# shellcheck disable=SC2016,SC2317  # the host expands it; the guard calls it
leave() {
  local host
  for host in "${names[@]}"; do
    on "$host" "$segments" <<<'rm -rf "$1"' >/dev/null 2>&1 &
  done
  wait
  rm -rf "$scratch"
}
guard_job "$scratch"
await_job

for i in "${!names[@]}"; do
  on "${names[i]}" "$program" "$PWD" "$segments" <<<"$inspect" >"$scratch/$i" 2>"$scratch/$i.why" {guard_pipe}>&- &
  checks[i]=$!
done
good=1
declare -A seen=()
digest=$(sha256sum "$program")
digest=${digest%% *}
fits=1
enough=1
fewest=
for i in "${!names[@]}"; do
  host=${names[i]}
  status=0
  wait "${checks[i]}" || status=$?
  # Login scripts may print lines of their own before ours.
  read -r word first rest < <(grep -E '^(ok|no) ' "$scratch/$i" | tail -n 1) || true
  case $word in
    ok)
      read -r its_digest cores whole <<<"$rest"
      if [ "$its_digest" != "$digest" ]; then
        good=0
        say "$host has another $program (sha256 ${its_digest:0:12}, here ${digest:0:12}): install the same on each host"
      elif [ -n "${seen[$first]-}" ]; then
        good=0
        say "$host and ${seen[$first]} both call themselves $first: list a host once, and give each a name of its own"
      fi
      seen[$first]=$host
      share=$((cores / counts[i] > 0 ? cores / counts[i] : 1))
      [ -n "$fewest" ] && [ "$fewest" -le "$share" ] || fewest=$share
      [ "${counts[i]}" -le "$cores" ] || enough=0
      [ "$whole" = 1 ] && [ $((counts[i] * ${threads:-share})) -le "$cores" ] || fits=0
      ;;
    no)
      good=0
      say "$host $first $rest"
      ;;
    *)
      good=0
      why=$(tail -n 1 "$scratch/$i.why" | tr -d '\r')
      say "$host cannot be reached with ${remote_shell[0]##*/} without a password: ${why:-code $status}"
      ;;
  esac
done
[ "$good" = 1 ] || exit 1
[ -n "$threads" ] || threads=$fewest

total=0
for i in "${!names[@]}"; do
  echo "${names[i]} slots=${counts[i]}"
  total=$((total + counts[i]))
done >"$scratch/hostfile"
# Only this host's ssh was tried, so only it starts daemons; --quiet: the program says itself why it ends.
options=(--hostfile "$scratch/hostfile" -n "$total" --quiet --mca plm_rsh_no_tree_spawn 1)
[ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
[ "$enough" = 1 ] || options+=(--oversubscribe)
# Without options it may bind a rank of several threads to one core.
if [ "$fits" = 1 ]; then
  options+=(--map-by "slot:PE=$threads" --bind-to core)
else
  options+=(--bind-to none)
fi
[ -z "$interface" ] ||
  options+=(--mca btl_tcp_if_include "$interface" --mca oob_tcp_if_include "$interface")
options+=(--mca btl_vader_backing_directory "$segments" --mca btl_sm_backing_directory "$segments")
export DIFFIT_THREADS=$threads
show_terminal
for variable in $(compgen -e | grep -E '^(DIFFIT|UCX)_'); do options+=(-x "$variable"); done

# Ranks leave a mark in their host's folder.
# shellcheck disable=SC2016,SC2317  # the host expands it; supervise calls all three
has_ranks() { on "${names[0]}" "$segments/started" <<<'[ -e "$1" ]'; }
# shellcheck disable=SC2016,SC2317
tidy() {
  local host cleaners=()
  for host in "${names[@]}"; do
    on "$host" "$segments" <<<'rm -rf "$1"/*' >/dev/null 2>&1 {guard_pipe}>&- &
    cleaners+=($!)
  done
  wait "${cleaners[@]}" || true
}
code=0
supervise --restarts "$restarts" "$1" \
  mpirun "${options[@]}" sh -c "$mark_start" "$segments/started" "$program" "$@" || code=$?
explain "$code"
exit "$code"
