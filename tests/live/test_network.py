"""The network policies: every way tried on the deployed application, then broken one policy at a time.

Each policy dropped flips exactly its own cells: `inv verify.mutants network` says so of every one of them.
"""

from __future__ import annotations

import json

import pytest
from commands import Answer, inv

from runbook.clients.kube import workloads
from runbook.netpol.traffic.visitors import LABEL
from runbook.world import World


@pytest.fixture(scope="module")
def tried(deployed: Answer) -> Answer:
    return inv("verify.network", "--json")


@pytest.mark.parametrize("step", ["T077", "T078"])
def test_the_network_is_isolated(tried: Answer, step: str) -> None:
    found = {entry["id"]: entry for entry in tried.document["steps"]}[step]
    assert found["status"] == "passed", (
        f"{found['observed']}; wanted: {found['wanted']}; try: {found['hint']}"
    )


def test_every_source_was_asked_and_every_kind_of_target(tried: Answer) -> None:
    matrix = tried.document["steps"][-1]["evidence"]["matrix"]
    assert set(matrix["rows"]) >= {
        *("frontend", "backend", "mcp-server", "postgres", "model"),
        *("ingress", "neighbour", "job", "stranger"),
    }
    assert set(matrix["columns"]) >= {
        "internet:443",
        "metadata:80",
        "dns:53",
        "api:443",
        "node:10250",
        "pods/udp",
    }
    assert matrix["ways"] > 300


def test_every_mutant_is_killed(tried: Answer) -> None:
    answer = inv("verify.mutants", "network", "--json")
    verdicts = json.loads(answer.stdout)
    survivors = [each for each in verdicts["mutants"] if each["verdict"] != "killed"]
    assert survivors == []
    assert answer.code == 0
    assert verdicts["killed"] == verdicts["planted"] >= 16


def test_nothing_is_left_behind(tried: Answer, world: World) -> None:
    spaces = world.api.list("Namespace", labels=LABEL)
    going = {workloads.name(space) for space in spaces if workloads.terminating(space)}
    pods = [
        workloads.name(pod)
        for pod in world.api.list("Pod", labels=LABEL)
        if not workloads.terminating(pod) and pod["metadata"]["namespace"] not in going
    ]
    assert ([workloads.name(each) for each in spaces if not workloads.terminating(each)], pods) == ([], [])
    assert world.api.list("NetworkPolicy", labels="todo.runbook/planted") == []
