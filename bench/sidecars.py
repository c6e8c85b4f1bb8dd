"""What the sidecars cost: the same calls with Dapr and without, and their memory, on the deployed cluster in one run.

    .venv/bin/python bench/sidecars.py            200 task lists and 24 chat messages in each mode

The application is deployed with Dapr, then without, then with it again: where the first and the last differ much, the
machine was busy, and the ratio between means little. Wants `inv dapr` before. Prints median and 95th percentile of each
kind of call, each as a ratio to the calls without Dapr, and the memory of sidecars and control plane. Exit code 3 where
it could not be measured; the application carries Dapr afterwards in any case.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from rich.console import Console
from rich.table import Table

from runbook.actions.dapr import mesh
from runbook.actions.package import release
from runbook.app import blueprint
from runbook.app.application import DAPR_NAMESPACE, REDIS, SIDECAR
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.settings import load
from runbook.probes.conversation import remove_people
from runbook.probes.person import Person
from runbook.world import World

PROJECT = Path(__file__).resolve().parents[1]
WITH, WITHOUT, AGAIN = "with Dapr", "without", "with Dapr again"
LISTS, CHATS = 200, 8
"""Calls of one person: below the application's limits for one."""
CHATTING = 3
WARM_UP = 5


@dataclass
class Times:
    """Of one kind of call, in milliseconds."""

    every: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.every)

    @property
    def p95(self) -> float:
        return sorted(self.every)[int(len(self.every) * 0.95)]


def calls(world: World) -> dict[str, Times]:
    """One call after another, so that nothing waits for anything but its own way."""
    found: dict[str, list[float]] = {"task list": [], "chat": []}
    try:
        with Person(world) as person:
            for _ in range(WARM_UP):
                person.ask("GET", "/tasks")
            found["task list"] = [_timed(lambda: person.ask("GET", "/tasks")) for _ in range(LISTS)]
        for _ in range(CHATTING):
            with Person(world) as person:
                found["chat"] += [_timed(lambda: person.say("show my tasks")) for _ in range(CHATS)]
    finally:
        remove_people(world)
    return {kind: Times(each) for kind, each in found.items()}


def _timed(call: Callable[[], httpx.Response]) -> float:
    began = time.perf_counter()
    answer = call()
    took = (time.perf_counter() - began) * 1000
    if not answer.is_success:
        raise Unmeasurable(f"a call was answered {answer.status_code}", wanted="successful calls only")
    return took


def memory(world: World) -> dict[str, float]:
    """Working sets in MB, as the kubelets tell them: of each sidecar, of Redis, and of the control plane."""
    found: dict[str, float] = {}
    for node in world.api.list("Node"):
        answer = world.api.raw(f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary")
        if answer.status_code != 200:
            raise Unmeasurable(f"the kubelet answers {answer.status_code}", wanted="its summary of the pods")
        for pod in json.loads(answer.text)["pods"]:
            name, space = pod["podRef"]["name"], pod["podRef"]["namespace"]
            for container in pod.get("containers") or []:
                if container["name"] in {SIDECAR, REDIS} or space == DAPR_NAMESPACE:
                    size = container.get("memory", {}).get("workingSetBytes", 0) / 1e6
                    found[f"{name.rsplit('-', 2)[0]} {container['name']}"] = size
    return found


def measure(
    world: World, tell: Callable[[str], None]
) -> tuple[dict[str, dict[str, Times]], dict[str, float]]:
    """The calls in each mode, and the memory after those with Dapr."""
    kept = blueprint.mode(world)
    if not kept.dapr:
        raise Unmeasurable("the application is deployed without Dapr", wanted="both modes", hint="inv dapr")
    seen = {}
    tell(f"measuring {WITH}")
    seen[WITH] = calls(world)
    sizes = memory(world)
    try:
        tell("deploying without sidecars")
        release.bring(world, blueprint.Mode(redis=kept.redis))
        tell(f"measuring {WITHOUT}")
        seen[WITHOUT] = calls(world)
    finally:
        world.clients.memory.forget()
        tell("deploying with sidecars")
        mesh.join(world)
    tell(f"measuring {AGAIN}")
    seen[AGAIN] = calls(world)
    return seen, sizes


def table(seen: dict[str, dict[str, Times]]) -> Table:
    shown = Table("call", "mode", "number", "median ms", "ratio", "p95 ms", "ratio")
    for kind, plain in seen[WITHOUT].items():
        for mode in (WITHOUT, WITH, AGAIN):
            times = seen[mode][kind]
            shown.add_row(
                kind,
                mode,
                str(len(times.every)),
                f"{times.median:.1f}",
                f"{times.median / plain.median:.2f}",
                f"{times.p95:.1f}",
                f"{times.p95 / plain.p95:.2f}",
            )
    return shown


def main() -> int:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    console = Console()
    try:
        section = yaml.safe_load((PROJECT / "invoke.yaml").read_text())["runbook"]
        seen, sizes = measure(World.of(load(section)), lambda text: console.print(text, style="dim"))
    except (RunbookError, httpx.HTTPError) as problem:
        console.print(f"could not be measured: {problem}", markup=False)
        return 3
    console.print(table(seen))
    for name, size in sorted(sizes.items()):
        console.print(f"{size:6.1f} MB  {name}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
