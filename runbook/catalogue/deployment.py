"""Phase 3: the application runs on Kubernetes and answers in a browser (user story 1)."""

from __future__ import annotations

from runbook.actions.cluster import lifecycle as cluster
from runbook.actions.images import builds as image_builds
from runbook.actions.package import release
from runbook.actions.web import hosts
from runbook.app import image_specs as sources
from runbook.app.application import BACKEND, FRONTEND, INGRESS_CLASS, MCP_SERVER
from runbook.checks.chart import chart, claims, pod_templates, routes
from runbook.checks.cluster import deployed, node, pods, services
from runbook.checks.images import images, recipes
from runbook.checks.web import chat, host, site
from runbook.engine.step import Step


def _templated(step_id: str, title: str, claim: claims.Claim) -> Step:
    """A step that the chart fulfils: its claim is asked of the rendered chart, and later of the live object."""
    return Step(
        step_id, title, check=chart.rendered(claim), live=chart.deployed(claim), needs=("T006", "T020")
    )


NAMESPACE = claims.namespace({"env": "development"})

STEPS = (
    _templated(
        "T025",
        "The frontend runs as user 1000 on a read-only root",
        pod_templates.restricted(FRONTEND, writable=("/tmp", "/app/.next/cache")),  # noqa: S108
    ),
    _templated(
        "T026",
        "The frontend asks for 100m and 128Mi and is limited to 500m and 256Mi",
        pod_templates.resources(
            FRONTEND,
            requests={"cpu": "100m", "memory": "128Mi"},
            limits={"cpu": "500m", "memory": "256Mi"},
        ),
    ),
    _templated(
        "T027",
        "The frontend is probed at /",
        pod_templates.probes(FRONTEND, liveness="/", readiness="/"),
    ),
    _templated("T028", "The frontend is a ClusterIP service on port 3000", routes.service(FRONTEND)),
    _templated(
        "T029",
        "The ingress of class nginx sends todo.local to the frontend",
        routes.ingress(FRONTEND, class_name=INGRESS_CLASS),
    ),
    _templated(
        "T030", "The backend runs as user 1000 on a read-only root", pod_templates.restricted(BACKEND)
    ),
    _templated(
        "T031",
        "The backend asks for 200m and 256Mi and is limited to 1 CPU and 512Mi",
        pod_templates.resources(
            BACKEND,
            requests={"cpu": "200m", "memory": "256Mi"},
            limits={"cpu": "1000m", "memory": "512Mi"},
        ),
    ),
    _templated(
        "T032",
        "The backend is probed at /health",
        pod_templates.probes(BACKEND, liveness="/health", readiness="/health"),
    ),
    _templated("T033", "The backend is a ClusterIP service on port 8000", routes.service(BACKEND)),
    Step(
        "T034",
        "The MCP server's build context leaves out what the image does not need",
        check=recipes.context_excludes(
            sources.MCP_SERVER, recipes.PYTHON_CLUTTER, but_not=recipes.PYTHON_NEEDS
        ),
        needs=("T004", "T011"),
    ),
    Step(
        "T035",
        "The MCP server's Dockerfile has two stages, Python 3.13 slim and user 1000",
        check=recipes.dockerfile_is_multi_stage(sources.MCP_SERVER, sources.PYTHON),
        live=images.runs_as_numeric_user(sources.MCP_SERVER, sources.PYTHON),
        live_after="T036",
        needs=("T011",),
    ),
    Step(
        "T036",
        "The MCP server image is built from these very sources",
        check=images.built_from_these_sources(sources.MCP_SERVER),
        apply=image_builds.build(sources.MCP_SERVER),
        needs=("T004", "T035"),
        heavy=True,
    ),
    Step(
        "T037",
        "The MCP server image stays under 200 MB",
        check=images.smaller_than(sources.MCP_SERVER, megabytes=200),
        needs=("T036",),
    ),
    _templated(
        "T038", "The MCP server runs as user 1000 on a read-only root", pod_templates.restricted(MCP_SERVER)
    ),
    _templated(
        "T039",
        "The MCP server asks for 100m and 128Mi and is limited to 500m and 256Mi",
        pod_templates.resources(
            MCP_SERVER,
            requests={"cpu": "100m", "memory": "128Mi"},
            limits={"cpu": "500m", "memory": "256Mi"},
        ),
    ),
    _templated(
        "T040",
        "The MCP server is probed at /health",
        pod_templates.probes(MCP_SERVER, liveness="/health", readiness="/health"),
    ),
    _templated("T041", "The MCP server is a ClusterIP service on port 8080", routes.service(MCP_SERVER)),
    Step(
        "T042",
        "The namespace is named todo and labelled env=development",
        check=chart.manifest(NAMESPACE, "k8s/namespace.yaml"),
        live=chart.deployed(NAMESPACE, production=claims.namespace({"env": "production"})),
        needs=("T002",),
    ),
    Step(
        "T043",
        "The local Kubernetes runs and its node is Ready",
        check=node.ready,
        apply=cluster.up,
        needs=("T004", "T005", "T006", "T007"),
    ),
    Step(
        "T044",
        "An ingress controller serves class nginx",
        check=node.ingress,
        apply=cluster.serve_ingress,
        needs=("T043",),
    ),
    Step(
        "T045",
        "Images are built where the cluster takes them from",
        check=images.engine_is_the_clusters,
        needs=("T004", "T043"),
    ),
    Step(
        "T046",
        "The node holds the very images that were built",
        check=images.held_by_node(*sources.APPLICATION, *sources.STAND_INS),
        apply=image_builds.load_into_cluster(*sources.APPLICATION, *sources.STAND_INS),
        live=images.pods_run(*sources.APPLICATION),
        needs=("T016", "T017", "T036", "T045"),
        heavy=True,
    ),
    Step(
        "T047",
        "This machine finds todo.local at the ingress",
        check=host.resolves,
        apply=hosts.enter,
        needs=("T044",),
    ),
    Step(
        "T048",
        "The release is deployed from this very chart",
        check=deployed.current,
        apply=release.deploy,
        needs=("T024", "T042", "T044", "T046"),
    ),
    Step(
        "T049",
        "All pods are Ready within five minutes",
        check=pods.all_ready,
        apply=release.ready,
        needs=("T048",),
    ),
    Step("T050", "Every service has endpoints", check=services.have_endpoints, needs=("T049",)),
    Step("T051", "The ingress answers with HTTP 200", check=site.answers, needs=("T047", "T050")),
    Step(
        "T052",
        "The page loads in a browser in under 3 seconds",
        check=site.loads_in_browser,
        needs=("T051",),
    ),
    Step(
        "T053",
        "A chat message in the browser is answered in under 10 seconds",
        check=chat.answers,
        needs=("T052",),
        drill=True,
        fingerprint=pods.fingerprint,
        canary=chat.answers_now,
    ),
    Step(
        "T054",
        "The answer came by a tool call of the backend to the MCP server",
        check=chat.used_the_mcp_server,
        needs=("T053",),
        drill=True,
        fingerprint=pods.fingerprint,
        canary=chat.used_the_mcp_server_now,
    ),
)
