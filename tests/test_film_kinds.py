"""Kinds of video, told by their first bytes, and only where the extra for them is installed."""

import importlib.util

import pytest

from vault.imaging import identify as identifying
from vault.imaging.identify import (
    AVI,
    EVERY_KIND,
    MATROSKA,
    MOV,
    MP4,
    MPEG,
    MPEG_TS,
    THREE_GP,
    WEBM,
    WMV,
    Kind,
    Unsupported,
    identify,
)


def _iso(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x14ftyp" + brand + bytes(8)


def _packets(before: bytes) -> bytes:
    return b"".join(before + b"\x47" + bytes(187) for _ in range(8))


HEADS = [
    (_iso(b"isom"), MP4),
    (_iso(b"mp42"), MP4),
    (_iso(b"M4V "), MP4),
    (_iso(b"MSNV"), MP4),
    (_iso(b"qt  "), MOV),
    (bytes(4) + b"moov" + bytes(32), MOV),
    (bytes(4) + b"mdat" + bytes(32), MOV),
    (_iso(b"3gp4"), THREE_GP),
    (_iso(b"3g2a"), THREE_GP),
    (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", WEBM),
    (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", MATROSKA),
    (b"RIFF\x10\x00\x00\x00AVI LIST", AVI),
    (b"\x00\x00\x01\xba\x44\x00", MPEG),
    (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), WMV),
    (_packets(b""), MPEG_TS),
    (_packets(bytes(4)), MPEG_TS),
]


@pytest.mark.parametrize(("head", "kind"), HEADS)
def test_a_video_is_known_by_its_first_bytes(head: bytes, kind: Kind) -> None:
    assert identify(head) == kind
    assert kind.is_film


def test_no_two_kinds_share_a_name_or_a_type() -> None:
    assert len({kind.format for kind in EVERY_KIND}) == len({kind.media_type for kind in EVERY_KIND}) == len(EVERY_KIND)


def test_two_packets_are_no_stream() -> None:
    with pytest.raises(Unsupported):
        identify((b"\x47" + bytes(187)) * 2)


def test_without_the_extra_a_video_is_refused_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identifying, "find_spec", lambda name: None if name == "av" else importlib.util.find_spec(name))
    identifying.has_films.cache_clear()
    try:
        with pytest.raises(Unsupported, match="Videos \\(MP4\\) cannot be kept here") as refused:
            identify(_iso(b"isom"))
        assert refused.value.kind == "MP4"
    finally:
        identifying.has_films.cache_clear()
