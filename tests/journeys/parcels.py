"""What journeys of uploads need: many files, a vault to kill, a gate that holds pieces up, a dropped folder."""

import base64
import hashlib
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Error, Page, Route, expect

from tests.factories import SECRET
from tests.journeys.steps import origin, sign_in
from tests.live.server import LiveVault, eventually, looking_inside
from vault.db import db
from vault.models.media import Album, AlbumMedia, Media

PIECE = 65_536
TITLE = ".tray-title"
# Ten thousand entries that no disk holds.
DROP = """
([names, size]) => {
  const type = (name) => name.endsWith(".jpg") ? "image/jpeg" : "";
  const bytes = (data) => Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const file = (name, data) => new File([bytes(data)], name, {type: type(name)});
  const entries = names.map(([name, data]) => ({
    isDirectory: false, isFile: true, fullPath: `/trip/${name}`, name, file: (done) => done(file(name, data)),
  }));
  const folder = {
    isDirectory: true, isFile: false, fullPath: "/trip", name: "trip",
    createReader: () => {
      const left = [...entries];
      return {readEntries: (done) => done(left.splice(0, size))};
    },
  };
  const item = {kind: "file", webkitGetAsEntry: () => folder, getAsFile: () => null};
  const transfer = {types: ["Files"], files: [], items: [item]};
  const event = new Event("drop", {cancelable: true});
  Object.defineProperty(event, "dataTransfer", {value: transfer});
  dispatchEvent(event);
}
"""


class Restartable:
    """A vault that can be killed and started again at the same address."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.vault = self._started("--migrate")

    def kill(self) -> None:
        """Kill every process of it at once, as a power cut does."""
        self.vault.clear_away()

    def start(self) -> None:
        """Start it again where it was."""
        self.vault = self._started("--port", str(self.vault.port))

    def _started(self, *arguments: str) -> LiveVault:
        return LiveVault(self.home, arguments, {"VAULT_SECRET_KEY": SECRET, "VAULT_UPLOAD_PIECE_BYTES": str(PIECE)})


class Gate:
    """Lets pieces through to the vault until it is shut, and notes where each of them began."""

    def __init__(self, page: Page, shut_at: int | None = None) -> None:
        self.page = page
        self.shut_at = shut_at
        self.offsets: list[int] = []
        self.created = 0
        self.held: list[Route] = []
        page.route("**/uploads/**", self._pass)

    def wait(self) -> None:
        """Wait until something stands before the shut gate."""
        eventually(lambda: self.page.title() and self.shut_at in self.offsets)

    def _pass(self, route: Route) -> None:
        request = route.request
        self.created += request.method == "POST"
        if request.method == "PATCH":
            self.offsets.append(int(request.headers["upload-offset"]))
        if request.method in {"PATCH", "POST"} and self.shut_at is not None:
            at = self.offsets[-1] if request.method == "PATCH" else 0
            if at >= self.shut_at:
                self.held.append(route)
                return
        route.continue_()

    def end(self) -> None:
        """Turn away what still waits, when nobody listens any more."""
        self.page.goto("about:blank")
        for route in self.held:
            with suppress(Error):
                route.abort()


def draw(folder: Path, count: int, *, width: int = 48, seed: int = 0) -> set[str]:
    """Draw small pictures that all differ, a hundred to a folder; return their digests."""
    digests = set()
    for number in range(count):
        path = folder / f"day {number // 100}" / f"{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = (
            Image.effect_noise((width, width), 60) if width > 48 else Image.new("RGB", (48, 32), (number % 256, 9, 9))
        )
        image.save(path, quality=95, comment=f"{seed} {number}".encode())
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    return digests


def kept(home: Path, album: str) -> list[str]:
    """Return the digests of what lies in an album."""
    with looking_inside(home):
        found = sa.select(Media.sha256).join(AlbumMedia, AlbumMedia.media_id == Media.id)
        return sorted(
            db.session.scalars(found.join(Album, Album.id == AlbumMedia.album_id).where(Album.public_id == album))
        )


def drop(page: Page, folder: Path) -> None:
    """Drop a folder on the middle of the page, as somebody's file manager does."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})


def drop_made_up(page: Page, files: list[tuple[str, bytes]], at_a_time: int = 100) -> None:
    """Drop a folder whose entries are handed out some at a time, as browsers do."""
    page.evaluate(DROP, [[(name, base64.b64encode(data).decode()) for name, data in files], at_a_time])


def open_uploader(page: Page, vault: LiveVault, album: str = "", *, name: str = "Anna") -> None:
    """Sign in and open the upload page."""
    sign_in(page, vault, name)
    page.wait_for_url(f"{origin(vault)}/")
    page.goto(f"{origin(vault)}/upload?album={album}")
    expect(page.get_by_role("heading", name="Upload")).to_be_visible()
