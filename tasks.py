"""The commands of the runbook; `inv --list` shows them. Each names what to do; runbook/ does it."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from runbook.guard import hook, plainly, thread_hook

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
DRILLS = {"drills": "repeat the drills, which disturb the application and restore it"}


@task(help=WHERE)
def setup(c: Context, cluster: str = "", name: str = "") -> None:
    """Install what is missing, check the tools (T004-T008)."""
    with plainly():
        from runbook import entry

        entry.prepare(entry.settings(c.config, cluster, name))


@task(help=RUN, iterable=["report"])
def build(c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False) -> None:
    """Build and check the three images (T012-T019, ...)."""
    with plainly():
        from runbook import entry

        entry.make(entry.settings(c.config, cluster, name), "build", entry.IMAGES, json=json, files=report)


@task(help=RUN | DRILLS, iterable=["report"])
def deploy(
    c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False, drills: bool = False
) -> None:
    """Bring up and prove the whole chatbot (T001-T054)."""
    with plainly():
        from runbook import entry

        chosen = entry.settings(c.config, cluster, name)
        entry.make(chosen, "deploy", entry.DEPLOYMENT, json=json, files=report, drills=drills)


@task(help=RUN, iterable=["report"])
def secure(c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False) -> None:
    """Deploy the secured chart and prove it (T055-T078)."""
    with plainly():
        from runbook import entry

        entry.make(entry.settings(c.config, cluster, name), "secure", entry.SECURITY, json=json, files=report)


@task(help=RUN, iterable=["report"], default=True, name="on")
def dapr_on(c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False) -> None:
    """Install Dapr, put sidecars into all pods (T079-T092)."""
    with plainly():
        from runbook import entry

        entry.make(entry.settings(c.config, cluster, name), "dapr", entry.MESH, json=json, files=report)


@task(help=WHERE, name="remove")
def dapr_remove(c: Context, cluster: str = "", name: str = "") -> None:
    """Deploy without sidecars, remove Dapr and Redis."""
    with plainly():
        from runbook import entry

        entry.leave_mesh(entry.settings(c.config, cluster, name))


@task(help=RUN | DRILLS, iterable=["report"])
def db(
    c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False, drills: bool = False
) -> None:
    """Prove database, data and new credentials (T105-T119)."""
    with plainly():
        from runbook import entry

        chosen = entry.settings(c.config, cluster, name)
        entry.make(chosen, "db", entry.DATABASE, json=json, files=report, drills=drills)


@task(help=RUN | DRILLS, iterable=["report"], default=True, name="all")
def verify_all(
    c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False, drills: bool = False
) -> None:
    """Ask every built step; change nothing."""
    with plainly():
        from runbook import entry

        chosen = entry.settings(c.config, cluster, name)
        entry.ask(chosen, "verify", entry.built(), json=json, files=report, drills=drills)


@task(
    help=RUN | DRILLS | {"step": "T049, a printed id, or the place in the list"},
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
) -> None:
    """Ask one step: inv verify.step T049"""
    with plainly():
        from runbook import entry

        chosen = entry.settings(c.config, cluster, name)
        wanted = entry.one(step)
        entry.ask(chosen, f"verify.step {step}", wanted, json=json, files=report, drills=drills)


@task(help=RUN, iterable=["report"], name="security")
def verify_security(
    c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False
) -> None:
    """Ask rights, processes and policies (T055-T076)."""
    with plainly():
        from runbook import entry

        chosen = entry.settings(c.config, cluster, name)
        steps = tuple(step for step in entry.SECURITY if step not in entry.TRAFFIC)
        entry.ask_only(chosen, "verify.security", steps, json=json, files=report)


@task(help=RUN, iterable=["report"], name="network")
def verify_network(
    c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False
) -> None:
    """Try every way between pods, show all (T077-T078)."""
    with plainly():
        from runbook import entry

        chosen = entry.settings(c.config, cluster, name)
        entry.ask_only(chosen, "verify.network", entry.TRAFFIC, json=json, files=report)


@task(help=RUN | DRILLS, iterable=["report"], name="dapr")
def verify_dapr(
    c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False, drills: bool = False
) -> None:
    """Ask Dapr, sidecars and state store (T079-T092)."""
    with plainly():
        from runbook import entry

        chosen = entry.settings(c.config, cluster, name)
        entry.ask_only(chosen, "verify.dapr", entry.MESH, json=json, files=report, drills=drills)


@task(help=RUN | DRILLS, iterable=["report"], name="db")
def verify_db(
    c: Context, report: list[str], cluster: str = "", name: str = "", json: bool = False, drills: bool = False
) -> None:
    """Ask Secret, TLS, rights, sessions, log (T105-T119)."""
    with plainly():
        from runbook import entry

        chosen = entry.settings(c.config, cluster, name)
        entry.ask_only(chosen, "verify.db", entry.DATABASE, json=json, files=report, drills=drills)


@task(
    help=WHERE
    | {
        "group": "which mutants: dapr, database, network or security",
        "only": "only those whose names contain this; may be repeated",
        "json": "write the verdicts as JSON to standard output",
    },
    iterable=["only"],
    positional=["group"],
    name="mutants",
)
def verify_mutants(
    c: Context, group: str, only: list[str], cluster: str = "", name: str = "", json: bool = False
) -> None:
    """Plant faults; each must turn its steps red."""
    with plainly():
        from runbook import entry

        entry.kill_mutants(entry.settings(c.config, cluster, name), group, only, json=json)


@task(
    help={
        "path": "a manifest, a folder or a chart (default: our own charts, in all variants)",
        "values": "a values file for the chart; may be repeated",
        "waivers": "a file of waivers: id, object, reason, expires",
        "json": "write the findings as JSON to standard output",
        "report": "also write the findings to this file: *.sarif, *.xml is JUnit, *.json; may be repeated",
    },
    iterable=["values", "report"],
    name="manifests",
)
def verify_manifests(
    c: Context, values: list[str], report: list[str], path: str = "", waivers: str = "", json: bool = False
) -> None:
    """Judge manifests by rules; ask no cluster."""
    with plainly():
        from runbook import entry
        from runbook.manifests import command

        chosen = entry.settings(c.config)
        command.verify(chosen, path, waivers=waivers, values=values, json=json, files=report)


@task(help={"json": RUN["json"]}, name="images")
def verify_images(c: Context, json: bool = False) -> None:
    """Look for setuid files and secrets in images."""
    with plainly():
        from runbook import entry, inspection

        inspection.verify(entry.settings(c.config), as_json=json)


@task
def sbom(c: Context) -> None:
    """Write a bill of materials for each image."""
    with plainly():
        from runbook import entry, inspection

        inspection.write_bills(entry.settings(c.config))


@task(help=WHERE)
def plan(c: Context, cluster: str = "", name: str = "") -> None:
    """Say what a deploy would change; change nothing."""
    with plainly():
        from runbook import entry, overview

        overview.show_plan(entry.settings(c.config, cluster, name), entry.DEPLOYMENT)


@task(help=WHERE | {"json": RUN["json"], "details": "also show what is unproven or blocked"})
def status(c: Context, cluster: str = "", name: str = "", json: bool = False, details: bool = False) -> None:
    """Show cluster, last outcomes, address to open."""
    with plainly():
        from runbook import entry, overview

        overview.show_status(entry.settings(c.config, cluster, name), as_json=json, details=details)


@task(help=WHERE | {"json": RUN["json"]}, name="tasks")
def list_steps(c: Context, cluster: str = "", name: str = "", json: bool = False) -> None:
    """List the 131 steps and what was last seen."""
    with plainly():
        from runbook import entry, overview

        overview.list_steps(entry.settings(c.config, cluster, name), as_json=json)


@task(help=WHERE)
def up(c: Context, cluster: str = "", name: str = "") -> None:
    """Start or repair the cluster (T043-T044)."""
    with plainly():
        from runbook import entry

        entry.make(entry.settings(c.config, cluster, name), "cluster.up", entry.CLUSTER)


@task(help=WHERE)
def down(c: Context, cluster: str = "", name: str = "") -> None:
    """Stop and remove the cluster."""
    with plainly():
        from runbook import entry

        entry.cluster_down(entry.settings(c.config, cluster, name))


@task(help=WHERE | {"json": RUN["json"]}, name="status")
def cluster_status(c: Context, cluster: str = "", name: str = "", json: bool = False) -> None:
    """Show the parts; exit 0 only when it runs."""
    with plainly():
        from runbook import entry, overview

        sys.exit(overview.show_cluster(entry.settings(c.config, cluster, name), as_json=json))


@task(help=WHERE)
def kubeconfig(c: Context, cluster: str = "", name: str = "") -> None:
    """Print the path, for export KUBECONFIG=$(...)."""
    with plainly():
        from runbook import entry, overview

        overview.show_kubeconfig(entry.settings(c.config, cluster, name))


@task(help=WHERE | {"yes": "do not ask before data is deleted"})
def cleanup(c: Context, cluster: str = "", name: str = "", yes: bool = False) -> None:
    """Remove all that the runbook made, and prove it gone."""
    with plainly():
        from runbook import entry

        entry.clean(entry.settings(c.config, cluster, name), yes=yes)


@task(help={"part": "lint, unit, services or live (default: all); may be repeated"}, iterable=["part"])
def test(_: Context, part: list[str]) -> None:
    """Run the whole test command."""
    script = Path(__file__).parent / "scripts" / "test.sh"
    os.execv(script, [str(script), *part])  # noqa: S606 (it takes this process's place)


ns = Collection(
    setup,
    build,
    deploy,
    secure,
    db,
    plan,
    status,
    list_steps,
    cleanup,
    sbom,
    test,
    Collection(
        "verify",
        verify_all,
        verify_step,
        verify_security,
        verify_network,
        verify_dapr,
        verify_db,
        verify_mutants,
        verify_manifests,
        verify_images,
    ),
    Collection("dapr", dapr_on, dapr_remove),
    Collection("cluster", up, down, cluster_status, kubeconfig),
)
