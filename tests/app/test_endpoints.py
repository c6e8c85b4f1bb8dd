"""Addresses in the words of the chart's network policies."""

from __future__ import annotations

import pytest

from runbook.app.endpoints import endpoint
from runbook.engine.errors import UsageError


@pytest.mark.parametrize(
    ("url", "namespace", "cidr", "port"),
    [
        ("postgresql://u:p@ep-one.example.org/todo?sslmode=verify-full", "", "", 5432),
        ("postgresql+asyncpg://u:p@ep-one.example.org:6543/todo", "", "", 6543),
        ("https://models.example.org/v1", "", "", 443),
        ("http://192.168.1.5:11434/v1", "", "192.168.1.5/32", 11434),
        ("http://[fd00::5]/v1", "", "fd00::5/128", 80),
        ("http://model.team.svc:8080/v1", "team", "", 8080),
        ("http://model.team.svc.cluster.local:8080/v1", "team", "", 8080),
        ("http://svc.example.org/v1", "", "", 80),
        ("", "", "", 443),
    ],
)
def test_an_endpoint_is_in_the_cluster_at_an_address_or_outside(
    url: str, namespace: str, cidr: str, port: int
) -> None:
    assert endpoint(url) == {"namespace": namespace, "podLabels": None, "cidr": cidr, "port": port}


def test_an_address_without_a_port_has_its_schemes() -> None:
    assert endpoint("", "postgresql")["port"] == 5432


def test_a_port_that_is_none_is_told_without_the_password() -> None:
    with pytest.raises(UsageError) as caught:
        endpoint("postgresql://u:secret@db.example.org:fivefour/todo")
    assert "db.example.org" in str(caught.value)
    assert "secret" not in str(caught.value)
