"""The application as seen from outside: HTTP through the ingress, and the page in a browser."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from runbook.app.application import COMPONENTS, Component
from runbook.clients.browser import listen
from runbook.clients.kube import pod_http
from runbook.engine.step import Outcome, failed, passed, unproven

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

STRANGER = "no-such-host.invalid"
"""A host that no Ingress names: the controller must answer it with its own 404."""

MARK = "Todo AI</title>"
"""Part of the front page that no error page and no other application has."""

LOAD_LIMIT = 3.0
"""Seconds (SC-002)."""

YEAR = 31_536_000
"""Seconds of Strict-Transport-Security (RFC 6797), as the frontend says them."""
REDIRECTS = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT}

MEASUREMENTS = 3
PAGE_OPEN = 60.0
PICTURE = "front-page.png"

_TIMING = """() => {
  const [entry] = performance.getEntriesByType('navigation');
  return {loaded: entry.loadEventEnd, first_byte: entry.responseStart, status: entry.responseStatus ?? 0};
}"""


def answers(world: World) -> Outcome:
    """The ingress answers 200 with our page for our host, and 404 for another; each service's health is 200.

    Source: T051.
    """
    url = world.settings.url
    wanted = f"{url}/ answers 200 with the page of the application, and each health endpoint 200"
    stranger = world.http.get(host=STRANGER)
    if stranger.status_code != HTTPStatus.NOT_FOUND:
        return unproven(
            f"the control failed: an unknown host was answered {stranger.status_code} instead of the controller's 404",
            wanted=wanted,
            hint="kubectl get ingress -A",
        )
    page = world.http.get()
    problem = _page_problem(url, page) or _transport_problem(world, page)
    if problem:
        return failed(problem, wanted=wanted, hint=f"kubectl -n {world.settings.namespace} describe ingress")
    with ThreadPoolExecutor(len(COMPONENTS)) as pool:
        health = dict(zip(COMPONENTS, pool.map(lambda each: _health(world, each), COMPONENTS), strict=True))
    told = {f"{each.service}:{each.port}{each.health}": status for each, status in health.items()}
    evidence = {"page": page.status_code, "unknown_host": stranger.status_code, "health": told}
    sick = [f"{where} answered {status}" for where, status in told.items() if status != HTTPStatus.OK]
    if sick:
        hint = f"kubectl -n {world.settings.namespace} get pods"
        return failed("; ".join(sick), wanted=wanted, hint=hint, **evidence)
    return passed(
        f"{url}/ answered 200 with the page, an unknown host 404, {len(told)} health endpoints 200",
        wanted=wanted,
        **evidence,
    )


def _page_problem(url: str, page: httpx.Response) -> str:
    """Tells the causes apart by what the ingress answers."""
    if page.status_code == HTTPStatus.NOT_FOUND:
        return f"{url}/ answered 404: no Ingress of the controller's class names this host"
    if page.status_code in {
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }:
        return f"{url}/ answered {page.status_code}: the Ingress leads to no ready endpoint"
    if page.status_code != HTTPStatus.OK:
        return f"{url}/ answered {page.status_code}"
    if not page.headers.get("content-type", "").startswith("text/html") or MARK not in page.text:
        return f"{url}/ answered 200, but not with the page of the application"
    return ""


def _transport_problem(world: World, page: httpx.Response) -> str:
    """Production: browsers keep to HTTPS for a year, and whoever comes by HTTP is sent there."""
    settings = world.settings
    if not settings.production:
        return ""
    said = page.headers.get("strict-transport-security", "")
    age = re.search(r"max-age=(\d+)", said)
    if age is None or int(age[1]) < YEAR:
        return f"{settings.url}/ says Strict-Transport-Security {said or 'nothing'}, not max-age={YEAR}"
    plain = world.http.get(plain=True)
    target = plain.headers.get("location", "")
    if plain.status_code not in REDIRECTS or not target.startswith(f"{settings.url}/"):
        return f"http://{settings.host}/ answered {plain.status_code} {target}, not a redirect to {settings.url}/"
    return ""


def _health(world: World, component: Component) -> int:
    """The worst status of a health endpoint among the pods that a Service leads to; 503 where it leads to none.

    Each is asked by a forwarded port, which enters at its own node: what the API server's proxy sends comes from the
    address of another node, and NetworkPolicy allows that of the pod's own node only.
    """
    namespace = world.settings.namespace
    slices = world.api.list(
        "EndpointSlice", namespace, labels=f"kubernetes.io/service-name={component.service}"
    )
    pods = {
        str((endpoint.get("targetRef") or {}).get("name", ""))
        for each in slices
        for endpoint in each.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready")
    }
    found = [HTTPStatus.SERVICE_UNAVAILABLE.value] if not pods else []
    for name in sorted(pods):
        pod = {"metadata": {"name": name, "namespace": namespace}}
        found.append(pod_http.ask(world.api, pod, component.port, component.health).status_code)
    return max(found)


def loads_in_browser(world: World) -> Outcome:
    """Chromium loads the page, without an error in its console, in under three seconds; a picture is kept.

    Where the first visit is over the limit, the median of three decides: one that was disturbed by something else on
    this machine does not, and two that were slow are a slow page. A page that does not come is a failure.

    Source: T052.
    """
    wanted = f"the page loads in a browser in under {LOAD_LIMIT:g} s without an error"
    picture = world.settings.state / "evidence" / PICTURE
    world.progress("opening the page in Chromium")
    first = _visit(world, picture)
    if first["problems"]:
        return failed(
            "; ".join(first["problems"]),
            wanted=wanted,
            hint=f"kubectl -n {world.settings.namespace} logs deployment/frontend --tail 20",
            picture=str(picture),
            **first,
        )
    loads = [float(first["seconds"])]
    if loads[0] >= LOAD_LIMIT:
        loads += [float(_visit(world, picture)["seconds"]) for _ in range(MEASUREMENTS - 1)]
    took = median(loads)
    evidence = {**first, "loads": [round(each, 2) for each in loads], "picture": str(picture)}
    if took >= LOAD_LIMIT:
        return failed(
            f"the page took {took:.2f} s to load (the median of {len(loads)} visits)",
            wanted=wanted,
            hint="inv verify.step T052  (with nothing else running)",
            **evidence,
        )
    return passed(f"the page `{first['title']}` loaded in {took:.2f} s", wanted=wanted, **evidence)


def _visit(world: World, picture: Path) -> dict[str, Any]:
    """Load the front page in a fresh profile."""
    from playwright.sync_api import Error

    problems: list[str] = []
    began = time.monotonic()
    with world.browser.page(timeout=PAGE_OPEN) as page:
        listen(page, problems)
        try:
            response = page.goto("/", wait_until="load")
            page.get_by_role("heading").first.wait_for()
            timing = page.evaluate(_TIMING)
            picture.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            page.screenshot(path=picture, full_page=False)
            title = page.title()
        except Error as problem:
            problems.append(f"the page did not load: {problem.message.splitlines()[0]}")
            return {"seconds": time.monotonic() - began, "title": "", "problems": problems}
    status = response.status if response else 0
    if status != HTTPStatus.OK:
        problems.append(f"the page answered {status}")
    return {
        "seconds": float(timing["loaded"]) / 1000,
        "first_byte": float(timing["first_byte"]) / 1000,
        "with_start_of_browser": round(time.monotonic() - began, 2),
        "title": title,
        "problems": problems,
    }
