"""How a picture looks in the API, wherever it is listed.

Floor 4, the hall of this folder. Its address is the outward contract's: `/media/<id>/thumb`, `preview`, `original`.
"""

from typing import Any

from marshmallow import fields, validate

from vault.imaging.provenance import Source
from vault.models.media import Media, State
from vault.policy import Action, Viewer, allowed
from vault.services import library, parts
from vault.web.api.protocol import Answer, Moment
from vault.web.tiles import placeholder

ID = {"description": "Opaque.", "examples": ["c2FtcGxlLWlkLW9mLTIyIQ"]}


class Picture(Answer):
    """A picture in a list."""

    id = fields.String(metadata=ID)
    kind = fields.String(metadata={"description": "`image` or `video`.", "examples": ["image"]})
    media_type = fields.String(metadata={"examples": ["image/jpeg"]})
    state = fields.String(
        validate=validate.OneOf([state.value for state in State]),
        metadata={"description": "`pending` until thumb and preview are there; `failed` if they never will be."},
    )
    failure = fields.String(allow_none=True, metadata={"description": "Why it failed. Said to its owner only."})
    duration_seconds = fields.Float(allow_none=True, metadata={"description": "Of a video; null for pictures."})
    playback = fields.String(
        metadata={
            "description": "Where the copy of a video stands that browsers play at `/media/<id>/video`: `pending`, "
            "`ready` or `failed`. Of a picture `ready` where it has moving seconds at `/media/<id>/motion`, else empty."
        },
    )
    width = fields.Integer(allow_none=True, metadata={"description": "Pixels of the upright picture."})
    height = fields.Integer(allow_none=True, metadata={"description": "Pixels of the upright picture."})
    taken_at = Moment(allow_none=True)
    uploaded_at = Moment()
    trashed_at = Moment(allow_none=True)
    title = fields.String()
    caption = fields.String()
    rating = fields.Integer(allow_none=True, metadata={"description": "Stars, 1 to 5; -1 is “rejected”."})
    file_name = fields.String(metadata={"examples": ["IMG_2041.jpg"]})
    owner_id = fields.String(metadata=ID)
    bytes = fields.Integer(metadata={"description": "Size of the original."})
    sha256 = fields.String(
        allow_none=True,
        metadata={"description": "Of the original, in hex. Null for who may not download it."},
    )
    placeholder = fields.String(
        allow_none=True,
        metadata={"description": "A tiny WebP as a `data:` address, to be shown until the thumb is there."},
    )


class PictureDetails(Picture):
    """A picture with what is known of it."""

    taken_offset_minutes = fields.Integer(
        allow_none=True,
        metadata={
            "description": "The zone of `taken_at`, in minutes east of UTC. Where it is null no zone was told, and "
            "`taken_at` holds the local time as if it were UTC."
        },
    )
    taken_source = fields.String(
        allow_none=True,
        validate=validate.OneOf([source.value for source in Source]),
        metadata={"description": "Where the date was read."},
    )
    keywords = fields.List(fields.String())
    part_of = fields.String(
        allow_none=True, metadata=ID | {"description": "The picture that this file is kept together with."}
    )
    raw = fields.String(
        allow_none=True, metadata=ID | {"description": "Its RAW, to be had at `/media/{id}/raw`. For who may."}
    )
    camera = fields.String()
    lens = fields.String()
    f_number = fields.Float(allow_none=True)
    exposure_seconds = fields.Float(allow_none=True)
    iso = fields.Integer(allow_none=True)
    focal_length_mm = fields.Float(allow_none=True)
    latitude = fields.Float(
        allow_none=True,
        metadata={"description": "Degrees, north is positive. Null for who may not download the original."},
    )
    longitude = fields.Float(allow_none=True, metadata={"description": "Degrees, east is positive."})
    altitude_m = fields.Float(allow_none=True)


DETAILS = tuple(PictureDetails._declared_fields.keys() - Picture._declared_fields.keys())  # noqa: SLF001  # marshmallow's own list of a class's fields


TOLD_APART = {"taken_source", "part_of", "raw"}
PLACE = ("latitude", "longitude", "altitude_m")


def pictures(viewer: Viewer, found: list[Media]) -> list[dict[str, Any]]:
    """Return pictures as lists show them to a viewer."""
    owners = library.owner_ids(found)
    may_take = allowed(viewer, Action.DOWNLOAD, Media, [media.public_id for media in found])
    return [_picture(media, owners[media.owner_id], viewer, takes=media.public_id in may_take) for media in found]


def picture(viewer: Viewer, media: Media) -> dict[str, Any]:
    """Return one picture with its details."""
    (shown,) = pictures(viewer, [media])
    details = {name: getattr(media, name) for name in DETAILS if name not in TOLD_APART}
    details["taken_source"] = media.sources.get("taken_at")
    main, kept = parts.main_of(media), parts.raw_of(media)
    details |= {"part_of": main.public_id if main else None, "raw": kept if shown["sha256"] is not None else None}
    # Where it was taken stands in the original, so it is told to those who may have that.
    return shown | details | (dict.fromkeys(PLACE) if shown["sha256"] is None else {})


def _picture(media: Media, owner_id: str, viewer: Viewer, *, takes: bool) -> dict[str, Any]:
    mine = media.owner_id == viewer.user_id
    return {
        "id": media.public_id,
        "kind": media.media_type.partition("/")[0],
        "media_type": media.media_type,
        "state": media.state,
        "failure": media.failure if mine else None,
        "playback": media.playback,
        "width": media.width,
        "height": media.height,
        "taken_at": media.taken_at,
        "uploaded_at": media.uploaded_at,
        "trashed_at": media.trashed_at,
        "title": media.title,
        "caption": media.caption,
        "rating": media.rating,
        "duration_seconds": media.duration_seconds,
        "file_name": media.file_name,
        "owner_id": owner_id,
        "bytes": media.size_bytes,
        "sha256": media.sha256 if mine or takes else None,
        "placeholder": placeholder(media),
    }
