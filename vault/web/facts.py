"""What is known of a picture, in words for people: when, where, with what, and where that was read.

Floor 4, a hall that the page files use. Whom it may be shown to is decided by who calls.
"""

from datetime import datetime, timedelta

from vault.imaging.kinds import EVERY_KIND
from vault.imaging.provenance import Source
from vault.models.media import Media
from vault.web.tiles import length

NAME_OF = {kind.media_type: kind.format for kind in EVERY_KIND}
# A date that did not come from the camera is less sure than it looks.
DATE_FROM: dict[str, str] = {
    Source.PERSON: "date written by hand",
    Source.SIDECAR: "date from the file beside it",
    Source.EXIF_DIGITIZED: "date of digitising",
    Source.XMP: "date from a program’s note in the file",
    Source.IPTC: "date from a program’s note in the file",
    Source.GPS: "date from the GPS clock",
    Source.TAKEOUT: "date from Google Takeout",
    Source.EXIF_CHANGED: "date of the last change to the file",
    Source.CONTAINER: "date from the video’s own clock",
    Source.FILE_NAME: "date from the file name",
    Source.FILE_TIME: "date of the file itself",
}


def details(media: Media) -> list[tuple[str, str]]:
    """Return what the camera said, label and value, without what it did not say."""
    exposure = _exposure(media.exposure_seconds)
    known = [
        ("Taken", taken(media)),
        ("Camera", media.camera),
        ("Lens", media.lens),
        (
            "Exposure",
            " · ".join(part for part in (exposure, f"f/{media.f_number:g}" if media.f_number else "") if part),
        ),
        ("ISO", str(media.iso or "")),
        ("Focal length", f"{media.focal_length_mm:g} mm" if media.focal_length_mm else ""),
        ("Size", f"{media.width} × {media.height}" if media.width else ""),
        ("Length", (length(media.duration_seconds) or "") if media.is_video else ""),
        ("Kind", NAME_OF.get(media.media_type, "")),
    ]
    return [(label, value) for label, value in known if value]


def location(media: Media) -> dict[str, float] | None:
    """Return where it was taken, in degrees; None where that is not known."""
    if media.latitude is None or media.longitude is None:
        return None
    return {"latitude": media.latitude, "longitude": media.longitude}


def taken(media: Media) -> str:
    """Return when it was taken, by the clock on the wall there, and what that is known from unless from the camera."""
    if media.taken_at is None:
        return ""
    parts = [f"{wall_clock(media.taken_at, media.taken_offset_minutes):%-d %B %Y, %H:%M}"]
    if media.taken_offset_minutes is not None:
        parts.append(zone(media.taken_offset_minutes))
    source = DATE_FROM.get(media.sources.get("taken_at", ""))
    return ", ".join(parts) + (f" ({source})" if source else "")


def wall_clock(moment: datetime, offset_minutes: int | None) -> datetime:
    """Return a moment as a clock showed it that hung so many minutes east of UTC; without a zone it is one already."""
    return moment + timedelta(minutes=offset_minutes or 0)


def zone(offset_minutes: int) -> str:
    """Return a zone as people write it, like UTC+2, with the sign of arithmetic."""
    hours, minutes = divmod(abs(offset_minutes), 60)
    if not offset_minutes:
        return "UTC"
    return f"UTC{'+' if offset_minutes > 0 else '−'}{hours}{f':{minutes:02}' if minutes else ''}"  # noqa: RUF001  # the sign of arithmetic


def stars(rating: int) -> dict[str, str]:
    """Return a rating as stars, and in words for who cannot see them."""
    if rating < 0:
        return {"sign": "✕", "words": "Rejected"}
    return {"sign": "★" * rating + "☆" * (5 - rating), "words": f"{rating} of 5 stars"}


def _exposure(seconds: float | None) -> str:
    if not seconds:
        return ""
    return f"{seconds:g} s" if seconds >= 1 else f"1/{round(1 / seconds)} s"
