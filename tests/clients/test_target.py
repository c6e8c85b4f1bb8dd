"""A hint that is pasted asks the cluster of the run, whatever context the shell has."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.clients.target import Kubeconfig

OURS = Kubeconfig(Path("/state/our file"), "todo")
KUBECTL = "kubectl --kubeconfig '/state/our file' --context todo"
HELM = "helm --kubeconfig '/state/our file' --kube-context todo"


@pytest.mark.parametrize(
    ("hint", "pasted"),
    [
        ("kubectl get namespaces", f"{KUBECTL} get namespaces"),
        ("kubectl -n todo get pods,events", f"{KUBECTL} -n todo get pods,events"),
        (
            "kubectl --namespace todo delete secret x; inv deploy",
            f"{KUBECTL} --namespace todo delete secret x; inv deploy",
        ),
        ("inv dapr; kubectl get configurations.dapr.io", f"inv dapr; {KUBECTL} get configurations.dapr.io"),
        ("helm list --namespace todo, which shows whose", f"{HELM} list --namespace todo, which shows whose"),
        ("helm uninstall todo-app", f"{HELM} uninstall todo-app"),
        ("A=1 inv deploy; or kubectl logs x | grep y", f"A=1 inv deploy; or {KUBECTL} logs x | grep y"),
    ],
)
def test_what_asks_a_cluster_names_it(hint: str, pasted: str) -> None:
    assert OURS.pasteable(hint) == pasted
    assert OURS.pasteable(pasted) == pasted, "once is enough"


@pytest.mark.parametrize(
    "hint",
    [
        "inv deploy",
        "kubectl --context other get nodes",
        "KUBECONFIG=x kubectl config view",
        "kubectl config get-contexts",
        "helm lint charts/todo-app",
        "install kubectl on this machine",
        "apt-get install kubectl",
        "/usr/bin/kubectl-todo get x",
    ],
)
def test_what_asks_none_or_another_stays(hint: str) -> None:
    assert OURS.pasteable(hint) == hint
