"""One line of who can see it, as pages and the API tell it. Floor 3."""

from dataclasses import dataclass
from datetime import datetime

from vault.models.account import User
from vault.models.group import Group
from vault.models.media import Album
from vault.models.sharing import Link, Role


@dataclass(frozen=True)
class Ending:
    """What can be taken away of one way in: in words, and which row it is. `albums` are left by the picture."""

    label: str
    text: str
    grant: tuple[int, int] | None = None
    group_grant: tuple[int, int] | None = None
    link_id: str | None = None
    albums: tuple[str, ...] = ()
    source_id: str = ""


@dataclass(frozen=True)
class Access:
    """One way in which somebody can see an album or a picture.

    `kind` is one of `Kind`. `album` is where the grant or link stands; None for the owner, and for an album that is
    closed to who asks. `user`, `group` and `link` exclude each other. `count` is how many people of a group see it,
    `members` the first of them by name. `is_known` says whether who asks may see the link. `look_in` is the public id
    of an album in which who asks may look with these eyes, None where there is none. `ending` is None where he may not
    change it.
    """

    id: str
    kind: str
    user: User | None
    group: Group | None
    link: Link | None
    role: Role
    reason: str
    album: Album | None
    since: datetime
    until: datetime | None
    count: int
    members: tuple[User, ...]
    is_known: bool
    look_in: str | None
    ending: Ending | None

    @property
    def name(self) -> str:
        """Who it is: a person or a group by name, a link by its label to those who may read it."""
        if self.user is not None:
            return named(self.user)
        if self.group is not None:
            return self.group.name
        return f"Link “{self.link.label}”" if self.link and self.is_known else "A link"


def named(person: User) -> str:
    """Return how to speak of somebody."""
    return person.name or "Somebody who has not joined yet"
