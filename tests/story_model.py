"""A small model of who may do what, in plain Python: written from the words of the design, not from the rule.

It knows people, groups, a forest of albums, pictures, grants, links and visits as plain values, and answers: may this
person act on that picture, album or link, and what does a link open to whom.
"""

from dataclasses import dataclass, field
from datetime import datetime

from vault.models.sharing import LinkRole, Role, Scope
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
SEEING = {LinkRole.VIEWER: {Action.VIEW}, LinkRole.DROP: set[Action]()}
TAKING = {Action.VIEW, Action.DOWNLOAD}


@dataclass
class ModelAlbum:
    """An album: whose, where, and whether it takes over what is given above."""

    owner: int
    parent: int | None
    inherits: bool = True


@dataclass
class ModelPicture:
    """A picture: whose, in which albums, by which visit it came, and whether it can be seen at all."""

    owner: int
    albums: set[int] = field(default_factory=set)
    trashed: bool = False
    quarantined: bool = False
    brought: int | None = None
    awaiting: bool = False
    gone: bool = False
    """Taken back by the guest who brought it: for good."""


@dataclass
class ModelLink:
    """A link: by whom, to what, how far, from when until when, and which of its addresses is the present one."""

    creator: int
    album: int | None
    role: LinkRole
    scope: Scope
    start: datetime | None
    end: datetime | None
    picked: frozenset[int] = frozenset()
    most_visits: int | None = None
    password: str | None = None
    needs_acceptance: bool = True
    visits: int = 0
    generation: int = 1
    paused: bool = False
    revoked: bool = False


@dataclass
class ModelVisit:
    """A visitor's stay: by which address of which link, until when, and whether it was ended."""

    link: int
    generation: int
    end: datetime
    ended: bool = False


Grants = dict[tuple[int, int], tuple[Role, datetime | None]]


@dataclass
class Model:
    """Everything, by number."""

    now: datetime
    disabled: set[int] = field(default_factory=set)
    groups: list[set[int]] = field(default_factory=list)
    albums: list[ModelAlbum] = field(default_factory=list)
    pictures: list[ModelPicture] = field(default_factory=list)
    links: list[ModelLink] = field(default_factory=list)
    visits: list[ModelVisit] = field(default_factory=list)
    grants: Grants = field(default_factory=dict)
    """By album and person."""
    group_grants: Grants = field(default_factory=dict)
    """By album and group."""

    def sources(self, album: int) -> list[int]:
        """Return an album and those whose grants and links reach it."""
        found, here = [album], self.albums[album]
        while here.inherits and here.parent is not None:
            found.append(here.parent)
            here = self.albums[here.parent]
        return found

    def below(self, album: int) -> set[int]:
        """Return an album and all that lie below it, whatever they inherit."""
        found = {album}
        while more := {i for i, it in enumerate(self.albums) if it.parent in found} - found:
            found |= more
        return found

    def role(self, person: int, album: int) -> int:
        """Return how far up the ladder a person stands on an album; 0 is not on it."""
        if self.albums[album].owner == person:
            return Role.OWNER
        sources = self.sources(album)
        found = [self.grants.get((source, person)) for source in sources]
        mine = [number for number, members in enumerate(self.groups) if person in members]
        found += [self.group_grants.get((source, number)) for source in sources for number in mine]
        return max((grant[0] for grant in found if grant and self._unended(grant[1])), default=0)

    def album(self, person: int, action: Action, album: int) -> bool:
        """Whether a person may act on an album."""
        if person in self.disabled or self.albums[album].owner in self.disabled or action not in ON_ALBUM:
            return False
        return self.role(person, album) >= ON_ALBUM[action]

    def picture(self, person: int, action: Action, picture: int) -> bool:
        """Whether a person may act on a picture."""
        it = self.pictures[picture]
        if it.gone:
            return False
        mine = it.owner == person and person not in self.disabled
        if action is Action.RESTORE:
            return mine and it.trashed
        if action is Action.RECOVER:
            return mine and it.quarantined and not it.trashed
        if action is Action.TRASH:
            return mine and not it.trashed
        if it.trashed or it.quarantined or it.owner in self.disabled or person in self.disabled:
            return False
        open_albums = [album for album in it.albums if self.albums[album].owner not in self.disabled]
        best = max((self.role(person, album) for album in open_albums), default=0)
        if action is Action.ACCEPT:
            return it.awaiting and (mine or best >= Role.MANAGER)
        if mine:
            return action in OWN_MEDIA
        return action in ON_MEDIA and best >= (Role.MANAGER if it.awaiting else ON_MEDIA[action])

    def link(self, person: int, action: Action, link: int) -> bool:
        """Whether a person may act on a link as a thing."""
        it = self.links[link]
        if it.revoked or person in self.disabled or action not in (Action.VIEW, Action.MANAGE, Action.DELETE):
            return False
        if it.album is None:
            return it.creator == person
        manages = self.album(person, Action.MANAGE, it.album)
        return manages or (it.creator == person and action is not Action.MANAGE)

    def lives(self, link: int, generation: int) -> bool:
        """Whether an address of a link opens anything now."""
        it = self.links[link]
        if it.revoked or it.paused or generation != it.generation or it.creator in self.disabled:
            return False
        if not self._unended(it.end) or (it.start is not None and it.start > self.now):
            return False
        return it.album is None or self.album(it.creator, Action.MANAGE, it.album)

    def stays(self, visit: int) -> bool:
        """Whether a visitor is inside."""
        it = self.visits[visit]
        return not it.ended and it.end > self.now and self.lives(it.link, it.generation)

    def gives(self, link: int, action: Action) -> bool:
        """Whether a link's role is enough for an action on pictures."""
        return action in SEEING.get(self.links[link].role, TAKING)

    def opened(self, link: int, generation: int, action: Action) -> set[int]:
        """Return the albums that an address opens for an action."""
        it = self.links[link]
        if not self.lives(link, generation) or it.scope is Scope.SELECTION:
            return set()
        if action is Action.ADD:
            return {it.album} if it.role in (LinkRole.DROP, LinkRole.CONTRIBUTOR) and it.album is not None else set()
        if not self.gives(link, action):
            return set()
        if it.scope is Scope.ALBUM:
            return {it.album} if it.album is not None else set()
        return {album for album in range(len(self.albums)) if it.album in self.sources(album)}

    def shown(self, link: int, generation: int, action: Action) -> set[int]:
        """Return the pictures that an address opens for an action."""
        if not self.lives(link, generation) or not self.gives(link, action):
            return set()
        it, albums = self.links[link], self.opened(link, generation, action)
        if it.scope is Scope.SELECTION:
            found = {i for i in it.picked if self._is_to_share(it, self.pictures[i])}
        else:
            found = {i for i, each in enumerate(self.pictures) if each.albums & albums}
        return {i for i in found if self._visible(self.pictures[i])}

    def withdrawn(self, visit: int) -> set[int]:
        """Return the pictures that a guest may take back."""
        it = self.visits[visit]
        if not self.stays(visit) or self.links[it.link].album is None:
            return set()
        return {i for i, each in enumerate(self.pictures) if each.brought == visit and not (each.trashed or each.gone)}

    def _is_to_share(self, link: ModelLink, it: ModelPicture) -> bool:
        return it.owner == link.creator if link.album is None else link.album in it.albums

    def _visible(self, it: ModelPicture) -> bool:
        return not (it.trashed or it.quarantined or it.awaiting or it.gone or it.owner in self.disabled)

    def _unended(self, end: datetime | None) -> bool:
        return end is None or end > self.now
