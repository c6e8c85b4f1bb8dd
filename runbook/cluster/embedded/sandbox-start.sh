#!/bin/sh
# Starts a sandbox: joins its cgroups, makes its namespaces, and leaves process 1 of them behind.
# Environment: TODO_SANDBOX_FOLDER, TODO_SANDBOX_NETWORK (--net or empty). Arguments: the cgroup folders to join.
# Standard output is inherited by process 1, which writes a newline to it once it supervises.
set -eu
for cgroup in "$@"; do
    echo $$ >"$cgroup/cgroup.procs"
done
exec 9</proc/self/ns/net # the machine's network, for a program inside that is to reach it (seen as /run/host-network)
here=$(dirname "$(readlink -f "$0")")
# unshare without --fork: the first child becomes process 1 of the new PID namespace, and this shell ends.
# TODO_SANDBOX_NETWORK is one optional word, so it stays unquoted.
# shellcheck disable=SC2086,SC2016
exec unshare --mount --pid --ipc --uts --cgroup ${TODO_SANDBOX_NETWORK} --propagation slave \
    sh -euc 'setsid sh -eu "$1/sandbox-init.sh" &' sh "$here"
