"""Mutants of PostgreSQL itself: roles, rights, sessions, plain text, what a log tells, and a server that is away.

Roles and rights are changed by the database's administrator, so that these are mutants of the stand-in.
"""

from __future__ import annotations

import secrets as randomness
from contextlib import ExitStack

from runbook.actions.cluster import rollout
from runbook.actions.database import roles
from runbook.actions.package import release
from runbook.app.application import BACKEND, DATABASE_NAMESPACE, DATABASE_RELEASE, SECRET
from runbook.app.secrets import secret_data
from runbook.checks.database import dialling
from runbook.clients.database import parameters_of
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import conceal
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import Mutant
from runbook.faults.planting import Hands, Object

SERVER: Object = ("StatefulSet", DATABASE_RELEASE, DATABASE_NAMESPACE)
CONTAINERS = "/spec/template/spec/containers"
FOLLOWED = 120.0
"""Seconds until pods that were scaled away are gone, and others run."""

RULES = "/var/lib/postgresql/data/mutant_hba.conf"
OPEN = "local all all peer map=todo\\nhost all all all scram-sha-256\\n"
WRITE_RULES = ("sh", "-c", f"printf '{OPEN}' > {RULES}")
TELL = "import os; open('/proc/1/fd/1', 'w').write(os.environ['MCP_SIGNING_KEY'] + chr(10))"
"""What a careless line of a program would do; the value stays in the container."""

CROWD = 15
"""Sessions beside the backend's own, which may have ten."""


def of_roles() -> tuple[Mutant, ...]:
    def granted(name: str, right: str, cause: str) -> Mutant:
        return Mutant(
            name,
            frozenset({"T112"}),
            lambda hands: _administer(hands, f"GRANT {right} TO todo_backend"),
            undo=lambda hands: _administer(hands, f"REVOKE {right} FROM todo_backend"),
            cause=cause,
        )

    return (
        granted(
            "a role that may make tables", "CREATE ON SCHEMA public", "may create objects in schema public"
        ),
        granted("a role that reads accounts", "SELECT ON account", "may SELECT in account"),
        granted("a role with another's rights", "todo_owner", "is a member of todo_owner"),
        Mutant(
            "another password than the Secret's, under the running backend",
            frozenset({"T112"}),
            _change_password,
            undo=lambda hands: roles.mend(hands.world),
            unproven=frozenset({"T110"}),
            cause=r"InvalidPasswordError \(28P01\)",
        ),
        Mutant(
            "more sessions than the budget",
            frozenset({"T118"}),
            _crowd,
            undo=_disperse,
            patience=60.0,
            cause=r"had \d+ sessions at once, its budget is 10",
        ),
    )


def of_server(space: str) -> tuple[Mutant, ...]:
    return (
        Mutant(
            "plain text let in",
            frozenset({"T112"}),
            _let_plain_text_in,
            objects=(SERVER,),
            undo=_settled,
            patience=60.0,
            cause="takes the backend's credentials in plain text",
        ),
        Mutant(
            "a secret in the log",
            frozenset({"T113"}),
            _tell_a_secret,
            undo=_renew,
            cause="the log of backend-.* holds the value of todo-secrets/mcp-signing-key",
        ),
        Mutant(
            "no database when the backend starts",
            frozenset({"T111", "T112", "T113"}),
            lambda hands: _start_without(hands, space),
            objects=(SERVER,),
            undo=_settled,
            patience=90.0,
            unproven=frozenset({"T110"}),
            cause=r"replicas is 0|says of its database: failed|4 attempts, pauses of 0\.5, 1, 2 s, then",
        ),
    )


def _administer(hands: Hands, statement: str) -> None:
    roles.administer(hands.world, statement)


def _change_password(hands: Hands) -> None:
    other = randomness.token_urlsafe(24)
    conceal(other)
    roles.let_in(hands.world, _backend_role(hands), other)


def _backend_role(hands: Hands) -> str:
    url = secret_data.read(hands.world, SECRET, hands.world.settings.namespace)["database-url"]
    return str(parameters_of(url, f"database-url in Secret {SECRET}")["user"])


def _crowd(hands: Hands) -> None:
    hands.kept["sessions"] = stack = ExitStack()
    for _ in range(CROWD):
        stack.enter_context(hands.world.database.connect(key="database-url"))


def _disperse(hands: Hands) -> None:
    if "sessions" in hands.kept:
        hands.kept["sessions"].close()


def _let_plain_text_in(hands: Hands) -> None:
    """Rules of its own for the server, which takes them when it starts."""
    world = hands.world
    said = world.api.exec(roles.server(world), DATABASE_RELEASE, WRITE_RULES, DATABASE_NAMESPACE)
    if said.code != 0:
        raise Unmeasurable(f"no rules can be written: {said.stderr}", wanted="a file on the volume")
    arguments = ["-c", f"hba_file={RULES}"]
    hands.patch(SERVER, {"op": "add", "path": f"{CONTAINERS}/0/args", "value": arguments})
    _settled(hands)


def _settled(hands: Hands) -> None:
    rollout.settle(hands.world, DATABASE_NAMESPACE, names=(DATABASE_RELEASE,), timeout=FOLLOWED)


def _tell_a_secret(hands: Hands) -> None:
    world = hands.world
    for pod in dialling.backend_pods(world):
        argv = ["python3", "-I", "-c", TELL]
        said = world.api.exec(workloads.name(pod), BACKEND.name, argv, world.settings.namespace)
        if said.code != 0:
            raise Unmeasurable(
                f"nothing can be written to the log: {said.stderr[-200:]}", wanted="a line in it"
            )


def _renew(hands: Hands) -> None:
    """Other pods, and no log of these."""
    for pod in dialling.backend_pods(hands.world):
        hands.remove(("Pod", workloads.name(pod), hands.world.settings.namespace))
    release.wait(hands.world)


def _start_without(hands: Hands, space: str) -> None:
    world = hands.world
    hands.patch(SERVER, {"op": "replace", "path": "/spec/replicas", "value": 0})

    def gone() -> None:
        if world.api.list("Pod", DATABASE_NAMESPACE, labels=f"app.kubernetes.io/name={DATABASE_RELEASE}"):
            raise NotYet("the database's pod is still there")

    eventually(gone, timeout=FOLLOWED, every=0.1, wanted="no database")
    for pod in dialling.backend_pods(world):
        hands.remove(("Pod", workloads.name(pod), space))
    release.wait(world)
