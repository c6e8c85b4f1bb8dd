"""The commands of the runbook; `inv --list` shows them. Each names what to do; runbook/ does it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task, task

from runbook.cli.arguments import refuse_bad_input
from runbook.cli.guard import hook, plainly, thread_hook

sys.excepthook = hook
threading.excepthook = thread_hook

WHERE = {
    "cluster": "auto, embedded, minikube, kind or existing (default: as in invoke.yaml)",
    "name": "the cluster's name (default: todo)",
}
RUN = WHERE | {
    "json": "write the outcomes as JSON to standard output",
    "report": "also write the outcomes to this file: *.xml is JUnit, *.html a page, *.json; may be repeated",
}
TAKES_AWAY = WHERE | {
    "yes": "do not ask before data is deleted; needed where there is no terminal",
    "unseen": "also a cluster of ours that does not run, so that nobody can see what is in it",
}
DRILLS = {"drills": "repeat the drills, which disturb the application and restore it"}

Steps = Callable[[ModuleType], tuple[str, ...]]
"""Which steps a command is about, by the names of runbook.cli.entry, which is imported when a command runs."""


CHANGES = {
    f"change-{what}": f"let the application come to another {what} than the one that it uses"
    for what in ("database", "model")
}


ENVIRONMENT = {
    "env": "dev or prod: the values file, values-dev.yaml or values-prod.yaml (default: dev)",
    "confirm": "of production: the name of the cluster; needed where there is no terminal to type it on",
}


def makes(name: str, steps: Steps, words: str, *, command: str = "", default: bool = False) -> Task[Any]:
    """A command that makes its steps, and all that they need, pass."""

    def run(
        c: Context,
        report: list[str],
        cluster: str = "",
        name: str = "",
        json: bool = False,
        drills: bool = False,
        change_database: bool = False,
        change_model: bool = False,
        env: str = "",
        confirm: str = "",
    ) -> None:
        with plainly():
            from runbook.cli import entry

            chosen = entry.settings(c.config, cluster, name, env)
            asked = {"database": change_database, "model": change_model}
            changes = [what for what, wanted in asked.items() if wanted]
            entry.make(
                chosen,
                command or run.__name__,
                steps(entry),
                json=json,
                files=report,
                drills=drills,
                changes=changes,
                confirm=confirm,
            )

    run.__doc__, run.__name__ = words, name
    return Task(
        run, name=name, help=RUN | DRILLS | CHANGES | ENVIRONMENT, iterable=["report"], default=default
    )


def asks(name: str, steps: Steps, words: str) -> Task[Any]:
    """A command that asks the cluster exactly its steps, and changes nothing."""

    def run(
        c: Context,
        report: list[str],
        cluster: str = "",
        name: str = "",
        json: bool = False,
        drills: bool = False,
    ) -> None:
        with plainly():
            from runbook.cli import entry

            chosen = entry.settings(c.config, cluster, name)
            entry.ask_only(chosen, command, steps(entry), json=json, files=report, drills=drills)

    command = f"verify.{name}"
    run.__doc__ = words
    return Task(run, name=name, help=RUN | DRILLS, iterable=["report"])


build = makes("build", lambda entry: entry.IMAGES, "Build and check the three images.")
deploy = makes("deploy", lambda entry: entry.DEPLOYMENT, "Bring up and prove the whole chatbot.")
full = makes("full", lambda entry: entry.EVERYTHING, "Bring up and prove all of it, every step of the list.")
secure = makes("secure", lambda entry: entry.SECURITY, "Deploy the secured chart and prove it.")
dapr_on = makes(
    "on",
    lambda entry: entry.MESH,
    "Install Dapr, put sidecars into all pods.",
    command="dapr",
    default=True,
)
dapr_install = makes(
    "install",
    lambda entry: entry.PLANE,
    "Install Dapr's control plane alone.",
    command="dapr.install",
)
package = makes("package", lambda entry: entry.PACKAGE, "Prove chart, upgrades and rollbacks.")
db = makes("db", lambda entry: entry.DATABASE, "Prove database, data and new credentials.")
automation = makes("automation", lambda entry: entry.AUTOMATION, "Try the scripts on a new cluster.")
up = makes(
    "up",
    lambda entry: entry.CLUSTER,
    "Start or repair the cluster.",
    command="cluster.up",
)
load = makes(
    "load",
    lambda entry: entry.HELD,
    "Bring the built images into the cluster.",
    command="cluster.load",
)


@task(
    default=True,
    name="all",
    iterable=["report"],
    help=RUN | DRILLS | {"all": "hold the whole list against the cluster, also what nobody has turned on"},
)
def verify_all(
    c: Context,
    report: list[str],
    cluster: str = "",
    name: str = "",
    json: bool = False,
    drills: bool = False,
    all: bool = False,
) -> None:
    """Check every step that is turned on; change nothing."""
    with plainly():
        from runbook.cli import entry

        chosen = entry.settings(c.config, cluster, name)
        if all:
            entry.ask(chosen, "verify", entry.EVERYTHING, json=json, files=report, drills=drills)
        else:
            entry.ask_turned_on(chosen, "verify", json=json, files=report, drills=drills)


verify_security = asks("security", lambda entry: entry.STANDING, "Ask rights, processes and policies.")
verify_network = asks("network", lambda entry: entry.TRAFFIC, "Try every way between pods, show all.")
verify_dapr = asks("dapr", lambda entry: entry.MESH, "Ask Dapr, sidecars and state store.")
verify_package = asks("package", lambda entry: entry.PACKAGE, "Ask chart, dry run and sub-charts.")
verify_db = asks("db", lambda entry: entry.DATABASE, "Ask Secret, TLS, rights, sessions, log.")
verify_automation = asks("automation", lambda entry: entry.AUTOMATION, "Ask scripts and README.")


@task(help=WHERE)
def setup(c: Context, cluster: str = "", name: str = "") -> None:
    """Install what is missing, check the tools."""
    with plainly():
        from runbook.cli import entry

        entry.prepare(entry.settings(c.config, cluster, name))


@task(help=WHERE | {"json": "write the findings as JSON to standard output"})
def doctor(c: Context, cluster: str = "", name: str = "", json: bool = False) -> None:
    """Find what is in the way of a deploy here."""
    with plainly():
        from runbook.cli import doctor as command
        from runbook.cli import entry

        command.diagnose(entry.settings(c.config, cluster, name), as_json=json)


@task(help=WHERE, name="remove")
def dapr_remove(c: Context, cluster: str = "", name: str = "") -> None:
    """Deploy without sidecars, remove Dapr and Redis."""
    with plainly():
        from runbook.cli import entry, teardown

        teardown.leave_mesh(entry.settings(c.config, cluster, name))


@task(
    help=RUN
    | DRILLS
    | {
        "step": "the id that `inv tasks` shows, such as T049, or a requirement, such as AS-007",
        "printed": "take the number as the original list prints it",
    },
    iterable=["report"],
    positional=["step"],
    name="step",
)
def verify_step(
    c: Context,
    step: str,
    report: list[str],
    cluster: str = "",
    name: str = "",
    json: bool = False,
    drills: bool = False,
    printed: bool = False,
) -> None:
    """Check one step: inv verify.step T049"""
    with plainly():
        from runbook.cli import entry

        chosen = entry.settings(c.config, cluster, name)
        wanted = entry.one(step, printed=printed)
        entry.ask(chosen, f"verify.step {step}", wanted, json=json, files=report, drills=drills)


@task(
    help=WHERE
    | {
        "group": "which mutants; inv verify.mutants --coverage names the groups",
        "only": "only those whose names contain this; may be repeated",
        "coverage": "plant nothing: list the faults of each step and what was last seen of them",
        "json": "write the verdicts as JSON to standard output",
    },
    iterable=["only"],
    positional=[] if "--coverage" in sys.argv else ["group"],  # Invoke has no positional that may be left out
    name="mutants",
)
def verify_mutants(
    c: Context,
    only: list[str],
    group: str | None = None,
    cluster: str = "",
    name: str = "",
    json: bool = False,
    coverage: bool = False,
) -> None:
    """Plant faults; each must turn its steps red."""
    with plainly():
        from runbook.cli import entry

        if coverage:
            from runbook.cli import coverage as command

            command.show(entry.settings(c.config, cluster, name), group or "", json=json)
        else:
            entry.kill_mutants(entry.settings(c.config, cluster, name), group or "", only, json=json)


@task(
    help={
        "path": "a manifest, a folder, a chart or a kustomization; - is standard input (default: our own charts)",
        "values": "a values file for the chart; may be repeated",
        "config": "tests of kube-score to disable or enable, each with its reason",
        "json": "write the findings as JSON to standard output",
        "report": "also write the findings to this file: *.sarif, *.xml is JUnit, *.json; may be repeated",
    },
    iterable=["values", "report"],
    name="manifests",
)
def verify_manifests(
    c: Context, values: list[str], report: list[str], path: str = "", config: str = "", json: bool = False
) -> None:
    """Judge manifests by kube-score; no cluster needed."""
    with plainly():
        from runbook.cli import entry
        from runbook.cli import manifests as command

        chosen = entry.settings(c.config)
        command.verify(chosen, path, config=config, values=values, json=json, files=report)


@task(help={"json": RUN["json"]}, name="images")
def verify_images(c: Context, json: bool = False) -> None:
    """Look for setuid files and secrets in images."""
    with plainly():
        from runbook.cli import entry, inspection

        inspection.verify(entry.settings(c.config), as_json=json)


@task
def sbom(c: Context) -> None:
    """Write a bill of materials for each image."""
    with plainly():
        from runbook.cli import entry, inspection

        inspection.write_bills(entry.settings(c.config))


@task(
    help=WHERE
    | {
        "target": "deploy, full, build, secure, dapr, package, db or automation (default: deploy)",
        "json": "write the plan as JSON to standard output",
    }
)
def plan(c: Context, target: str = "deploy", cluster: str = "", name: str = "", json: bool = False) -> None:
    """Say what a command would change; exit 4 for changes."""
    with plainly():
        from runbook.cli import entry
        from runbook.cli import plan as command

        command.show(entry.settings(c.config, cluster, name), target, as_json=json)


@task(help=WHERE | {"json": "write the differences as JSON to standard output"})
def drift(c: Context, cluster: str = "", name: str = "", json: bool = False) -> None:
    """Say what on the cluster differs from its releases."""
    with plainly():
        from runbook.cli import entry
        from runbook.cli import plan as command

        command.show_drift(entry.settings(c.config, cluster, name), as_json=json)


@task(help=WHERE | {"json": RUN["json"], "details": "also show what is unproven or blocked"})
def status(c: Context, cluster: str = "", name: str = "", json: bool = False, details: bool = False) -> None:
    """Show cluster, last outcomes, address to open."""
    with plainly():
        from runbook.cli import entry, overview

        overview.show_status(entry.settings(c.config, cluster, name), as_json=json, details=details)


@task(
    help=WHERE
    | {
        "json": RUN["json"],
        "failed": "only the steps that were checked and did not pass",
        "markdown": "as a task list in Markdown, a box ticked only where a proof counts on this cluster",
        "like": "with --markdown: a task list of your own, whose lines are kept and whose boxes are set",
    },
    name="tasks",
)
def list_steps(
    c: Context,
    cluster: str = "",
    name: str = "",
    json: bool = False,
    failed: bool = False,
    markdown: bool = False,
    like: str = "",
) -> None:
    """List the steps and what was last seen."""
    with plainly():
        from runbook.cli import entry, overview, task_list

        chosen = entry.settings(c.config, cluster, name)
        if markdown or like:
            task_list.show_ticked(chosen, like)
        else:
            overview.list_steps(chosen, as_json=json, failed=failed)


@task(help={"file": "a task list in Markdown", "json": RUN["json"]}, positional=["file"], name="tasks")
def lint_tasks(_: Context, file: str, json: bool = False) -> None:
    """Find what contradicts itself in a task list."""
    with plainly():
        from runbook.cli import task_list

        task_list.lint(file, as_json=json)


@task(
    help=WHERE
    | {
        "component": "backend, frontend, mcp-server, database, model or dapr (default: the application)",
        "follow": "go on with what is written from now on, through restarts, until Ctrl-C",
        "tail": "lines of each container to begin with (default: 100)",
    },
)
def logs(
    c: Context, component: str = "", cluster: str = "", name: str = "", follow: bool = False, tail: str = ""
) -> None:
    """Show what the containers wrote: inv logs -c backend"""
    with plainly():
        from runbook.cli import entry
        from runbook.cli import logs as command

        chosen = entry.settings(c.config, cluster, name)
        command.show(chosen, component, follow=follow, tail=tail)


@task(help=WHERE | {"json": RUN["json"]}, name="settings")
def show_settings(c: Context, cluster: str = "", name: str = "", json: bool = False) -> None:
    """Show each setting, its value and where it comes from."""
    with plainly():
        from runbook.cli import about, entry

        about.show_settings(entry.settings(c.config, cluster, name), as_json=json)


@task(help={"json": RUN["json"]})
def version(_: Context, json: bool = False) -> None:
    """Show the version of this program and of its parts."""
    with plainly():
        from runbook.cli import about

        about.show_version(Path(__file__).parent, as_json=json)


@task(
    help={"name": "a step (T049) or a requirement (AS-007, SC-003, FR-014)", "json": "write it as JSON"},
    positional=["name"],
)
def explain(c: Context, name: str, json: bool = False) -> None:
    """Explain a step or a requirement: inv explain T078"""
    with plainly():
        from runbook.cli import entry
        from runbook.cli import explain as command

        command.explain(entry.settings(c.config), name, as_json=json)


@task(help=TAKES_AWAY)
def down(c: Context, cluster: str = "", name: str = "", yes: bool = False, unseen: bool = False) -> None:
    """Remove the cluster, after a question."""
    with plainly():
        from runbook.cli import entry, teardown

        teardown.cluster_down(entry.settings(c.config, cluster, name), yes=yes, unseen=unseen)


@task(help=WHERE)
def stop(c: Context, cluster: str = "", name: str = "") -> None:
    """Stop the cluster and keep all that is in it."""
    with plainly():
        from runbook.cli import entry, pause

        pause.stop(entry.settings(c.config, cluster, name))


@task(help=WHERE)
def start(c: Context, cluster: str = "", name: str = "") -> None:
    """Start a stopped cluster with all that was in it."""
    with plainly():
        from runbook.cli import entry, pause

        pause.start(entry.settings(c.config, cluster, name))


@task(help=WHERE | {"json": RUN["json"]}, name="status")
def cluster_status(c: Context, cluster: str = "", name: str = "", json: bool = False) -> None:
    """Show the parts; exit 0 only when it runs."""
    with plainly():
        from runbook.cli import entry, overview

        sys.exit(overview.show_cluster(entry.settings(c.config, cluster, name), as_json=json))


@task(help=WHERE)
def kubeconfig(c: Context, cluster: str = "", name: str = "") -> None:
    """Print the path, for export KUBECONFIG=$(...)."""
    with plainly():
        from runbook.cli import entry, overview

        overview.show_kubeconfig(entry.settings(c.config, cluster, name))


@task(help=TAKES_AWAY | {"cache": "also remove the toolchain and the build layers"})
def cleanup(
    c: Context,
    cluster: str = "",
    name: str = "",
    yes: bool = False,
    unseen: bool = False,
    cache: bool = False,
) -> None:
    """Remove all that the runbook made, and prove it gone."""
    with plainly():
        from runbook.cli import entry, teardown

        teardown.clean(entry.settings(c.config, cluster, name), yes=yes, unseen=unseen, cache=cache)


@task(help=WHERE, name="open")
def open_application(c: Context, cluster: str = "", name: str = "") -> None:
    """Show the application in a browser."""
    with plainly():
        from runbook.cli import entry, overview

        overview.open_application(entry.settings(c.config, cluster, name))


@task(help=WHERE, name="open")
def open_report(c: Context, cluster: str = "", name: str = "") -> None:
    """Show the page of the last run in a browser."""
    with plainly():
        from runbook.cli import entry, overview

        overview.open_report(entry.settings(c.config, cluster, name))


@task(help={"shell": "bash, zsh or fish"}, positional=["shell"], name="completion")
def show_completion(_: Context, shell: str) -> None:
    """Print a completion script: inv completion bash"""
    with plainly():
        from runbook.cli import completion

        completion.show(ns, shell)


@task(help={"part": "lint, unit, services or live (default: all); may be repeated"}, iterable=["part"])
def test(_: Context, part: list[str]) -> None:
    """Run the whole test command."""
    script = Path(__file__).parent / "scripts" / "test.sh"
    os.execv(script, [str(script), *part])  # noqa: S606 (it takes this process's place)


ns = Collection(
    setup,
    doctor,
    build,
    deploy,
    full,
    secure,
    package,
    db,
    automation,
    plan,
    drift,
    status,
    open_application,
    list_steps,
    explain,
    logs,
    show_settings,
    version,
    stop,
    start,
    cleanup,
    sbom,
    show_completion,
    test,
    Collection(
        "verify",
        verify_all,
        verify_step,
        verify_security,
        verify_network,
        verify_dapr,
        verify_package,
        verify_db,
        verify_automation,
        verify_mutants,
        verify_manifests,
        verify_images,
    ),
    Collection("lint", lint_tasks),
    Collection("report", open_report),
    Collection("dapr", dapr_on, dapr_install, dapr_remove),
    Collection("cluster", up, load, down, cluster_status, kubeconfig),
)

refuse_bad_input(ns)
