"""The two packets beside EXIF in which pictures carry words and dates: XMP and IPTC.

Floor 0. XMP is XML from strangers: it is read by defusedxml only, without a DTD, and only up to a bound.
"""

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from PIL import Image, IptcImagePlugin

from vault.imaging.texts import MAX_CAPTION, MAX_NAME, cleaned

_MAX_XMP_BYTES: Final = 1_000_000
_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DUBLIN_CORE: Final = "{http://purl.org/dc/elements/1.1/}"
_TIFF: Final = "{http://ns.adobe.com/tiff/1.0/}"
_DATES: Final = (
    "{http://ns.adobe.com/exif/1.0/}DateTimeOriginal",
    "{http://ns.adobe.com/photoshop/1.0/}DateCreated",
    "{http://ns.adobe.com/xap/1.0/}CreateDate",
)
# IPTC IIM 4.2, record 2.
_OBJECT_NAME: Final = (2, 5)
_DATE_CREATED: Final = (2, 55)
_TIME_CREATED: Final = (2, 60)
_CAPTION: Final = (2, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What one packet says; `created` is a date as written, not yet understood."""

    title: str | None = None
    caption: str | None = None
    make: str | None = None
    model: str | None = None
    created: str | None = None


def xmp(image: Image.Image) -> Packet:
    """Read the XMP packet; an empty answer where there is none, a forbidden or a broken one."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    if not isinstance(packet, bytes) or len(packet) > _MAX_XMP_BYTES:
        return Packet()
    try:
        root = ElementTree.fromstring(packet.strip(b"\x00 \t\r\n"), forbid_dtd=True)
    except (ValueError, SyntaxError):
        # ValueError: what defusedxml forbids. SyntaxError: what is no XML.
        return Packet()
    return Packet(
        title=cleaned(_alternative(root, f"{_DUBLIN_CORE}title"), MAX_NAME),
        caption=cleaned(_alternative(root, f"{_DUBLIN_CORE}description"), MAX_CAPTION),
        make=cleaned(_property(root, f"{_TIFF}Make"), MAX_NAME),
        model=cleaned(_property(root, f"{_TIFF}Model"), MAX_NAME),
        created=next((text for name in _DATES if (text := _property(root, name))), None),
    )


def iptc(image: Image.Image) -> Packet:
    """Read the IPTC packet of a JPEG; raises whatever Pillow's parser raises for a broken one."""
    found = IptcImagePlugin.getiptcinfo(image)  # type: ignore[arg-type]  # it looks for the classes that it knows itself
    if not found:
        return Packet()
    fields = {key: value[0] if isinstance(value, list) else value for key, value in found.items()}
    date = cleaned(fields.get(_DATE_CREATED), 8) or ""
    time = cleaned(fields.get(_TIME_CREATED), 11) or "000000"
    return Packet(
        title=cleaned(fields.get(_OBJECT_NAME), MAX_NAME),
        caption=cleaned(fields.get(_CAPTION), MAX_CAPTION),
        created=f"{date[:4]}:{date[4:6]}:{date[6:]} {time[:2]}:{time[2:4]}:{time[4:6]}{time[6:]}" if date else None,
    )


def _alternative(root: Element, name: str) -> str | None:
    """The first language of an `rdf:Alt`, which is the default one (XMP specification part 1, 8.2.2.4)."""
    holder = next(root.iter(name), None)
    return None if holder is None else next((item.text for item in holder.iter(f"{_RDF}li") if item.text), None)


def _property(root: Element, name: str) -> str | None:
    """A simple property, which XMP writes as an element or as an attribute of `rdf:Description`."""
    for element in root.iter():
        if element.tag == name and element.text:
            return element.text
        if name in element.attrib:
            return element.attrib[name]
    return None
