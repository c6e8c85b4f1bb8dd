"""The OpenAPI description is true: requests made from it get no 5xx, and answers are as described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from harness.inline import inline_backend
from harness.model import ScriptedModel, text
from harness.postgres import Database
from harness.processes import Service
from hypothesis import HealthCheck, Phase, settings
from people import Person, backend_variables
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from todo_backend.config import Settings
from todo_backend.main import create_app

EXAMPLES = 12
"""Requests for each operation; a search that ends, not one that is complete."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "BETTER_AUTH_SECRET": "x" * 32,
    "MCP_SIGNING_KEY": "x" * 32,
    "OPENAI_API_KEY": "",
}


def described() -> dict[str, Any]:
    """The description; nothing is connected for it."""
    settings = Settings.model_validate({name.lower(): value for name, value in NOWHERE.items()})
    return create_app(settings).openapi()


schema = schemathesis.openapi.from_dict(described())


@pytest.fixture(scope="module")
def someone(database: Database, mcp_server: Service, scripted: ScriptedModel) -> Iterator[Person]:
    """A person with a task and a conversation, whose assistant always has an answer."""
    scripted.script = lambda _: text("Hello.")
    with inline_backend(backend_variables(database, mcp_server.url, scripted.url)) as url:
        person = Person(database, url)
        person.http.post("tasks", json={"title": "a task"})
        person.http.post("chat", json={"message": "hello"})
        yield person
        person.http.close()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_requests_made_from_the_description(case: schemathesis.Case[Any], someone: Person) -> None:
    if "user_id" in case.path_parameters:
        case.path_parameters["user_id"] = someone.id
    base_url = str(someone.http.base_url).partition("/api/")[0]
    cookie = {"Cookie": f"better-auth.session_token={someone.cookie}"}
    response = case.call(base_url=base_url, headers=cookie, timeout=60)
    case.validate_response(response, checks=CHECKS)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_described_and_shown_by_example() -> None:
    schemas = described()["components"]["schemas"]
    for method, path, operation in operations():
        assert operation["summary"], path
        assert operation["description"], path
        if path.startswith("/api/"):
            assert {"401", "403", "422", "429", "503"} <= set(operation["responses"]), (method, path)
        if "requestBody" in operation:
            body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert schemas[body.rpartition("/")[2]]["examples"], path
