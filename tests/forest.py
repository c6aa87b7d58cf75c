"""Trees of albums at random, with people, groups, grants, links, and pictures that wait or were picked."""

import random
from collections.abc import Iterator

import sqlalchemy as sa

from tests.factories import House, Person
from vault.db import db, transaction, utcnow
from vault.models.media import Album, AlbumFacts, Media
from vault.models.sharing import GRANTABLE, LinkRole, Role, Scope
from vault.policy import Action, Permit, authorize, role_on, visible
from vault.services import albums, moving
from vault.services.albums import Changes
from vault.services.moving import Inheritance, Place, Wish


def may_manage(person: Person, album: Album) -> Permit[AlbumFacts]:
    """Return somebody's permit to move an album."""
    return authorize(person.viewer, Action.MANAGE, Album, album.public_id)


def below(parent: Album | None) -> Place:
    """Return the place below an album, or at the top."""
    return Place(parent.public_id if parent else None)


class Tree:
    """An owner's albums at random, with people, groups, grants, links, and pictures that wait or were picked."""

    def __init__(self, house: House, chance: random.Random) -> None:
        self.house, self.chance = house, chance
        self.owner, *self.people = (house.person() for _ in range(7))
        self.albums: list[Album] = []
        for _ in range(chance.randint(4, 8)):
            parent = chance.choice([None, *self.albums])
            self.albums.append(house.album(self.owner, parent=parent))
            if parent is not None and chance.random() < 0.25:
                albums.change(may_manage(self.owner, self.albums[-1]), Changes(inherits=False))
        for _ in range(4):
            house.grant(self.any(), chance.choice(self.people), chance.choice(GRANTABLE))
        for owner in (None, self.owner):
            group = house.group(*chance.sample(self.people, 2), owner=owner)
            house.share(self.any(), group, chance.choice(GRANTABLE))
        self._pictures()
        self._links()
        if chance.random() < 0.3:
            house.disable(chance.choice(self.people))

    def any(self) -> Album:
        return self.chance.choice(self.albums)

    def wishes(self, count: int) -> Iterator[tuple[Permit[AlbumFacts], Wish]]:
        for _ in range(count):
            permit = may_manage(self.owner, self.any())
            wishes: list[Wish] = [below(album) for album in moving.places(permit)]
            wishes += [below(None)] if moving.may_go_to_the_top(permit) else []
            inherits = db.session.get_one(Album, permit.row.id, populate_existing=True).inherits
            yield permit, self.chance.choice([*wishes, Inheritance(inherits=not inherits)])

    def _pictures(self) -> None:
        for album in self.albums:
            self.house.picture(self.owner, album, ready=False)
            if self.chance.random() < 0.5:
                waiting = self.house.picture(self.owner, album, ready=False)
                with transaction() as session:
                    brought = sa.update(Media).where(Media.id == waiting.id)
                    session.execute(brought.values(awaiting_since=utcnow(), owner_id=self.owner.id))

    def _links(self) -> None:
        for _ in range(5):
            album = self.any()
            makers = [
                person
                for person in self.people
                if role_on(person.viewer, album.id) == Role.MANAGER and person is not self.owner
            ]
            by = self.chance.choice([self.owner, *makers * 3])
            role = self.chance.choice([LinkRole.VIEWER, LinkRole.DOWNLOADER, LinkRole.DROP])
            scope = self.chance.choice(list(Scope))
            pictures = self._picked(album) if scope is Scope.SELECTION else []
            if scope is Scope.SELECTION:
                role = LinkRole.VIEWER
            self.house.link(album, by=by, role=role, scope=scope, pictures=pictures)

    def _picked(self, album: Album) -> list[Media]:
        permit = authorize(self.owner.viewer, Action.VIEW, Album, album.public_id)
        inside = visible(permit.viewer, Action.VIEW, Media)
        return [media for media in db.session.scalars(inside) if _lies_in(media, album)][:1]


def _lies_in(media: Media, album: Album) -> bool:
    places = sa.text("SELECT 1 FROM album_media WHERE media_id = :media AND album_id = :album")
    return db.session.execute(places, {"media": media.id, "album": album.id}).first() is not None
