#!/usr/bin/env bash
# The tools, the local cluster with its ingress and its name, and Dapr on it (T120). Idempotent.
#   scripts/setup-minikube.sh                   minikube where it and Docker answer, else the embedded node
#   scripts/setup-minikube.sh --cluster kind    --cluster and --name, which all three take
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -n ${INV:-} ]] || scripts/bootstrap.sh
inv=${INV:-.venv/bin/inv}

"$inv" setup "$@"
"$inv" cluster.up "$@"
"$inv" dapr.install "$@"
