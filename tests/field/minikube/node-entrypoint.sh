#!/bin/bash
# Stands before minikube's own entrypoint, for machines with control groups of version 1.
set -euo pipefail
mkdir -p /run/shown

# systemd mounts every controller that the kernel has, which makes a new hierarchy for the whole machine: it is shown
# those that are in use already.
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    awk '/^#/ || $2 != 0' /proc/cgroups >/run/shown/cgroups
    mount --bind /run/shown/cgroups /proc/cgroups
fi

# These belong to the whole machine. The kubelet finds what it wants and leaves them as they are.
show() { # show SETTING VALUE
    local file=/run/shown/${1//\//-}
    echo "$2" >"$file"
    mount --bind "$file" "/proc/sys/$1"
}
show vm/overcommit_memory 1
show vm/panic_on_oom 0
show kernel/panic 10
show kernel/panic_on_oops 1
show kernel/keys/root_maxkeys 1000000
show kernel/keys/root_maxbytes 25000000

# A new network namespace has the machine's setting, which may be 0; Docker would then drop what it forwards for others.
echo 1 >/proc/sys/net/ipv4/ip_forward

exec /usr/local/bin/entrypoint "$@"
