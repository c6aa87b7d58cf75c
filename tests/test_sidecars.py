"""Sidecars: what the programs of photographers and Google's Takeout say beside a picture."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from vault.imaging.claims import Claims
from vault.imaging.sidecars import MAX_BYTES, NoSidecar, read

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"'
)


def xmp(attributes: str = "", elements: str = "") -> bytes:
    """An XMP sidecar with these attributes and elements in its one description."""
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}>'
        f'<rdf:Description rdf:about="" {SPACES} {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def takeout(**fields: Any) -> bytes:
    """The list that Takeout lays beside a picture."""
    return json.dumps({"title": "IMG_1.jpg", "geoData": {"latitude": 0.0, "longitude": 0.0}} | fields).encode()


def test_a_photographers_sidecar_is_read_whole() -> None:
    body = xmp(
        'xmp:Rating="4" photoshop:DateCreated="2023-01-02T03:04:05+02:00" exif:GPSLatitude="52,30.6N" '
        'exif:GPSLongitude="13,22,30E" exif:GPSAltitude="345/10" exif:GPSAltitudeRef="1"',
        '<dc:title><rdf:Alt><rdf:li xml:lang="de">Am See</rdf:li><rdf:li xml:lang="x-default">By the lake</rdf:li>'
        "</rdf:Alt></dc:title><dc:description><rdf:Alt><rdf:li>Cold &amp; clear</rdf:li></rdf:Alt></dc:description>"
        "<dc:subject><rdf:Bag><rdf:li>lake</rdf:li><rdf:li>Ben</rdf:li><rdf:li>Lake</rdf:li></rdf:Bag></dc:subject>",
    )
    found = read(body)
    assert (found.latitude, found.longitude) == pytest.approx((52.51, 13.375))
    assert replace(found, latitude=None, longitude=None) == Claims(
        source="xmp-sidecar",
        taken_at=datetime(2023, 1, 2, 1, 4, 5, tzinfo=UTC),
        taken_offset_minutes=120,
        altitude_m=-34.5,
        title="By the lake",
        caption="Cold & clear",
        keywords=("lake", "Ben"),
        rating=4,
    )


def test_a_rejected_picture_and_a_date_without_a_zone_are_read_as_darktable_writes_them() -> None:
    found = read(xmp('xmp:Rating="-1" exif:DateTimeOriginal="2023:07:06 15:04:05.123"'))
    assert (found.rating, found.taken_at, found.taken_offset_minutes) == (
        -1,
        datetime(2023, 7, 6, 15, 4, 5, tzinfo=UTC),
        None,
    )


def test_a_tree_of_keywords_gives_the_ends_of_its_branches() -> None:
    body = xmp(
        elements="<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Norway|Bergen</rdf:li></rdf:Bag>"
        "</lr:hierarchicalSubject><digiKam:TagsList><rdf:Seq><rdf:li>People/Ben</rdf:li></rdf:Seq></digiKam:TagsList>"
    )
    assert read(body).keywords == ("Ben", "Bergen")


@pytest.mark.parametrize(
    "attributes",
    [
        'exif:GPSLatitude="0,0.0N" exif:GPSLongitude="0,0.0E"',
        'exif:GPSLatitude="91,0.0N" exif:GPSLongitude="1,0.0E"',
        'exif:GPSLatitude="52,30.6" exif:GPSLongitude="13,0.0E"',
        'xmp:Rating="0" exif:DateTimeOriginal="2023-02-30T10:00:00"',
        'xmp:Rating="9" exif:DateTimeOriginal="0000-00-00T00:00:00"',
        'xmp:Rating="x" exif:DateTimeOriginal="2190-01-01T00:00:00Z" exif:GPSAltitude="1/0"',
    ],
)
def test_a_field_of_nonsense_is_left_out(attributes: str) -> None:
    assert read(xmp(attributes)) == Claims(source="xmp-sidecar")


def test_takeout_says_date_words_and_place() -> None:
    found = read(
        takeout(
            title="Evening",
            description="On the pier",
            photoTakenTime={"timestamp": "1577836800", "formatted": "1 Jan 2020"},
            geoDataExif={"latitude": 48.5, "longitude": -3.25, "altitude": 12.0},
        )
    )
    assert found == Claims(
        source="takeout",
        taken_at=datetime(2020, 1, 1, tzinfo=UTC),
        taken_offset_minutes=0,
        latitude=48.5,
        longitude=-3.25,
        altitude_m=12.0,
        title="Evening",
        caption="On the pier",
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"photoTakenTime": {"timestamp": "0"}},
        {"photoTakenTime": {"timestamp": True}},
        {"photoTakenTime": {"timestamp": "99999999999999999999"}},
        {"photoTakenTime": "yesterday"},
        {"geoData": {"latitude": 10**400, "longitude": 1}},
        {"geoData": {"latitude": float("nan"), "longitude": 1}},
        {"geoData": [1, 2]},
        {"description": ["a"], "title": {"a": 1}},
    ],
)
def test_takeouts_empty_and_odd_values_say_nothing(fields: dict[str, Any]) -> None:
    assert read(takeout(**fields)) == Claims(source="takeout")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{",
        b"[1]",
        b'{"title": "Summer", "description": "", "date": {"timestamp": "1577836800"}}',
        b'{"a":' * 100_000,
        b"<svg/>",
        b"<a>" * 20_000,
        xmp()[:-30],
        b'<!DOCTYPE a [<!ENTITY t "boom">]>' + xmp(),
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"\xff\xfe\x00",
        b" " * MAX_BYTES + xmp(),
        b"\x89PNG",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_nonsense_is_no_sidecar(body: bytes) -> None:
    with pytest.raises(NoSidecar):
        read(body)
