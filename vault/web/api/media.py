"""The API's pictures: taking them in, describing them, throwing them away and taking them back. Floor 4."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, request
from marshmallow import RAISE, ValidationError, fields, validate
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnsupportedMediaType

from vault.imaging import texts
from vault.imaging.identify import ACCEPT
from vault.imaging.moments import FIRST_YEAR, LAST_YEAR, is_plausible
from vault.models.cursor import Page
from vault.models.media import Media, MediaFacts, State
from vault.policy import Action, Permit
from vault.services import library, parts, progress, uploads
from vault.web.access import Face, requires, signed_in, vault, viewer
from vault.web.api.protocol import (
    Blueprint,
    Body,
    ListQuery,
    Moment,
    Text,
    nothing,
    page,
    page_of,
)
from vault.web.api.shapes import Picture, PictureDetails, picture, pictures
from vault.web.receiving import incoming, one

blueprint = Blueprint("media", "Pictures. Their bytes are at `/media/{id}/thumb`, `/preview` and `/original`.")
MOST_IDS = 100


class Ids(fields.String):
    """Several ids with commas between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        ids = [each for each in super()._deserialize(value, attr, data, **kwargs).split(",") if each]
        if len(ids) > MOST_IDS:
            raise ValidationError(f"At most {MOST_IDS} at once.")
        return ids


class MediaQuery(ListQuery):
    """Which of one's pictures."""

    ids = Ids(
        load_default=None,
        metadata={
            "description": f"At most {MOST_IDS} ids with commas between them, of anything one may see; the others are "
            "left out of the answer. Then `cursor` is not looked at."
        },
    )
    trashed = fields.String(
        load_default="false",
        validate=validate.OneOf(["true", "false"]),
        metadata={"description": "`true` for what lies in one's trash."},
    )


class Received(PictureDetails):
    """A picture that was taken in."""

    duplicate = fields.Boolean(metadata={"description": "Whether one had the same bytes already: then it is that one."})


class UploadFiles(Body):
    """The files of the form."""

    file = fields.List(
        fields.Raw(), required=True, validate=validate.Length(equal=1, error="One picture at a time, please.")
    )


class UploadForm(Body):
    """The fields beside the file."""

    album_id = Text(load_default="")


def _is_possible(moment: datetime) -> bool:
    """Say no here already, at the field. Raises ValidationError."""
    if not is_plausible(moment):
        raise ValidationError(f"Must be from the year {FIRST_YEAR} to {LAST_YEAR}.")
    return True


class Description(Body):
    """What people write on the back of a picture. From then on no file and no sidecar overrules it."""

    title = Text(validate=validate.Length(max=library.LONGEST_TITLE))
    keywords = fields.List(
        Text(validate=validate.Length(min=1, max=texts.MAX_KEYWORD)), validate=validate.Length(max=texts.MAX_KEYWORDS)
    )
    rating = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.OneOf(library.RATINGS),
        metadata={"description": "Stars, 1 to 5; -1 for “rejected”, null for none."},
    )
    caption = Text(validate=validate.Length(max=library.LONGEST_CAPTION))
    taken_at = Moment(
        allow_none=True,
        validate=_is_possible,
        metadata={"description": f"From the year {FIRST_YEAR} to {LAST_YEAR}; null where it is unknown."},
    )


FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary", "description": f"One of {ACCEPT}."},
        "album_id": {"type": "string", "description": "The album to put it into; asks for the role contributor."},
    },
}


@blueprint.get("/media")
@signed_in(Face.API)
@blueprint.arguments(MediaQuery, location="query")
@blueprint.response(200, page_of(Picture))
def list_media(query: dict[str, Any]) -> dict[str, Any]:
    """List one's own pictures, the newest first, or name some to learn how they are doing."""
    asking, ids, trashed = viewer(), query.pop("ids"), query.pop("trashed") == "true"
    if ids is not None:
        named = library.some(asking, ids)
        waiting = [media.id for media in named if media.state == State.PENDING]
        answer = page(pictures(asking, named), Page([], None))
        progress.want(waiting)  # so a page asks for the tiles that somebody looks at
        return answer
    found = library.in_trash(asking, **query) if trashed else library.of_person(asking, **query)
    return {"items": pictures(asking, found.items), "next_cursor": found.next_cursor}


@blueprint.post("/media")
@signed_in(Face.API, body=one)
@blueprint.doc(requestBody={"required": True, "content": {"multipart/form-data": {"schema": FORM}}})
@blueprint.response(201, Received)
def receive() -> dict[str, Any]:
    """Take in one picture.

    Answered when its bytes are durable. Thumb and preview follow: `state` becomes `ready`, or `failed` with a reason.
    """
    file, album_id = _form()
    received = uploads.receive(vault(), viewer(), incoming(file), file_name=file.filename or "", album_id=album_id)
    return picture(viewer(), received.media) | {"duplicate": received.duplicate}


@blueprint.get("/media/<media_id>")
@requires(Action.VIEW, Media, face=Face.API)
@blueprint.response(200, PictureDetails)
def show(permit: Permit[MediaFacts]) -> dict[str, Any]:
    """Show a picture."""
    return picture(permit.viewer, library.get(permit))


@blueprint.patch("/media/<media_id>")
@requires(Action.CAPTION, Media, face=Face.API)
@blueprint.arguments(Description)
@blueprint.response(200, PictureDetails)
def describe(permit: Permit[MediaFacts], body: dict[str, Any]) -> dict[str, Any]:
    """Write title, caption, keywords, stars and date. Its owner may, and an editor of an album that it lies in."""
    return picture(permit.viewer, library.describe(permit, **body))


@blueprint.delete("/media/<media_id>")
@requires(Action.TRASH, Media, face=Face.API)
@blueprint.response(204)
def trash(permit: Permit[MediaFacts]) -> Response:
    """Move one's picture to the trash. It is gone at once from everywhere."""
    library.trash(permit)
    return nothing()


@blueprint.delete("/media/<media_id>/parts")
@requires(Action.PLACE, Media, face=Face.API)
@blueprint.response(204)
def keep_apart(permit: Permit[MediaFacts]) -> Response:
    """Make what is kept together with one's picture pictures of their own, for good: its RAW, the film of a live photo.

    Nothing is deleted.
    """
    parts.keep_apart(permit)
    return nothing()


@blueprint.post("/media/<media_id>/restore")
@requires(Action.RESTORE, Media, face=Face.API)
@blueprint.response(200, PictureDetails)
def restore(permit: Permit[MediaFacts]) -> dict[str, Any]:
    """Take one's picture out of the trash, back into its albums."""
    library.restore(permit)
    return picture(permit.viewer, library.get(permit))


@blueprint.post("/media/<media_id>/retry")
@requires(Action.TRASH, Media, face=Face.API)
@blueprint.response(200, PictureDetails)
def retry(permit: Permit[MediaFacts]) -> dict[str, Any]:
    """Try once more to render one's picture that failed."""
    library.retry(vault(), permit)
    return picture(permit.viewer, library.get(permit))


def _form() -> tuple[FileStorage, str | None]:
    """Return the one file of a multipart body and the album it is for. Raises what the parser does."""
    if request.mimetype not in ("", "multipart/form-data"):
        raise UnsupportedMediaType
    parser = Blueprint.ARGUMENTS_PARSER
    (file,) = parser.parse(UploadFiles, request, location="files", unknown=RAISE)["file"]
    return file, parser.parse(UploadForm, request, location="form")["album_id"] or None
