"""An image registry between the engine that builds and the nodes that run: pushed to once, deployed from by digest."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from runbook.clients.holdings import HeldImage, digests
from runbook.clients.process.commands import Commands
from runbook.cluster import Progress
from runbook.engine.errors import CommandFailed, RunbookError, Unmeasurable

ASK_SECONDS = 60.0
PUSH_SECONDS = 900.0

_ABSENT = re.compile(r"(?i)no such manifest|manifest unknown|name unknown|not found")
_THIS_MACHINE = re.compile(r"^(localhost|127(\.\d+){3})(:\d+)?(/|$)")


class Registry:
    """The registry and path of the settings, reached by the user's own Docker and with the user's own credentials."""

    def __init__(self, prefix: str, commands: Commands, environment: Mapping[str, str]) -> None:
        self.prefix = prefix
        self._commands = commands
        # A configuration folder that only brings buildx holds no credentials.
        self._environment = {name: value for name, value in environment.items() if name != "DOCKER_CONFIG"}

    def push(self, references: Collection[str], progress: Progress) -> None:
        """Bring these images of the engine into the registry. Raises `RunbookError` where it does not take them."""
        for reference in references:
            target = f"{self.prefix}/{reference}"
            progress(f"docker push {target}")
            self._docker("tag", reference, target)
            try:
                self._docker("push", "--quiet", target, timeout=PUSH_SECONDS)
            except CommandFailed as problem:
                raise RunbookError(
                    f"{self.prefix} does not take {reference}: {problem.observed}",
                    wanted="the right to push there",
                    hint=f"docker login {self.prefix.partition('/')[0]}",
                ) from problem
            finally:
                self._docker("image", "rm", target, check=False)  # the name, not the image

    def held(self, references: Collection[str]) -> dict[str, HeldImage]:
        """Reference -> its image there, by the manifest's digest; what is not there is left out.

        Raises `Unmeasurable` where the registry does not answer.
        """
        with ThreadPoolExecutor(8) as asking:
            found = asking.map(self._ask, references)
        return {reference: image for reference, image in zip(references, found, strict=True) if image}

    def by_digest(self, reference: str, held: HeldImage) -> str:
        """What a pod names: the repository and the digest of its manifest."""
        return f"{self.prefix}/{reference.rpartition(':')[0]}@{held.id}"

    def _ask(self, reference: str) -> HeldImage | None:
        target = f"{self.prefix}/{reference}"
        insecure = ["--insecure"] if _THIS_MACHINE.match(self.prefix) else []
        command = ["docker", "manifest", "inspect", "--verbose", *insecure, target]
        answer = self._commands.run(command, timeout=ASK_SECONDS, env=self._environment, check=False)
        if answer.code != 0:
            if _ABSENT.search(answer.stderr):
                return None
            raise Unmeasurable(
                f"the registry {self.prefix} does not answer: {answer.stderr.strip() or 'no output'}",
                wanted=f"the manifest of {target}",
                hint=" ".join(command),
            )
        return _image(json.loads(answer.stdout))

    def _docker(self, *arguments: str, timeout: float = ASK_SECONDS, check: bool = True) -> None:
        self._commands.run(["docker", *arguments], timeout=timeout, env=self._environment, check=check)


def _image(said: object) -> HeldImage:
    """One manifest with its configuration, or several of one image for several platforms."""
    manifests = [each for each in (said if isinstance(said, list) else [said]) if isinstance(each, dict)]
    named = [str((each.get("Descriptor") or {}).get("digest", "")) for each in manifests]
    configurations = [
        str(((each.get(kind) or {}).get("config") or {}).get("digest", ""))
        for each in manifests
        for kind in ("OCIManifest", "SchemaV2Manifest")
    ]
    if not named or not digests(named[0]):
        raise Unmeasurable("the registry tells no digest", wanted="a manifest's descriptor")
    return HeldImage(named[0], digests(*named[1:], *configurations))
