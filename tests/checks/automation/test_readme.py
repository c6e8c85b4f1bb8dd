"""The README: held to what the program has. On copies, each broken in one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.checks.automation import readme
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status
from runbook.world import World
from tests.fakes.worlds import world_of

REAL = (Settings().project / "README.md").read_text()
HEADING = f"## {readme.TROUBLE}\n\n"
TIPS = "- `inv status`\n" * 5
LISTED = {
    "deploy": {"help": "Bring up and prove the whole chatbot.", "aliases": []},
    "verify.all": {"help": "Check every step that is turned on; change nothing.", "aliases": ["verify"]},
}


@pytest.fixture
def world(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    mentioned = {command.rstrip(".") for command in readme._commands([REAL])}
    monkeypatch.setattr(readme, "listed", lambda _: LISTED)
    monkeypatch.setattr(readme, "names", lambda _: mentioned)
    return world_of(settings.model_copy(update={"project": tmp_path}))


def quick_start(world: World, text: str) -> Outcome:
    (world.settings.project / "README.md").write_text(text)
    return readme.quick_start(world)


def trouble(world: World, text: str) -> Outcome:
    (world.settings.project / "README.md").write_text(text)
    return readme.trouble(world)


def test_the_readme_as_it_is(world: World) -> None:
    assert quick_start(world, REAL).observed.endswith("all 2 commands listed as they are")
    assert trouble(world, REAL).green


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Python 3.11", "a snake", "its beginning does not name Python"),
        (f"    {readme.ENTRY}\n", "    make everything\n", f"no block has the command {readme.ENTRY}"),
        (f"\n    {readme.TESTS}\n", "\n", f"no block has the command {readme.TESTS}"),
        (
            "verify.all (verify)   Check every step that is turned on; change nothing.",
            "verify.all (verify)   Ask some steps.",
            "its list has no line for verify.all",
        ),
        ("`inv status`", "`inv statistics`", "there is no inv statistics"),
    ],
)
def test_what_is_promised_and_not_there(world: World, old: str, new: str, words: str) -> None:
    assert old in REAL
    outcome = quick_start(world, REAL.replace(old, new))
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (REAL.replace(f"## {readme.TROUBLE}", "## Other"), "it has 0 pieces of advice"),
        (f"{HEADING}- `inv deploy`\n\n## Next\n\n{TIPS}", "it has 1 pieces"),
        (f"{HEADING}{TIPS}- pray\n", "nothing to do is named in: pray"),
        (f"{HEADING}{TIPS}- `inv mend`\n", "there is no inv mend"),
    ],
)
def test_advice_that_does_not_help(world: World, text: str, words: str) -> None:
    outcome = trouble(world, text)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed
