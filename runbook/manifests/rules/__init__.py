"""All rules, by family. An id stays what it is: a new meaning gets a new one."""

from __future__ import annotations

from runbook.manifests.rule import AnyRule
from runbook.manifests.rules import access, networks, pods, secrets, services, workloads

FAMILIES: dict[str, tuple[AnyRule, ...]] = {
    "Pod security": pods.RULES,
    "Reliability": tuple(sorted((*workloads.RULES, *services.RULES), key=lambda each: each.id)),
    "Access": access.RULES,
    "Secrets": secrets.RULES,
    "Network policies": networks.RULES,
}
RULES: tuple[AnyRule, ...] = tuple(each for family in FAMILIES.values() for each in family)
