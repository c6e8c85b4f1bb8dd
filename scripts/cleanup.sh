#!/usr/bin/env bash
# All that the runbook made, removed and proved gone (T123). Idempotent; asks before data goes, unless --yes.
#   scripts/cleanup.sh
#   scripts/cleanup.sh --yes                    any option of inv cleanup
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -n ${INV:-} ]] || scripts/bootstrap.sh
inv=${INV:-.venv/bin/inv}

"$inv" cleanup "$@"
