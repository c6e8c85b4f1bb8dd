"""The login roles of the stand-in database while it runs: let in with a password, or shut out, by its administrator.

The server sets its roles at every start as its Secret says; these do the same without a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.app.application import DATABASE_NAMESPACE, DATABASE_RELEASE
from runbook.app.secrets import secret_data
from runbook.clients.kube import workloads
from runbook.engine.errors import CommandFailed, Unmeasurable
from runbook.engine.redaction import redact

if TYPE_CHECKING:
    from runbook.world import World

SECONDS = 30.0
FOLDER = "/etc/todo-postgres"
ADMINISTRATOR = (
    "psql",
    "--host=/tmp/todo-postgres",
    "--username=postgres",
    "--no-psqlrc",
    "--quiet",
    "--tuples-only",
    "--no-align",
    "--set=ON_ERROR_STOP=1",
)
"""Over the socket inside the pod, which only the server's own account reaches."""


def mend(world: World) -> None:
    """Whoever has a password in the Secret is let in with it; nothing is written where the server takes them all.

    A database outside has roles that are not ours to change.
    """
    if world.settings.database_url.get_secret_value():
        return
    for role, password in secret_data.read(world, secret_data.ROLES_SECRET, DATABASE_NAMESPACE).items():
        if world.database.refusal(secret_data.url(role, password)):
            let_in(world, role, password)


def let_in(world: World, role: str, password: str) -> None:
    """The role may sign in with this password; it is made where it is not there. Sessions that it has go on.

    The password stays out of argument lists: it goes by standard input.
    """
    _run(world, ["--dbname=postgres", f"--set=role={role}", f"--file={FOLDER}/roles.sql"], password + "\n")


def shut_out(world: World, role: str) -> None:
    """The role may no longer sign in, and its sessions end; its rights stay."""
    _run(world, ["--dbname=postgres", f"--set=role={role}", f"--file={FOLDER}/retire.sql"])


def administer(world: World, statement: str) -> str:
    """What the administrator is answered; a statement holds no secret."""
    return _run(world, [f"--dbname={secret_data.DATABASE}", f"--command={statement}"])


def server(world: World) -> str:
    """The pod of the stand-in. Raises `Unmeasurable` where none is ready."""
    labels = f"app.kubernetes.io/name={DATABASE_RELEASE}"
    pods = world.api.list("Pod", DATABASE_NAMESPACE, labels=labels)
    for pod in pods:
        if not workloads.terminating(pod) and not workloads.pod_problem(pod):
            return workloads.name(pod)
    raise Unmeasurable(
        workloads.describe([workloads.pod_problem(pod) for pod in pods]) or "the database has no pod",
        wanted="a running PostgreSQL",
        hint=f"kubectl --namespace {DATABASE_NAMESPACE} get pods",
    )


def _run(world: World, arguments: list[str], stdin: str | None = None) -> str:
    """Writes, so that the pinned cluster is asked for first."""
    world.api.guard()
    answer = world.api.exec(
        server(world),
        DATABASE_RELEASE,
        [*ADMINISTRATOR, *arguments],
        DATABASE_NAMESPACE,
        timeout=SECONDS,
        stdin=stdin,
    )
    if answer.code != 0:
        raise CommandFailed(
            f"psql in the database's pod ended with status {answer.code}: {redact(answer.stderr.strip())}",
            wanted="exit status 0",
            hint=f"kubectl --namespace {DATABASE_NAMESPACE} logs statefulset/{DATABASE_RELEASE} --tail 30",
        )
    return answer.stdout
