"""Words that the reports of a judgement share."""

from __future__ import annotations

from runbook.manifests.judgement import Judgement


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def headline(judgement: Judgement) -> str:
    """How it ended: `3 findings of 2 rules, 14 waived`."""
    if not judgement.objects:
        return "Unproven: no Kubernetes object was found"
    words = ["Nothing found"]
    if judgement.findings:
        rules = len({each.rule.id for each in judgement.findings})
        words = [f"{plural(len(judgement.findings), 'finding')} of {plural(rules, 'rule')}"]
    if judgement.waived:
        words.append(f"{len(judgement.waived)} waived")
    if judgement.stale:
        words.append(f"{plural(len(judgement.stale), 'waiver')} to remove or renew")
    if judgement.unjudged:
        words.append(f"{len(judgement.unjudged)} not judged")
    return ", ".join(words)


def examined(judgement: Judgement) -> str:
    """What was looked at, so that a green answer about nothing cannot look like one about much."""
    seen = judgement.counts()
    groups = [
        plural(seen["init_containers"], "init container") if seen["init_containers"] else "",
        plural(seen["ephemeral_containers"], "ephemeral container") if seen["ephemeral_containers"] else "",
        f"{seen['dapr_sidecars']} of Dapr's beside them" if seen["dapr_sidecars"] else "",
    ]
    told = ", ".join([plural(seen["containers"], "container"), *filter(None, groups)])
    passed = f"; {plural(seen['passed_over'], 'document')} passed over" if seen["passed_over"] else ""
    where = plural(seen["renderings"], "rendering")
    return (
        f"{len(judgement.rules)} rules on {plural(seen['objects'], 'object')} in {where}: "
        f"{plural(seen['pods'], 'pod')}, {told}{passed}"
    )
