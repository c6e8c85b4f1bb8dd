"""Mutants of the package: its files in a copy; objects of the release, its record, and what the API server admits.

The drills of upgrade and rollback are
asked where the cluster refuses every change of a Deployment; one at a time, since all of them change the one release.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from runbook.actions.package import release
from runbook.app.application import MCP_SERVER
from runbook.checks.package.dry_run import SPACE
from runbook.clients.kube.releases import newest
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import Group, Mutant
from runbook.faults.copies import edited
from runbook.faults.planting import Hands, Object

FILES = ("T093", "T094", "T096", "T097", "T098", "T099")
PLANTED = "mutant"
STANDARD = "pod-security.kubernetes.io~1enforce"
OWNER = "meta.helm.sh~1release-name"
POLICY = "ValidatingAdmissionPolicy.admissionregistration.k8s.io"
BINDING = "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io"
FROZEN = "frozen by a mutant"
FOLLOWED = 30.0
"""Seconds until the API server follows a new policy."""

DRILLED = 400.0
"""Seconds that a drill may take until it fails."""


def group(settings: Settings) -> Group:
    """All of them, with the steps that ask the live release."""
    space = settings.namespace
    deployment: Object = ("Deployment", MCP_SERVER.name, space)
    service: Object = ("Service", MCP_SERVER.service, space)
    policy: Object = ("NetworkPolicy", "dns", space)
    home: Object = ("Namespace", space, "")
    mutants = (
        Mutant(
            "a Service of a sub-chart deleted",
            frozenset({"T104"}),
            lambda hands: hands.remove(service),
            objects=(service,),
            cause=f"Service {MCP_SERVER.service} of the release is not there",
        ),
        Mutant(
            "replicas changed by hand",
            frozenset({"T104"}),
            lambda hands: hands.patch(deployment, {"op": "replace", "path": "/spec/replicas", "value": 2}),
            objects=(deployment,),
            cause=r"spec\.replicas is 2, the release says 1",
        ),
        Mutant(
            "an object handed to another release",
            frozenset({"T104"}),
            lambda hands: hands.patch(
                policy, {"op": "replace", "path": f"/metadata/annotations/{OWNER}", "value": "another"}
            ),
            objects=(policy,),
            cause=f"NetworkPolicy dns belongs to release {space}/another",
        ),
        Mutant(
            "the last revision recorded as failed",
            frozenset({"T104"}),
            lambda hands: _relabel(hands, "failed"),
            undo=_restore_record,
            cause="no revision of .* is deployed",
        ),
        Mutant(
            "notes for another namespace in the record",
            frozenset({"T095"}),
            _rewrite_notes,
            undo=_restore_record,
            cause="is for another namespace than",
        ),
        Mutant(
            "the namespace's standard lifted",
            frozenset({"T100"}),
            lambda hands: hands.patch(home, {"op": "remove", "path": f"/metadata/labels/{STANDARD}"}),
            objects=(home,),
            cause="lacks pod-security.kubernetes.io/enforce=restricted",
        ),
        Mutant(
            "a quota that has no room for budgets",
            frozenset({"T100"}),
            lambda hands: hands.create(_quota(space)),
            undo=lambda hands: hands.remove(("ResourceQuota", PLANTED, space)),
            cause="PodDisruptionBudget .* is refused: .*exceeded quota",
        ),
        Mutant(
            "a production namespace without a Pod Security level",
            frozenset({"T100"}),
            lambda hands: hands.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
            ),
            undo=lambda hands: hands.remove(("Namespace", SPACE, "")),
            cause=f"namespace {SPACE} lacks .*pod-security.kubernetes.io/enforce=",
        ),
        *(
            Mutant(
                f"no Deployment may be changed: {what}",
                frozenset({"T100", step}),
                _freeze,
                undo=_thaw,
                patience=DRILLED,
                cause=FROZEN,
            )
            for step, what in (("T101", "another tag"), ("T102", "a broken upgrade"), ("T103", "a rollback"))
        ),
    )
    makes = ("ResourceQuota", BINDING, POLICY, "Namespace")
    return Group("package", ("T095", "T100", "T104"), (*mutants, *_of_files()), makes=makes, files=FILES)


def _of_files() -> tuple[Mutant, ...]:
    chart = "charts/todo-app"
    return (
        edited(
            "production with two replicas of the MCP server",
            "T093 T099",
            f"{chart}/values-prod.yaml",
            "mcp-server:\n  replicaCount: 3",
            "mcp-server:\n  replicaCount: 2",
            "mcp-server has 2 replicas, not 3|the default is repeated: mcp-server.replicaCount",
        ),
        edited(
            "a value described under another name",
            "T094",
            f"{chart}/README.md",
            "| `global.host` | `todo.local` |",
            "| `global.hots` | `todo.local` |",
            r"global\.hots is described and does not exist",
        ),
        edited(
            "a sub-chart listed in another version",
            "T096",
            f"{chart}/Chart.yaml",
            "- name: redis\n    version: 1.0.0",
            "- name: redis\n    version: 2.0.0",
            r"redis is listed as 2\.0\.0 and is 1\.0\.0",
        ),
        edited(
            "a schema that takes a misspelt value",
            "T094 T097",
            f"{chart}/values.schema.json",
            '"replicaCount": { "$ref": "#/definitions/replicas" },',
            '"replicaCount": {}, "replicaCuont": {},',
            r"takes the misspelt|replicaCuont is not described",
        ),
        edited(
            "development with two replicas of the MCP server",
            "T098",
            f"{chart}/values-dev.yaml",
            "mcp-server:\n  replicaCount: 1",
            "mcp-server:\n  replicaCount: 2",
            "mcp-server has 2 replicas, not 1",
        ),
        edited(
            "a budget that lets no pod go",
            "T093",
            f"{chart}/templates/_helpers.tpl",
            "maxUnavailable: 1\n",
            "maxUnavailable: 0\n",
            "0 pods of frontend may be",
        ),
    )


def _record(hands: Hands) -> Object:
    """The Secret in which Helm keeps the last revision."""
    settings = hands.world.settings
    last = newest(hands.world.api, settings.release, settings.namespace)
    if last is None:
        raise Unmeasurable("there is no release to plant a fault in", wanted="the deployed application")
    return ("Secret", f"sh.helm.release.v1.{last.name}.v{last.revision}", settings.namespace)


def _kept_record(hands: Hands) -> tuple[Object, dict[str, Any]]:
    thing = _record(hands)
    found = hands.read(thing)
    hands.kept["record"] = (thing, found)
    return thing, found


def _restore_record(hands: Hands) -> None:
    if "record" in hands.kept:
        hands.restore(*hands.kept["record"])


def _relabel(hands: Hands, status: str) -> None:
    thing, _ = _kept_record(hands)
    hands.patch(thing, {"op": "replace", "path": "/metadata/labels/status", "value": status})


def _rewrite_notes(hands: Hands) -> None:
    """As if they were of a release elsewhere."""
    thing, found = _kept_record(hands)
    record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(found["data"]["release"]))))
    notes, space = record["info"]["notes"], hands.world.settings.namespace
    record["info"]["notes"] = notes.replace(f"--namespace {space}", "--namespace elsewhere")
    packed = base64.b64encode(gzip.compress(json.dumps(record).encode()))
    value = base64.b64encode(packed).decode()
    hands.patch(thing, {"op": "replace", "path": "/data/release", "value": value})


def _quota(space: str) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": PLANTED, "namespace": space},
        "spec": {"hard": {"count/poddisruptionbudgets.policy": "0"}},
    }


def _freeze(hands: Hands) -> None:
    """A policy that lets nobody create or change a Deployment of the namespace; wait until it is followed."""
    world = hands.world
    space = world.settings.namespace
    api = "admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["deployments"],
    }
    hands.create(
        {
            "apiVersion": api,
            "kind": POLICY.partition(".")[0],
            "metadata": {"name": PLANTED},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{"expression": "false", "message": FROZEN}],
            },
        }
    )
    hands.create(
        {
            "apiVersion": api,
            "kind": BINDING.partition(".")[0],
            "metadata": {"name": PLANTED},
            "spec": {
                "policyName": PLANTED,
                "validationActions": ["Deny"],
                "matchResources": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}}
                },
            },
        }
    )
    _followed(hands, True)


def _followed(hands: Hands, wanted: bool) -> None:
    """Wait until the API server follows the policy, or does so no longer: asked by a dry run."""
    space = hands.world.settings.namespace
    found = hands.read(("Deployment", MCP_SERVER.name, space))
    other = {**found, "metadata": {"name": PLANTED, "namespace": space}}

    def look() -> None:
        if (FROZEN in hands.world.api.reviews.admission(other).words) is not wanted:
            raise NotYet("a Deployment is still taken" if wanted else "a Deployment is still refused")

    eventually(look, timeout=FOLLOWED, every=0.1, wanted="a policy that is followed")


def _thaw(hands: Hands) -> None:
    """A drill cannot bring the release back meanwhile: done here, as a deploy does it."""
    for kind in (BINDING, POLICY):
        hands.remove((kind, PLANTED, ""))
    _followed(hands, False)
    hands.world.clients.memory.forget()
    release.bring(hands.world)
