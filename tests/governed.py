"""A picture with all kinds of metadata and the links by which it leaves, for tests of what leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image

from tests import laden, pictures
from tests.factories import House
from vault.imaging.sandbox import Sandbox
from vault.imaging.workshop import Workshop
from vault.models.media import Media
from vault.models.sharing import Link, LinkRole, LinkTerms, MetadataRule
from vault.policy import Action, Permit, Viewer, authorize
from vault.services.editions import making
from vault.storage import EDITIONS

BODY = laden.jpeg(laden.exif(orientation=6), upright=pictures.drawing(900, 600))
KEEP, LOCATION, ALL = MetadataRule.KEEP, MetadataRule.STRIP_LOCATION, MetadataRule.STRIP_ALL


class Shared:
    """A picture with all kinds of metadata, rendered, in an album of Anna's, and links to it."""

    def __init__(self, house: House, *, body: bytes = BODY) -> None:
        self.house = house
        self.anna = house.person("Anna")
        self.album = house.album(self.anna)
        self.media = house.picture(self.anna, self.album, data=body, file_name="Our divorce.jpeg", ready=False)
        house.render(self.media)

    def link(self, **terms: Any) -> Link:
        return self.house.link(self.album, role=LinkRole.DOWNLOADER, **terms)

    def get(self, link: Link, name: str, *, method: str = "GET", **headers: str) -> Any:
        said = {key.replace("_", "-"): value for key, value in headers.items()}
        path = f"/l/{link.public_id}/media/{self.media.public_id}/{name}"
        return self.house.visitor(link).open(path, method=method, headers=said)

    def permit(self, **terms: Any) -> Permit[Any]:
        """A permit as a link with these terms gives it."""
        own = authorize(self.anna.viewer, Action.DOWNLOAD, Media, self.media.public_id)
        said = {
            "metadata_rule": KEEP,
            "long_edge_px": None,
            "watermark": "",
            "neutral_names": True,
            "max_downloads": None,
        }
        return Permit(
            Viewer(link_id="x" * 22), Action.DOWNLOAD, own.row, "link", LinkTerms(1, "x" * 22, **(said | terms))
        )


@contextmanager
def one_workshop() -> Iterator[None]:
    """Give all houses the same benches: starting their children takes longer than what they do."""
    limits = {"cpu_seconds": 20, "wall_seconds": 20.0, "max_pixels": 10**7, "max_frames": 9}
    found = Workshop(lambda: Sandbox(memory_bytes=1 << 30, **limits), benches=2)  # type: ignore[arg-type]  # each its own
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "_workshop", lambda _settings: found)
        yield
    found.close()


def image(body: bytes) -> Image.Image:
    found = laden.opened(body)
    found.load()
    return found


def kept(house: House) -> list[str]:
    return list(house.vault.storage.keys(EDITIONS))
