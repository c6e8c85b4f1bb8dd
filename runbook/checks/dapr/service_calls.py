"""Calls between the services on the wire: who shows which identity, who is refused, and what still works."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER, SIDECAR_CALLS, Component
from runbook.app.sidecars import application_pods, of_component, reachable, trust_anchors
from runbook.checks.dapr.dapr_claims import TRUST_DOMAIN
from runbook.checks.dapr.mutual_tls import seconds
from runbook.checks.dapr.sidecar_identity import LIFETIME, SKEW
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed
from runbook.probes.dapr import flows, invocation, mtls

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from runbook.world import World

Object = Mapping[str, Any]

CALLS = ((FRONTEND, BACKEND, "/api/nobody/tasks", 401), (BACKEND, MCP_SERVER, "/health", 200))
"""Caller, called, a path that access control lets through, and the application's own answer to it."""

HEARD = (BACKEND,)
"""Applications that write a line for every request but those for their health."""

CLOSED = "/openapi.json"
"""A path of the backend that its access control lets nobody call."""


@dataclass
class Seen:
    """One sidecar's port."""

    identity: str = ""
    problems: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)


def encrypted(world: World) -> Outcome:
    """Each sidecar shows an identity of its own that sentry vouches for, and refuses a client that speaks plainly, one
    without a certificate, and one with a certificate of another authority that copies a caller's identity; calls that
    are allowed arrive, others are denied by the called sidecar; every connection between the pods is one of sidecars.

    Each refusal stands beside the handshake that succeeds on the same port; "every" is counted after those calls, and
    to have seen none proves nothing. Source: T090.
    """
    wanted = (
        "an identity for each sidecar, no way in without one of sentry's, calls only as access control says"
    )
    pods = application_pods(world)
    anchors = trust_anchors(world)
    with ThreadPoolExecutor(len(pods)) as pool:
        looked = list(pool.map(lambda pod: _look(world, pod, anchors), pods))
        seen = dict(zip(map(workloads.name, pods), looked, strict=True))
        calls = [
            problem for found in pool.map(lambda way: _call(world, pods, *way), CALLS) for problem in found
        ]
    problems = [f"pod {name}: {problem}" for name, each in seen.items() for problem in each.problems]
    problems += calls
    problems += _denied(world, pods)
    seen_flows = flows.between(world, pods)
    problems += [f"{flow} bypasses the sidecars" for flow in seen_flows if not flow.encrypted]
    evidence = {name: {"identity": each.identity, "refused": each.refusals} for name, each in seen.items()}
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint="inv verify.step T089", ports=evidence)
    if not seen_flows:
        raise Unmeasurable(
            "no connection between the pods was seen, right after calls",
            wanted=wanted,
            hint="inv verify.step T088",
        )
    ways = ", ".join(f"{caller.name} to {called.name}" for caller, called, *_ in CALLS)
    return passed(
        f"{len(pods)} identities of sentry's; plain, unknown and forged clients are refused by each; calls arrive"
        f" ({ways}), {CLOSED} is denied; {len(seen_flows)} of {len(seen_flows)} connections between the pods are"
        " sidecars'",
        wanted=wanted,
        ports=evidence,
        flows=[str(flow) for flow in seen_flows],
    )


def _look(world: World, pod: Object, anchors: str) -> Seen:
    seen = Seen()
    own = _identity(world, f"todo-{workloads.component(pod)}")
    with world.api.port_forward(workloads.name(pod), SIDECAR_CALLS, world.settings.namespace) as port:
        shown = mtls.presented(port, anchors)
        if isinstance(shown, str):
            seen.problems.append(f"sentry does not vouch for its certificate: {shown}")
        else:
            seen.identity = ", ".join(uris(shown))
            seen.problems += _certificate_problems(shown, own)
        forged = mtls.forged("cluster.local", _identity(world, _caller_of(pod)))
        for who, reply in (
            ("without TLS", mtls.plaintext(port)),
            ("without a certificate", mtls.encrypted(port)),
            ("with a forged certificate", mtls.encrypted(port, forged)),
        ):
            seen.refusals[who] = reply.said
            if reply.taken:
                seen.problems.append(f"it takes a client {who}")
    return seen


def _identity(world: World, app_id: str) -> str:
    return f"spiffe://{TRUST_DOMAIN}/ns/{world.settings.namespace}/{app_id}"


def _caller_of(pod: Object) -> str:
    """Whom access control lets in; nobody may call the frontend, so there it is just another one of ours."""
    callers = {called.name: caller.app_id for caller, called, *_ in CALLS}
    return callers.get(workloads.component(pod), BACKEND.app_id)


def uris(certificate: Certificate) -> list[str]:
    """The identities in a certificate."""
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def _certificate_problems(shown: Certificate, own: str) -> list[str]:
    """It holds its own identity alone, and lives as long as the settings say; the skew is granted at its beginning or
    its end."""
    problems = []
    if (found := uris(shown)) != [own]:
        problems.append(f"its identity is {', '.join(found) or 'none'}, not {own}")
    life = shown.not_valid_after_utc - shown.not_valid_before_utc
    longest = timedelta(seconds=(seconds(LIFETIME) or 0) + 2 * (seconds(SKEW) or 0))
    if not timedelta(0) < life <= longest:
        problems.append(f"its certificate lives {life}, longer than {LIFETIME} and the skew")
    return problems


def _call(
    world: World, pods: list[dict[str, Any]], caller: Component, called: Component, path: str, status: int
) -> list[str]:
    answer = invocation.call(world, _pod_of(pods, caller), called, path)
    way = f"the call of {caller.name} to {called.name}{path}"
    if answer.status != status:
        return [f"{way} was answered {answer.status}, not {status}: {answer.body[:200]}"]
    if called in HEARD and not invocation.heard(world, reachable(world, called), answer.request_id):
        return [f"{way} was answered, and {called.name} never heard of it"]
    return []


def _denied(world: World, pods: list[dict[str, Any]]) -> list[str]:
    answer = invocation.call(world, _pod_of(pods, FRONTEND), BACKEND, CLOSED)
    if answer.denied:
        return []
    return [f"access control lets {FRONTEND.name} call {BACKEND.name}{CLOSED}: {answer.status}"]


def _pod_of(pods: list[dict[str, Any]], component: Component) -> Object:
    return of_component(pods, component)[0]
