"""Settings of the process, read from the environment once."""

from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from todo_backend import database_url

Seconds = Annotated[float, Field(gt=0)]


def _usable(url: SecretStr) -> SecretStr:
    """Without white space around it. Refused at the start, where the reason can be read."""
    bare = url.get_secret_value().strip()
    database_url.read(bare)
    return SecretStr(bare)


DatabaseUrl = Annotated[SecretStr, AfterValidator(_usable)]
LongSecret = Annotated[SecretStr, Field(min_length=32)]
OptionalUrl = Annotated[AnyHttpUrl | None, BeforeValidator(lambda value: value or None)]


class DatabaseSettings(BaseSettings):
    """How to reach PostgreSQL; all that the migrations need."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: DatabaseUrl
    """libpq URL, for example `postgresql://role:password@host/todo?sslmode=verify-full&sslrootcert=ca.crt`."""

    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    database_max_overflow: Annotated[int, Field(ge=0, le=100)] = 5
    database_pool_timeout: Seconds = 5
    """How long a request waits for a free connection."""
    database_connect_timeout: Seconds = 5
    """Per attempt to connect."""
    database_connect_attempts: Annotated[int, Field(ge=1, le=10)] = 4
    database_retry_max_wait: Seconds = 30
    """Ceiling of the exponential pause between attempts."""
    database_command_timeout: Seconds = 10


class Settings(DatabaseSettings):
    """What the API needs to know; the field names in upper case are the variables' names."""

    better_auth_secret: LongSecret
    """Key of the signature in the session cookie, shared with the frontend."""
    mcp_signing_key: LongSecret
    """Key of the identity tokens, shared with the MCP server."""
    mcp_server_url: AnyHttpUrl = AnyHttpUrl("http://mcp-server-svc:8080/mcp")
    mcp_timeout: Seconds = 10
    """Per message to the MCP server."""
    ready_timeout: Seconds = 2
    """For each question that /ready asks."""

    openai_api_key: SecretStr
    openai_base_url: OptionalUrl = None
    """Any endpoint of the Chat Completions API; unset or empty means the vendor's own."""
    openai_model: str = "gpt-4.1-mini"
    guard_model: str = ""
    """A model that judges each message before the assistant reads it; empty leaves that to the assistant."""
    model_timeout: Seconds = 20
    """Per request to the model."""
    chat_timeout: Seconds = 55
    """For one turn with all its model requests, retries and tools."""

    state_store: str = ""
    """Name of the Dapr state component that keeps answers for a while, besides the database; empty: none."""
    dapr_http_port: Annotated[int, Field(ge=1, le=65535)] = 3500

    api_requests_per_minute: Annotated[int, Field(ge=0)] = 300
    """Per user and process; 0 sets no limit."""
    chat_requests_per_minute: Annotated[int, Field(ge=0)] = 20
    """Of one person, those that ask the assistant, over all processes; 0 sets no limit, here and below."""
    chat_requests_per_day: Annotated[int, Field(ge=0)] = 400
    """The same over a day."""
    chat_requests_per_day_in_all: Annotated[int, Field(ge=0)] = 5000
    """Of all people together: what the model may cost."""
    max_body_bytes: Annotated[int, Field(ge=1)] = 64 * 1024

    frontend_url: AnyHttpUrl = AnyHttpUrl("http://localhost:3000")
    shutdown_timeout: Annotated[int, Field(ge=1)] = 22
    """Seconds that requests under way get after SIGTERM; below the pod's grace period. A turn of
    `chat_timeout` that is cut off is not carried out again."""
    host: str = "0.0.0.0"  # noqa: S104 - a pod listens on its own address; policies say who may connect
    port: Annotated[int, Field(ge=1, le=65535)] = 8000

    @property
    def frontend_origin(self) -> str:
        """The frontend's origin as browsers write it: without a trailing slash."""
        return str(self.frontend_url).rstrip("/")
