"""The Dapr CLI: left alone where it speaks of another cluster, and read as it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.clients import dapr_cli
from runbook.clients.target import Kubeconfig
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from tests.fakes.recorded import Recorded
from tests.fakes.worlds import FakeCluster

# As a CLI 1.12.0 printed them of a live cluster; one service made unhealthy here.
STATUS = """\
  NAME                   NAMESPACE    HEALTHY  STATUS                      VERSION       AGE  CREATED
  dapr-operator          dapr-system  True     Running                     bc89552c8dde  24m  2026-11-30 14:45.46
  dapr-sidecar-injector  dapr-system  True     Running                     bc89552c8dde  24m  2026-11-30 14:45.46
  dapr-sentry            dapr-system  False    Waiting (CrashLoopBackOff)  bc89552c8dde  24m  2026-11-30 14:45.46
"""
WARNING = (
    '⚠  In future releases, this command will only query the "default" namespace by default. Please use the'
    " --namespace flag for a specific namespace, or the --all-namespaces (-A) flag for all namespaces.\n"
)
LIST = """\
[
  {
    "name": "statestore",
    "namespace": "todo",
    "spec": {
      "type": "state.redis",
      "metadata": [{"name": "redisHost", "value": "redis-svc.todo.svc.cluster.local:6379"}]
    }
  }
]"""
SERVICES = ("dapr-operator", "dapr-sentry", "dapr-sidecar-injector")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump({"current-context": "todo"}))
    return file


def make(settings: Settings, config: Path, **answers: Any) -> tuple[Any, Any]:
    class Cluster(FakeCluster):
        def kubeconfig(self) -> Kubeconfig:
            return Kubeconfig(config, "todo")

    commands = Recorded({f"dapr {name}": answer for name, answer in answers.items()})
    return commands, Cluster()


def test_it_is_asked_where_its_context_is_the_cluster(settings: Settings, config: Path) -> None:
    assert dapr_cli.speaks_of_our_cluster(*make(settings, config, status=STATUS))
    assert not dapr_cli.speaks_of_our_cluster(*make(settings, config))
    config.write_text(yaml.safe_dump({"current-context": "production"}))
    assert not dapr_cli.speaks_of_our_cluster(*make(settings, config, status=STATUS))


def test_what_it_does_not_call_healthy(settings: Settings, config: Path) -> None:
    world = make(settings, config, status=STATUS)
    assert dapr_cli.unhealthy(*world, SERVICES) == ["`dapr status` says of dapr-sentry: False"]
    assert dapr_cli.unhealthy(*world, ("dapr-operator", "dapr-placement")) == [
        "`dapr status` says of dapr-placement: nothing"
    ]
    assert world[0].environment == {"KUBECONFIG": str(config)}


@pytest.mark.parametrize(
    "said",
    [
        LIST,
        WARNING + LIST,
        WARNING + LIST + "\n⚠  Dapr root certificate of your Kubernetes cluster expires in 9 days.",
    ],
)
def test_the_components_that_it_lists(settings: Settings, config: Path, said: str) -> None:
    assert dapr_cli.components(*make(settings, config, components=said), "todo") == {"statestore"}


def test_no_components(settings: Settings, config: Path) -> None:
    assert dapr_cli.components(*make(settings, config, components=f"{WARNING}[]"), "todo") == set()


@pytest.mark.parametrize("said", ["no such thing", '{"name": "statestore"}', "[1]", ""])
def test_what_cannot_be_read_is_no_verdict(settings: Settings, config: Path, said: str) -> None:
    world = make(settings, config, components=said, status=said)
    with pytest.raises(Unmeasurable, match="no list of components"):
        dapr_cli.components(*world, "todo")
    with pytest.raises(Unmeasurable, match="no table"):
        dapr_cli.unhealthy(*world, SERVICES)


def test_a_cli_that_fails_is_no_verdict(settings: Settings, config: Path) -> None:
    with pytest.raises(Unmeasurable, match="does not answer"):
        dapr_cli.unhealthy(*make(settings, config, status=(1, "")), SERVICES)
