#!/usr/bin/env bash
# The three images, and the cluster that holds them (T121). Idempotent: what is built from these sources stays.
#   scripts/build-images.sh                     wants the cluster of setup-minikube.sh
#   scripts/build-images.sh --cluster kind      any option of inv cluster.load
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -n ${INV:-} ]] || scripts/bootstrap.sh
inv=${INV:-.venv/bin/inv}

"$inv" build "$@"
"$inv" cluster.load "$@"
