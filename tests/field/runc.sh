#!/bin/sh
# runc for a machine whose root has no CAP_SYS_RESOURCE: an engine gives a privileged container every capability there is,
# negative OOM scores and high limits, and runc then refuses it. They are taken out of what runc is asked for.
# And with control groups of version 1 a privileged container would see the machine's: it gets a view of its own.
[ -e /sys/fs/cgroup/cgroup.controllers ] && groups=new || groups=old
for word in "$@"; do
    case ${before:-} in
    --bundle | -b) file=$word/config.json ;;
    --process | -p) file=$word ;;
    *) file= ;;
    esac
    before=$word
    if [ -f "$file" ]; then
        jq -c --arg groups "$groups" '(.. | objects | select(has("bounding"))) |= map_values(map(select(. != "CAP_SYS_RESOURCE")))
            | if .process then .process |= del(.oomScoreAdj, .rlimits) else del(.oomScoreAdj, .rlimits) end
            | if .linux.namespaces and $groups == "old"
              then .linux.namespaces |= (map(select(.type != "cgroup")) + [{"type": "cgroup"}]) else . end' \
            "$file" >"$file.field" && cat "$file.field" >"$file" && rm "$file.field"
    fi
done
exec runc "$@"
