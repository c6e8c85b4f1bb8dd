"""The Helm client: what it asks of the command, and what it makes of the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from runbook.clients.helm import Helm, HelmVersion, Values
from runbook.clients.helm_lines import Finding
from runbook.clients.kube.releases import refuse_foreign
from runbook.clients.process.commands import CommandResult
from runbook.clients.target import Kubeconfig
from runbook.engine.errors import CommandFailed, CommandMissing, Foreign, Unmeasurable
from runbook.engine.settings import Settings
from runbook.ownership import installation
from tests.fakes import running
from tests.fakes.worlds import FakeApi

CHART = Path("/charts/app")
TARGET = ["--kubeconfig", "/state/kubeconfig", "--kube-context", "todo"]
ABSENT = CommandResult("", "Error: release: not found\n", 1)
BROKEN = CommandResult("", "Error: Kubernetes cluster unreachable\n", 1)


class FakeCommands:
    """Answers by the first argument of Helm; remembers what was asked."""

    def __init__(self, **answers: str | CommandResult) -> None:
        self.answers: dict[str, str | CommandResult] = {"version": "v3.19.0", **answers}
        self.asked: list[list[str]] = []
        self.stdin: str | None = None
        self.env: Mapping[str, str] = {}
        self.helm: Path | None = Path("/usr/bin/helm")

    def find(self, name: str) -> Path | None:
        assert name == "helm"
        return self.helm

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> CommandResult:
        assert timeout > 0
        words = [str(part) for part in argv]
        assert words[0] == "/usr/bin/helm"
        if words[1] != "version":
            self.asked.append(words[1:])
            self.stdin = stdin
        self.env = env or {}
        answer = self.answers.get(words[1], "")
        result = answer if isinstance(answer, CommandResult) else CommandResult(answer, "", 0)
        if check and result.code != 0:
            raise CommandFailed(result.stderr)
        return result


class FakeCluster:
    provider = "embedded"

    def kubeconfig(self) -> Kubeconfig:
        return Kubeconfig(Path("/state/kubeconfig"), "todo")


def helm(commands: FakeCommands) -> Helm:
    client: Any = commands
    cluster: Any = FakeCluster()
    return Helm(Settings(), client, cluster, lambda _name, _namespace: None)


@pytest.mark.parametrize(("text", "major"), [("v3.19.0", 3), ("v4.3.1\n", 4), ("v12.0.0+g1", 12)])
def test_the_version_is_read(text: str, major: int) -> None:
    assert helm(FakeCommands(version=text)).version() == HelmVersion(text.strip(), major)


def test_a_version_that_is_none_is_not_measurable() -> None:
    with pytest.raises(Unmeasurable, match="helm version says 'hello'"):
        helm(FakeCommands(version="hello")).version()


def test_without_helm_on_path_and_in_the_toolchain_it_is_missing() -> None:
    commands = FakeCommands()
    commands.helm = None
    with pytest.raises(CommandMissing) as missing:
        helm(commands).version()
    assert missing.value.hint == "inv setup"


def test_rendering_asks_no_cluster_and_leaves_empty_documents_out() -> None:
    commands = FakeCommands(template="---\n# Source: a\nkind: Service\n---\n\n---\nkind: Job\n")
    values = Values((Path("a.yaml"), Path("b.yaml")), {"frontend": {"replicaCount": 2}})
    objects = helm(commands).template(CHART, release="app", namespace="todo", values=values)
    assert objects == [{"kind": "Service"}, {"kind": "Job"}]
    assert commands.asked == [
        [
            "template",
            "app",
            "/charts/app",
            "--namespace",
            "todo",
            "--values",
            "a.yaml",
            "--values",
            "b.yaml",
            "--values",
            "-",
        ]
    ]
    assert json.loads(commands.stdin or "") == {"frontend": {"replicaCount": 2}}


def test_a_chart_that_does_not_render_raises_helms_reason() -> None:
    commands = FakeCommands(template=CommandResult("", "Error: additional properties not allowed", 1))
    with pytest.raises(CommandFailed, match="additional properties"):
        helm(commands).template(CHART, release="app", namespace="todo")


def test_helms_folders_are_not_the_users() -> None:
    commands = FakeCommands(template="")
    helm(commands).template(CHART, release="app", namespace="todo")
    cache = str(Settings().cache)
    assert set(commands.env) == {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"}
    assert all(value.startswith(cache) for value in commands.env.values())


LINT_GOOD = """==> Linting /charts/app
[INFO] Chart.yaml: icon is recommended

1 chart(s) linted, 0 chart(s) failed
"""
LINT_BAD = """==> Linting /charts/app
[WARNING] templates/: odd
[ERROR] templates/: values don't meet the specifications:
app:
- at '/frontend': additional properties 'x' not allowed

"""


def test_lint_of_a_good_chart_has_information_only() -> None:
    commands = FakeCommands(lint=LINT_GOOD)
    assert helm(commands).lint(CHART) == [Finding("info", "Chart.yaml: icon is recommended")]
    assert commands.asked == [["lint", "--strict", "/charts/app"]]


def test_lint_joins_the_lines_of_a_finding() -> None:
    answer = CommandResult(LINT_BAD, "Error: 1 chart(s) linted, 1 chart(s) failed\n", 1)
    assert helm(FakeCommands(lint=answer)).lint(CHART) == [
        Finding("warning", "templates/: odd"),
        Finding(
            "error",
            "templates/: values don't meet the specifications: app:"
            " - at '/frontend': additional properties 'x' not allowed",
        ),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        CommandResult("", "Error: 0 chart(s) linted, 0 chart(s) failed", 1),
        CommandResult("", "Error: unknown flag: --strict", 1),
        CommandResult("Alles gut\n", "", 0),
        CommandResult("", "Error: 1 chart(s) linted, 1 chart(s) failed", 1),
    ],
)
def test_a_lint_that_says_nothing_is_not_measurable(answer: CommandResult) -> None:
    with pytest.raises(Unmeasurable, match="helm lint ended"):
        helm(FakeCommands(lint=answer)).lint(CHART)


def test_releases_are_asked_of_the_named_cluster_as_json() -> None:
    commands = FakeCommands(status='{"info": {"status": "deployed"}}', history='[{"revision": 1}]')
    client = helm(commands)
    assert client.status("app", "todo") == {"info": {"status": "deployed"}}
    assert client.history("app", "todo") == [{"revision": 1}]
    assert commands.asked == [
        [*["status", "app", "--output", "json", "--namespace", "todo"], *TARGET],
        [*["history", "app", "--output", "json", "--namespace", "todo"], *TARGET],
    ]


def test_a_releases_manifest_and_values_are_parsed() -> None:
    manifest = helm(FakeCommands(get="---\nkind: Service\n---\nkind: Ingress\n"))
    assert manifest.manifest("app", "todo") == [{"kind": "Service"}, {"kind": "Ingress"}]
    commands = FakeCommands(get='{"global": {}}')
    assert helm(commands).values("app", "todo", computed=True) == {"global": {}}
    assert commands.asked[0][:4] == ["get", "values", "app", "--all"]
    assert helm(FakeCommands(get="null")).values("app", "todo") is None


def test_a_release_that_is_not_there_is_no_error() -> None:
    client = helm(FakeCommands(status=ABSENT, history=ABSENT, get=ABSENT, uninstall=ABSENT))
    assert client.status("app", "todo") is None
    assert client.history("app", "todo") == []
    assert client.manifest("app", "todo") == []
    assert client.values("app", "todo") is None
    assert client.uninstall("app", "todo") is False


def test_a_cluster_that_is_away_is_not_measurable() -> None:
    client = helm(FakeCommands(status=BROKEN, history=BROKEN, get=BROKEN))
    for ask in (client.status, client.history, client.manifest, client.values):
        with pytest.raises(Unmeasurable, match="unreachable"):
            ask("app", "todo")


def test_an_upgrade_installs_too_and_labels_the_release() -> None:
    commands = FakeCommands()
    helm(commands).upgrade("app", CHART, "todo", labels={"b": "2", "a": "1"}, timeout=30)
    assert commands.asked == [
        [
            *[
                "upgrade",
                "app",
                "/charts/app",
                "--install",
                "--namespace",
                "todo",
                "--timeout",
                "30s",
                "--history-max",
                "10",
            ],
            *["--labels", f"a=1,b=2,{installation.LABEL}={installation.known(Settings())}"],
            *TARGET,
        ]
    ]


@pytest.mark.parametrize(("version", "flag"), [("v3.19.0", "--atomic"), ("v4.3.1", "--rollback-on-failure")])
def test_each_helm_rolls_back_in_its_own_words(version: str, flag: str) -> None:
    commands = FakeCommands(version=version)
    helm(commands).upgrade("app", CHART, "todo", wait=True, rollback=True)
    assert flag in commands.asked[0]
    assert "--wait" in commands.asked[0]


@pytest.mark.parametrize(("version", "told"), [("v3.19.0", False), ("v4.3.1", True)])
def test_what_was_edited_by_hand_gives_way(version: str, told: bool) -> None:
    commands = FakeCommands(version=version)
    helm(commands).upgrade("app", CHART, "todo")
    helm(commands).rollback("app", 1, "todo")
    assert [("--force-conflicts" in argv) for argv in commands.asked] == [told, told]


def test_a_rollback_waits() -> None:
    commands = FakeCommands()
    helm(commands).rollback("app", 3, "todo", timeout=20)
    assert commands.asked == [
        [*["rollback", "app", "3", "--namespace", "todo", "--wait", "--timeout", "20s"], *TARGET]
    ]


def test_uninstalling_says_whether_there_was_something() -> None:
    commands = FakeCommands()
    assert helm(commands).uninstall("app", "todo") is True
    assert commands.asked[0][-4:] == TARGET
    with pytest.raises(CommandFailed, match="unreachable"):
        helm(FakeCommands(uninstall=BROKEN)).uninstall("app", "todo")


LISTED = (
    "NAME     \tVERSION\tREPOSITORY\tSTATUS  \nfrontend \t1.0.0  \t          \tunpacked\n"
    'redis    \t1.0.0  \t          \tmissing \n\nWARNING: "/charts/app/charts/extra" is not in Chart.yaml.\n'
)


def test_what_helm_says_of_sub_charts() -> None:
    commands = FakeCommands(dependency=LISTED)
    client = helm(commands)
    states = {"frontend": "unpacked", "redis": "missing", "extra": "not in Chart.yaml"}
    assert client.dependency_states(CHART) == states
    assert commands.asked == [["dependency", "list", "/charts/app"]]
    client = helm(FakeCommands(dependency="WARNING: no dependencies at /charts/app\n"))
    assert client.dependency_states(CHART) == {}


def test_a_dry_run_tells_objects_and_hooks_and_writes_nothing() -> None:
    record = {"manifest": "kind: Service\n---\n", "hooks": [{"manifest": "kind: Job\n"}]}
    commands = FakeCommands(upgrade=json.dumps(record))
    client = helm(commands)
    found = client.dry_run("app", CHART, "todo-prod", values=Values((Path("/prod.yaml"),)))
    assert found == ([{"kind": "Service"}], [{"kind": "Job"}])
    (asked,) = commands.asked
    assert "--dry-run=server" in asked
    assert asked[-4:] == TARGET
    client = helm(FakeCommands(upgrade=BROKEN))
    with pytest.raises(CommandFailed, match="unreachable"):
        client.dry_run("app", CHART, "todo-prod")


FOREIGN = "f" * 32


@pytest.mark.parametrize("made_by", ["", FOREIGN])
@pytest.mark.parametrize(
    "change",
    [
        lambda client: client.upgrade("todo-app", CHART, "todo"),
        lambda client: client.rollback("todo-app", 1, "todo"),
        lambda client: client.uninstall("todo-app", "todo"),
    ],
)
def test_no_release_of_somebody_else_is_changed(change: Any, made_by: str) -> None:
    """Neither one that another installation made, nor one without any id that has the digest of our charts."""
    api = FakeApi(running.release_secret(installation=made_by, digest="d" * 40))
    commands: Any = FakeCommands()
    cluster: Any = FakeCluster()
    client = Helm(
        Settings(),
        commands,
        cluster,
        lambda name, space: refuse_foreign(Settings(), api, name, space),  # type: ignore[arg-type]
    )
    with pytest.raises(Foreign, match="release todo-app in namespace todo was made by"):
        change(client)
    assert commands.asked == []
    api.put(running.release_secret())
    change(client)
    assert len(commands.asked) == 1


def test_a_release_of_ours_stays_ours_when_somebodys_hand_upgraded_it() -> None:
    ours, by_hand = running.release_secret(), running.release_secret(revision=2, installation="")
    api: Any = FakeApi(ours, by_hand)
    refuse_foreign(Settings(), api, "todo-app", "todo")
    api.put(running.release_secret(revision=3, installation=FOREIGN))
    with pytest.raises(Foreign, match="another installation \\(ffffffff\\)"):
        refuse_foreign(Settings(), api, "todo-app", "todo")
