"""The words of the decision: what one may want, who is looking, and the right that is the answer. Floor 2."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from vault.models.account import Scope
from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.models.sharing import Link, LinkFacts, LinkTerms

Resource = type[Media] | type[Album] | type[Link]


class Action(StrEnum):
    """What somebody may want. A new action is closed until `rule` opens it."""

    VIEW = "view"
    """See thumb, preview and page."""
    DOWNLOAD = "download"
    """Take the original home."""
    ADD = "add"
    """Put own pictures into an album."""
    CAPTION = "caption"
    """Write a picture's caption and date."""
    ARRANGE = "arrange"
    """Move pictures about in an album sorted by hand, choose its cover, take pictures out."""
    MANAGE = "manage"
    """Decide who else comes in."""
    PLACE = "place"
    """Put this picture into an album, or take it out again: it is one's own."""
    TRASH = "trash"
    """Move a picture to the trash, or try to render it again."""
    RESTORE = "restore"
    """Take a picture out of the trash, or delete it for good."""
    RECOVER = "recover"
    """Read what became of a picture of one's own whose file is damaged."""
    DELETE = "delete"
    """Delete an album or a link."""
    EXPLAIN = "explain"
    """Read who else can see it, and why."""
    ACCEPT = "accept"
    """Let in a picture that a guest brought, or turn it away."""
    VISIT = "visit"
    """Come in by a link."""
    WITHDRAW = "withdraw"
    """Take back, as a guest and during the visit, a picture that one brought."""


class Denied(Exception):
    """The answer is no. Missing and forbidden are the same answer."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking: a person, the holder of a link, or nobody. Never a row, never the creator of the link.

    A field holds a plain value, or the column or bound parameter that stands for it inside a statement. `link_id` is
    the public id of a link, and `generation` that of the address it was opened by; `visit_id` names the stay of a real
    visitor, and without one the viewer is whoever would come by the link.
    """

    user_id: Any = None
    link_id: Any = None
    generation: Any = None
    visit_id: Any = None

    @property
    def is_nobody(self) -> bool:
        """Whether there is neither a person nor a link."""
        return self.user_id is None and self.link_id is None


NOBODY = Viewer()


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request brought to prove who is looking, not yet looked up.

    The digest of a session; with `scope`, of an API token; with `link_id`, of a visit by that link.
    """

    digest: str
    scope: Scope | None = None
    link_id: str | None = None


F = TypeVar("F", MediaFacts, AlbumFacts, LinkFacts)


@dataclass(frozen=True, slots=True)
class Permit(Generic[F]):
    """The right to do one thing to one row, now. Only `authorize` makes one.

    `reason` is "owner", "grant" or "link": through what it was given, for the record. `terms` govern the bytes that
    leave by a link, and are None for people.
    """

    viewer: Viewer
    action: Action
    row: F
    reason: str
    terms: LinkTerms | None = None
