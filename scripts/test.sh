#!/usr/bin/env bash
# The whole test command: bootstrap, lint, unit tests, service tests, then the live tests on a cluster of their own.
# It installs what it needs, starts what it tests, and leaves nothing running. The time of each part is printed.
#   scripts/test.sh            everything
#   scripts/test.sh PART...    only these of: lint unit services live field
# field makes real kind and minikube clusters and runs the list on them: only when it is asked for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A cluster and a host name of its own: a developer's cluster is not touched.
export TODO_CLUSTER_NAME=${TODO_CLUSTER_NAME:-live} TODO_HOST=${TODO_HOST:-live.todo.local}

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n 's/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | head -6
  exit 0
fi
parts=("$@")
((${#parts[@]})) || parts=(lint unit services live)
for part in "${parts[@]}"; do
  case $part in
    lint | unit | services | live | field) ;;
    *)
      printf 'test: seen: %s; wanted: any of lint unit services live field; try: scripts/test.sh live\n' "$part" >&2
      exit 2
      ;;
  esac
done

times=()
started=0 # whether `inv setup` ran: it starts the build engine, which has to end with the tests
timed() { # timed NAME COMMAND...: runs it, remembers its seconds, ends the whole run when it fails
  local name=$1 begin=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  "$@"
  times+=("$(printf '%5d s  %s' $((SECONDS - begin)) "$name")")
}
summary() {
  local code=$?
  if ((started)) && ! .venv/bin/inv cleanup --yes --unseen >/dev/null; then code=1; fi
  printf '\n== time of each part\n'
  ((${#times[@]})) && printf '%s\n' "${times[@]}"
  printf '%5d s  in all\n' "$SECONDS"
  exit "$code"
}
trap summary EXIT

wants() { [[ " ${parts[*]} " == *" $1 "* ]]; }

# The services are written for Python 3.13; a version manager's copy counts as well as one on PATH.
service_python() {
  local candidate
  for candidate in python3.13 "$HOME"/.pyenv/versions/3.13.*/bin/python3.13; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  printf 'test: seen: no Python 3.13; wanted: one to test backend/, mcp-server/ and stand-ins/offline-model/ with; try: pyenv install 3.13\n' >&2
  return 2
}

python_service() { # python_service FOLDER
  local uv=${XDG_CACHE_HOME:-$HOME/.cache}/todo-runbook/uv/bin/uv
  (
    cd "$1"
    unset VIRTUAL_ENV
    "$uv" sync --quiet --frozen --python "$python"
    "$uv" run --quiet --frozen ruff check .
    "$uv" run --quiet --frozen mypy
    "$uv" run --quiet --frozen pytest -q
  )
}

frontend() {
  (
    cd frontend
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    npm run lint
    npm run typecheck
    npm test
  )
}

lint() {
  .venv/bin/ruff check .
  .venv/bin/ruff format --check .
  .venv/bin/mypy
  .venv/bin/lint-imports --no-cache
  git ls-files -z '*.sh' .ci/run | xargs -0 .venv/bin/shellcheck
  git ls-files -z '*Dockerfile' | xargs -0 .venv/bin/hadolint
  git ls-files -z '*.md' 'runbook/*.py' tasks.py 'scripts/*.sh' 'charts/*' 'backend/src/*' 'mcp-server/src/*' 'frontend/src/*' | xargs -0 .venv/bin/codespell
  NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --strict
}

timed 'bootstrap' scripts/bootstrap.sh
if wants lint; then timed 'lint: ruff, mypy, imports, shellcheck, hadolint, spelling, links of docs/' lint; fi
# Before the unit tests as well: those of the charts, the sandbox and the Go programs skip themselves without it.
if wants unit || wants services || wants live || wants field; then
  started=1
  timed 'setup: packages and toolchain' .venv/bin/inv setup
fi
if wants unit; then timed 'unit tests' .venv/bin/pytest -q -n 2 tests -m 'not live and not field'; fi
if wants services; then
  python=$(service_python)
  timed 'backend' python_service backend
  timed 'mcp-server' python_service mcp-server
  timed 'offline model' python_service stand-ins/offline-model
  timed 'frontend' frontend
fi
if wants field; then timed 'field: real kind and minikube clusters' .venv/bin/pytest -q tests/field -m field; fi
if wants live; then timed 'live tests' .venv/bin/pytest -q tests/cluster tests/live -m live; fi
