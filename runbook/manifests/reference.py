"""docs/rules.md, written from the rules: `python -m runbook.manifests.reference > docs/rules.md`."""

from __future__ import annotations

import sys

from runbook.manifests.rules import FAMILIES

HEAD = """\
# Rules of `inv verify.manifests`

Written by `python -m runbook.manifests.reference > docs/rules.md`; a test fails when it is out of date.

The rules hold for Pods and for the templates of Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs and
custom workloads, in init, sidecar and ephemeral containers too. An id keeps its meaning. Numbers that are missing in a
family are those of questions that only a live cluster answers.

A finding that may stand is waived in a file, which `--waivers FILE` names (for our own charts: `charts/waivers.yaml`):

```yaml
- id: REL-06
  object: Deployment shop/*       # as the output names it; * stands for anything
  reason: one node, on which a second replica guards nothing
  expires: 2027-05-31             # the last day on which it holds
  rendering: values-dev.yaml*     # optional: only there
```

A waiver that has expired, or that nothing needs, fails.

| exit code | meaning |
|---|---|
| 0 | nothing found |
| 1 | findings, or waivers to remove or renew |
| 2 | bad input: no such file, no YAML, a chart that does not render |
| 3 | unproven: no Kubernetes object, or one that a rule cannot read |
"""


def text() -> str:
    parts = [HEAD]
    for family, rules in FAMILIES.items():
        parts.append(f"\n## {family}\n\n| id | what has to hold | why | what to do |\n|---|---|---|---|\n")
        parts += [f"| {each.id} | {each.title} | {each.reason} | {each.remedy} |\n" for each in rules]
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(text())
