"""The id of an installation: made once, private, the same for all who ask, and never invented a second time."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from runbook.engine.errors import RunbookError
from runbook.engine.settings import Settings
from runbook.ownership import installation


def test_it_is_made_once_and_private(settings: Settings) -> None:
    assert installation.known(settings) == ""
    assert not settings.state.exists(), "asking makes nothing"
    made = installation.identity(settings)
    assert len(made) == 32
    assert installation.identity(settings) == installation.known(settings) == made
    assert stat.S_IMODE(installation.file(settings).stat().st_mode) == 0o600
    assert [each.name for each in settings.state.iterdir()] == ["installation"]


def test_all_who_ask_at_the_same_time_get_the_same(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: installation.identity(settings), range(32)))) == 1


def test_each_cluster_has_its_own(settings: Settings) -> None:
    other = settings.model_copy(update={"cluster_name": "other"})
    assert installation.identity(settings) != installation.identity(other)


@pytest.mark.parametrize("content", ["", "\n", "x" * 32, "0" * 31, "0" * 32 + "\n" + "1" * 32])
def test_a_damaged_one_is_told_and_not_replaced(settings: Settings, content: str) -> None:
    installation.identity(settings)
    installation.file(settings).write_text(content)
    with pytest.raises(RunbookError, match="cannot be read from"):
        installation.identity(settings)
    assert installation.file(settings).read_text() == content


def test_what_carries_it_is_ours_and_nothing_else(settings: Settings) -> None:
    def named(labels: dict[str, str] | None) -> dict[str, object]:
        return {"metadata": {"name": "todo", "labels": labels}}

    assert not installation.owns(settings, named({installation.LABEL: ""})), "no id is no proof"
    ours = installation.labels(settings)
    assert installation.owns(settings, named(ours))
    for foreign in (None, {}, {installation.LABEL: ""}, {installation.LABEL: "0" * 32}):
        assert not installation.owns(settings, named(foreign))
    assert not installation.owns(settings, None)
