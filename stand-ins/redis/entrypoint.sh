#!/bin/sh
# Starts Redis as the state store. The password comes from a Secret and goes in by standard input: no argument shows it.
#
#   /etc/redis/auth/password   the password (Secret); REDIS_PASSWORD_FILE names another place
#   /data                      the volume: writable
#   arguments                  further options of redis-server, such as --appendonly yes
set -eu
file=${REDIS_PASSWORD_FILE:-/etc/redis/auth/password}

fail() {
    echo "redis: $1" >&2
    exit 1
}

[ -s "$file" ] || fail "no password; wanted: $file from a Secret"
case $(cat "$file") in
*[!A-Za-z0-9_-]*) fail "the password in $file has other characters than letters, digits, - and _" ;;
esac

# A last argument of - is the configuration on standard input. exec: signals reach the server.
exec redis-server "$@" - <<CONFIGURATION
requirepass $(cat "$file")
dir /data
save ""
bind * -::*
CONFIGURATION
