#!/usr/bin/env bash
# Namespace, Secrets and release, and the proof of each step (T122). Idempotent: a second one changes nothing.
#   scripts/deploy.sh                           from whatever is there already, or from nothing
#   scripts/deploy.sh --json                    any option of inv deploy
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -n ${INV:-} ]] || scripts/bootstrap.sh
inv=${INV:-.venv/bin/inv}

"$inv" deploy "$@"
