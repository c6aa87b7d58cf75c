"""Makes people, albums, pictures, links and signed-in browsers for tests, by the vault's own use cases."""

import contextvars
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import EnvironBuilder, TestResponse

from vault.db import db, transaction, utcnow
from vault.imaging.playing import PLAYBACK_VERSION
from vault.imaging.render import PIPELINE_VERSION
from vault.models.account import Scope, User
from vault.models.group import Group, GroupMember
from vault.models.media import Album, Media, Order, Playback, State, Variant
from vault.models.sharing import Link, LinkRole, Role
from vault.models.sharing import Scope as LinkScope
from vault.policy import Action, Viewer, authorize
from vault.services import Vault, albums, derivatives, links, sessions, sharing, tokens, uploads
from vault.signing import digest
from vault.storage import variant_key
from vault.storage.incoming import Incoming

SECRET = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # signs nothing outside of tests
ORIGIN = "http://127.0.0.1:8000"
PASSWORD = "a walk by the river in June"  # of people who live as long as a test
_numbers = itertools.count(1)


def small_picture(number: int | None = None, kind: str = "JPEG") -> bytes:
    """Return the bytes of a little picture; every number is another one."""
    value = next(_numbers) if number is None else number
    image = Image.new("RGB", (24, 16), (value % 256, value // 256 % 256, value // 65536 % 256))
    data = io.BytesIO()
    image.save(data, kind, comment=str(value).encode())
    return data.getvalue() + str(value).encode()


class Browser(FlaskClient):
    """A browser at the vault's own address: any other `Host` is turned away."""

    def open(self, *args: Any, **values: Any) -> TestResponse:
        """Send a request."""
        if not (args and isinstance(args[0], EnvironBuilder)):
            values.setdefault("base_url", ORIGIN)
        # Read whole and closed, so that no file stays open behind an answer.
        values.setdefault("buffered", True)
        # In a context of its own, as a server does it: what one request remembers must not be there for the next.
        return contextvars.Context().run(super().open, *args, **values)


@dataclass(frozen=True)
class Person:
    """A person of a test."""

    id: int
    public_id: str
    email: str

    @property
    def viewer(self) -> Viewer:
        """The person as the policy sees him."""
        return Viewer(user_id=self.id)


@dataclass
class House:
    """An application and what tests do with it."""

    app: Flask
    rendered: dict[str, bytes] = field(default_factory=dict)

    @property
    def vault(self) -> Vault:
        """What use cases need."""
        found: Vault = self.app.extensions["vault"]
        return found

    def person(
        self, name: str = "", *, admin: bool = False, password: str | None = None, quota: int | None = None
    ) -> Person:
        """Make somebody with an account.

        Without a password the account has one that nobody knows, and costs no hashing.
        """
        name = name or f"person{next(_numbers)}"
        known = self.vault.passwords.hash(password) if password else "unusable"
        with transaction() as session:
            row = User(
                email=f"{name.lower()}@example.org", name=name, password_hash=known, is_admin=admin, quota_bytes=quota
            )
            session.add(row)
            session.flush()
            return Person(row.id, row.public_id, row.email)

    def album(
        self, owner: Person, title: str = "Summer", *, parent: Album | None = None, order: Order = Order.NEWEST
    ) -> Album:
        """Make an album."""
        return albums.create(owner.viewer, title=title, parent_id=parent.public_id if parent else None, order=order)

    def picture(
        self,
        owner: Person,
        album: Album | None = None,
        *,
        data: bytes | None = None,
        file_name: str = "picture.jpg",
        ready: bool = True,
        shown_at: datetime | None = None,
    ) -> Media:
        """Upload a little picture and, if it is to be ready, lay variants beside it without the worker."""
        with Incoming(self.vault.storage, 10**9) as incoming:
            incoming.write(data if data is not None else small_picture())
            album_id = album.public_id if album else None
            media = uploads.receive(self.vault, owner.viewer, incoming, file_name=file_name, album_id=album_id).media
        if ready:
            self.make_ready(media, shown_at)
        return media

    def make_ready(self, media: Media, shown_at: datetime | None = None) -> None:
        """Lay variants beside a picture, as the worker would."""
        for name in ("thumb", "preview"):
            self._variant(media, name)
        with transaction() as session:
            row = session.get_one(Media, media.id)
            row.state, row.pipeline, row.rendition = State.READY, PIPELINE_VERSION, f"{media.id:032x}"
            row.width, row.height, row.placeholder = 24, 16, self._webp(4)
            if shown_at is not None:
                row.taken_at = row.shown_at = shown_at

    def lay_moving(self, media: Media, name: str = "video") -> bytes:
        """Lay what plays beside a row, as the worker would; return its bytes, which are those of no film."""
        body = f"{name} of {media.public_id}".encode() * 20
        key = variant_key(media.blob_key, name, PLAYBACK_VERSION, "mp4")
        with self.vault.storage.temporary() as path:
            path.write_bytes(body)
            self.vault.storage.put(key, path)
        with transaction() as session:
            values: dict[str, Any] = {"pipeline": PLAYBACK_VERSION, "blob_key": key, "sha256": digest(key)}
            size = {"size_bytes": len(body), "width": 1280, "height": 720}
            session.add(Variant(media_id=media.id, name=name, **values, **size))
            session.get_one(Media, media.id).playback = Playback.READY
        return body

    def render(self, media: Media) -> Media:
        """Render a picture as the worker does, in the real child process."""
        derivatives.render(self.vault, media.public_id)
        db.session.expire_all()
        return db.session.get_one(Media, media.id)

    def grant(self, album: Album, to: Person, role: Role, *, expires_at: datetime | None = None) -> None:
        """Give a role, as the album's owner."""
        owner = Viewer(user_id=album.owner_id)
        permit = authorize(owner, Action.MANAGE, Album, album.public_id)
        sharing.grant(permit, user_id=to.public_id, role=role, expires_at=expires_at)

    def group(self, *members: Person, name: str = "", owner: Person | None = None) -> Group:
        """Make a group of somebody's own or, without an owner, of the whole vault; without the ceremony of notices."""
        with transaction() as session:
            row = Group(owner_id=owner.id if owner else None, name=name or f"group{next(_numbers)}")
            session.add(row)
            session.flush()
            session.add_all([GroupMember(group_id=row.id, user_id=member.id) for member in members])
            return row

    def share(self, album: Album, group: Group, role: Role, *, expires_at: datetime | None = None) -> None:
        """Give a group a role, as the album's owner."""
        permit = authorize(Viewer(user_id=album.owner_id), Action.MANAGE, Album, album.public_id)
        sharing.grant_group(permit, group_id=group.public_id, role=role, expires_at=expires_at)

    def link(
        self,
        album: Album,
        *,
        by: Person | None = None,
        role: int = LinkRole.VIEWER,
        expires_at: datetime | None = None,
        label: str = "Friends",
        scope: LinkScope = LinkScope.TREE,
        pictures: Sequence[Media] = (),
        password: str | None = None,
        **terms: Any,
    ) -> Link:
        """Make a link, as the album's owner or somebody else."""
        viewer = by.viewer if by else Viewer(user_id=album.owner_id)
        permit = authorize(viewer, Action.MANAGE, Album, album.public_id)
        wanted = links.Terms(label, LinkRole(role), expires_at=expires_at, **terms)
        picked = [media.public_id for media in pictures]
        return links.create(self.vault, permit, wanted, scope=scope, media_ids=picked, password=password)

    def address(self, link: Link) -> str:
        """Return the path of a link."""
        db.session.expire_all()
        return links.address(self.vault, db.session.get_one(Link, link.id)).removeprefix(self.vault.settings.origin)

    def visitor(self, link: Link, *, password: str | None = None) -> FlaskClient:
        """Return the browser of somebody who came by a link; its pages lie below `/l/<link id>/`."""
        browser = self.browser()
        came = browser.get(self.address(link), follow_redirects=True)
        if password is not None:
            page = came.get_data(as_text=True)
            token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
            said = {"password": password, "csrf_token": token}
            browser.post(f"/l/{link.public_id}/unlock", data=said, follow_redirects=True)
        return browser

    def browser(self, person: Person | None = None) -> FlaskClient:
        """Return a browser, signed in if a person is named."""
        self.app.test_client_class = Browser
        client = self.app.test_client()
        if person is not None:
            secret, _ = sessions.open_for(self.vault, person.id, user_agent="a test")
            with client.session_transaction(base_url=ORIGIN) as cookie:
                cookie["_user_id"], cookie["_fresh"] = secret, True
        return client

    def token(self, person: Person, scopes: Scope = Scope.READ | Scope.WRITE) -> dict[str, str]:
        """Return the header of an API token."""
        made = tokens.create(person.id, name="test", scopes=scopes, expires_in_days=None)
        return {"Authorization": f"Bearer {made}"}

    def csrf(self, client: FlaskClient) -> dict[str, str]:
        """Return the header that proves that a change comes from a page of ours."""
        page = client.get("/sign-in", follow_redirects=True).get_data(as_text=True)
        return {"X-CSRFToken": page.partition('name="csrf-token" content="')[2].partition('"')[0]}

    def disable(self, person: Person) -> None:
        """Disable somebody, without the ceremony of an administrator."""
        with transaction() as session:
            session.execute(sa.update(User).where(User.id == person.id).values(disabled_at=utcnow()))

    def _variant(self, media: Media, name: str) -> None:
        data = self._webp({"thumb": 12, "preview": 24}[name])
        key = variant_key(media.blob_key, name, PIPELINE_VERSION)
        with self.vault.storage.temporary() as path:
            path.write_bytes(data)
            self.vault.storage.put(key, path)
        with transaction() as session:
            values: dict[str, Any] = {"pipeline": PIPELINE_VERSION, "blob_key": key, "sha256": digest(name)}
            size = {"size_bytes": len(data), "width": 24, "height": 16}
            session.add(Variant(media_id=media.id, name=name, **values, **size))

    def _webp(self, edge: int) -> bytes:
        name = str(edge)
        if name not in self.rendered:
            data = io.BytesIO()
            Image.new("RGB", (edge, edge), "teal").save(data, "WEBP")
            self.rendered[name] = data.getvalue()
        return self.rendered[name]
