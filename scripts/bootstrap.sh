#!/usr/bin/env bash
# Makes .venv from uv.lock, with a uv pinned by hash. Idempotent; the second run takes under a second.
# Wants: Python 3.11 or newer with venv. Everything else is a matter for `inv setup`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($#)); then
  sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"
  [[ $1 == -h || $1 == --help ]] && exit 0
  exit 2
fi

say() { printf '%s\n' "$*" >&2; }

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  say "bootstrap: seen: $("$python" --version 2>&1 || true); wanted: Python 3.11 or newer; try: PYTHON=/path/to/python3.11 $0"
  exit 2
fi

home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)} # some services set none
uv_home=${XDG_CACHE_HOME:-$home/.cache}/todo-runbook/uv
if ! mkdir -p "$uv_home" 2>/dev/null; then
  say "bootstrap: seen: $uv_home cannot be written; wanted: a cache folder of yours; try: XDG_CACHE_HOME=/a/folder $0"
  exit 2
fi
if ! "$uv_home/bin/python" -m pip --version >/dev/null 2>&1; then
  rm -rf "$uv_home"
  if ! "$python" -m venv "$uv_home" 2>/dev/null; then
    say "bootstrap: seen: '$python -m venv' failed; wanted: a Python with venv; try: apt-get install python3-venv"
    exit 2
  fi
fi
wanted=$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' scripts/uv-requirements.txt)
if [[ "uv==$("$uv_home/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$wanted" ]]; then
  say "bootstrap: installing $wanted"
  "$uv_home/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/uv-requirements.txt
fi

"$uv_home/bin/uv" sync --quiet --frozen --python "$python"
