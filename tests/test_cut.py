"""Cutting metadata out of files: what must go is gone, the pixels are the same, and nothing odd gets through."""

import io
import struct

import pytest
from PIL import Image, ImageSequence
from PIL.ExifTags import IFD, Base

from tests import laden, pictures
from tests.laden import KINDS, SECRET, cut_out
from vault.imaging import metadata
from vault.imaging.cut import Rule, Uncuttable, cut
from vault.imaging.identify import AVIF, GIF, JPEG, PNG, WEBP, Kind

RULES: tuple[Rule, ...] = ("location", "all")
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.extension)
every_rule = pytest.mark.parametrize("rule", RULES)


def frames(body: bytes) -> list[tuple[bytes, object]]:
    """Every frame as it is seen, and what says how to see it."""
    with laden.opened(body) as image:
        seen = [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(image)]
        return [(each, laden.colours(image.info.get("icc_profile"))) for each in seen]


def said(body: bytes) -> metadata.Metadata:
    with laden.opened(body) as image:
        image.load()
        return metadata.read(image)


FILES = [
    pytest.param(JPEG, laden.jpeg(laden.exif(endian="<")), id="jpeg"),
    pytest.param(JPEG, laden.jpeg(laden.exif(endian=">")), id="jpeg of the other endianness"),
    pytest.param(JPEG, laden.jpeg(laden.exif(), progressive=True), id="progressive jpeg"),
    pytest.param(JPEG, laden.jpeg(laden.exif(), upright=pictures.drawing(mode="CMYK")), id="jpeg of Adobe's colours"),
    pytest.param(JPEG, laden.jpeg(laden.exif(), upright=pictures.drawing(mode="L")), id="grey jpeg"),
    pytest.param(PNG, laden.png(laden.exif()), id="png"),
    pytest.param(PNG, laden.png(laden.exif(), upright=pictures.drawing(mode="P")), id="png with a palette"),
    pytest.param(WEBP, laden.webp(laden.exif()), id="webp"),
    pytest.param(WEBP, laden.webp(laden.exif(), animated=True), id="animated webp"),
    pytest.param(GIF, laden.gif(b""), id="gif"),
]


@every_rule
@pytest.mark.parametrize(("kind", "body"), FILES)
def test_all_secrets_go_and_all_pixels_stay(kind: Kind, body: bytes, rule: Rule) -> None:
    result = cut_out(body, kind, rule)

    assert SECRET in body
    assert SECRET not in result
    assert frames(result) == frames(body)
    assert said(result).latitude is None


@every_rule
@pytest.mark.parametrize(("kind", "body"), FILES)
def test_it_comes_out_the_same_each_time_and_cannot_be_cut_further(kind: Kind, body: bytes, rule: Rule) -> None:
    result = cut_out(body, kind, rule)

    assert cut_out(body, kind, rule) == result
    assert cut_out(result, kind, rule) == result


@every_rule
@every_kind
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("endian", "<>")
def test_which_way_up_it_is_stays(kind: Kind, rule: Rule, orientation: int, endian: str) -> None:
    body = laden.laden(kind, laden.exif(orientation=orientation, endian=endian))

    assert said(cut_out(body, kind, rule)).orientation == (1 if kind == GIF else orientation)


@pytest.mark.parametrize("kind", [JPEG, PNG, WEBP], ids=lambda kind: kind.extension)
def test_only_the_place_goes_where_only_the_place_must(kind: Kind) -> None:
    facts = said(cut_out(laden.laden(kind, laden.exif(orientation=6)), kind, "location"))

    assert (facts.camera_make, facts.camera_model, facts.lens) == ("Testar", "Testar One", "Testar 35mm F2")
    assert (facts.f_number, facts.exposure_seconds, facts.iso, facts.focal_length_mm) == (2.8, 0.004, 200, 35)
    assert facts.taken_at is not None
    assert (facts.taken_at.hour, facts.taken_offset_minutes, facts.caption) == (15, None, "On the hill")


@pytest.mark.parametrize("kind", [JPEG, PNG, WEBP], ids=lambda kind: kind.extension)
def test_nothing_but_the_orientation_is_said_where_all_must_go(kind: Kind) -> None:
    result = cut_out(laden.laden(kind, laden.exif(orientation=6)), kind, "all")

    with Image.open(io.BytesIO(result)) as image:
        found = image.getexif()
        assert (dict(found), found.get_ifd(IFD.Exif)) == ({Base.Orientation: 6}, {})
        assert not {"comment", "xmp", "photoshop", "XML:com.adobe.xmp"} & image.info.keys()
    assert said(cut_out(laden.laden(kind, laden.exif()), kind, "all")) == metadata.Metadata()


def test_the_header_of_a_webp_announces_what_is_left() -> None:
    for packet, flags in ((laden.exif(), 0x20), (laden.exif(orientation=6), 0x28)):
        assert cut_out(laden.webp(packet), WEBP, "all")[20] == flags
    assert cut_out(laden.webp(laden.exif(), animated=True), WEBP, "location")[20] & ~0x10 == 0x2A


@every_rule
def test_an_orientation_that_only_xmp_knows_is_heeded_as_the_vault_does(rule: Rule) -> None:
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    turned = pictures.encoded(pictures.drawing(), "JPEG", xmp=packet)
    also_png = pictures.encoded(pictures.drawing(), "PNG")
    also_png = also_png[:33] + laden.chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + packet) + also_png[33:]

    assert [said(cut_out(turned, JPEG, rule)).orientation, said(cut_out(also_png, PNG, rule)).orientation] == [6, 6]


TURNED = laden.entry(0x0112, 3, 1, 6)
RING = laden.entry(0x8769, 4, 1, 8)
ODD_PACKETS = {
    "a ring of directories": (laden.tiff(TURNED + RING), 6),
    "itself as its own next": (laden.tiff(TURNED)[:-4] + struct.pack("<I", 8), 6),
    "more entries than bytes": (laden.tiff(TURNED, count=65535), 6),
    "a text of four gigabytes": (laden.tiff(laden.entry(0x010F, 2, 0xFFFFFFFF, 26) + TURNED), 6),
    "a count that overflows": (laden.tiff(laden.entry(0x829A, 5, 0x20000001, 26) + TURNED), 6),
    "a value beyond the end": (laden.tiff(laden.entry(0x010F, 2, 40, 0xFFFFFF00) + TURNED), 6),
    "a directory beyond the end": (laden.tiff(TURNED + laden.entry(0x8769, 4, 1, 0xFFFFFFF0)), 6),
    "a first directory beyond the end": (b"II*\x00\xf0\xff\xff\xff", 1),
    "a side that there is not": (laden.tiff(laden.entry(0x0112, 3, 1, 9)), 1),
    "a kind that there is not": (laden.tiff(laden.entry(0x0112, 77, 1, 6)), 1),
    "another magic": (laden.tiff(TURNED, mark=b"IIII"), 1),
    "nothing": (b"", 1),
    "half a header": (b"MM\x00*\x00", 1),
}


@every_rule
@pytest.mark.parametrize(("packet", "orientation"), ODD_PACKETS.values(), ids=ODD_PACKETS)
def test_odd_exif_costs_no_more_than_itself(packet: bytes, orientation: int, rule: Rule) -> None:
    for kind in (JPEG, PNG, WEBP):
        result = cut_out(laden.laden(kind, packet), kind, rule)

        assert SECRET not in result
        assert said(result).orientation == orientation


@every_rule
def test_exif_that_breaks_off_anywhere_does_no_harm(rule: Rule) -> None:
    packet = laden.exif(orientation=6)
    for length in range(0, len(packet), 7):
        assert SECRET not in cut_out(laden.jpeg(packet[:length]), JPEG, rule)


PLAIN_JPEG = pictures.jpeg()
PLAIN_PNG = pictures.encoded(pictures.drawing(), "PNG")
PLAIN_WEBP = pictures.encoded(pictures.drawing(), "WEBP")
PLAIN_GIF = pictures.encoded(pictures.drawing(), "GIF")
SCAN = PLAIN_JPEG.index(b"\xff\xda")
FRAME = PLAIN_JPEG.index(b"\xff\xc0")
FRAME_END = FRAME + 2 + int.from_bytes(PLAIN_JPEG[FRAME + 2 : FRAME + 4])
UNCUTTABLE = {
    "no end": (JPEG, PLAIN_JPEG[:-2]),
    "bytes between segments": (JPEG, PLAIN_JPEG[:20] + b"x" + PLAIN_JPEG[20:]),
    "a length beyond the end": (JPEG, PLAIN_JPEG[:20] + b"\xff\xfe\xff\xff"),
    "two frames": (JPEG, PLAIN_JPEG[:FRAME] + PLAIN_JPEG[FRAME:FRAME_END] * 2 + PLAIN_JPEG[FRAME_END:]),
    "a scan before its frame": (JPEG, PLAIN_JPEG[:FRAME] + PLAIN_JPEG[FRAME_END:]),
    "no scan": (JPEG, PLAIN_JPEG[:SCAN] + b"\xff\xd9"),
    "a lossless frame": (JPEG, PLAIN_JPEG[: FRAME + 1] + b"\xc3" + PLAIN_JPEG[FRAME + 2 :]),
    "a table with something behind it": (
        JPEG,
        PLAIN_JPEG[:20] + laden.segment(0xDB, bytes(65) + SECRET) + PLAIN_JPEG[20:],
    ),
    "a table of codes too long": (JPEG, PLAIN_JPEG[:20] + laden.segment(0xC4, bytes(17) + SECRET) + PLAIN_JPEG[20:]),
    "a profile that is none": (
        JPEG,
        PLAIN_JPEG[:20] + laden.segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + SECRET) + PLAIN_JPEG[20:],
    ),
    "a thousand scans too many": (JPEG, PLAIN_JPEG[:SCAN] + PLAIN_JPEG[SCAN:-2] * 5000 + b"\xff\xd9"),
    "no IEND": (PNG, PLAIN_PNG[:-12]),
    "a chunk that must be known": (PNG, PLAIN_PNG[:33] + laden.chunk(b"CgBI", SECRET) + PLAIN_PNG[33:]),
    "a name of no letters": (PNG, PLAIN_PNG[:33] + laden.chunk(b"\x00\x00\x00\x00", SECRET) + PLAIN_PNG[33:]),
    "transparency of an odd length": (PNG, PLAIN_PNG[:33] + laden.chunk(b"gAMA", SECRET) + PLAIN_PNG[33:]),
    "EXIF as text": (
        PNG,
        PLAIN_PNG[:33] + laden.chunk(b"zTXt", b"Raw profile type exif\x00\x00" + SECRET) + PLAIN_PNG[33:],
    ),
    "a profile with a tail": (PNG, PLAIN_PNG[:33] + laden.chunk(b"iCCP", b"a\x00\x00" + SECRET) + PLAIN_PNG[33:]),
    "a header twice": (PNG, PLAIN_PNG[:33] + PLAIN_PNG[8:33] + PLAIN_PNG[33:]),
    "half a WebP": (WEBP, PLAIN_WEBP[:-4]),
    "a chunk beyond its file": (WEBP, PLAIN_WEBP[:16] + b"\xff\xff" + PLAIN_WEBP[18:]),
    "no pixels": (WEBP, b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(10)),
    "no trailer": (GIF, PLAIN_GIF[:-1]),
    "no picture": (GIF, PLAIN_GIF[:13] + b";"),
    "an unknown block": (GIF, PLAIN_GIF[:-1] + b"\x99;"),
    "a kind that is never cut": (AVIF, pictures.encoded(pictures.drawing(), "AVIF")),
    "nothing at all": (JPEG, b""),
}


@every_rule
@pytest.mark.parametrize(("kind", "body"), UNCUTTABLE.values(), ids=UNCUTTABLE)
def test_what_is_not_understood_is_not_cut(kind: Kind, body: bytes, rule: Rule) -> None:
    with pytest.raises(Uncuttable):
        cut(io.BytesIO(body), kind, rule)
