"""What phones and cameras write, told apart by bytes alone, and what is said where an extra is missing."""

import struct
from collections.abc import Callable, Iterator

import pytest

from tests import pictures, sensors
from tests.sensors import camera_tiff
from vault.imaging import identify as identifying
from vault.imaging.identify import HEAD_BYTES, Unsupported, identify
from vault.imaging.kinds import (
    ACCEPT,
    ARW,
    AVIF,
    CR2,
    CR3,
    CRW,
    DNG,
    EVERY_KIND,
    HASSELBLAD,
    HEIC,
    HEIF,
    IIQ,
    MRW,
    NEF,
    NRW,
    ORF,
    PEF,
    RAF,
    RW2,
    RWL,
    SR2,
    SRW,
    TIFF,
    X3F,
    Kind,
)


def _iso(major: bytes, *compatible: bytes) -> bytes:
    body = major + bytes(4) + b"".join(compatible)
    return (8 + len(body)).to_bytes(4) + b"ftyp" + body + bytes(64)


def _big_endian(make: bytes, subfile: int) -> bytes:
    entries = struct.pack(">HHLL", 254, 4, 1, subfile) + struct.pack(">HHLL", 271, 2, len(make), 8 + 2 + 24 + 4)
    return b"MM\x00*" + struct.pack(">LH", 8, 2) + entries + bytes(4) + make


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (_iso(b"heic", b"mif1", b"heic"), HEIC),
        (_iso(b"heix", b"mif1"), HEIC),
        (_iso(b"hevc", b"msf1"), HEIC),
        (_iso(b"heic", b"avif"), HEIC),
        (_iso(b"mif1", b"mif1", b"heic"), HEIC),
        (_iso(b"msf1", b"hevc"), HEIC),
        (_iso(b"mif1", b"mif1", b"miaf"), HEIF),
        (_iso(b"mif1", b"avif", b"heic"), AVIF),
        (_iso(b"crx ", b"isom"), CR3),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", CR2),
        (b"II\x1a\x00\x00\x00HEAPCCDR", CRW),
        (b"FUJIFILMCCD-RAW 0201", RAF),
        (b"IIRO\x08\x00\x00\x00", ORF),
        (b"IIRS\x08\x00\x00\x00", ORF),
        (b"MMOR\x00\x00\x00\x08", ORF),
        (b"FOVb\x00\x00", X3F),
        (b"\x00MRM\x00\x00", MRW),
        (b"II*\x00\x08\x00\x00\x00IIIITwaR", IIQ),
        (b"IIU\x00\x18\x00\x00\x00", RW2),
        (b"IIU\x00" + camera_tiff("Panasonic")[4:], RW2),
        (b"IIU\x00" + camera_tiff("LEICA CAMERA AG")[4:], RWL),
        (camera_tiff("NIKON CORPORATION", "NIKON D750", subfile=1), NEF),
        (camera_tiff("NIKON", "COOLPIX P1000", subfile=1), NRW),
        (camera_tiff("NIKON CORPORATION", "NIKON D1", compression=34713), NEF),
        (_big_endian(b"NIKON CORPORATION\x00", 1), NEF),
        (camera_tiff("SONY", "ILCE-7M3", subfile=1), ARW),
        (camera_tiff("SONY", "DSC-R1", subfile=1), SR2),
        (camera_tiff("PENTAX", "PENTAX K-1", compression=65535), PEF),
        (camera_tiff("RICOH IMAGING COMPANY, LTD.", photometric=32803), PEF),
        (camera_tiff("SAMSUNG", "NX500", subfile=1), SRW),
        (camera_tiff("Hasselblad", "X1D", subfile=1), HASSELBLAD),
        # A picture that a maker's program, or a scanner, has developed.
        (camera_tiff("NIKON CORPORATION", "NIKON D750", subfile=0), TIFF),
        (camera_tiff("EPSON", "Perfection", subfile=1), TIFF),
        (_big_endian(b"NIKON CORPORATION\x00", 0), TIFF),
        (b"II*\x00\x08\x00\x00\x00", TIFF),
        (b"MM\x00*\x00\x00\x00\x08", TIFF),
        (b"II+\x00\x08\x00\x00\x00", TIFF),
    ],
)
def test_each_makers_raw_is_told_by_its_first_bytes(head: bytes, kind: Kind) -> None:
    assert identify(head) == kind


def test_a_dng_is_one_wherever_its_directory_stands() -> None:
    body = sensors.dng(pictures.drawing(120, 80))
    assert len(body) > 2 * HEAD_BYTES

    assert identify(body[:HEAD_BYTES]) == TIFF
    assert identify(body[:HEAD_BYTES], lambda offset, length: body[offset : offset + length]) == DNG


@pytest.mark.parametrize("beyond", [lambda _offset, _length: b"", lambda _offset, length: b"\xff" * length])
def test_what_is_told_of_nonsense_is_a_tiff(beyond: Callable[[int, int], bytes]) -> None:
    for start in (b"II*\x00\xff\xff\xff\xff", b"MM\x00*\x7f\xff\xff\xff", b"II*\x00", b"II*\x00\x04\x00\x00\x00"):
        assert identify(start, beyond) == TIFF


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no library be found."""
    asked = (identifying.has_heif, identifying.has_raws)
    monkeypatch.setattr(identifying, "find_spec", lambda _name: None)
    for each in asked:
        each.cache_clear()
    yield
    for each in asked:
        each.cache_clear()


@pytest.mark.parametrize(
    ("head", "extra"),
    [(_iso(b"heic"), "heif"), (_iso(b"mif1"), "heif"), (_iso(b"crx "), "raw"), (camera_tiff("SONY", subfile=1), "raw")],
)
def test_where_an_extra_is_missing_its_kinds_are_refused_at_the_door(without: None, head: bytes, extra: str) -> None:
    with pytest.raises(Unsupported) as refused:
        identify(head)

    assert refused.value.kind in {"HEIC", "HEIF", "CR3", "ARW"}
    assert f"“{extra}”" in refused.value.sentence
    assert identify(b"II*\x00\x08\x00\x00\x00") == TIFF


def test_a_file_picker_offers_endings_where_browsers_know_no_type() -> None:
    offered = ACCEPT.split(",")

    assert len(offered) == len(set(offered))
    assert {kind.media_type for kind in EVERY_KIND} < set(offered)
    assert {".heic", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".tif", ".mov"} < set(offered)


def test_media_types_fit_their_column() -> None:
    assert max(len(kind.media_type) for kind in EVERY_KIND) <= 40
