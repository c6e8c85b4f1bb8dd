#!/bin/sh
# Runs a command so that the packages that it installs start no service and PostgreSQL gets no `main` cluster.
# Arguments: policy-rc.d, a file for pg_createcluster, the mark of our files, the command.
# Both files say what we want only in a mount namespace of the command's own. Where the machine has no such file, an empty
# one is needed to mount upon: not executable, or without a setting, it means nothing to anybody, also if it is left.
set -eu
policy=$1 cluster=$2 mark=$3
shift 3
if [ "${TODO_SHIELDED:-}" != yes ]; then
    TODO_SHIELDED=yes exec unshare --mount --propagation slave sh "$0" "$policy" "$cluster" "$mark" "$@"
fi
unset TODO_SHIELDED
exec 8<"$(dirname "$policy")"
flock 8 # for as long as the command runs: who finds it free may take away what is left
folders=$(dirname "$cluster")
made=
while [ ! -d "$folders" ]; do
    made="$made $folders"
    folders=$(dirname "$folders")
done
mkdir -p "$(dirname "$cluster")"
exec 9<"$(dirname "$cluster")"
flock 9
placed=
for file in "$policy" "$cluster"; do
    if [ ! -e "$file" ]; then
        echo "# $mark, and means nothing" >"$file"
        chmod 644 "$file"
        placed="$placed $file"
    fi
done
content=$(mktemp -d -p /run)
mount -t tmpfs -o mode=755 tmpfs "$content"
printf '#!/bin/sh\n# %s: no daemon is to be started on this machine\nexit 101\n' "$mark" >"$content/policy"
printf '# %s\ncreate_main_cluster = false\n' "$mark" >"$content/cluster"
chmod 755 "$content/policy"
mount --bind "$content/policy" "$policy"
mount --bind "$content/cluster" "$cluster"
status=0
"$@" || status=$?
umount "$policy" "$cluster" "$content"
# Unquoted: lists of paths of ours, none of which has a blank.
# shellcheck disable=SC2086
rm -f $placed
rmdir "$content"
# shellcheck disable=SC2086
rmdir $made 2>/dev/null || true # those that are empty
exit "$status"
