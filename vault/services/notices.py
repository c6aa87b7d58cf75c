"""What a person must be told: shown on every page until he puts it away.

Floor 3. Who does the deed writes the row; here it is put into words.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from vault.db import db, transaction, utcnow
from vault.models import cursor as cursors
from vault.models.cursor import Page
from vault.models.history import Notice
from vault.policy import PUBLIC_ID, Denied

# More than fit on a page are not shown at once; each that is put away makes room.
MOST_SHOWN = 5
OPENED = {
    "invitation": "made a new invitation for it",
    "password": "made an address by which its password can be set anew",
    "enabled": "let it in again",
}


@dataclass(frozen=True)
class Told:
    """One notice in words. `album_id` and `person_id` name what can be ended right away, else they are None."""

    id: str
    kind: str
    at: datetime
    title: str
    text: str
    album_id: str | None = None
    person_id: str | None = None


def of(user_id: int) -> list[Told]:
    """Return what somebody must still be told, the latest first: one query along an index."""
    return page(user_id, limit=MOST_SHOWN).items


def page(user_id: int, *, limit: int, cursor: str | None = None) -> Page[Told]:
    """Return a page of the same."""
    mine = sa.select(Notice).where(Notice.user_id == user_id, Notice.dismissed_at.is_(None))
    found = cursors.newest_first(mine, Notice.at, Notice.public_id, limit=limit, cursor=cursor)
    return Page([_told(row) for (row,) in found.items], found.next_cursor)


def dismiss(user_id: int, notice_id: str) -> None:
    """Put one of one's own notices away. Raises Denied."""
    if not PUBLIC_ID.fullmatch(notice_id):
        raise Denied
    with transaction() as session:
        mine = sa.select(Notice).where(Notice.public_id == notice_id, Notice.user_id == user_id)
        row = session.scalar(mine.where(Notice.dismissed_at.is_(None)).with_for_update())
        if row is None:
            raise Denied
        row.dismissed_at = utcnow()


def find(user_id: int, notice_id: str) -> Told:
    """Return one of one's own notices. Raises Denied."""
    row = db.session.scalar(
        sa.select(Notice).where(Notice.public_id == notice_id, Notice.user_id == user_id, Notice.dismissed_at.is_(None))
    )
    if row is None:
        raise Denied
    return _told(row)


def _told(row: Notice) -> Told:
    detail = row.detail
    match row.kind:
        case "break_glass":
            return _break_glass(row, detail)
        case "password_reset":
            title = "A new-password address was made for you"
            by = f"{detail.get('by') or 'Whoever runs the vault'} made an address"
            text = f"{by} by which your password can be set anew. If you did not ask for it, ask them why."
        case "group.member_added":
            title = f"{detail.get('person', 'Somebody')} is in the group {detail.get('group', '')} now"
            albums = detail.get("albums")
            seen = f" and so sees {_listed(albums)}" if albums else ""
            text = f"{detail.get('by') or 'An administrator'} added {detail.get('person', 'somebody')} to it{seen}."
        case "account.opened":
            person, n = detail.get("person", "somebody"), detail.get("albums", 0)
            title = f"The account of {person} was opened anew"
            did = OPENED.get(detail.get("how", ""), "opened it")
            text = f"{detail.get('by') or 'Whoever runs the vault'} {did}. Whoever holds it sees {_listed(n)}."
        case "media.quarantine":
            n = detail.get("count", 1)
            title = "A picture of yours is damaged" if n == 1 else f"{n:,} pictures of yours are damaged"
            which = f"“{detail.get('file', '')}”{_and_others(n - 1)}"
            text = f"What the vault kept of {which} is no longer what you uploaded."
        case _:
            title, text = "Something happened that concerns you", row.kind.replace("_", " ").replace(".", ": ")
    return Told(row.public_id, row.kind, row.at, title, text)


def _break_glass(row: Notice, detail: dict[str, Any]) -> Told:
    who, album = detail["by"], detail["album"]
    until = datetime.fromisoformat(detail["until"]).astimezone(UTC)
    ended = detail.get("ended") or until <= utcnow()
    title = f"Administrator {who} {'looked' if ended else 'looks'} at your album “{album}”"
    when = f"{until.day} {until:%B %Y, %H:%M} (UTC)"
    state = "It has ended." if ended else f"It ends by itself on {when}."
    told = f"The reason they gave: “{detail['reason']}”. {state} It is recorded."
    held = (None, None) if ended else (detail["album_id"], detail["by_id"])
    return Told(row.public_id, row.kind, row.at, title, told, *held)


def _and_others(more: int) -> str:
    return f" and {more:,} more" if more else ""


def _listed(albums: Any) -> str:
    if isinstance(albums, int):
        return "1 album of yours" if albums == 1 else f"{albums} albums of yours"
    names = [f"“{name}”" for name in albums]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
