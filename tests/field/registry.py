"""A real image registry beside a kind cluster, reached as localhost:PORT by its nodes and by whoever pushes.

As kind's documentation has it: a container in kind's network, and a hosts.toml in each node.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress

from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from tests.field.archives import ArchivedImage, layer, load
from tests.field.engine import FieldEngine
from tests.field.inside import Inside
from tests.field.parts import toolchain

NAME = "field-registry"
PORT = 5001
PREFIX = f"localhost:{PORT}"
_CONFIGURATION = """\
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: /var/lib/registry}
  delete: {enabled: true}
http: {addr: ":5000"}
"""


def ensure(engine: FieldEngine, settings: Settings, inside: Inside, cluster: str) -> str:
    """Have it run, and known to every node of the cluster; returns what TODO_REGISTRY is set to."""
    program = toolchain(settings).binary("registry")
    image = f"field/registry:{toolchain(settings).version('registry')}"
    scratch = settings.cache / "field" / "scratch"
    if not engine.has(image):
        content = layer({"registry": program, "tmp": None, "var/lib/registry": None})
        load(engine, [ArchivedImage(image, [content], ["/registry"])], scratch)
    if not engine.docker("ps", "--quiet", "--filter", f"name=^{NAME}$").strip():
        with suppress(subprocess.CalledProcessError):  # there is none that was stopped
            engine.docker("rm", "--force", NAME)
        file = engine.folder / "registry.yml"
        file.write_text(_CONFIGURATION)
        options = ["--detach", "--name", NAME, "--network", "kind", f"--publish=127.0.0.1:{PORT}:5000"]
        volumes = [f"--volume={file}:/config.yml:ro", "--volume=/var/lib/registry"]
        engine.docker("run", *options, *volumes, image, "serve", "/config.yml")
    folder = f"/etc/containerd/certs.d/{PREFIX}"
    text = f'[host."http://{NAME}:5000"]\n'
    for node in inside.run("kind", "get", "nodes", "--name", cluster).stdout.split():
        command = f"mkdir -p {folder} && cat >{folder}/hosts.toml"
        engine.docker("exec", "--interactive", node, "sh", "-c", command, stdin=text.encode())

    def answers() -> None:
        if inside.run("curl", "-sf", f"http://127.0.0.1:{PORT}/v2/").returncode != 0:
            raise NotYet("the registry does not answer")

    eventually(answers, timeout=20, every=0.2, wanted="the registry to answer")
    return PREFIX
