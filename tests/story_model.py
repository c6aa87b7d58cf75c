"""A small model of who may do what, in plain Python: written from the words of the design, not from the rule.

It knows people, a forest of albums, pictures, grants and links as plain values, and answers three questions: may this
person act on that picture, album or link, and what does a link open.
"""

from dataclasses import dataclass, field
from datetime import datetime

from vault.models.sharing import Role
from vault.policy import Action

# How far up the ladder one must stand for each action; what is not named is closed.
ON_ALBUM = {
    Action.VIEW: Role.VIEWER,
    Action.DOWNLOAD: Role.DOWNLOADER,
    Action.ADD: Role.CONTRIBUTOR,
    Action.ARRANGE: Role.EDITOR,
    Action.MANAGE: Role.MANAGER,
    Action.EXPLAIN: Role.MANAGER,
    Action.DELETE: Role.OWNER,
}
# Of pictures in an album, a role gives these; the rest is their owner's.
ON_MEDIA = {Action.VIEW: Role.VIEWER, Action.DOWNLOAD: Role.DOWNLOADER, Action.CAPTION: Role.EDITOR}
OWN_MEDIA = {*ON_MEDIA, Action.PLACE, Action.TRASH, Action.EXPLAIN}


@dataclass
class ModelAlbum:
    """An album: whose, where, and whether it takes over what is given above."""

    owner: int
    parent: int | None
    inherits: bool = True


@dataclass
class ModelPicture:
    """A picture: whose, in which albums, and whether it can be seen at all."""

    owner: int
    albums: set[int] = field(default_factory=set)
    trashed: bool = False
    quarantined: bool = False


@dataclass
class ModelLink:
    """A link: by whom, to what, how far, until when, and which of its addresses is the present one."""

    creator: int
    album: int
    role: Role
    end: datetime | None
    generation: int = 1
    revoked: bool = False


@dataclass
class Model:
    """Everything, by number."""

    now: datetime
    disabled: set[int] = field(default_factory=set)
    albums: list[ModelAlbum] = field(default_factory=list)
    pictures: list[ModelPicture] = field(default_factory=list)
    links: list[ModelLink] = field(default_factory=list)
    grants: dict[tuple[int, int], tuple[Role, datetime | None]] = field(default_factory=dict)

    def sources(self, album: int) -> list[int]:
        """Return an album and those whose grants and links reach it."""
        found, here = [album], self.albums[album]
        while here.inherits and here.parent is not None:
            found.append(here.parent)
            here = self.albums[here.parent]
        return found

    def role(self, person: int, album: int) -> int:
        """Return how far up the ladder a person stands on an album; 0 is not on it."""
        if self.albums[album].owner == person:
            return Role.OWNER
        found = [self.grants.get((source, person)) for source in self.sources(album)]
        return max((grant[0] for grant in found if grant and self._unended(grant[1])), default=0)

    def album(self, person: int, action: Action, album: int) -> bool:
        """Whether a person may act on an album."""
        if person in self.disabled or self.albums[album].owner in self.disabled or action not in ON_ALBUM:
            return False
        return self.role(person, album) >= ON_ALBUM[action]

    def picture(self, person: int, action: Action, picture: int) -> bool:
        """Whether a person may act on a picture."""
        it = self.pictures[picture]
        mine = it.owner == person and person not in self.disabled
        if action is Action.RESTORE:
            return mine and it.trashed
        if it.trashed or it.quarantined or it.owner in self.disabled or person in self.disabled:
            return False
        if mine:
            return action in OWN_MEDIA
        roles = [self.role(person, album) for album in it.albums if self.albums[album].owner not in self.disabled]
        return action in ON_MEDIA and max(roles, default=0) >= ON_MEDIA[action]

    def link(self, person: int, action: Action, link: int) -> bool:
        """Whether a person may act on a link as a thing."""
        it = self.links[link]
        if it.revoked or person in self.disabled or action not in (Action.VIEW, Action.MANAGE, Action.DELETE):
            return False
        manages = self.album(person, Action.MANAGE, it.album)
        return manages or (it.creator == person and action is not Action.MANAGE)

    def opened(self, link: int, generation: int, action: Action) -> set[int]:
        """Return the albums that a link's address opens for an action."""
        it, needed = self.links[link], {Action.VIEW: Role.VIEWER, Action.DOWNLOAD: Role.DOWNLOADER}.get(action)
        if needed is None or it.role < needed or it.revoked or generation != it.generation:
            return set()
        if not self._unended(it.end) or not self.album(it.creator, Action.MANAGE, it.album):
            return set()
        return {album for album in range(len(self.albums)) if it.album in self.sources(album)}

    def shown(self, link: int, generation: int, action: Action) -> set[int]:
        """Return the pictures that a link's address opens for an action."""
        albums = self.opened(link, generation, action)
        return {number for number, it in enumerate(self.pictures) if it.albums & albums and self._visible(it)}

    def _visible(self, it: ModelPicture) -> bool:
        return not (it.trashed or it.quarantined or it.owner in self.disabled)

    def _unended(self, end: datetime | None) -> bool:
        return end is None or end > self.now
