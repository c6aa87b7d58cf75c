"""What a picture says about itself: when, where, with which camera, and what is on it.

Floor 0. Every value is somebody else's claim: read one by one, checked for range, never believed to be there.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from PIL import ExifTags, Image

from vault.imaging import exif_texts, packets
from vault.imaging.moments import Moment, is_past, moment, satellite_moment, zoned
from vault.imaging.packets import Packet
from vault.imaging.provenance import Source
from vault.imaging.texts import MAX_CAPTION, MAX_NAME, cleaned, keywords

_Value = TypeVar("_Value")
_Base: Final = ExifTags.Base
_Gps: Final = ExifTags.GPS
_Fields = Mapping[int, object]
_RATING: Final = 0x4746
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
        "created with gimp",
        "created with the gimp",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What one picture or film says about itself; `None` or empty where it says nothing credible.

    `taken_at` is aware and in UTC, `taken_offset_minutes` the zone it was given in, in minutes east of UTC; where no
    zone was named, the local time stands in `taken_at` as if it were UTC. Angles are degrees, positive to north and
    east. `orientation` is EXIF's, 1 to 8. `rating` is 1 to 5, or -1 for "rejected". `content_id` is what the halves of
    a live photo have in common. `sources` says for taken_at, place, camera, title, caption, keywords and rating where
    it was read, in words of `provenance.Source`.
    """

    taken_at: datetime | None = None
    taken_offset_minutes: int | None = None
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
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    content_id: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def taken_source(self) -> str | None:
        """Where the date was read."""
        return self.sources.get("taken_at")


@dataclass(frozen=True, slots=True)
class _Said:
    """The directories and packets of one file, each as it was read."""

    main: _Fields
    exif: _Fields
    gps: _Fields
    xmp: Packet
    iptc: Packet
    big_endian: bool = False


def read(image: Image.Image) -> Metadata:
    """Read what an opened picture says about itself; raises nothing, whatever the picture holds."""
    with warnings.catch_warnings():
        # Pillow warns of broken EXIF; broken EXIF is this function's daily bread.
        warnings.simplefilter("ignore")
        xmp = _tolerantly(lambda: packets.xmp(image)) or Packet()
        iptc = _tolerantly(lambda: packets.iptc(image)) or Packet()
        return _read(_tolerantly(image.getexif), xmp, iptc)


def read_exif(packet: bytes, xmp: bytes = b"") -> Metadata:
    """Read an EXIF packet that was found without Pillow, with or without its prefix, and an XMP packet beside it.

    Raises nothing.
    """

    def load() -> Image.Exif:
        exif = Image.Exif()
        exif.load(packet)
        return exif

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = _tolerantly(lambda: packets.read_xmp(xmp)) if xmp else None
        return _read(_tolerantly(load), said or Packet(), Packet())


def _read(tags: Any, xmp: Packet, iptc: Packet) -> Metadata:
    said = _Said(
        main=_tolerantly(lambda: dict(tags)) or {},
        exif=_tolerantly(lambda: dict(tags.get_ifd(ExifTags.IFD.Exif))) or {},
        gps=_tolerantly(lambda: dict(tags.get_ifd(ExifTags.IFD.GPSInfo))) or {},
        xmp=xmp,
        iptc=iptc,
        big_endian=getattr(tags, "endian", "<") == ">",
    )
    sources: dict[str, str] = {}
    facts = _when(said, sources) | _where(said, sources) | _camera(said, sources) | _words(said, sources)
    return Metadata(**facts, orientation=_orientation(said.main.get(_Base.Orientation)), sources=sources)


def _when(said: _Said, sources: dict[str, str]) -> dict[str, Any]:
    for source, found in _dates(said):
        if found is not None and is_past(found.at):
            sources["taken_at"] = source.value
            return {"taken_at": found.at, "taken_offset_minutes": found.offset_minutes}
    return {}


def _dates(said: _Said) -> list[tuple[Source, Moment | None]]:
    """Return all that a still says of its date, in the order of `provenance.DATES`."""
    satellite = satellite_moment(said.gps.get(_Gps.GPSDateStamp), said.gps.get(_Gps.GPSTimeStamp))
    if satellite is None:
        fix = moment(said.xmp.satellite)
        satellite = fix.at if fix else None
    longitude = (_position(said.gps) or (None, None))[1]

    def stamp(name: int, offset: int) -> Moment | None:
        # Some writers put the stamps into the main directory, and some name one offset for all of them.
        zones = (table.get(each) for each in (offset, _Base.OffsetTime) for table in (said.exif, said.main))
        local = moment(said.exif.get(name) or said.main.get(name), next((each for each in zones if each), None))
        return zoned(local, satellite, longitude) if local else None

    edited = moment(said.xmp.created)
    return [
        (Source.EXIF, stamp(_Base.DateTimeOriginal, _Base.OffsetTimeOriginal)),
        (Source.EXIF_DIGITIZED, stamp(_Base.DateTimeDigitized, _Base.OffsetTimeDigitized)),
        (Source.XMP, zoned(edited, satellite, longitude) if edited else None),
        (Source.IPTC, moment(said.iptc.created)),
        (Source.GPS, Moment(satellite, 0) if satellite else None),
        (Source.EXIF_CHANGED, stamp(_Base.DateTime, _Base.OffsetTime)),
    ]


def _where(said: _Said, sources: dict[str, str]) -> dict[str, Any]:
    position, altitude = _position(said.gps), _altitude(said.gps)
    if position is not None:
        sources["place"] = Source.EXIF.value
        return {"latitude": position[0], "longitude": position[1], "altitude_m": altitude}
    if said.xmp.latitude is not None:
        sources["place"] = Source.XMP.value
        found = said.xmp
        return {"latitude": found.latitude, "longitude": found.longitude, "altitude_m": found.altitude_m}
    return {"altitude_m": altitude}


def _camera(said: _Said, sources: dict[str, str]) -> dict[str, Any]:
    main, exif, xmp = said.main, said.exif, said.xmp
    make, model = cleaned(main.get(_Base.Make), MAX_NAME), cleaned(main.get(_Base.Model), MAX_NAME)
    if make or model or xmp.make or xmp.model:
        sources["camera"] = (Source.EXIF if make or model else Source.XMP).value
    return {
        "camera_make": make or xmp.make,
        "camera_model": model or xmp.model,
        "lens": cleaned(exif.get(_Base.LensModel), MAX_NAME) or xmp.lens,
        "f_number": _within(exif.get(_Base.FNumber), 0.1, 1000),
        "exposure_seconds": _within(exif.get(_Base.ExposureTime), 1e-7, 1e6),
        "iso": _within(exif.get(_Base.ISOSpeedRatings), 1, 1e8),
        "focal_length_mm": _within(exif.get(_Base.FocalLength), 0.1, 1e5),
        "content_id": exif_texts.content_id(exif.get(_Base.MakerNote)),
    }


def _words(said: _Said, sources: dict[str, str]) -> dict[str, Any]:
    """Return words and rating, of each the first of XMP, IPTC and EXIF that says something (`provenance.TEXTS`)."""
    main, exif, xmp, iptc = said.main, said.exif, said.xmp, said.iptc
    remark = exif_texts.comment(exif.get(_Base.UserComment), big_endian=said.big_endian)
    described = (cleaned(main.get(_Base.ImageDescription), MAX_CAPTION), exif_texts.windows(main.get(_Base.XPComment)))
    words = exif_texts.windows(main.get(_Base.XPKeywords)) or ""
    return _first(
        sources,
        {
            "title": (xmp.title, iptc.title, exif_texts.windows(main.get(_Base.XPTitle), MAX_NAME)),
            "caption": (_written(xmp.caption), _written(iptc.caption), _written(*described, remark)),
            "keywords": (xmp.keywords, iptc.keywords, keywords(words.split(";"))),
            "rating": (xmp.rating, None, packets.rating(_number(main.get(_RATING)))),
        },
    )


def _first(sources: dict[str, str], said: Mapping[str, Iterable[object]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, values in said.items():
        for source, value in zip((Source.XMP, Source.IPTC, Source.EXIF), values, strict=True):
            if value and name not in found:
                found[name], sources[name] = value, source.value
    return found


def _written(*captions: str | None) -> str | None:
    """Return the first caption that a person wrote, passing over what a camera writes into every picture."""
    return next((each for each in captions if each and each.casefold() not in _STOCK_CAPTIONS), None)


def _tolerantly(read_one: Callable[[], _Value]) -> _Value | None:
    try:
        return read_one()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a broken field of a stranger's file may raise anything, and costs only that field
        return None


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
