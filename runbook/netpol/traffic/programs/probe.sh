# shellcheck shell=sh
# Runs in a pod that has neither Python nor Node.js, but a shell and nc: TCP only, by whether a connection is made.
# The same plan and answer as probe.py.
if [ "$1" = listeners ]; then
  for table in tcp tcp6 udp udp6; do
    if [ -r "/proc/net/$table" ]; then
      echo "== $table"
      cat "/proc/net/$table"
    fi
  done
  exit 0
fi

once() { # once HOST PORT SECONDS: prints the outcome
  said=$(timeout "$(($3 + 1))" nc -w "$3" "$1" "$2" 2>&1 </dev/null >/dev/null)
  code=$?
  case $said in
    *refused*) echo REFUSED ;;
    *"timed out"*) echo TIMEOUT ;;
    *unreachable*) echo PROHIBITED ;;
    *) case $code in 0 | 124 | 143) echo OPEN ;; *) echo CHECKFAILED ;; esac ;;
  esac
}

target() { # target ID PROTOCOL HOST PORT PAYLOAD SECONDS IN-ALL
  if [ "$2" != TCP ]; then
    echo "$1 CHECKFAILED 0 -"
    return
  fi
  seconds=${6%.*}
  left=${7%.*}
  while :; do
    outcome=$(once "$3" "$4" "$((seconds + 1))")
    left=$((left - seconds - 1))
    if [ "$outcome" = OPEN ] || [ "$left" -le 0 ]; then break; fi
    sleep 1
  done
  echo "$1 $outcome 0 -"
}

command -v nc >/dev/null && command -v timeout >/dev/null || exit 127
echo "$1" | {
  while read -r line; do
    # shellcheck disable=SC2086 # the words of a line are the arguments
    if [ -n "$line" ]; then target $line & fi
  done
  wait
}
