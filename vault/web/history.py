"""Who looked: at an album, and all visits of a link as a table to take along. Floor 4.

A link's own visits stand on its page, and those who saw one picture on the picture's.
"""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for

from vault import devices, tables
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Link, LinkFacts
from vault.policy import Action, Permit
from vault.services import history, people
from vault.services.history import Onlooker, Stay
from vault.web.access import requires, vault

blueprint = Blueprint("history", __name__)
AT_ONCE = 20
HEAD = (
    *("came", "last seen", "name", "browser", "address", "what", "file", "picture", "variant", "from", "to"),
    *("times", "bytes", "complete"),
)


@blueprint.get("/albums/<album_id>/history")
@requires(Action.EXPLAIN, Album)
def of_album(permit: Permit[AlbumFacts]) -> str:
    """Show who opened pictures of an album."""
    page = history.of_album(permit, limit=AT_ONCE, cursor=request.args.get("cursor"))
    here = url_for("history.of_album", album_id=permit.row.public_id)
    return render_template(
        "history/album.html",
        album={"title": permit.row.title, "url": url_for("albums.show", album_id=permit.row.public_id)},
        days=vault().settings.history_days,
        onlookers=[named(each) for each in history.onlookers_of_album(permit)],
        stays=page.items,
        next=f"{here}?cursor={page.next_cursor}" if page.next_cursor else None,
        is_first="cursor" not in request.args,
    )


@blueprint.get("/links/<link_id>/history.csv")
@requires(Action.MANAGE, Link)
def table(permit: Permit[LinkFacts]) -> Response:
    """Send all visits of a link as a table, a line for each thing that a visitor did."""
    answer = Response(stream_with_context(_lines(permit)), content_type=tables.MEDIA_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="visits-{permit.row.public_id[:8]}.csv"'
    return answer


def named(found: Onlooker) -> dict[str, Any]:
    """Return somebody who looked, as pages show him."""
    return {**found._asdict(), "name": people.shown_name(found.person)}


def _lines(permit: Permit[LinkFacts]) -> Iterator[str]:
    yield tables.line(HEAD)
    for stay in history.all_of_link(permit):
        visit = stay.visit
        who = (visit.opened_at.isoformat(), visit.last_seen_at.isoformat(), visit.guest_name)
        whence = (devices.in_words(visit.user_agent), visit.address)
        for did in _deeds(stay):
            yield tables.line((*who, *whence, *did))


def _deeds(stay: Stay) -> Iterator[tuple[object, ...]]:
    if not stay.sights and not stay.takings:
        yield ("came", "", "", "", "", "", "", "", "")
    for sight in stay.sights:
        media = sight.media
        named_ = (media.file_name, media.public_id) if media else ("", "")
        yield (
            "opened",
            *named_,
            sight.variant,
            sight.first_at.isoformat(),
            sight.last_at.isoformat(),
            sight.times,
            "",
            "",
        )
    for taking in stay.takings:
        media = taking.media
        named_ = (media.file_name, media.public_id) if media else ("all", "") if taking.is_zip else ("", "")
        ended = taking.completed_at.isoformat() if taking.completed_at else ""
        complete = "yes" if taking.completed_at else "no"
        yield ("took", *named_, "original", taking.began_at.isoformat(), ended, 1, taking.sent_bytes, complete)
