"""Redis, the state store: it runs, and it answers nobody without the password of the Secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runbook.app import blueprint
from runbook.app.application import REDIS, REDIS_KEY, REDIS_PORT, REDIS_SECRET
from runbook.app.dapr import redis
from runbook.clients.kube import workloads
from runbook.clients.redis import RedisError, converse
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World


def runs(world: World) -> Outcome:
    """The StatefulSet is ready; a PING without password is refused, and one with it is answered, in the same run.

    Source: T085, D-06, D-08.
    """
    space = world.settings.namespace
    wanted = "Redis ready, refusing a PING without password and answering one with it"
    hint = f"kubectl --namespace {space} get statefulset,pods -l app.kubernetes.io/name={REDIS}"
    if not blueprint.mode(world).redis:
        return failed("the release carries no Redis", wanted=wanted, hint="inv dapr")
    problems = [redis.secret_problem(world)]
    stateful_set = world.api.get("StatefulSet", REDIS, space)
    problems.append(
        workloads.stateful_set_problem(stateful_set) if stateful_set else f"there is no StatefulSet {REDIS}"
    )
    pods = redis.pods(world)
    problems += [workloads.pod_problem(pod) for pod in pods]
    if text := workloads.describe(problems):
        return failed(text, wanted=wanted, hint=hint)
    if len(pods) != 1:
        return failed(f"there are {len(pods)} pods of Redis", wanted="one", hint=hint)
    with world.api.port_forward(workloads.name(pods[0]), REDIS_PORT, space) as port:
        (without,) = converse(port, ["PING"])
        let_in, answer = converse(port, ["AUTH", redis.password(world)], ["PING"])
    if not isinstance(without, RedisError) or not str(without).startswith("NOAUTH"):
        return failed(f"a PING without password got {without}", wanted=wanted, hint="inv dapr")
    if (let_in, answer) != ("OK", "PONG"):
        said = let_in if isinstance(let_in, RedisError) else answer
        return failed(
            f"Redis does not take the password of Secret {REDIS_SECRET}: {said}",
            wanted=wanted,
            hint=f"kubectl --namespace {space} rollout restart statefulset/{REDIS}",
        )
    return passed(
        f"pod {workloads.name(pods[0])} is ready; without password: {without}; with it: {answer}",
        wanted=wanted,
        pod=workloads.name(pods[0]),
        uid=pods[0]["metadata"]["uid"],
    )


def password_is_kept(world: World) -> Outcome:
    """A long generated password lies in the Secret, and is written in no other object that uses it.

    Source: T086.
    """
    wanted = f"a generated password in Secret {REDIS_SECRET}, and only there"
    if problem := redis.secret_problem(world):
        return failed(problem, wanted=wanted, hint="inv dapr")
    password, space = redis.password(world), world.settings.namespace
    examined = [
        each
        for kind in ("StatefulSet", "Pod", "ConfigMap", "Deployment")
        for each in ({"kind": kind, **found} for found in world.api.list(kind, space))
    ]
    if not examined:
        raise Unmeasurable(
            f"namespace {space} shows no object that could hold the password", wanted=wanted, hint="inv dapr"
        )
    told = [
        f"{each['kind']} {workloads.name(each)} holds the password itself"
        for each in examined
        if password in json.dumps(each)
    ]
    if told:
        return failed("; ".join(told), wanted=wanted, hint="inv dapr")
    return passed(
        f"Secret {REDIS_SECRET} holds {len(password)} characters under {REDIS_KEY};"
        f" none of {len(examined)} other objects does",
        wanted=wanted,
    )
