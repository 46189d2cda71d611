#!/usr/bin/env bash
# Network namespaces that stand for the hosts of a cluster: each has its own address, name, sshd, process
# shared memory and link, all on one switch; files are shared. Links can be given a rate. Not part of CI:
# it needs root and, on Debian, the packages iproute2 openssh-server openssh-client util-linux.
#
# Usage: Tests/Cluster/hosts.sh COMMAND
#   up N [--rate RATE] [--hide HOST:FOLDER]...   starts node1 ... nodeN, prints addresses and a recipe
#   rate RATE|none          shapes every link, both ways: 10gbit, 2.5gbit, 1gbit, 500mbit
#   run HOST COMMAND ...    runs a command on a host; signals reach it, its exit code comes back
#   down                    ends the hosts and every process in them; also after a crash, also twice
#   Example: Tests/Cluster/hosts.sh up 2 --rate 10gbit
#            Tests/Cluster/hosts.sh run node1 ssh node2 hostname
#
# --hide puts an empty file system over a folder on one host. DIFFIT_HOSTS=NAME names the set (default
# diffit), so that several can live side by side; its keys and lists are in /run/NAME-hosts.
set -euo pipefail

name=${DIFFIT_HOSTS:-diffit}
state=/run/$name-hosts
network=10.77.0

fail() {
  printf 'Tests/Cluster/hosts.sh: %s\n' "$*" >&2
  exit 1
}
usage() {
  printf 'Tests/Cluster/hosts.sh: %s\n' "$1" >&2
  sed -n '6,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

check_tools() {
  [ "$(id -u)" -eq 0 ] || fail "only root can make network namespaces"
  local missing=() tool
  for tool in ip:iproute2 tc:iproute2 sshd:openssh-server ssh:openssh-client nsenter:util-linux; do
    command -v "${tool%:*}" >/dev/null || missing+=("${tool%:*} (Debian package ${tool#*:})")
  done
  [ ${#missing[@]} -eq 0 ] || fail "missing: $(printf '%s, ' "${missing[@]}" | sed 's/, $//')"
}

spaces() { ip netns list | cut -d ' ' -f 1 | grep -xE "$name-(switch|node[0-9]+)" || true; }

# Bursts have to hold a few of the 64 KB segments that TCP hands to a virtual link, and what passes while
# a timer is late; more would let short messages through unshaped. Queues hold 10 ms, as a switch might.
# Measured with iperf3 on two idle cores: 9.54, 2.39 and 0.96 Gbit/s of data, the rest is headers. Without
# a rate about 14 Gbit/s: busy cores, not the link, are then the limit, and at 10gbit too.
shape() {
  local space=$1 device=$2 rate=$3 bits burst limit
  tc -n "$space" qdisc del dev "$device" root 2>/dev/null || true
  [ "$rate" != none ] || return 0
  bits=$(awk -v rate="$rate" 'BEGIN {
    if (rate !~ /^[0-9.]+[kmg]bit$/) exit 1
    unit = substr(rate, length(rate) - 3, 1)
    printf "%.0f", rate * (unit == "g" ? 1e9 : unit == "m" ? 1e6 : 1e3)
  }') || usage "the rate '$rate' is not like 10gbit, 2.5gbit or 500mbit"
  burst=$((bits / 8 / 4000 > 160000 ? bits / 8 / 4000 : 160000))
  limit=$((bits / 8 / 100 > 1000000 ? bits / 8 / 100 : 1000000))
  tc -n "$space" qdisc add dev "$device" root tbf rate "$rate" burst "$burst" limit "$limit"
}

shape_all() {
  local space
  [ -n "$(spaces)" ] || fail "there are no hosts: start them with up"
  for space in $(spaces); do
    [ "$space" != "$name-switch" ] || continue
    shape "$space" eth0 "$1"                              # what the host sends
    shape "$name-switch" "port${space#"$name-node"}" "$1" # what it receives
  done
}

# Keys and settings of our own: nobody's ~/.ssh is read or changed.
write_ssh_files() {
  local count=$1 i
  ssh-keygen -q -t ed25519 -N '' -f "$state/host_key"
  ssh-keygen -q -t ed25519 -N '' -f "$state/user_key"
  cp "$state/user_key.pub" "$state/authorized_keys"
  cat >"$state/sshd_config" <<END
HostKey $state/host_key
AuthorizedKeysFile $state/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
PidFile none
MaxStartups 100
END
  cat >"$state/ssh_config" <<END
IdentityFile $state/user_key
IdentitiesOnly yes
UserKnownHostsFile $state/known_hosts
BatchMode yes
LogLevel ERROR
END
  # As a file that resolves names, and as one that mpirun takes.
  echo "127.0.0.1 localhost" >"$state/hosts"
  for ((i = 1; i <= count; i++)); do
    echo "$network.$i node$i" >>"$state/hosts"
    echo "node$i,$network.$i $(cut -d ' ' -f 1,2 "$state/host_key.pub")" >>"$state/known_hosts"
    echo "node$i slots=1" >>"$state/hostfile"
  done
  mkdir "$state/bin"
  printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(command -v ssh)" "$state/ssh_config" >"$state/bin/ssh"
  chmod +x "$state/bin/ssh"
}

start_host() {
  local host=$1 space=$name-$1 folder
  shift
  cat >"$state/start-$host" <<END
set -e
hostname $host
mount -t tmpfs tmpfs /dev/shm
mount --bind $state/hosts /etc/hosts
$(for folder in "$@"; do printf 'mount -t tmpfs tmpfs %q\n' "$folder"; done)
echo \$\$ >$state/$host.pid
exec $(command -v sshd) -D -e -f $state/sshd_config
END
  # ip netns exec also gives a mount namespace, from which nothing leaks back.
  setsid ip netns exec "$space" unshare --uts bash "$state/start-$host" \
    </dev/null >"$state/$host.log" 2>&1 &
  disown
  local tries=0
  until [ -s "$state/$host.pid" ] &&
    ip netns exec "$space" bash -c ": </dev/tcp/localhost/22" 2>/dev/null; do
    [ $((tries += 1)) -lt 100 ] || fail "sshd on $host did not start: $(tail -n 1 "$state/$host.log")"
    sleep 0.1
  done
}

up() {
  local count=$1 rate=none hidden=() i folders entry
  case $count in '' | *[!0-9]* | 0*) usage "up takes the number of hosts, from 1 on" ;; esac
  [ "$count" -le 250 ] || usage "at most 250 hosts"
  shift
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage "$1 needs a value"
    case $1 in
      --rate) rate=$2 ;;
      --hide)
        [ -d "${2#*:}" ] || usage "--hide $2: expected HOST:FOLDER with a folder that is there"
        hidden+=("$2")
        ;;
      *) usage "unknown option '$1'" ;;
    esac
    shift 2
  done
  down
  trap down EXIT # where a step below fails
  mkdir -m 700 "$state"
  mkdir -p /run/sshd # sshd insists on it; on Debian a service manager makes it
  write_ssh_files "$count"
  ip netns add "$name-switch"
  ip -n "$name-switch" link add br0 type bridge
  ip -n "$name-switch" link set br0 up
  for ((i = 1; i <= count; i++)); do
    ip netns add "$name-node$i"
    ip -n "$name-switch" link add "port$i" type veth peer name eth0 netns "$name-node$i"
    ip -n "$name-switch" link set "port$i" master br0 up
    ip -n "$name-node$i" addr add "$network.$i/24" dev eth0
    ip -n "$name-node$i" link set eth0 up
    ip -n "$name-node$i" link set lo up
    folders=()
    for entry in "${hidden[@]}"; do
      [ "${entry%%:*}" != "node$i" ] || folders+=("${entry#*:}")
    done
    start_host "node$i" "${folders[@]}"
  done
  shape_all "$rate"
  trap - EXIT
  sed 1d "$state/hosts"
  cat <<END
host file: $state/hostfile
links: $rate both ways
On a host ssh uses the keys made here. Ranks of different hosts share no memory, since Open MPI knows hosts
by their names; where no rank shall use shared memory at all:
  Tests/Cluster/hosts.sh run node1 mpirun --allow-run-as-root --hostfile $state/hostfile \\
    --mca btl self,tcp --map-by slot:PE=1 --bind-to none PROGRAM
END
}

run() {
  [ $# -ge 2 ] || usage "run takes a host and a command"
  local host=$1
  shift
  [ -s "$state/$host.pid" ] || fail "there is no host $host: start it with up"
  # mpirun is told as well, because it looks for ssh where it was built to.
  exec nsenter --target "$(cat "$state/$host.pid")" --net --uts --mount --wdns="$PWD" \
    env PATH="$state/bin:$PATH" OMPI_MCA_plm_rsh_agent="$state/bin/ssh" "$@"
}

down() {
  local space tries=0 pids
  for space in $(spaces); do
    while pids=$(ip netns pids "$space") && [ -n "$pids" ]; do
      # shellcheck disable=SC2086  # a list
      kill -KILL $pids 2>/dev/null || true
      [ $((tries += 1)) -lt 50 ] || fail "processes in $space do not end: $pids"
      sleep 0.1
    done
    ip netns del "$space"
  done
  rm -rf "$state"
}

[ $# -gt 0 ] || usage "no command"
command=$1
shift
case $command in
  -h | --help) sed -n '2,17s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
  up | rate | run | down) check_tools ;;
  *) usage "unknown command '$command'" ;;
esac
case $command in
  up) up "${1-}" "${@:2}" ;;
  rate)
    [ $# -eq 1 ] || usage "rate takes one value"
    shape_all "$1"
    ;;
  run) run "$@" ;;
  down) down ;;
esac
