"""What is to be deployed where the nodes take their images from a registry: by digest, whatever a tag means later."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from runbook.app import blueprint
from runbook.app.application import COMPONENTS
from runbook.app.image_specs import IMAGES
from runbook.app.secrets import secret_data
from runbook.clients.holdings import HeldImage, Holdings
from runbook.engine.settings import Settings
from runbook.world import World
from tests.fakes.releases import released
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

DIGESTS = {image.name: "sha256:" + f"{number:x}" * 64 for number, image in enumerate(IMAGES, start=1)}


class Cluster(FakeCluster):
    def holdings(self, references: object = ()) -> Holdings:
        held = {image.reference("1.0.0"): HeldImage(DIGESTS[image.name]) for image in IMAGES}
        return Holdings({"localhost:5001": held} if references else {})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(secret_data, "digest", lambda *_: "secret")
    settings = Settings(cluster="existing", context="mine", registry="localhost:5001", pull_secret="pull")
    return world_of(settings, api=FakeApi(), cluster=Cluster())


def test_every_component_is_named_by_the_registrys_digest(world: World) -> None:
    given = blueprint.application(world, blueprint.Mode(redis=True)).values.overrides or {}
    assert given["global"]["imageRegistry"] == "localhost:5001"
    assert given["global"]["imagePullPolicy"] == "IfNotPresent"
    assert given["global"]["imagePullSecrets"] == [{"name": "pull"}]
    for component in COMPONENTS:
        assert given[component.name]["image"] == {"digest": DIGESTS[component.image]}
    assert given["redis"]["image"] == {"digest": DIGESTS["todo-redis"]}


def test_the_stand_ins_are_too(world: World) -> None:
    for each in blueprint.stand_ins(world):
        image = (each.values.overrides or {})["image"]
        assert image["repository"].startswith("localhost:5001/todo-")
        assert image["digest"] == DIGESTS[image["repository"].rpartition("/")[2]]
        assert (image["pullPolicy"], image["pullSecrets"]) == ("IfNotPresent", [{"name": "pull"}])


def test_without_a_registry_the_nodes_hold_them_by_tag(world: World) -> None:
    plain = Settings(cluster="existing", context="mine")
    given = blueprint.application(world_of(plain, api=FakeApi(), cluster=Cluster())).values.overrides or {}
    assert "imageRegistry" not in given["global"] and "image" not in given["backend"]


@pytest.mark.parametrize(
    ("given", "used", "cidr"),
    [
        ("http://localhost:11434/v1", "http://10.100.255.1:11434/v1", "10.100.255.1/32"),
        ("https://models.example.org/v1", "https://models.example.org/v1", ""),
    ],
)
def test_a_model_on_this_machine_has_the_address_by_which_pods_reach_it(
    world: World, given: str, used: str, cidr: str
) -> None:
    settings = Settings(openai_base_url=given, openai_model="m")
    overrides = (
        blueprint.application(world_of(settings, api=FakeApi(), cluster=Cluster())).values.overrides or {}
    )
    assert overrides["backend"]["model"] == {"baseUrl": used, "name": "m"}
    way = overrides["global"]["networkPolicy"]["model"]
    assert (way["cidr"], way["port"]) == (cidr, 11434 if cidr else 443)


def production(*objects: Any, **more: Any) -> World:
    chosen = {"cluster": "existing", "context": "mine", "registry": "localhost:5001", "env": "prod"}
    return world_of(Settings(**{**chosen, **more}), api=FakeApi(*objects), cluster=Cluster())


class TestProduction:
    @pytest.fixture(autouse=True)
    def secrets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(secret_data, "digest", lambda *_: "secret")

    def test_its_values_are_those_of_production_by_digest_with_redis_and_without_sidecars_at_first(
        self,
    ) -> None:
        wanted = blueprint.application(production())
        given = wanted.values.overrides or {}
        assert [file.name for file in wanted.values.files] == ["values-prod.yaml"]
        assert "imagePullPolicy" not in given["global"]  # Always, as the file says
        assert given["global"]["dapr"] == {"enabled": False}
        assert given["redis"]["enabled"] is True
        assert given["redis"]["image"] == {"digest": DIGESTS["todo-redis"]}
        assert all(given[each.name]["image"]["digest"] == DIGESTS[each.image] for each in COMPONENTS)

    def test_no_pull_secret_is_left_over_from_the_file(self) -> None:
        given = blueprint.application(production()).values.overrides or {}
        assert given["global"]["imagePullSecrets"] == []

    def test_its_pods_find_the_stand_ins(self) -> None:
        given = blueprint.application(production()).values.overrides or {}
        assert given["global"]["networkPolicy"]["database"]["namespace"] == "todo-database"
        assert "todo-model" in given["backend"]["model"]["baseUrl"]

    def test_a_database_and_a_model_of_ones_own_take_their_place(self) -> None:
        own = {
            "database_url": SecretStr("postgresql://u:p@db.example.org/todo"),
            "openai_api_key": SecretStr("sk-x"),
        }
        given = blueprint.application(production(**own)).values.overrides or {}
        ways = given["global"]["networkPolicy"]
        assert ways["database"]["namespace"] == "" and ways["model"]["namespace"] == ""
        assert given["backend"]["model"]["baseUrl"] == ""

    @pytest.mark.parametrize(
        ("scheme", "env", "problem"),
        [
            ("https", "prod", ""),
            ("http", "dev", ""),
            ("http", "prod", "is one of development, not of production"),
            ("https", "dev", "is one of production, not of development"),
        ],
    )
    def test_a_release_of_the_other_environment_is_known(self, scheme: str, env: str, problem: str) -> None:
        found = blueprint.environment_problem(production(released(scheme), env=env))
        assert found.endswith(problem) and bool(found) == bool(problem)

    def test_where_there_is_none_either_may_come(self) -> None:
        assert blueprint.environment_problem(production()) == ""
