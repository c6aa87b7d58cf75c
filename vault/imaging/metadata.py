"""What a picture says about itself: when, where, with which camera, and what is on it.

Floor 0. Every value is somebody else's claim: read one by one, checked for range, never believed to be there.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from PIL import ExifTags, Image

from vault.imaging import packets
from vault.imaging.moments import moment, satellite_moment
from vault.imaging.texts import MAX_CAPTION, MAX_NAME, cleaned

_Value = TypeVar("_Value")
_Base: Final = ExifTags.Base
_Gps: Final = ExifTags.GPS
_Fields = Mapping[int, object]
# Descriptions that makers put into every picture of theirs, in small letters.
_STOCK_CAPTIONS: Final = frozenset(
    {
        "sony dsc",
        "olympus digital camera",
        "minolta digital camera",
        "konica minolta digital camera",
        "kodak digital still camera",
        "digital camera",
        "exif_jpeg_picture",
        "samsung camera pictures",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What one picture says about itself; `None` where it says nothing credible.

    `taken_at` is aware and in UTC; where the camera named no zone its local time stands there as if it were UTC, and
    `taken_at_has_zone` is false. Angles are degrees, positive to north and east. `orientation` is EXIF's, 1 to 8.
    """

    taken_at: datetime | None = None
    taken_at_has_zone: bool = False
    camera_make: str | None = None
    camera_model: str | None = None
    lens: str | None = None
    f_number: float | None = None
    exposure_seconds: float | None = None
    iso: float | None = None
    focal_length_mm: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None
    orientation: int = 1
    title: str | None = None
    caption: str | None = None


def read(image: Image.Image) -> Metadata:
    """Read what an opened picture says about itself; raises nothing, whatever the picture holds."""
    with warnings.catch_warnings():
        # Pillow warns of broken EXIF; broken EXIF is this function's daily bread.
        warnings.simplefilter("ignore")
        return _read(image)


def _read(image: Image.Image) -> Metadata:
    main = _tolerantly(lambda: dict(image.getexif())) or {}
    exif = _directory(image, ExifTags.IFD.Exif)
    gps = _directory(image, ExifTags.IFD.GPSInfo)
    xmp = _tolerantly(lambda: packets.xmp(image)) or packets.Packet()
    iptc = _tolerantly(lambda: packets.iptc(image)) or packets.Packet()
    stamps = (*_exif_stamps(main, exif), (iptc.created, None), (xmp.created, None))
    taken_at, has_zone = _taken_at(stamps, gps)
    latitude, longitude = _position(gps) or (None, None)
    return Metadata(
        taken_at=taken_at,
        taken_at_has_zone=has_zone,
        camera_make=cleaned(main.get(_Base.Make), MAX_NAME) or xmp.make,
        camera_model=cleaned(main.get(_Base.Model), MAX_NAME) or xmp.model,
        lens=cleaned(exif.get(_Base.LensModel), MAX_NAME),
        f_number=_within(exif.get(_Base.FNumber), 0.1, 1000),
        exposure_seconds=_within(exif.get(_Base.ExposureTime), 1e-7, 1e6),
        iso=_within(exif.get(_Base.ISOSpeedRatings), 1, 1e8),
        focal_length_mm=_within(exif.get(_Base.FocalLength), 0.1, 1e5),
        latitude=latitude,
        longitude=longitude,
        altitude_m=_altitude(gps),
        orientation=_orientation(main.get(_Base.Orientation)),
        title=xmp.title or iptc.title,
        caption=_said(xmp.caption, iptc.caption, cleaned(main.get(_Base.ImageDescription), MAX_CAPTION)),
    )


def _said(*captions: str | None) -> str | None:
    """Return the first caption that a person wrote, passing over what a camera writes into every picture."""
    return next((each for each in captions if each and each.casefold() not in _STOCK_CAPTIONS), None)


def _tolerantly(read_one: Callable[[], _Value]) -> _Value | None:
    try:
        return read_one()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a broken field of a stranger's file may raise anything, and costs only that field
        return None


def _directory(image: Image.Image, directory: ExifTags.IFD) -> _Fields:
    return _tolerantly(lambda: dict(image.getexif().get_ifd(directory))) or {}


def _exif_stamps(main: _Fields, exif: _Fields) -> list[tuple[object, object]]:
    """EXIF's stamps with their offsets, the moment of exposure before that of digitising (EXIF 3.0, 4.6.6)."""
    return [
        # Some writers put them into the main directory.
        (exif.get(stamp) or main.get(stamp), exif.get(offset) or main.get(offset))
        for stamp, offset in (
            (_Base.DateTimeOriginal, _Base.OffsetTimeOriginal),
            (_Base.DateTimeDigitized, _Base.OffsetTimeDigitized),
        )
    ]


def _taken_at(stamps: Iterable[tuple[object, object]], gps: _Fields) -> tuple[datetime | None, bool]:
    """The first credible stamp; without one, the satellites' clock, which is late by the time since the last fix."""
    for stamp, offset in stamps:
        found = moment(stamp, offset)
        if found is not None:
            return found
    satellite = satellite_moment(gps.get(_Gps.GPSDateStamp), gps.get(_Gps.GPSTimeStamp))
    return satellite, satellite is not None


def _orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _number(value: object) -> float | None:
    """A finite number, or nothing: EXIF's rationals may have a zero below the line."""
    value = value[0] if isinstance(value, tuple) and value else value
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever is no number raises TypeError, which is the question
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _within(value: object, lowest: float, highest: float) -> float | None:
    number = _number(value)
    return number if number is not None and lowest <= number <= highest else None


def _position(gps: _Fields) -> tuple[float, float] | None:
    latitude = _angle(gps.get(_Gps.GPSLatitude), gps.get(_Gps.GPSLatitudeRef), "S", 90)
    longitude = _angle(gps.get(_Gps.GPSLongitude), gps.get(_Gps.GPSLongitudeRef), "W", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        # Cameras without a fix write zeros; nobody takes pictures at 0/0 in the Gulf of Guinea.
        return None
    return latitude, longitude


def _angle(value: object, side: object, negative: str, limit: float) -> float | None:
    """Degrees from EXIF's (degrees, minutes, seconds); a missing side counts as the positive one."""
    if not isinstance(value, tuple) or not 1 <= len(value) <= 3:
        return None
    parts = [_number(part) for part in value]
    if any(part is None or part < 0 for part in parts):
        return None
    degrees = sum((part or 0.0) / 60.0**power for power, part in enumerate(parts))
    if degrees > limit:
        return None
    return -degrees if cleaned(side, 1) == negative else degrees


def _altitude(gps: _Fields) -> float | None:
    metres = _within(gps.get(_Gps.GPSAltitude), 0, 1e6)
    if metres is None:
        return None
    below_sea = gps.get(_Gps.GPSAltitudeRef) in (1, b"\x01")
    return -metres if below_sea else metres
