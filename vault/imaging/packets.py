"""The two packets beside EXIF in which pictures carry words, dates and places: XMP and IPTC.

Floor 0. XMP is XML from strangers: it is read by defusedxml only, without a DTD, and only up to a bound.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from PIL import Image, IptcImagePlugin

from vault.imaging.texts import MAX_CAPTION, MAX_NAME, cleaned, keywords

MAX_XMP_BYTES: Final = 1_000_000
_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DUBLIN_CORE: Final = "{http://purl.org/dc/elements/1.1/}"
_TIFF: Final = "{http://ns.adobe.com/tiff/1.0/}"
_EXIF: Final = "{http://ns.adobe.com/exif/1.0/}"
_XMP: Final = "{http://ns.adobe.com/xap/1.0/}"
_LENSES: Final = ("{http://cipa.jp/exif/1.0/}LensModel", "{http://ns.adobe.com/exif/1.0/aux/}Lens")
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_HIERARCHIES: Final = (
    "{http://www.digikam.org/ns/1.0/}TagsList",
    "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject",
)
_DATES: Final = (f"{_EXIF}DateTimeOriginal", "{http://ns.adobe.com/photoshop/1.0/}DateCreated", f"{_XMP}CreateDate")
_ANGLE: Final = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d{1,12})?)(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])")
_FRACTION: Final = re.compile(r"(-?\d{1,12}(?:\.\d{1,12})?)(?:/(\d{1,12}))?")
# IPTC IIM 4.2, record 2.
_OBJECT_NAME: Final = (2, 5)
_KEYWORDS: Final = (2, 25)
_DATE_CREATED: Final = (2, 55)
_TIME_CREATED: Final = (2, 60)
_CAPTION: Final = (2, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What one packet says; dates as written, not yet understood: `created`, and `satellite` by GPS.

    `rating` is 1 to 5, or -1 for "rejected".
    """

    title: str | None = None
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    created: str | None = None
    satellite: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None


def xmp(image: Image.Image) -> Packet:
    """Read the XMP packet of a picture; an empty answer where there is none, a forbidden or a broken one."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    if not isinstance(packet, bytes):
        return Packet()
    try:
        return read_xmp(packet)
    except ValueError:
        return Packet()


def read_xmp(packet: bytes) -> Packet:
    """Read an XMP packet or file. Raises ValueError for what is too large, forbidden, or no XMP at all."""
    if len(packet) > MAX_XMP_BYTES:
        raise ValueError("too large")
    try:
        root = ElementTree.fromstring(packet.strip(b"\x00 \t\r\n"), forbid_dtd=True)
    except SyntaxError as error:
        raise ValueError("no XML") from error
    except LookupError as error:
        raise ValueError("no known encoding") from error
    if next(root.iter(f"{_RDF}RDF"), None) is None:
        raise ValueError("no XMP")
    return _packet(root, _properties(root))


def _packet(root: Element, said: dict[str, str]) -> Packet:
    latitude = xmp_angle(said.get(f"{_EXIF}GPSLatitude"))
    longitude = xmp_angle(said.get(f"{_EXIF}GPSLongitude"))
    placed = latitude is not None and longitude is not None and not latitude == longitude == 0
    return Packet(
        title=cleaned(_alternative(root, f"{_DUBLIN_CORE}title"), MAX_NAME),
        caption=cleaned(_alternative(root, f"{_DUBLIN_CORE}description"), MAX_CAPTION),
        keywords=_subjects(root),
        rating=rating(said.get(f"{_XMP}Rating")),
        make=cleaned(said.get(f"{_TIFF}Make"), MAX_NAME),
        model=cleaned(said.get(f"{_TIFF}Model"), MAX_NAME),
        lens=next((text for name in _LENSES if (text := cleaned(said.get(name), MAX_NAME))), None),
        created=next((text for name in _DATES if (text := said.get(name))), None),
        satellite=said.get(f"{_EXIF}GPSTimeStamp"),
        latitude=latitude if placed else None,
        longitude=longitude if placed else None,
        altitude_m=_altitude(said),
    )


def iptc(image: Image.Image) -> Packet:
    """Read the IPTC packet of a JPEG or TIFF; raises whatever Pillow's parser raises for a broken one."""
    found = IptcImagePlugin.getiptcinfo(image)  # type: ignore[arg-type]  # it looks for the classes that it knows itself
    if not found:
        return Packet()
    many = found.get(_KEYWORDS)
    fields = {key: value[0] if isinstance(value, list) else value for key, value in found.items()}
    date = cleaned(fields.get(_DATE_CREATED), 8) or ""
    time = cleaned(fields.get(_TIME_CREATED), 11) or "000000"
    return Packet(
        title=cleaned(fields.get(_OBJECT_NAME), MAX_NAME),
        caption=cleaned(fields.get(_CAPTION), MAX_CAPTION),
        keywords=keywords(many if isinstance(many, list) else [many]),
        created=f"{date[:4]}:{date[4:6]}:{date[6:]} {time[:2]}:{time[2:4]}:{time[4:6]}{time[6:]}" if date else None,
    )


def rating(value: object) -> int | None:
    """Read a rating: 1 to 5, or -1 for "rejected"; 0 means that nobody rated, and everything else is none."""
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever is no number raises TypeError, which is the question
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number in (-1, 1, 2, 3, 4, 5) else None


def xmp_angle(text: str | None) -> float | None:
    """Read an angle as XMP writes it, `52,30.6N` or `52,30,36N` (XMP part 2, 1.2.7.4), in degrees."""
    match = _ANGLE.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    degrees = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    if degrees > (90 if match[4] in "NS" else 180):
        return None
    return -degrees if match[4] in "SW" else degrees


def _altitude(said: dict[str, str]) -> float | None:
    match = _FRACTION.fullmatch(said.get(f"{_EXIF}GPSAltitude", "").strip())
    if match is None or (match[2] is not None and int(match[2]) == 0):
        return None
    metres = float(match[1]) / int(match[2] or 1)
    if not 0 <= metres <= 1e6:
        return None
    return -metres if said.get(f"{_EXIF}GPSAltitudeRef", "").strip() == "1" else metres


def _properties(root: Element) -> dict[str, str]:
    """Return the simple properties, which XMP writes as elements or as attributes of `rdf:Description`."""
    found: dict[str, str] = {}
    for element in root.iter():
        if element.text and not element.text.isspace():
            found.setdefault(element.tag, element.text)
        for name, text in element.attrib.items():
            found.setdefault(name, text)
    return found


def _alternative(root: Element, name: str) -> str | None:
    """Return the default language of an `rdf:Alt`, or else its first (XMP part 1, 8.2.2.4)."""
    holder = next(root.iter(name), None)
    items = [item for item in _items(holder) if item.text and not item.text.isspace()]
    first = next((item for item in items if item.attrib.get(_LANGUAGE) == "x-default"), next(iter(items), None))
    return first.text if first is not None else None


def _subjects(root: Element) -> tuple[str, ...]:
    """Return the keywords; where only a tree of them was written, the ends of its branches."""
    plain = keywords(item.text for item in _items(next(root.iter(f"{_DUBLIN_CORE}subject"), None)))
    if plain:
        return plain
    branches = (item.text or "" for name in _HIERARCHIES for item in _items(next(root.iter(name), None)))
    return keywords(re.split(r"[|/]", branch)[-1] for branch in branches)


def _items(holder: Element | None) -> Iterator[Element]:
    return holder.iter(f"{_RDF}li") if holder is not None else iter(())
