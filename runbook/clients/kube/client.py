"""The client of the `kubernetes` package for one context of a kubeconfig, with a deadline on every request.

Imported when a step first asks the API: the package takes most of a second to import.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import urllib3
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.client.rest import RESTResponse
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError

from runbook.clients.kube.kinds import Kind
from runbook.clients.kube.transport import READ_TIMEOUT, Expired
from runbook.clients.process.proxies import proxy_to
from runbook.clients.target import Kubeconfig
from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import conceal, redact

CONNECT_TIMEOUT = 5.0
CONNECTIONS = 32
"""Connections that are kept: steps at a time, and the watches that they follow."""

NO_CACHE = "/dev/null/none"
"""A file that can be neither read nor written: what the package discovers must not outlive the cluster on disk."""


class Client(ApiClient):
    """Requests to one API server, with the credentials of its context; answers come as they are, without models."""

    def __init__(self, kubeconfig: Kubeconfig, *, foreign: bool = False) -> None:
        super().__init__(configured(kubeconfig, foreign=foreign))
        self.user_agent = "todo-runbook"
        self._discovering = threading.Lock()
        self._discovered: DynamicClient | None = None

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | list[Any] | None = None,
        content_type: str = "application/json",
        timeout: float = READ_TIMEOUT,
        act_as: str = "",
    ) -> urllib3.BaseHTTPResponse:
        """A response of any status, its body not read yet; `act_as` impersonates that user.

        Raises `Unmeasurable` where the server does not answer.
        """
        with self.reachable():
            verb, url, headers, content, _ = self.serialized(method, path, params or {}, body, content_type)
            if act_as:
                headers["Impersonate-User"] = act_as
            answer = self.call_api(verb, url, headers, content, _request_timeout=timeout)
            response: urllib3.BaseHTTPResponse = answer.response
            return response

    def serialized(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | list[tuple[str, str]],
        body: Mapping[str, Any] | list[Any] | None = None,
        content_type: str = "",
    ) -> tuple[Any, ...]:
        """Method, URL, headers with the credential, and body, as the package wants them."""
        headers = {"Accept": "application/json, */*"}
        if body is not None:
            headers["Content-Type"] = content_type
        return self.param_serialize(
            method,
            path,
            query_params=params,
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )

    def param_serialize(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """As the package's, with the credential of the moment concealed, and without the end of a token file's line."""
        request = super().param_serialize(*args, **kwargs)
        headers = request[2]
        if credential := headers.get("authorization"):
            headers["authorization"] = credential.strip()
            conceal(credential.strip().removeprefix("Bearer "))
        return request

    def call_api(
        self,
        method: str,
        url: str,
        header_params: Any = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: Any = None,
    ) -> RESTResponse:
        """As the package's, but no request waits for ever, not even those that discovery makes."""
        patience = float(_request_timeout or READ_TIMEOUT)
        limits = (min(CONNECT_TIMEOUT, patience), patience)
        return super().call_api(method, url, header_params, body, post_params, _request_timeout=limits)

    def changes(
        self, opened: Callable[[], urllib3.BaseHTTPResponse], seconds: int
    ) -> Generator[dict[str, Any], None, None]:
        """The events of one watch, as `type` and `object`, until the server ends it or was silent for too long.

        Raises `Expired` for an event ERROR.
        """

        def follow(**_: object) -> urllib3.BaseHTTPResponse:
            return opened()

        # With `timeout_seconds` the package does not resume by itself: it would do so beyond our deadline.
        with self.reachable(), closing(Watch().stream(follow, timeout_seconds=seconds)) as events:
            try:
                yield from (event for event in events if event is not None)
            except ReadTimeoutError:
                return
            except (ApiException, KeyError) as problem:  # a KeyError where the Status carries no message
                raise Expired(str(problem)) from None

    def discover(self, name: str, group: str) -> Kind | None:
        """Where a kind lies that has no place in our table, in the version that the server prefers."""
        with self._discovering, self.reachable():
            among = {"group": group} if group else {"prefix": "api"}
            try:
                if self._discovered is None:
                    self._discovered = DynamicClient(self, cache_file=NO_CACHE)
                served = self._discovered.resources.search(kind=name, **among)
            except DynamicApiError as problem:
                raise Unmeasurable(
                    f"the cluster does not tell which kinds it serves: {problem.status} {problem.reason}",
                    wanted="an API server that answers",
                    hint="inv cluster.status",
                ) from None
        # The preferred version of a group need not hold all its kinds: of Dapr's, the newest has subscriptions only.
        of_groups = {each.group: each for each in sorted(served, key=lambda each: bool(each.preferred))}
        if len(of_groups) != 1:
            return None
        found = next(iter(of_groups.values()))
        return Kind(f"/{found.prefix}/{found.group_version}", found.name, bool(found.namespaced))

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """Tells a server that does not answer, or answers with its own failure, as `Unmeasurable`."""
        try:
            yield
        except ReadTimeoutError as problem:
            raise self._away(str(problem)) from None
        except (HTTPError, OSError) as problem:
            raise self._away(_innermost(problem)) from None
        except ApiException as problem:
            # Status 0 stands for a failed TLS handshake.
            if problem.status:
                raise
            raise self._away(str(problem.reason)) from None

    def _away(self, why: str) -> Unmeasurable:
        return Unmeasurable(
            f"the Kubernetes API at {self.configuration.host} does not answer: {redact(why)}",
            wanted="an API server that answers",
            hint="inv cluster.status",
        )


def configured(kubeconfig: Kubeconfig, *, foreign: bool = False) -> Configuration:
    """The pinned context, read by the package; a `foreign` cluster is asked through the proxy of the environment.

    Raises `Unmeasurable` where the file or the context is not complete."""
    if not kubeconfig.path.exists():
        raise Unmeasurable(
            f"there is no kubeconfig at {kubeconfig.path}", wanted="a running cluster", hint="inv cluster.up"
        )
    configuration = Configuration(host="", proxy="", no_proxy="", connection_pool_maxsize=CONNECTIONS)
    # A request is taken up again only where no connection came about: a second attempt would double the deadline.
    # A redirect (of a proxied Service) is an answer, and when to ask again is the caller's to say.
    configuration.retries = urllib3.Retry(
        total=1, read=False, redirect=False, respect_retry_after_header=False
    )
    try:
        with _complaints() as said:
            config.load_kube_config(
                str(kubeconfig.path), kubeconfig.context, configuration, persist_config=False
            )
    except Exception as problem:  # noqa: BLE001 - whatever the package stumbles over is in this file
        raise _unusable(kubeconfig, str(problem)) from None
    if said:
        raise _unusable(kubeconfig, "; ".join(said))
    if not configuration.host:
        raise _unusable(kubeconfig, "it names no server")
    if not configuration.proxy and foreign and (way := proxy_to(configuration.host)):
        configuration.proxy = way
    elif not configuration.proxy:
        # Without a proxy of its own the package's WebSockets would go through that of the environment, unlike its
        # requests (kubernetes-client/python 2321). One from which every host is exempt keeps both direct.
        configuration.proxy, configuration.no_proxy = configuration.host, "*"
    return configuration


def _unusable(kubeconfig: Kubeconfig, why: str) -> Unmeasurable:
    return Unmeasurable(
        f"context {kubeconfig.context} of the kubeconfig {kubeconfig.path} cannot be used: {redact(why)}",
        wanted="a complete context",
        hint=f"kubectl --kubeconfig {kubeconfig.path} config view",
    )


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What this thread logs meanwhile: the package logs a failed credential plug-in, and goes on without one."""
    said: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == threading.get_ident():
                said.append(record.getMessage().strip())

    listening, root = Listening(logging.ERROR), logging.getLogger()
    root.addHandler(listening)
    try:
        yield said
    finally:
        root.removeHandler(listening)


def _innermost(problem: BaseException) -> str:
    """The cause of a failed connection in the words of the system, without the layers above it."""
    if isinstance(problem, MaxRetryError) and problem.reason is not None:
        problem = problem.reason
    return str(problem.__cause__ or problem) or type(problem).__name__
