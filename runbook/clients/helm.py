"""Helm, 3 and 4: charts rendered and linted without a cluster, releases asked and changed with an explicit one.

Answers are parsed: YAML documents of rendered charts, JSON of releases. Lint alone speaks prose; its lines have a
fixed form, and what does not have it is an error, never silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.clients.helm_lines import Finding, dependency_states, lint_findings
from runbook.clients.process.environment import plugins
from runbook.clients.process.proxies import direct_to
from runbook.engine.errors import CommandFailed, CommandMissing, Unmeasurable
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.clients.process.commands import CommandResult, Commands
    from runbook.clients.target import Target
    from runbook.engine.settings import Settings

Object = dict[str, Any]

QUICK = 60.0
"""Seconds for what needs no waiting: rendering, linting, asking."""


@dataclass(frozen=True, slots=True)
class HelmVersion:
    text: str
    """As Helm says it, such as v3.19.0."""
    major: int


@dataclass(frozen=True, slots=True)
class Values:
    """What a chart is rendered with: values files in rising precedence, then `overrides` (a nested mapping)."""

    files: tuple[Path, ...] = ()
    overrides: Mapping[str, Any] | None = None

    def arguments(self) -> list[str | Path]:
        given: list[str | Path] = [part for file in self.files for part in ("--values", file)]
        return [*given, "--values", "-"] if self.overrides else given

    def stdin(self) -> str | None:
        """The overrides travel by standard input: no quoting, no length limit, nothing in the process list."""
        return json.dumps(self.overrides) if self.overrides else None


NO_VALUES = Values()


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Object:
    """Values as Helm merges them: mappings together, everything else replaced."""
    found = dict(below)
    for key, value in above.items():
        under = found.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            value = merged(under, value)
        found[key] = value
    return found


class Helm:
    """Every command has a deadline; where a cluster is asked, its kubeconfig and context are named."""

    def __init__(
        self,
        settings: Settings,
        commands: Commands,
        cluster: Target,
        refuse_foreign: Callable[[str, str], None],
        built: Callable[[], Path] = lambda: Path(),
    ) -> None:
        """`refuse_foreign` raises for the name and namespace of a release that is not ours; every change asks it.

        `built` is where a Helm of our own lies, for a machine without one; it may raise `CommandMissing`.
        """
        self._settings = settings
        self._commands = commands
        self._cluster = cluster
        self._refuse_foreign = refuse_foreign
        self._built = built

    @cached_property
    def binary(self) -> Path:
        """Helm on PATH, else the toolchain's. Raises `CommandMissing` where there is neither."""
        found = self._commands.find("helm")
        if found is not None:
            return found
        built = self._built()
        if not built.is_file():
            raise CommandMissing("the command helm is not there", wanted="Helm 3 or 4", hint="inv setup")
        return built

    def version(self) -> HelmVersion:
        text = self._run(["version", "--template", "{{ .Version }}"]).stdout.strip()
        match = re.match(r"v(\d+)\.", text)
        if match is None:
            raise Unmeasurable(
                f"helm version says {text!r}",
                wanted="a version such as v3.19.0",
                hint=f"{self.binary} version",
            )
        return HelmVersion(text, int(match[1]))

    def lint(self, chart: Path, values: Values = NO_VALUES) -> list[Finding]:
        """What `helm lint --strict` finds in one chart. Raises `Unmeasurable` where it linted nothing."""
        argv: list[str | Path] = ["lint", "--strict", chart, *values.arguments()]
        result = self._run(argv, stdin=values.stdin(), check=False)
        findings, charts, failures = lint_findings(result.stdout + "\n" + result.stderr)
        if charts != 1 or (failures and not any(each.severity != "info" for each in findings)):
            raise Unmeasurable(
                f"helm lint ended with status {result.code} and linted {charts} charts: {result.stderr.strip()}",
                wanted="one chart linted",
                hint=f"{self.binary} lint --strict {chart}",
            )
        return findings

    def template(
        self, chart: Path, *, release: str, namespace: str, values: Values = NO_VALUES
    ) -> list[Object]:
        """The objects of a rendered chart, hooks included, without asking a cluster.

        Raises `CommandFailed` where the chart does not render (a values file that the schema refuses, for one).
        """
        return _documents(self.rendered(chart, release=release, namespace=namespace, values=values))

    def rendered(self, chart: Path, *, release: str, namespace: str, values: Values = NO_VALUES) -> str:
        """The same as Helm writes it: a comment before each document names its template."""
        argv: list[str | Path] = ["template", release, chart, "--namespace", namespace, *values.arguments()]
        return self._run(argv, stdin=values.stdin()).stdout

    def dependencies(self, chart: Path) -> list[str]:
        """Names of the sub-charts that Chart.yaml lists."""
        described = _documents(self._run(["show", "chart", chart]).stdout)
        return [str(each["name"]) for each in described[0].get("dependencies") or []]

    def dependency_states(self, chart: Path) -> dict[str, str]:
        """What Helm says of each sub-chart: ok, unpacked, missing, wrong version, or not in Chart.yaml."""
        result = self._run(["dependency", "list", chart])
        return dependency_states(result.stdout + result.stderr)

    def manifest(self, release: str, namespace: str) -> list[Object]:
        """The objects that a release installed, without hooks; none where there is no such release."""
        answer = self._ask(["get", "manifest", release], namespace)
        return _documents(answer) if answer is not None else []

    def values(self, release: str, namespace: str, *, computed: bool = False) -> Object | None:
        """The values that a release was given, or with `computed` all that it used; None: no such release."""
        found: Object | None = self._json(
            ["get", "values", release, *(["--all"] if computed else [])], namespace
        )
        return found

    def status(self, release: str, namespace: str) -> Object | None:
        """The last revision with its state (`info.status`), or None where there is no such release."""
        found: Object | None = self._json(["status", release], namespace)
        return found

    def history(self, release: str, namespace: str) -> list[Object]:
        """All kept revisions, oldest first; none where there is no such release."""
        return self._json(["history", release], namespace) or []

    def upgrade(
        self,
        release: str,
        chart: Path,
        namespace: str,
        *,
        values: Values = NO_VALUES,
        labels: Mapping[str, str] | None = None,
        wait: bool = False,
        rollback: bool = False,
        timeout: float = 300.0,
    ) -> None:
        """Install or upgrade. `labels` are kept on the release's own record and on no object of it, beside our id.

        With `wait` it returns when the objects are ready; with `rollback` a failure returns to the revision before.
        `timeout` is in seconds, for hooks and for waiting. Raises `CommandFailed` with Helm's reason.
        """
        self._refuse_foreign(release, namespace)
        argv: list[str | Path] = ["upgrade", release, chart, "--install", "--namespace", namespace]
        argv += ["--timeout", f"{timeout:g}s", "--history-max", "10", *values.arguments()]
        marks = {**(labels or {}), **installation.labels(self._settings)}
        argv += ["--labels", ",".join(f"{key}={value}" for key, value in sorted(marks.items()))]
        if wait:
            argv.append("--wait")
        if rollback:
            argv.append("--atomic" if self.version().major < 4 else "--rollback-on-failure")
        argv += self._ours()
        # A rollback waits as long again; Helm's own deadline must end first.
        self._run([*argv, *self._target()], stdin=values.stdin(), timeout=2 * timeout + QUICK)

    def dry_run(
        self, release: str, chart: Path, namespace: str, *, values: Values = NO_VALUES
    ) -> tuple[list[Object], list[Object]]:
        """What an install or upgrade would make, as Helm renders it with the cluster at hand: objects, and hooks.

        Helm looks the kinds up and what is there; it does not ask whether the objects would be admitted. Writes
        nothing. Raises `CommandFailed` with Helm's reason.
        """
        argv: list[str | Path] = ["upgrade", release, chart, "--install", "--namespace", namespace]
        argv += ["--dry-run=server", "--output", "json", *values.arguments()]
        record = json.loads(self._run([*argv, *self._target()], stdin=values.stdin()).stdout)
        hooks = [each for hook in record.get("hooks") or [] for each in _documents(hook["manifest"])]
        return _documents(record["manifest"]), hooks

    def pull(self, chart: str, repository: str, version: str, folder: Path) -> None:
        """Fetch a chart of a repository into a folder of that name below `folder`."""
        argv: list[str | Path] = ["pull", chart, "--repo", repository, "--version", version]
        self._run([*argv, "--untar", "--untardir", folder])

    def rollback(self, release: str, revision: int, namespace: str, *, timeout: float = 300.0) -> None:
        """Return to a revision, as a new one, and wait until its objects are ready."""
        self._refuse_foreign(release, namespace)
        argv = ["rollback", release, str(revision), "--namespace", namespace, "--wait", *self._ours()]
        self._run([*argv, "--timeout", f"{timeout:g}s", *self._target()], timeout=timeout + QUICK)

    def uninstall(self, release: str, namespace: str, *, timeout: float = 120.0) -> bool:
        """Remove a release and wait until its objects are gone; False where there was none."""
        self._refuse_foreign(release, namespace)
        argv = ["uninstall", release, "--namespace", namespace, "--wait", "--timeout", f"{timeout:g}s"]
        result = self._run([*argv, *self._target()], timeout=timeout + QUICK, check=False)
        if _absent(result):
            return False
        self._judge(argv, result)
        return True

    def _ours(self) -> list[str]:
        """The chart wins over fields edited by hand: Helm 3 does so, Helm 4 is told, also for releases of Helm 3."""
        return ["--server-side=true", "--force-conflicts"] if self.version().major >= 4 else []

    def _target(self) -> list[str | Path]:
        direct_to(self._cluster)
        kubeconfig = self._cluster.kubeconfig()
        return ["--kubeconfig", kubeconfig.path, "--kube-context", kubeconfig.context]

    def _json(self, argv: Sequence[str | Path], namespace: str) -> Any:
        answer = self._ask([*argv, "--output", "json"], namespace)
        return None if answer is None else json.loads(answer)

    def _ask(self, argv: Sequence[str | Path], namespace: str) -> str | None:
        """Standard output of a question about a release; None where there is no such release."""
        full = [*argv, "--namespace", namespace, *self._target()]
        result = self._run(full, check=False)
        if _absent(result):
            return None
        if result.code != 0:
            raise Unmeasurable(
                f"helm {argv[0]} ended with status {result.code}: {result.stderr.strip()}",
                wanted="an answer about the release",
                hint="inv cluster.status",
            )
        return result.stdout

    def _judge(self, argv: Sequence[str | Path], result: CommandResult) -> None:
        if result.code != 0:
            raise CommandFailed(
                f"helm {argv[0]} ended with status {result.code}: {result.stderr.strip()}",
                wanted="exit status 0",
                hint=" ".join(["helm", *map(str, argv)]),
            )

    def _run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float = QUICK,
        stdin: str | None = None,
        check: bool = True,
    ) -> CommandResult:
        own = self._settings.cache / "helm"
        # Helm keeps folders in the user's home; ours must leave nothing there. Its plugins are not ours either.
        environment = {
            **(plugins() if self._settings.cluster == "existing" else {}),
            "HELM_CACHE_HOME": str(own / "cache"),
            "HELM_CONFIG_HOME": str(own / "config"),
            "HELM_DATA_HOME": str(own / "data"),
        }
        return self._commands.run(
            [self.binary, *argv], timeout=timeout, stdin=stdin, env=environment, check=check
        )


def _documents(text: str) -> list[Object]:
    """The objects of a YAML stream; empty documents do not count."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [document for document in yaml.load_all(text, Loader=loader) if document]


def _absent(result: CommandResult) -> bool:
    """Helm has one status for all errors; that the release is not there it says in these words."""
    return result.code != 0 and "release: not found" in result.stderr
