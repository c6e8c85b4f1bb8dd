"""The table by hand: who must reach whom, written from what the application is for, never from its policies.

It is compared with what the policies compute and with what real connections show; the three must agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

FRONTEND, BACKEND, MCP_SERVER = "frontend", "backend", "mcp-server"
POSTGRES, MODEL, REDIS = "postgres", "model", "redis"
INGRESS, DNS, API, NODE = "ingress", "dns", "api", "node"
NEIGHBOUR = "neighbour"
"""A pod without the application's labels in its namespace."""
JOB = "job"
"""A pod with the labels of the migration job, whose ways are open only while Helm runs it."""
STRANGER = "stranger"
"""A pod in a namespace that is not ours."""
INTERNET, METADATA = "internet", "metadata"
SENTRY, OPERATOR, PLACEMENT, SCHEDULER, INJECTOR = "sentry", "operator", "placement", "scheduler", "injector"

FOREIGN = frozenset(
    {INGRESS, DNS, API, NODE, STRANGER, INTERNET, METADATA, SENTRY, OPERATOR, PLACEMENT, SCHEDULER, INJECTOR}
)
"""Not ours to isolate. All others are, in both directions: what the table does not name is closed to and from them."""

ECHO = 7777
"""The port on which the pods that are sent for the survey answer."""


class Mark(StrEnum):
    """What the table wants of a way."""

    OPEN = "A"
    """Must be answered."""
    CLOSED = "x"
    """Must be blocked by policy."""
    LOOPBACK = "l"
    """Listens inside the pod only: refused or blocked."""
    REPORTED = "*"
    """The pod's own node, which no policy can forbid: told, and not judged."""
    UNJUDGED = "-"
    """Not ours to say."""


class Mode(StrEnum):
    DIRECT = "direct"
    """Services call each other over ClusterIP Services."""
    MESH = "mesh"
    """Services call each other by Dapr's invocation only, from sidecar to sidecar."""


DIRECT = """
from \\ to   frontend:3000 backend:8000 mcp-server:8080 postgres:5432 model:8090 redis:6379 dns:53
frontend    -             A            x               A             x          x          A
backend     x             -            A               A             A          A          A
mcp-server  x             x            -               A             x          x          A
postgres    x             x            x               -             x          x          x
model       x             x            x               x             -          x          x
redis       x             x            x               x             x          -          x
ingress     A             x            x               x             x          x          -
neighbour   x             x            x               x             x          x          x
job         x             x            x               x             x          x          x
stranger    x             x            x               x             x          x          A
"""

MESH = """
from \\ to   frontend:3000 backend:8000 mcp-server:8080 postgres:5432 model:8090 redis:6379 dns:53
frontend    -             x            x               A             x          x          A
backend     x             -            x               A             A          A          A
mcp-server  x             x            -               A             x          x          A
postgres    x             x            x               -             x          x          x
model       x             x            x               x             -          x          x
redis       x             x            x               x             x          -          x
ingress     A             x            x               x             x          x          -
neighbour   x             x            x               x             x          x          x
job         x             x            x               x             x          x          x
stranger    x             x            x               x             x          x          A

from \\ to   frontend:50002 backend:50002 mcp-server:50002 sentry:50001 operator:6500 placement:50005 scheduler:50006
frontend    -              A             x                A            A             A               A
backend     x              -             A                A            A             A               A
mcp-server  x              x             -                A            A             A               A
postgres    x              x             x                x            x             x               x
model       x              x             x                x            x             x               x
redis       x              x             x                x            x             x               x
ingress     x              x             x                -            -             -               -
neighbour   x              x             x                x            x             x               x
job         x              x             x                x            x             x               x
stranger    x              x             x                -            -             -               -
"""

EVERYWHERE = """
from \\ to  internet:443 internet:80 internet:53 metadata:80 api:443 node:10250 neighbour:7777 job:7777 stranger:7777
frontend    x            x           x           x           x            *          x              x        x
backend     x            x           x           x           x            *          x              x        x
mcp-server  x            x           x           x           x            *          x              x        x
postgres    x            x           x           x           x            *          x              x        x
model       x            x           x           x           x            *          x              x        x
redis       x            x           x           x           x            *          x              x        x
ingress     -            -           -           -           A            *          x              x        -
neighbour   x            x           x           x           x            *          -              x        x
job         x            x           x           x           x            *          x              -        x
stranger    A            A           A           A           A            *          x              x        -
"""
"""The same in both modes. A stranger is not isolated: its open ways prove that the targets answer.

What else the ingress controller may reach is for the cluster that brings it to say.
"""

OUTSIDE_MODEL = {(BACKEND, INTERNET, 443): Mark.OPEN}
"""Where a real model outside is used: a name cannot be said in a policy, an address cannot be known."""

OUTSIDE_DATABASE = {(source, INTERNET, 5432): Mark.OPEN for source in (FRONTEND, BACKEND, MCP_SERVER)}
"""Where a real database outside is used."""


def table(
    mode: Mode, *, outside_model: bool = False, outside_database: bool = False
) -> Mapping[tuple[str, str, int], Mark]:
    """Source, destination, port -> mark, for all the ways that are named."""
    marks = {**_read(MESH if mode is Mode.MESH else DIRECT), **_read(EVERYWHERE)}
    if outside_model:
        marks |= OUTSIDE_MODEL
        marks[BACKEND, MODEL, 8090] = Mark.CLOSED
    if outside_database:
        marks |= OUTSIDE_DATABASE
    return marks


def wanted(
    marks: Mapping[tuple[str, str, int], Mark],
    source: str,
    destination: str,
    port: int,
    *,
    protocol: str = "TCP",
    loopback: bool = False,
) -> Mark:
    """What the table wants of a way; what it does not name is closed to and from all that is ours.

    The table names TCP ports; UDP is open where it is at all: to DNS, outside at port 53, and to the survey's own pods.
    """
    if loopback:
        return Mark.LOOPBACK
    mark = marks.get((source, destination, port))
    if mark is not None and (protocol == "TCP" or destination in (DNS, INTERNET, STRANGER)):
        return mark
    if destination == NODE:
        return Mark.REPORTED
    return Mark.UNJUDGED if source in FOREIGN and destination in FOREIGN else Mark.CLOSED


@cache
def _read(text: str) -> Mapping[tuple[str, str, int], Mark]:
    marks = {}
    for block in text.strip().split("\n\n"):
        heading, *lines = block.splitlines()
        columns = [tuple(word.split(":")) for word in heading.split()[3:]]
        for line in lines:
            source, *words = line.split()
            for (destination, port), word in zip(columns, words, strict=True):
                marks[source, destination, int(port)] = Mark(word)
    return marks
