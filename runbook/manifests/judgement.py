"""Scenes judged by rules: findings, what is waived, what could not be judged, and the exit code of it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from runbook.manifests.item import Hit, Item
from runbook.manifests.rule import AnyRule
from runbook.manifests.scene import Scene
from runbook.manifests.waivers import Waiver

_FOREIGN = (ValueError, TypeError, KeyError, AttributeError)
"""What a rule meets in an object that is not of the form which the API takes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold at one place, in one rendering or in several."""

    rule: AnyRule
    item: Item
    path: str
    seen: str
    renderings: tuple[str, ...]
    waiver: Waiver | None = None

    @property
    def place(self) -> str:
        return f"{self.path}: {self.seen}" if self.path else self.seen


@dataclass(frozen=True, slots=True)
class Unjudged:
    """An object that a rule (or, without an id, none) could be asked about."""

    rule_id: str
    title: str
    why: str


@dataclass(frozen=True)
class Judgement:
    """All that came of it."""

    rules: tuple[AnyRule, ...]
    scenes: tuple[Scene, ...]
    findings: tuple[Finding, ...]
    waived: tuple[Finding, ...]
    unjudged: tuple[Unjudged, ...]
    stale: tuple[str, ...]
    """Waivers that have expired or that nothing needs, in words."""
    asked: Mapping[str, int] = field(default_factory=dict)
    """Subjects that each rule was asked about."""
    passed_over: int = 0
    """Documents that are no Kubernetes objects."""

    @property
    def objects(self) -> int:
        return sum(len(scene.items) for scene in self.scenes)

    @property
    def exit_code(self) -> int:
        """0 nothing found, 1 findings or waivers that no longer hold, 3 something or everything was not judged."""
        if self.findings or self.stale:
            return 1
        return 3 if self.unjudged or not self.objects else 0

    def counts(self) -> dict[str, int]:
        """What was examined."""
        containers = Counter(each.group for scene in self.scenes for each in scene.containers)
        pods = [pod for scene in self.scenes for pod in scene.pods]
        return {
            "renderings": len(self.scenes),
            "objects": self.objects,
            "pods": len(pods),
            "containers": containers["containers"],
            "init_containers": containers["initContainers"],
            "ephemeral_containers": containers["ephemeralContainers"],
            "dapr_sidecars": sum(pod.with_dapr for pod in pods),
            "passed_over": self.passed_over,
        }


def judge(
    scenes: Sequence[Scene],
    rules: Sequence[AnyRule],
    waivers: Sequence[Waiver],
    *,
    today: date,
    passed_over: int = 0,
) -> Judgement:
    """Ask every rule about every scene."""
    asked: Counter[str] = Counter()
    unjudged: dict[Unjudged, None] = {}
    found: dict[tuple[str, str, str, str, Waiver | None], list[tuple[Hit, str]]] = {}
    by_id = {rule.id: rule for rule in rules}
    live = [waiver for waiver in waivers if waiver.expires >= today]
    used: set[Waiver] = set()
    for scene in scenes:
        _ = scene.pods  # what is unread is known from here on
        unjudged.update((Unjudged("", item.title, why), None) for item, why in scene.unread)
        for rule in rules:
            for hit, count in _ask(rule, scene, unjudged):
                asked[rule.id] += count
                if hit is None:
                    continue
                title = hit.item.title
                waiver = next((each for each in live if each.covers(rule.id, title, scene.title)), None)
                if waiver:
                    used.add(waiver)
                same = found.setdefault((rule.id, title, hit.path, hit.seen, waiver), [])
                same.append((hit, scene.title))
    findings = [
        Finding(
            by_id[id_], same[0][0].item, path, seen, tuple(dict.fromkeys(title for _, title in same)), waiver
        )
        for (id_, _, path, seen, waiver), same in found.items()
    ]
    return Judgement(
        tuple(rules),
        tuple(scenes),
        tuple(each for each in findings if each.waiver is None),
        tuple(each for each in findings if each.waiver is not None),
        tuple(unjudged),
        tuple(_stale(waivers, used, today)),
        dict(asked),
        passed_over,
    )


def _ask(rule: AnyRule, scene: Scene, unjudged: dict[Unjudged, None]) -> Iterator[tuple[Hit | None, int]]:
    """Hits, and a count of one for each subject."""
    try:
        subjects = rule.over(scene)
    except _FOREIGN as error:
        unjudged[Unjudged(rule.id, scene.title, _words(error))] = None
        return
    for subject in subjects:
        yield None, 1
        try:
            hits = list(rule.judge(subject))
        except _FOREIGN as error:
            unjudged[Unjudged(rule.id, subject.title, _words(error))] = None
            continue
        yield from ((hit, 0) for hit in hits)


def _words(error: Exception) -> str:
    return f"lacks {error}" if isinstance(error, KeyError) else str(error)


def _stale(waivers: Iterable[Waiver], used: set[Waiver], today: date) -> Iterator[str]:
    for waiver in waivers:
        if waiver.expires < today:
            yield f"{waiver} expired on {waiver.expires}"
        elif waiver not in used:
            yield f"{waiver} is not needed: nothing is found there"
