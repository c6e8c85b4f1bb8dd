#!/bin/sh
# Process 1 of a sandbox: makes its view of the machine, then becomes the supervisor.
# Environment: TODO_SANDBOX_FOLDER, TODO_SANDBOX_NETWORK, TODO_SANDBOX_NAME; TODO_SANDBOX_COVERED: folders of the machine, one a line, that
# get their own content from $TODO_SANDBOX_FOLDER; TODO_SANDBOX_PRETENDED: files of the machine, one a line, that read as the file
# of the same path under $TODO_SANDBOX_FOLDER/pretended.
# Everything that is mounted here is seen here only, and ends with this process.
set -eu
log=$TODO_SANDBOX_FOLDER/log/sandbox
exec 3>&1 >>"$log" 2>&1 </dev/null

hostname "$TODO_SANDBOX_NAME"
mount -t proc -o nosuid,nodev,noexec proc /proc

# cgroups: mounted anew, each hierarchy shows the sandbox's own group as its root. The list comes from the old mounts.
old=$(awk '$3 == "cgroup" || $3 == "cgroup2" {print $3, $2, $4}' /proc/mounts)
if [ -n "$TODO_SANDBOX_NETWORK" ]; then
    mount -t sysfs -o nosuid,nodev,noexec sysfs /sys # shows the interfaces of the new network namespace
    ip link set lo up
fi
case $old in
cgroup2\ /sys/fs/cgroup\ *) ;;
*) mount -t tmpfs -o nosuid,nodev,noexec,mode=755 tmpfs /sys/fs/cgroup ;;
esac
echo "$old" | while read -r type folder options; do
    mkdir -p "$folder"
    if [ "$type" = cgroup2 ]; then
        mount -t cgroup2 cgroup2 "$folder"
    else
        # Of the old options only the controllers and the name say which hierarchy it is.
        which=$(echo "$options" | tr , '\n' | grep -Ev '^(rw|ro|(no)?(suid|dev|exec)|relatime|xattr|clone_children)$' |
            grep -v '^release_agent=' | paste -sd, -)
        mount -t cgroup -o "$which" cgroup "$folder"
    fi
done
# Unified hierarchy: controllers can only be handed down by a group without processes of its own.
if [ -s /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p /sys/fs/cgroup/supervisor
    xargs -rn1 </sys/fs/cgroup/cgroup.procs >/sys/fs/cgroup/supervisor/cgroup.procs || true
    sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control || true
fi

# /run is empty and our own, but for the name servers, where the machine keeps that file there.
servers=$(readlink -f /etc/resolv.conf || true)
cp -L /etc/resolv.conf "$TODO_SANDBOX_FOLDER/resolv.conf" 2>/dev/null || : >"$TODO_SANDBOX_FOLDER/resolv.conf"
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs /run
mkdir -p /run/sandbox /run/lock
mount --bind "$TODO_SANDBOX_FOLDER" /run/sandbox
touch /run/host-network
mount --bind /proc/self/fd/9 /run/host-network
exec 9<&-
case $servers in
/run/*) mkdir -p "$(dirname "$servers")" && cp "$TODO_SANDBOX_FOLDER/resolv.conf" "$servers" ;;
esac
echo "$TODO_SANDBOX_PRETENDED" | while read -r file; do
    if [ -n "$file" ] && [ -e "$file" ]; then
        mount --bind "/run/sandbox/pretended$file" "$file"
    fi
done
# Covered last: the state folder itself may lie in one of them; /run/sandbox reaches it all the same.
echo "$TODO_SANDBOX_COVERED" | while read -r folder; do
    if [ -n "$folder" ]; then
        mkdir -p "/run/sandbox$folder"
        mount --bind "/run/sandbox$folder" "$folder"
    fi
done
mount --make-rshared / # containers' mounts propagate, inside only

cd /
exec s6-svscan -d 3 -c 64 /run/sandbox/services
