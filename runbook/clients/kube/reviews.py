"""What the API server would decide: whether an account may do something, whether an object would be admitted.

Reviews and dry runs write nothing, so that no pin is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from runbook.clients.kube.kinds import Kinds
from runbook.clients.kube.transport import Refused, Wire
from runbook.engine.errors import Unmeasurable

_AUTHORIZATION = "/apis/authorization.k8s.io/v1"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource; "" as name means any of that kind, "" as group the core one."""

    verb: str
    group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {resource}{f'/{self.name}' if self.name else ''}"


@dataclass(frozen=True, slots=True)
class Admission:
    """What a dry run of a creation was answered."""

    accepted: bool
    words: str
    warnings: tuple[str, ...] = ()


class Reviews:
    def __init__(self, wire: Wire, kinds: Kinds) -> None:
        self._wire = wire
        self._kinds = kinds

    def allowed(self, right: Right, namespace: str, *, user: str = "", groups: Sequence[str] = ()) -> bool:
        """Whether the user may, by SubjectAccessReview; without a user, whether we ourselves may.

        An empty namespace asks for all of them.
        """
        resource, _, subresource = right.resource.partition("/")
        attributes = {
            "namespace": namespace,
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": subresource,
            "name": right.name,
        }
        spec: dict[str, Any] = {"resourceAttributes": {key: text for key, text in attributes.items() if text}}
        kind = "SelfSubjectAccessReview"
        if user:
            kind = "SubjectAccessReview"
            spec |= {"user": user, "groups": list(groups)}
        answer = self._wire.json("POST", f"{_AUTHORIZATION}/{kind.lower()}s", body=_review(kind, spec))
        return bool(answer["status"].get("allowed"))

    def rights(self, user: str, namespace: str) -> set[Right]:
        """All that the user may do in a namespace, as the server itself lists it; what is `*` stays so.

        Raises `Unmeasurable` where the list is not complete, or where we may not ask in the user's place.
        """
        kind = "SelfSubjectRulesReview"
        review = _review(kind, {"namespace": namespace})
        try:
            answer = self._wire.json("POST", f"{_AUTHORIZATION}/{kind.lower()}s", body=review, act_as=user)
        except Refused as refusal:
            raise Unmeasurable(
                f"the rights of {user} are not told: {refusal.observed}",
                wanted="an administrator who may impersonate",
                hint=f"kubectl auth can-i --list --as {user}",
            ) from None
        status = answer["status"]
        if status.get("incomplete"):
            raise Unmeasurable(
                f"the list of the rights of {user} is not complete: {status.get('evaluationError', 'no reason given')}",
                wanted="a complete list",
            )
        return {
            Right(verb, group, resource, name)
            for rule in status.get("resourceRules") or []
            for verb in rule.get("verbs") or []
            for group in rule.get("apiGroups") or [""]
            for resource in rule.get("resources") or []
            for name in rule.get("resourceNames") or [""]
        }

    def admission(self, manifest: Mapping[str, Any]) -> Admission:
        """Whether the object would be created, by a dry run on the server."""
        path = self._kinds.of(manifest).path(manifest["metadata"].get("namespace"))
        return self._dry_run("POST", path, manifest, "application/json")

    def applied(self, manifest: Mapping[str, Any]) -> Admission:
        """Whether the object could be applied to what is there, by a dry run on the server."""
        metadata = manifest["metadata"]
        path = self._kinds.of(manifest).path(metadata.get("namespace"), metadata["name"])
        fields = {"fieldManager": "todo-runbook-dry-run", "force": "true"}
        return self._dry_run("PATCH", path, manifest, "application/apply-patch+yaml", fields)

    def relabelled(self, namespace: str, labels: Mapping[str, str]) -> Admission:
        """What the server would say if the namespace were given these labels, by a dry run."""
        path = self._kinds.resolve("Namespace").path(None, namespace)
        body = {"metadata": {"labels": dict(labels)}}
        return self._dry_run("PATCH", path, body, "application/merge-patch+json")

    def _dry_run(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        content_type: str,
        fields: Mapping[str, str] | None = None,
    ) -> Admission:
        params = {"dryRun": "All", **(fields or {})}
        answer = self._wire.send(method, path, params=params, body=body, content_type=content_type)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status_code in _UNDECIDED:
            raise Unmeasurable(f"a dry run of {method} {path} was answered {answer.status_code}")
        accepted = answer.status_code < HTTPStatus.BAD_REQUEST
        return Admission(accepted, "" if accepted else self._said(answer.text), answer.warnings)

    @staticmethod
    def _said(text: str) -> str:
        try:
            return str(json.loads(text)["message"])
        except (ValueError, KeyError, TypeError):
            return text[:300]


_UNDECIDED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS)
"""Answers that say nothing about the object: the request came to no decision on it."""


def _review(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": dict(spec)}
