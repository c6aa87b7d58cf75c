"""One picture: its page, its bytes, and what its owner does with it. Floor 4."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from vault.models.media import Album, AlbumFacts, Media, MediaFacts, Order, Part, Playback, State
from vault.models.sharing import Link, Role
from vault.policy import Action, Denied, Permit, allowed, may, role_on
from vault.services import Refused, albums, explaining, history, library, parts, people, progress
from vault.services.library import Neighbours
from vault.web import access
from vault.web.access import Face, requires, vault
from vault.web.captions import CaptionForm, caption_form, date_of, written
from vault.web.delivery import send, send_moving, send_original
from vault.web.facts import NAME_OF, details, location, stars
from vault.web.tiles import member_tile, wants_json

blueprint = Blueprint("media", __name__, url_prefix="/media/<media_id>")


@blueprint.get("/thumb")
@requires(Action.VIEW, Media, face=Face.BYTES)
def thumb(permit: Permit[MediaFacts]) -> Response:
    """Send the small picture of grids."""
    return send(permit, "thumb")


@blueprint.get("/preview")
@requires(Action.VIEW, Media, face=Face.BYTES)
def preview(permit: Permit[MediaFacts]) -> Response:
    """Send the picture that fills a screen, and remember that it was opened."""
    answer = send(permit, "preview")
    if request.method == "GET":
        vault().recorder.opened(permit, "preview")
    return answer


@blueprint.get("/original")
@requires(Action.DOWNLOAD, Media, face=Face.BYTES)
def original(permit: Permit[MediaFacts]) -> Response:
    """Send the file as it was uploaded, and remember that it was taken."""
    return send_original(permit)


@blueprint.get("/video")
@requires(Action.VIEW, Media, face=Face.BYTES)
def video(permit: Permit[MediaFacts]) -> Response:
    """Send what browsers play of a video, and remember that it was played."""
    return send_moving(permit, "video")


@blueprint.get("/motion")
@requires(Action.VIEW, Media, face=Face.BYTES)
def motion(permit: Permit[MediaFacts]) -> Response:
    """Send the moving seconds of a picture, and remember that they were played."""
    return send_moving(permit, "motion")


@blueprint.get("")
@requires(Action.VIEW, Media, otherwise=Action.RECOVER)
def show(permit: Permit[MediaFacts]) -> str:
    """Show one picture with what is known of it, between its neighbours; of a damaged one, what to do."""
    media, viewer = library.get(permit), permit.viewer
    if permit.action is Action.RECOVER:
        return _damaged(permit, media)
    if media.state == State.PENDING:
        progress.want([media.id])
    album = _album_around()
    near = library.neighbours_in_album(album, permit) if album else library.neighbours_of_person(permit)
    around = request.args["album"] if album else None
    kept = parts.of(permit)
    can = {action for action in Action if may(viewer, action, Media, media.public_id)}
    return render_template(
        "media/show.html",
        item=member_tile(media, viewer.user_id, original=Action.DOWNLOAD in can),
        file_name=media.file_name,
        title=media.title,
        details=details(media),
        keywords=media.keywords,
        stars=stars(media.rating) if media.rating else None,
        parts=[_part(media, each, may_take=Action.DOWNLOAD in can) for each in kept],
        main=_main(media),
        # Where it was taken stands in the original, so it is shown to those who may have that.
        location=location(media) if Action.DOWNLOAD in can else None,
        album={"id": around, "url": url_for("albums.show", album_id=around), "title": album.row.title}
        if album
        else None,
        **_neighbour_urls(near, around),
        places=_places(album, near) if album else None,
        can=_can(media, can),
        caption_form=caption_form(media),
        albums=[_holding(permit, each) for each in albums.holding(viewer, permit)],
        addable=_addable(permit) if Action.PLACE in can else [],
        **(_seen(permit) if Action.EXPLAIN in can else {}),
        access=explaining.of_media(permit) if Action.EXPLAIN in can else [],
    )


@blueprint.post("/edit")
@requires(Action.CAPTION, Media)
def edit(permit: Permit[MediaFacts]) -> AnyResponse:
    """Write title, caption, keywords, stars and date."""
    form = CaptionForm()
    if form.validate_on_submit():
        try:
            library.describe(permit, **written(form), taken_at=date_of(form, library.get(permit)))
        except Refused as refusal:
            flash(str(refusal), "error")
        else:
            flash("Saved.", "ok")
    else:
        flash("That is not a date, or a text is too long.", "error")
    return redirect(url_for("media.show", media_id=permit.row.public_id, album=request.args.get("album")))


@blueprint.post("/trash")
@requires(Action.TRASH, Media)
def trash(permit: Permit[MediaFacts]) -> AnyResponse:
    """Move to the trash."""
    library.trash(permit)
    flash("The picture is in the trash. You can take it back from there.", "ok")
    return redirect(_back("library.pictures"))


@blueprint.post("/restore")
@requires(Action.RESTORE, Media)
def restore(permit: Permit[MediaFacts]) -> AnyResponse:
    """Take out of the trash."""
    library.restore(permit)
    flash("The picture is back, in its albums too.", "ok")
    return redirect(url_for("library.trash"))


@blueprint.post("/purge")
@requires(Action.RESTORE, Media)
def purge(permit: Permit[MediaFacts]) -> AnyResponse | tuple[str, int]:
    """Delete for good."""
    library.purge(vault(), permit)
    if wants_json():
        return "", 204
    flash("The picture is deleted for good.", "ok")
    return redirect(url_for("library.trash"))


@blueprint.post("/retry")
@requires(Action.TRASH, Media)
def retry(permit: Permit[MediaFacts]) -> AnyResponse:
    """Render once more."""
    library.retry(vault(), permit)
    flash("The vault tries again.", "ok")
    return redirect(url_for("media.show", media_id=permit.row.public_id, album=request.args.get("album")))


def _album_around() -> Permit[AlbumFacts] | None:
    album_id = request.args.get("album")
    if not album_id:
        return None
    try:
        return access.permit(Action.VIEW, Album, album_id)
    except Denied:
        return None


def _neighbour_urls(near: Neighbours, album_id: str | None) -> dict[str, str | None]:
    def url(media_id: str | None) -> str | None:
        return url_for("media.show", media_id=media_id, album=album_id) if media_id else None

    return {"previous": url(near.previous), "next": url(near.next)}


def _places(album: Permit[AlbumFacts], near: Neighbours) -> dict[str, str | None] | None:
    """Return behind which pictures this one may be put in an album by hand, to stand one place earlier or later."""
    if album.row.order != Order.MANUAL or not may(album.viewer, Action.ARRANGE, Album, album.row.public_id):
        return None
    places = {"album": album.row.public_id, "earlier": None, "later": near.next}
    if near.previous:
        before = library.neighbours_in_album(album, access.permit(Action.VIEW, Media, near.previous))
        places["earlier"] = before.previous or ""
    return places


def _can(media: Media, may: set[Action]) -> set[str]:
    named = {Action.CAPTION: "caption", Action.DOWNLOAD: "download", Action.TRASH: "trash", Action.EXPLAIN: "access"}
    can = {name for action, name in named.items() if action in may}
    # What failed for good fails again; of a video's playback nobody knows.
    is_hopeful = media.failure_may_pass if media.state == State.FAILED else media.playback == Playback.FAILED
    return can | ({"retry"} if is_hopeful and Action.TRASH in may else set())


def _damaged(permit: Permit[MediaFacts], media: Media) -> str:
    """Show what became of a damaged picture, and what is kept together with it."""
    whole = [_part(media, each, may_take=True) for each in parts.of(permit)]
    return render_template("media/damaged.html", media=media, details=details(media), parts=whole, main=_main(media))


def _part(media: Media, part: Media, *, may_take: bool) -> dict[str, object]:
    """Return what the page of a picture shows of one of its parts."""
    is_raw = part.part == Part.RAW
    by_picture = is_raw and media.quarantined_at is None
    address = url_for("parts.raw", media_id=media.public_id) if by_picture else None
    original = address or url_for("media.original", media_id=part.public_id)
    return {
        "label": f"RAW ({NAME_OF.get(part.media_type, '')})" if is_raw else "Video",
        "name": part.file_name,
        "original": original if may_take else None,
    }


def _main(media: Media) -> dict[str, str] | None:
    """Return what a part belongs to."""
    main = parts.main_of(media)
    if main is None:
        return None
    name = main.caption or main.title or main.file_name
    return {"name": name, "url": url_for("media.show", media_id=main.public_id)}


def _holding(permit: Permit[MediaFacts], album: Album) -> dict[str, object]:
    role = role_on(permit.viewer, album.id)
    mine = permit.row.owner_id == permit.viewer.user_id
    return {
        "id": album.public_id,
        "url": url_for("albums.show", album_id=album.public_id),
        "title": album.title,
        "can_arrange": role is not None and role >= Role.EDITOR,
        "can_take_out": role is not None and (role >= Role.EDITOR or mine),
    }


def _addable(permit: Permit[MediaFacts]) -> list[tuple[str, str]]:
    held = {album.public_id for album in albums.holding(permit.viewer, permit)}
    return [choice for choice in albums.addable(permit.viewer) if choice[0] not in held]


def _seen(permit: Permit[MediaFacts]) -> dict[str, object]:
    """Return who opened a picture: people, and visitors by links."""
    looked, guests = history.onlookers_of_media(permit), history.guests_of_media(permit)
    mine = allowed(permit.viewer, Action.MANAGE, Link, {each.link.public_id for each in guests})
    return {
        "onlookers": [{**each._asdict(), "name": people.shown_name(each.person)} for each in looked],
        "guests": [{**each._asdict(), "is_mine": each.link.public_id in mine} for each in guests],
    }


def _back(endpoint: str) -> str:
    album_id = request.args.get("album")
    return url_for("albums.show", album_id=album_id) if album_id else url_for(endpoint)
