"""Sidecars: small files beside a picture that speak of it.

Floor 0. XMP, as photographers' programs write it, and the JSON of Google's Takeout: bytes in, claims out. Which
sidecar belongs to which file is for others to know.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from vault.imaging.claims import Claims
from vault.imaging.moments import is_past, is_plausible, moment
from vault.imaging.packets import read_xmp
from vault.imaging.provenance import Source
from vault.imaging.texts import MAX_CAPTION, MAX_NAME, cleaned

MAX_BYTES: Final = 1024 * 1024
"""A larger sidecar is not read."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Takeout calls the file's name the title; that of a picture is known already.
_FILE_NAME: Final = re.compile(r".*\.[A-Za-z0-9]{2,5}")
# One of these says that the list is about a picture; an album's has none of them.
_OF_A_PICTURE: Final = ("photoTakenTime", "geoData", "geoDataExif", "imageViews")


class NoSidecar(ValueError):
    """The bytes are no sidecar that can be read; says why in words for people."""


def read(body: bytes) -> Claims:
    """Read a sidecar of a picture, XMP or Takeout's JSON. Raises NoSidecar for everything else.

    Whatever single field of it is nonsense is left out.
    """
    if len(body) > MAX_BYTES:
        raise NoSidecar("This sidecar is too large to be one.")
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{":
        return _takeout(body)
    if start in (b"<", b"\xff", b"\xfe"):
        return _xmp(body)
    raise NoSidecar("This is neither an XMP sidecar nor a list of Google Takeout.")


def _xmp(body: bytes) -> Claims:
    try:
        packet = read_xmp(body)
    except ValueError as error:
        raise NoSidecar("This is no XMP sidecar.") from error
    taken = moment(packet.created)
    if taken is not None and not is_past(taken.at):
        taken = None
    return Claims(
        source=Source.SIDECAR.value,
        taken_at=taken.at if taken else None,
        taken_offset_minutes=taken.offset_minutes if taken else None,
        latitude=packet.latitude,
        longitude=packet.longitude,
        altitude_m=packet.altitude_m,
        title=packet.title,
        caption=packet.caption,
        keywords=packet.keywords,
        rating=packet.rating,
    )


def _takeout(body: bytes) -> Claims:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoSidecar("This is no list of Google Takeout.") from error
    if not isinstance(said, dict) or not any(name in said for name in _OF_A_PICTURE):
        raise NoSidecar("This list of Google Takeout is not about a picture.")
    title, taken_at = cleaned(said.get("title"), MAX_NAME), _timestamp(said.get("photoTakenTime"))
    # What somebody put on the map by hand counts before what the file said.
    latitude, longitude, altitude = _place(said.get("geoData")) or _place(said.get("geoDataExif")) or (None,) * 3
    return Claims(
        source=Source.TAKEOUT.value,
        taken_at=taken_at,
        # Given in UTC; where the picture was taken another clock may have hung on the wall.
        taken_offset_minutes=0 if taken_at else None,
        latitude=latitude,
        longitude=longitude,
        altitude_m=altitude,
        title=None if title and _FILE_NAME.fullmatch(title) else title,
        caption=cleaned(said.get("description"), MAX_CAPTION),
    )


def _timestamp(value: Any) -> datetime | None:
    text = value.get("timestamp") if isinstance(value, dict) else None
    # Digits as text; nothing else is one, and nothing longer is a date.
    if not isinstance(text, str | int) or isinstance(text, bool) or not re.fullmatch(r"-?\d{1,12}", str(text)):
        return None
    seconds = int(text)
    try:
        at = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return at if seconds != 0 and is_plausible(at) and is_past(at) else None


def _place(value: Any) -> tuple[float, float, float | None] | None:
    if not isinstance(value, dict):
        return None
    latitude, longitude = _within(value.get("latitude"), 90), _within(value.get("longitude"), 180)
    # Where nothing is known Takeout writes zeros.
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None
    return latitude, longitude, _within(value.get("altitude"), 1e6) or None


def _within(value: Any, limit: float) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # Not-a-number is on no side of any bound.
    return float(value) if abs(value) <= limit else None
