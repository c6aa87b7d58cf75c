"""Fills a running vault with people, albums, pictures, grants and links, quicker than by hand."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.factories import PASSWORD, House, Person
from tests.live.server import eventually
from tests.pictures import drawing, encoded, jpeg
from vault.db import db, transaction
from vault.imaging.render import PIPELINE_VERSION
from vault.models.account import Purpose, Scope
from vault.models.group import Group
from vault.models.media import Album, AlbumMedia, Media, Order, State
from vault.models.membership import position_of
from vault.models.sharing import Link, Role
from vault.policy import Action, authorize
from vault.services import accounts, library, tokens
from vault.signing import digest, new_public_id

FIRST_DAY = datetime(2024, 7, 14, 18, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Contents:
    """Where things are: paths of pages, by what they show."""

    for_nobody: dict[str, str]
    for_newcomer: dict[str, str]
    for_anna: dict[str, str]


def furnish(house: House, files: list[Path]) -> Contents:
    """Make a vault in which every page has something to show: Anna's, with Ben's share and Cem, who has nothing."""
    anna = house.person("Anna", admin=True, password=PASSWORD)
    ben, _ = house.person("Ben", password=PASSWORD), house.person("Cem", password=PASSWORD)
    album = house.album(anna, "Summer by the river", order=Order.MANUAL)
    tent = house.album(anna, "The tent", parent=album)
    pictures = [house.picture(anna, album, data=file.read_bytes(), file_name=file.name, ready=False) for file in files]
    broken = house.picture(anna, album, data=jpeg()[:400], file_name="broken.jpg", ready=False)
    gone = house.picture(anna, data=jpeg(drawing(33, 22)), ready=False)
    wait_for_the_worker()
    _describe(anna, pictures[0], "The evening before we left")
    library.trash(authorize(anna.viewer, Action.TRASH, Media, gone.public_id))
    house.grant(album, ben, Role.EDITOR, expires_at=FIRST_DAY + timedelta(days=20_000))
    link = house.link(album, role=Role.DOWNLOADER, label="Grandparents")
    locked = house.link(album, label="The magazine", password="open sesame please", watermark="The magazine")
    _visit(house, link, pictures[1])
    house.visitor(locked, password="not its password")
    choir = house.group(ben, name="Choir", owner=anna)
    house.share(album, choir, Role.VIEWER)
    accounts.offer_new_password(house.vault, ben.id, anna.id)  # leaves a notice on every page of hers
    tokens.create(anna.id, name="Backup script", scopes=Scope.READ, expires_in_days=30)
    return Contents(
        _for_nobody(house, anna, (link, locked), pictures[0]),
        {"empty home": "/", "no albums": "/albums", "no pictures": "/pictures", "no links": "/links"},
        _for_anna(album, ben, pictures[1], broken) | _of_links(album, link, locked, pictures) | _of_groups(choir, tent),
    )


def fill(house: House, owner: Person, album: Album, count: int) -> None:
    """Put many pictures into an album quickly: a row and two small files each, every third one upright."""
    rows = [_row(owner, number) for number in range(count)]
    blobs = house.vault.settings.home / "blobs"
    drawn = blobs / "drawn.webp"
    drawn.write_bytes(encoded(drawing(48, 32), "WEBP"))
    for row, name in itertools.product(rows, ("thumb", "preview")):
        # Linked and not stored one by one: a thousand files that must survive a power cut take their time.
        file = blobs / str(row["blob_key"]).replace("originals/", "variants/") / f"{name}-v{PIPELINE_VERSION}.webp"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.hardlink_to(drawn)
    with transaction() as session:
        session.execute(sa.insert(Media), rows)
        found = session.execute(
            sa.select(Media.id, Media.shown_at).where(Media.public_id.in_([row["public_id"] for row in rows]))
        )
        places = [{"album_id": album.id, "position": position_of(at), "media_id": id_} for id_, at in found]
        session.execute(sa.insert(AlbumMedia), places)
        session.execute(sa.update(Album).where(Album.id == album.id).values(media_count=count))


def wait_for_the_worker() -> None:
    """Wait until the running vault has rendered whatever is pending."""
    pending = sa.select(sa.func.count()).select_from(Media).where(Media.state == State.PENDING)

    def is_done() -> bool:
        # A fresh transaction each time, or SQLite shows the same moment for ever.
        db.session.rollback()
        return db.session.scalar(pending) == 0

    eventually(is_done, seconds=60)


def _row(owner: Person, number: int) -> dict[str, object]:
    public_id = new_public_id()
    sha256 = digest(public_id)
    width, height = (2, 3) if number % 3 == 0 else (3, 2)
    return {
        "public_id": public_id,
        "owner_id": owner.id,
        "sha256": sha256,
        "size_bytes": 1,
        "media_type": "image/jpeg",
        "file_name": f"picture{number}.jpg",
        "blob_key": f"originals/{owner.public_id}/{sha256[:2]}/{sha256}.{public_id}",
        "state": State.READY,
        "pipeline": PIPELINE_VERSION,
        "rendition": sha256[:32],
        "width": width,
        "height": height,
        "shown_at": FIRST_DAY + timedelta(minutes=number),
    }


def _describe(anna: Person, picture: Media, caption: str) -> None:
    permit = authorize(anna.viewer, Action.CAPTION, Media, picture.public_id)
    library.describe(permit, caption=caption, taken_at=FIRST_DAY)


def _visit(house: House, link: Link, picture: Media) -> None:
    visitor = house.visitor(link)
    for variant in ("preview", "original"):
        visitor.get(f"/l/{link.public_id}/media/{picture.public_id}/{variant}")
    house.vault.recorder.flush()


def _for_nobody(house: House, anna: Person, links: tuple[Link, Link], picture: Media) -> dict[str, str]:
    link, locked = links
    _, invitation = accounts.invite(
        house.vault, anna.id, email="dora@example.org", name="Dora", is_admin=False, quota_bytes=None
    )
    _, dora = accounts.invite(
        house.vault, anna.id, email="emil@example.org", name="Emil", is_admin=False, quota_bytes=10**9
    )
    purpose, reset = accounts.offer_new_password(house.vault, anna.id, anna.id)
    assert purpose == Purpose.PASSWORD
    return {
        "sign-in": "/sign-in",
        "invitation": f"/invite/{invitation}",
        "used invitation": f"/invite/{dora[:-1]}",
        "new password": f"/reset/{reset}",
        "a visitor's album": house.address(link),
        "a visitor's picture": f"/l/{link.public_id}/media/{picture.public_id}",
        "a link with a password": house.address(locked),
        "a dead link": house.address(link)[:-1],
    }


def _of_links(album: Album, link: Link, locked: Link, pictures: list[Media]) -> dict[str, str]:
    return {
        "link": f"/links/{link.public_id}",
        "link with a password": f"/links/{locked.public_id}",
        "ended links": "/links?state=ended",
        "chosen pictures": "/links/new?ids=" + ",".join(each.public_id for each in pictures[:3]),
        "who looked": f"/albums/{album.public_id}/history",
    }


def _of_groups(choir: Group, tent: Album) -> dict[str, str]:
    here = f"/albums/{tent.public_id}"
    return {
        "groups": "/groups",
        "group": f"/groups/{choir.public_id}",
        "everybody's groups": "/admin/groups",
        "move": f"{here}/move",
        "who a move changes": f"{here}/move?to=top",
        "inherit": f"{here}/inherit",
    }


def _for_anna(album: Album, ben: Person, picture: Media, broken: Media) -> dict[str, str]:
    here = f"/albums/{album.public_id}"
    return {
        "home": "/",
        "pictures": "/pictures",
        "albums": "/albums",
        "new album": f"/albums/new?parent={album.public_id}",
        "album": here,
        "edit": f"{here}/edit",
        "delete": f"{here}/delete",
        "sharing": f"{here}/sharing",
        "picture": f"/media/{picture.public_id}?album={album.public_id}",
        "broken picture": f"/media/{broken.public_id}",
        "upload": "/upload",
        "account": "/account",
        "who sees the album": f"{here}/access",
        "who sees the picture": f"/media/{picture.public_id}/access",
        "as Ben": f"{here}/as/{ben.public_id}",
        "a picture as Ben": f"{here}/as/{ben.public_id}/media/{picture.public_id}",
        "as nobody": f"{here}/as/nobody",
        "exposure": "/exposure",
        "links": "/links",
        "trash": "/trash",
        "people": "/admin/",
        "person": f"/admin/people/{ben.public_id}",
        "a look": f"/admin/people/{ben.public_id}/look",
        "exposure of the vault": "/admin/exposure",
        "rules": "/admin/policy",
        "access": "/admin/access",
        "events": "/admin/events",
        "refused": "/albums/of-somebody-else",
        "no such page": "/nowhere",
    }
