"""Texts of EXIF that are not plain ones, the zone that satellites tell, and what real files say through their kinds."""

import csv
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from tests import pictures
from tests.sandboxes import MEBIBYTE, new_sandbox
from vault.imaging.exif_texts import comment, content_id, windows
from vault.imaging.metadata import Metadata, read, read_exif
from vault.imaging.moments import Moment, is_past, zoned
from vault.imaging.sandbox import Sandbox

LOCAL = datetime(2024, 7, 6, 15, 4, 5, tzinfo=UTC)


def said(main: dict[int, Any] | None = None, details: dict[int, Any] | None = None, xmp: bytes = b"") -> Metadata:
    """Return what a JPEG with these tags says."""
    exif = Image.Exif()
    exif[Base.Software] = "a test"
    for tag, value in (main or {}).items():
        exif[tag] = value
    exif.get_ifd(IFD.Exif).update(details or {})
    with Image.open(BytesIO(pictures.jpeg(exif=exif, xmp=xmp))) as image:
        return read(image)


def maker_note(identifier: bytes, mark: str = ">", *, tag: int = 0x11, place: int | None = None) -> bytes:
    """Return Apple's maker note with one entry."""
    start = 16 + 12 + 4
    entry = struct.pack(f"{mark}HHII", tag, 2, len(identifier), start if place is None else place)
    order = b"MM" if mark == ">" else b"II"
    return b"Apple iOS\x00\x00\x01" + order + struct.pack(f"{mark}H", 1) + entry + bytes(4) + identifier


def test_windows_title_keywords_comment_and_stars_are_read() -> None:
    words = {"XPTitle": "Élan", "XPComment": "By the lake", "XPKeywords": "lake;Ben; lake"}
    tags: dict[int, Any] = {Base[name]: (text + "\0").encode("utf-16-le") for name, text in words.items()}
    facts = said(tags | {0x4746: 4})
    assert (facts.title, facts.caption, facts.keywords, facts.rating) == ("Élan", "By the lake", ("lake", "Ben"), 4)
    assert facts.sources == dict.fromkeys(("title", "caption", "keywords", "rating"), "exif")


def test_xmp_goes_before_exif_and_says_so() -> None:
    facts = said({Base.ImageDescription: "plain", 0x4746: 2}, xmp=pictures.xmp_packet())
    assert (facts.title, facts.caption, facts.rating) == ("A day out", "Seen from the hill", 2)
    assert facts.sources == {"title": "xmp", "caption": "xmp", "rating": "exif"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"ASCII\0\0\0By the lake\0\0", "By the lake"),
        (b"UNICODE\0" + "Été".encode("utf-16-le"), "Été"),
        (b"UNICODE\0" + "Été".encode("utf-16-be"), "Été"),
        (b"UNICODE\0" + "Été".encode("utf-16"), "Été"),
        (b"JIS\0\0\0\0\0" + "写真".encode("iso2022_jp"), "写真"),
        (bytes(8) + "Été".encode(), "Été"),
        ("By the lake", "By the lake"),
        (b"ASCII\0\0\0" + bytes(20), None),
        (b"UNICODE\0\xd8", None),
        (b"KLINGON\0abc", None),
        (b"", None),
        (7, None),
    ],
)
def test_a_comment_is_read_in_the_characters_that_it_names(value: object, text: str | None) -> None:
    assert comment(value) == text


@pytest.mark.parametrize("value", [None, 7, "text", b"", b"\0\0", (300, 1), ("a",)])
def test_odd_titles_say_nothing(value: object) -> None:
    assert windows(value) is None


@pytest.mark.parametrize("mark", ["<", ">"])
def test_apples_identifier_is_found_in_its_maker_note(mark: str) -> None:
    assert content_id(maker_note(b"e905e6c6-c747-4805-942f-9904a0281f02\0", mark)) == (
        "E905E6C6-C747-4805-942F-9904A0281F02"
    )


@pytest.mark.parametrize(
    "note",
    [
        None,
        b"",
        b"Apple iOS\0\0\x01MM",
        b"Nikon\0\x02" + bytes(40),
        maker_note(b"<script>"),
        maker_note(b"A" * 36, tag=0x12),
        maker_note(b"A" * 36, place=2**31),
        maker_note(b"A" * 36)[:20],
        maker_note(b"A" * 36)[:14] + b"\xff\xff",
    ],
    ids=repr,
)
def test_an_odd_maker_note_has_no_identifier(note: object) -> None:
    assert content_id(note) is None


@pytest.mark.parametrize(
    ("satellite", "longitude", "offset"),
    [
        (LOCAL - timedelta(hours=2, seconds=20), 13.4, 120),
        (LOCAL - timedelta(hours=2, seconds=20), None, 120),
        (LOCAL + timedelta(hours=3, minutes=30), -52.7, -210),
        (LOCAL - timedelta(hours=5, minutes=45), 85.3, 345),
        (LOCAL - timedelta(hours=14), -157.4, 14 * 60),
        (LOCAL - timedelta(hours=2, minutes=7), 13.4, None),
        (LOCAL - timedelta(hours=15), 13.4, None),
        (LOCAL - timedelta(days=30), 13.4, None),
        (LOCAL, 139.7, None),
        (None, 13.4, None),
    ],
)
def test_the_satellites_clock_tells_the_zone_where_there_is_one(
    satellite: datetime | None, longitude: float | None, offset: int | None
) -> None:
    found = zoned(Moment(LOCAL, None), satellite, longitude)
    assert found == (LOCAL - timedelta(minutes=offset or 0), offset)
    assert zoned(Moment(LOCAL, 60), satellite, longitude) == (LOCAL, 60)


def test_a_camera_without_a_zone_gets_it_from_its_gps() -> None:
    exif = pictures.camera_exif(taken="2024:07:06 15:04:05", gps=True)
    exif.get_ifd(IFD.GPSInfo).update({GPS.GPSDateStamp: "2024:07:06", GPS.GPSTimeStamp: (13.0, 3.0, 50.0)})
    facts = read_exif(exif.tobytes())
    assert (facts.taken_at, facts.taken_offset_minutes, facts.taken_source) == (
        datetime(2024, 7, 6, 13, 4, 5, tzinfo=UTC),
        120,
        "exif",
    )


def test_dates_to_come_fall_through_to_the_next() -> None:
    facts = said(details={Base.DateTimeOriginal: "2190:01:01 00:00:00", Base.DateTimeDigitized: "2001:02:03 04:05:06"})
    assert (facts.taken_at, facts.taken_source) == (datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC), "exif-digitized")
    assert is_past(LOCAL + timedelta(hours=23), LOCAL)
    assert not is_past(LOCAL + timedelta(hours=25), LOCAL)


def test_the_last_change_counts_where_nothing_else_does() -> None:
    facts = said({Base.DateTime: "2001:02:03 04:05:06"})
    assert (facts.taken_at, facts.taken_source) == (datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC), "exif-changed")


@pytest.mark.parametrize("packet", [b"", b"nonsense", b"Exif\0\0MM\0*\0\0\xff\xff", b"II*\0" + b"\xff" * 40])
def test_a_broken_packet_says_nothing(packet: bytes) -> None:
    assert read_exif(packet) == Metadata()


def test_a_place_only_in_xmp_is_read() -> None:
    packet = pictures.xmp_packet().replace(
        b"<rdf:Description ",
        b'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="52,30.6S" '
        b'exif:GPSLongitude="13,22.5W" ',
    )
    facts = said(xmp=packet)
    assert (facts.latitude, facts.longitude) == pytest.approx((-52.51, -13.375))
    assert facts.sources["place"] == "xmp"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Yield one sandbox for all real files."""
    with new_sandbox(memory_bytes=2048 * MEBIBYTE) as found:
        yield found


def _rows() -> list[dict[str, str]]:
    path = pictures.SHARED / "photos" / "MANIFEST.tsv"
    if not path.is_file():
        return []
    with path.open(newline="") as lines:
        return [row for row in csv.DictReader(lines, delimiter="\t") if row["gps_lat"] or row["datetime_original"]]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["file"])
def test_real_files_of_every_kind_are_dated_and_placed_as_their_manifest_says(
    row: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    outcome = sandbox.render(pictures.SHARED / "photos" / row["file"], tmp_path)
    assert outcome.ok is not None, outcome.failure
    facts = outcome.ok.metadata
    if row["gps_lat"]:
        place = float(row["gps_lat"]), float(row["gps_lon"])
        assert (facts.latitude, facts.longitude) == pytest.approx(place, abs=1e-5)
    else:
        assert (facts.latitude, facts.longitude) == (None, None)
    if row["datetime_original"]:
        assert facts.taken_at is not None
        wall = facts.taken_at + timedelta(minutes=facts.taken_offset_minutes or 0)
        assert f"{wall:%Y:%m:%d %H:%M:%S}" == row["datetime_original"][:19]
