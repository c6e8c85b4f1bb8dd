"""`inv verify.manifests` as a user meets it, and our charts judged by the real Helm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.errors import UsageError
from runbook.manifests import command
from runbook.manifests.judgement import judge
from runbook.manifests.rules import RULES
from runbook.manifests.sources import ours
from runbook.manifests.waivers import read
from runbook.settings import Settings
from runbook.world import World
from tests.charts.binary import HELM
from tests.manifests.spoiling import GOOD, TODAY

PROJECT = Path(__file__).resolve().parents[2]


def code_of(*arguments: str, **options: object) -> int:
    with pytest.raises(SystemExit) as ended:
        command.verify(Settings(), *arguments, **options)  # type: ignore[arg-type]
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_nothing_found_is_0_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(str(GOOD)) == 0
    assert "Nothing found" in capsys.readouterr().out


def test_findings_are_1_and_written_to_every_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        GOOD.read_text().replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    )
    reports = [tmp_path / "out" / f"x{suffix}" for suffix in command.FORMS]
    assert code_of(str(bad), json=True, files=[str(each) for each in reports]) == 1
    assert {each["rule"] for each in json.loads(capsys.readouterr().out)["findings"]} == {"POD-01"}
    assert all("POD-01" in each.read_text() for each in reports)


def test_a_waiver_file_of_the_users_own(tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- {id: POD-01, object: '*', reason: not needed here, expires: 2099-01-01}")
    assert code_of(str(GOOD), waivers=str(waivers)) == 1


def test_no_object_is_3(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("a: 1")
    assert code_of(str(tmp_path)) == 3


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("", {"values": ["x.yaml"]}, "--values without --path"),
        (str(GOOD), {"files": ["x.pdf"]}, "--report x.pdf"),
        (str(GOOD), {"waivers": "none.yaml"}, "none.yaml cannot be read"),
    ],
)
def test_bad_options_are_usage_errors(path: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        command.verify(Settings(), path, **options)  # type: ignore[arg-type]


@pytest.mark.skipif(HELM is None, reason="Helm is not installed: inv setup")
def test_our_charts_have_nothing_but_what_is_waived() -> None:
    world = World.of(Settings())
    vars(world.helm)["binary"] = HELM
    waivers = read(PROJECT / command.OUR_WAIVERS, {rule.id for rule in RULES})
    judgement = judge(ours(world).scenes, RULES, waivers, today=TODAY)
    assert [f"{each.rule.id} {each.item.title} {each.place}" for each in judgement.findings] == []
    assert (judgement.stale, judgement.unjudged) == ((), ())
    assert judgement.counts()["pods"] > 10
