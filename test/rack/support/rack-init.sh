#!/bin/bash
# Builds a rack and keeps it until it is told to end: rack-init.sh FOLDER SUBNET LINK
#   FOLDER  holds machines/NAME/files (copied over the root of each machine); gets machines/NAME/pid and `ready`
#   SUBNET  first three numbers of the management network, as in 10.77.4
#   LINK    name of the one link in the machine's own network namespace; that it is free claims the subnet
# Nothing has a name outside FOLDER and LINK: every namespace lives as long as its processes, and those die with this
# one (parent-death signals, pid namespaces), so nothing is left behind however the tests end.
set -eu
folder=$1 subnet=$2 link=$3
here=$(dirname "$(readlink -f "$0")")
machines='host-a dpu-a dpu-b host-b'
declare -A pid

ends() {
  for name in "${!pid[@]}"; do kill -KILL "${pid[$name]}" 2>/dev/null || :; done
  wait "${pid[@]}" 2>/dev/null || :
  # The log of one that did not come up is for whoever started it.
  if [ -e "$folder/ready" ]; then rm -f "$folder.log"; fi
  rm -rf --one-file-system "$folder"
}
trap ends EXIT
trap 'exit 143' TERM INT HUP

# wait_until WHAT COMMAND...: 5 s at most.
wait_until() {
  local what=$1
  shift
  for _ in $(seq 500); do
    if "$@"; then return 0; fi
    sleep 0.01
  done
  echo "rack: $what did not happen" >&2
  return 1
}
has_own_network() { [ "$(readlink "/proc/$1/ns/net" 2>/dev/null || readlink /proc/self/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
is_ready() { [ -e "$folder/machines/$1/ready" ]; }

setpriv --pdeathsig KILL unshare -n sleep infinity &
pid[switch]=$!
for name in $machines; do
  setpriv --pdeathsig KILL unshare -n -m -u -i -p -f --kill-child \
    bash "$here/machine-init.sh" "$name" "$folder/machines/$name" >"$folder/machines/$name/init.log" 2>&1 </dev/null &
  pid[$name]=$!
done
for name in "${!pid[@]}"; do wait_until "the network of $name" has_own_network "${pid[$name]}"; done

inside() { nsenter -t "${pid[$1]}" -n ip "${@:2}"; }
# cable MACHINE LINK MACHINE LINK
cable() { ip link add "$2" netns "${pid[$1]}" type veth peer name "$4" netns "${pid[$3]}"; }

# --- management: a switch to which every machine and this one are connected
inside switch link add oob type bridge
inside switch link set oob up
ip link add "$link" type veth peer name outside netns "${pid[switch]}"
ip addr add "$subnet.1/24" dev "$link"
ip link set "$link" up
inside switch link set outside master oob up
number=10
for name in $machines; do
  number=$((number + 1))
  cable switch "to-$name" "$name" oob0
  inside switch link set "to-$name" master oob up
  inside "$name" link set lo up
  inside "$name" addr add "$subnet.$number/24" dev oob0
  inside "$name" link set oob0 up
done

# --- data: uplinks p0 with a cable in between, uplinks p1 without one, host functions and their representors
cable dpu-a p0 dpu-b p0
for end in a b; do
  cable "host-$end" ens1f0np0 "dpu-$end" pf0hpf
  cable "host-$end" ens1f1np1 "dpu-$end" pf1hpf
  cable "dpu-$end" p1 switch "p1-$end"
  for one in p0 p1 pf0hpf pf1hpf; do inside "dpu-$end" link set "$one" up; done
  inside "host-$end" link set ens1f0np0 up
done

for name in $machines; do touch "$folder/machines/$name/links"; done
for name in $machines; do
  wait_until "$name" is_ready "$name" || { cat "$folder/machines/$name/init.log" >&2; exit 1; }
  # unshare waits for the machine's first process, which is its only child.
  tr -d ' ' <"/proc/${pid[$name]}/task/${pid[$name]}/children" >"$folder/machines/$name/pid"
done
touch "$folder/ready"
echo 'rack: ready'
# A sleep that a signal may interrupt; the machines cannot outlive it.
while :; do
  sleep 3600 &
  wait $! || :
done
