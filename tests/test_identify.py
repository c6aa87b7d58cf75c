"""What a file is, from its first bytes, and what a person is told when it is something else."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import pictures
from vault.imaging.identify import (
    ACCEPT,
    AVIF,
    EVERY_KIND,
    GIF,
    HEAD_BYTES,
    JPEG,
    MOV,
    MP4,
    PNG,
    WEBP,
    Kind,
    Unsupported,
    identify,
)
from vault.imaging.kinds import HEIC, TIFF


def _iso(major: bytes, *compatible: bytes) -> bytes:
    body = major + bytes(4) + b"".join(compatible)
    return (8 + len(body)).to_bytes(4) + b"ftyp" + body + bytes(64)


@pytest.mark.parametrize("kind", pictures.WRITABLE, ids=lambda kind: kind.format)
def test_identify_names_every_kind_that_is_kept(kind: Kind) -> None:
    file = pictures.encoded(pictures.drawing(), kind.format)
    assert identify(file[:HEAD_BYTES]) == kind
    assert kind.media_type in ACCEPT


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"GIF87a" + bytes(32), GIF),
        (_iso(b"avis", b"avis", b"msf1"), AVIF),
        (_iso(b"mif1", b"mif1", b"miaf", b"avif"), AVIF),
        (b"\xff\xd8\xff\xe1<html><script>", JPEG),
        (b"\x89PNG\r\n\x1a\n<svg onload=", PNG),
        (b"RIFF\x10\x00\x00\x00WEBPVP8X", WEBP),
    ],
)
def test_identify_goes_by_the_leading_bytes_alone(head: bytes, kind: Kind) -> None:
    assert identify(head) == kind


@pytest.mark.parametrize(
    ("head", "name", "words"),
    [
        (b"", None, "empty"),
        (b"FLV\x01\x05\x00\x00\x00\x09", "FLV", "Videos of this kind (FLV)"),
        (_iso(b"M4A ", b"mp42"), "M4A", "Sound files (M4A)"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "WAV", "Sound"),
        (b"RIFF\x10\x00\x00\x00WEBPJUNK", None, "neither a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "programs"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><SVG/>", "SVG", "programs"),
        ("<svg/>".encode("utf-16"), "SVG", "programs"),
        (b"<?xml version='1.0'?><a/>", "XML", "programs"),
        (b"\n<!DOCTYPE html>", "HTML", "programs"),
        (b"%PDF-1.7", "PDF", "documents"),
        (b"%!PS-Adobe-3.0", "PostScript", "programs"),
        (b"PK\x03\x04", "ZIP", "Archives"),
        (b"\x7fELF\x02", "ELF", "Programs"),
        (b"MZ\x90\x00", "Windows program", "Programs"),
        (b"#!/bin/sh\n", "Script", "Programs"),
        (b"BM6\x00", "BMP", "BMP pictures cannot be kept"),
        (b"\x00\x00\x01\x00\x01\x00", "ICO", "ICO"),
        (b"8BPS\x00\x01", "Photoshop", "Photoshop"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000", "JPEG 2000"),
        (b"\xff\x0a\x00", "JPEG XL", "JPEG XL"),
        (b"\xff\xd8", None, "neither a picture"),
        (b"hello", None, "neither a picture nor a video"),
        (b"\x00" * 4096, None, "neither a picture"),
    ],
)
def test_identify_refuses_with_a_sentence_that_fits(head: bytes, name: str | None, words: str) -> None:
    with pytest.raises(Unsupported) as refusal:
        identify(head)
    assert refusal.value.kind == name
    assert words in refusal.value.sentence
    assert str(refusal.value) == refusal.value.sentence
    assert refusal.value.sentence.endswith(".")
    assert "{" not in refusal.value.sentence


_PROMISING = [b"", b"\x00\x00\x00\x18ftyp", b"RIFF", b"<", b"\x1aE\xdf\xa3", b"\xff\xd8", b"II*\x00"]


@settings(deadline=None)
@given(st.sampled_from(_PROMISING), st.binary(max_size=HEAD_BYTES))
def test_identify_never_raises_anything_else(start: bytes, rest: bytes) -> None:
    with suppress(Unsupported):
        assert identify(start + rest) in EVERY_KIND


@pytest.mark.skipif(not (pictures.SHARED / "photos").is_dir(), reason="no real photos on this machine")
def test_identify_agrees_with_the_names_of_real_files() -> None:
    expected = {".jpg": JPEG, ".jpeg": JPEG, ".png": PNG, ".webp": WEBP, ".gif": GIF, ".avif": AVIF, ".mov": MOV}
    # What makes the DNG one stands at its end: its first bytes are those of any TIFF.
    expected |= {".heic": HEIC, ".tif": TIFF, ".tiff": TIFF, ".dng": TIFF}
    seen = 0
    for path in (pictures.SHARED / "photos").iterdir():
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if path.suffix.lower() in expected:
            assert identify(head) == expected[path.suffix.lower()], path.name
            seen += 1
        elif path.suffix == ".mp4":
            assert identify(head) in (MP4, MOV), path.name
        else:
            assert path.name == "MANIFEST.tsv"
            with pytest.raises(Unsupported):
                identify(head)
    assert seen > 45


def test_identify_needs_no_decoder() -> None:
    for name in ("identify", "kinds", "raw_kinds"):
        source = (Path(__file__).parents[1] / "vault" / "imaging" / f"{name}.py").read_text()
        assert "PIL" not in source
        assert "open(" not in source
