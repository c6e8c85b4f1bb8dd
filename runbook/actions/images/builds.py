"""Build images and bring them into the cluster; both only where the identity differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.actions.images import bases
from runbook.actions.images.build_secrets import build_secrets
from runbook.app.image_specs import SOURCE_DIGEST, Image
from runbook.app.provenance import wanted_digest
from runbook.engine.errors import Foreign
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.engine.step import Apply
    from runbook.world import World


def build(*images: Image) -> Apply:
    """Build the images whose label does not carry the digest of today's sources, one after another."""

    def apply(world: World) -> None:
        for image in images:
            _build(world, image)

    return apply


def load_into_cluster(*images: Image) -> Apply:
    """Have the node hold the very images of the build engine, built first where the engine lacks them."""

    def apply(world: World) -> None:
        for image in images:
            _build(world, image)
        tag = world.settings.tag
        world.cluster.load_images([image.reference(tag) for image in images], world.progress)

    return apply


def _build(world: World, image: Image) -> None:
    arguments = bases.ensure(world, image.bases)
    digest = wanted_digest(world, image)
    reference = image.reference(world.settings.tag)
    found = world.docker.image(reference)
    if found is not None and found.labels.get(SOURCE_DIGEST) == digest:
        return
    if found is not None and SOURCE_DIGEST not in found.labels:
        raise Foreign(
            f"there is an image {reference} that the runbook did not build; it was left as it is",
            wanted="an image of ours, or none of that name",
            hint="TODO_TAG=<another tag> inv deploy",
        )
    world.progress(f"building {reference}")
    with build_secrets() as secrets:
        world.docker.build(
            world.settings.project / image.context,
            reference,
            arguments=arguments,
            labels={
                SOURCE_DIGEST: digest,
                "org.opencontainers.image.version": world.settings.tag,
                **installation.labels(world.settings),
            },
            secrets=secrets,
            progress=world.progress,
        )
    made = world.docker.image(reference)
    ours = found is not None and found.labels.get(installation.LABEL) == installation.known(world.settings)
    if found is not None and ours and made is not None and made.id != found.id:
        world.docker.discard(found.id)
