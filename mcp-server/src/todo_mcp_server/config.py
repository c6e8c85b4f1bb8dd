"""Settings of the process, read from the environment once."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from todo_mcp_server import database_url

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """What the server needs to know; the field names in upper case are the variables' names."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: SecretStr
    """libpq URL of the role that may use the table of tasks and nothing else."""

    mcp_signing_key: Annotated[SecretStr, Field(min_length=32)]
    """Key of the identity tokens, shared with the backend."""

    shutdown_timeout: Annotated[int, Field(ge=1)] = 22
    """Seconds that calls under way get after SIGTERM; below the pod's grace period of 30."""
    host: str = "0.0.0.0"  # noqa: S104 - a pod listens on its own address; policies say who may connect
    port: Annotated[int, Field(ge=1, le=65535)] = 8080

    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Host names to accept besides `todo_mcp_server.server.SERVICE_HOSTS`; comma-separated, without ports."""

    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    database_connect_timeout: Seconds = 5
    database_command_timeout: Seconds = 5

    @field_validator("database_url")
    @classmethod
    def _usable(cls, url: SecretStr) -> SecretStr:
        """Without white space around it. Refused at the start, where the reason can be read."""
        bare = url.get_secret_value().strip()
        database_url.read(bare)
        return SecretStr(bare)

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(host.strip() for host in value.split(",") if host.strip())
        return value
