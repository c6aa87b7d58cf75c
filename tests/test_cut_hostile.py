"""Cutting under attack: whatever is done to a file, it is cut rightly or refused; and cut files, read in any order."""

import contextlib
import io
import struct
import time
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import laden
from tests.laden import KINDS, SECRET
from vault.imaging.cut import Rule, Uncuttable, cut
from vault.imaging.identify import GIF, HEAD_BYTES, JPEG, PNG, WEBP, Kind, Unsupported, identify
from vault.imaging.spliced import Spliced

RULES: tuple[Rule, ...] = ("location", "all")
SEEDS = [(kind, laden.laden(kind, laden.exif(orientation=6))) for kind in KINDS]
SEEDS += [(JPEG, laden.jpeg(laden.exif(), progressive=True)), (WEBP, laden.webp(laden.exif(), animated=True))]
CHANGES = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.sampled_from(["set", "flip", "drop", "add"]), st.integers(0, 255)), max_size=6
)


def changed(body: bytes, changes: list[tuple[int, str, int]]) -> bytes:
    found = bytearray(body)
    for place, deed, value in changes:
        at = place % len(found)
        match deed:
            case "set":
                found[at] = value
            case "flip":
                found[at] ^= 1 << value % 8
            case "drop":
                del found[at : at + value % 40 + 1]
            case _:
                found[at:at] = bytes([value]) * (value % 5 + 1)
        found = found or bytearray(b"x")
    return bytes(found)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(SEEDS), CHANGES, st.sampled_from(RULES))
def test_whatever_is_done_to_a_file_no_secret_gets_through(
    seed: tuple[Kind, bytes], changes: list[tuple[int, str, int]], rule: Rule
) -> None:
    kind, body = seed
    try:
        result = laden.cut_out(changed(body, changes), kind, rule)
    except Uncuttable:
        return
    # In a GIF whose colour table or pixels grew by the change, what lies there is colours and pixels now.
    assert kind == GIF or SECRET not in result


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.binary(max_size=200), st.sampled_from(RULES))
def test_noise_is_refused_and_nothing_else(kind: Kind, noise: bytes, rule: Rule) -> None:
    starts = {JPEG: b"\xff\xd8", PNG: b"\x89PNG\r\n\x1a\n", WEBP: b"RIFF", GIF: b"GIF89a"}
    for body in (noise, starts[kind] + noise):
        try:
            cut(io.BytesIO(body), kind, rule)
        except Uncuttable:
            continue


def endless(kind: Kind) -> bytes:
    """A file of some megabytes with as many small parts as its kind allows."""
    match kind.extension:
        case "jpg":
            return laden.jpeg(b"")[:20] + laden.segment(0xFE, b"") * 1_000_000
        case "png":
            bomb = laden.chunk(b"iCCP", b"a\x00\x00" + zlib.compress(_blank_profile(4_000_000)))
            plain = laden.png(b"")
            return plain[:33] + bomb * 800 + plain[33:]
        case "webp":
            frame = b"ANMF" + struct.pack("<I", 16 + 8 * 100_000) + bytes(16) + b"ALPH\x00\x00\x00\x00" * 100_000
            return (
                b"RIFF"
                + struct.pack("<I", 4 + 18 + 4 * len(frame))
                + b"WEBPVP8X\x0a\x00\x00\x00"
                + bytes(10)
                + frame * 4
            )
        case _:
            return b"GIF89a\x01\x00\x01\x00\x00\x00\x00," + bytes(9) + b"\x02" + b"\x01a" * 4_000_000 + b"\x00;"


def _blank_profile(size: int) -> bytes:
    return struct.pack(">I", size) + bytes(32) + b"acsp" + bytes(size - 40)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.extension)
def test_a_file_of_countless_parts_is_refused_soon(kind: Kind) -> None:
    body = endless(kind)
    started = time.process_time()
    with pytest.raises(Uncuttable):
        cut(io.BytesIO(body), kind, "all")

    assert time.process_time() - started < 2


def test_malicious_files_are_cut_or_refused_and_quickly(hostile: Path) -> None:
    tried = 0
    for path in sorted(each for each in hostile.rglob("*") if each.is_file()):
        with path.open("rb") as file:
            try:
                kind = identify(file.read(HEAD_BYTES))
            except Unsupported:
                continue
            tried += 1
            for rule in RULES:
                started = time.process_time()
                with contextlib.suppress(Uncuttable):
                    found = cut(file, kind, rule)
                    assert found.size_bytes <= path.stat().st_size + 100
                assert time.process_time() - started < 2, path.name
    assert tried > 20


class TestSpliced:
    BODY = laden.jpeg(laden.exif(orientation=6))

    def open(self) -> Spliced:
        file = io.BytesIO(self.BODY)
        return Spliced(file, cut(file, JPEG, "location"))

    @given(st.lists(st.integers(0, 20_000), min_size=2, max_size=6))
    def test_any_part_of_it_is_that_part_of_the_whole(self, places: list[int]) -> None:
        whole = laden.cut_out(self.BODY, JPEG, "location")
        with self.open() as file:
            for start, end in pairwise(sorted(places)):
                file.seek(start)
                read = b""
                while len(read) < end - start and (part := file.read(min(977, end - start - len(read)))):
                    read += part
                assert read == whole[start:end]

    def test_it_says_where_it_is_and_closes_what_it_was_given(self) -> None:
        original = io.BytesIO(self.BODY)
        file = Spliced(original, cut(original, JPEG, "all"))

        assert file.seekable()
        assert file.seek(0, io.SEEK_END) == len(laden.cut_out(self.BODY, JPEG, "all")) == file.tell()
        assert file.read(10) == b""
        with pytest.raises(ValueError, match="before"):
            file.seek(-1)
        file.close()
        file.close()
        assert original.closed

    def test_an_original_that_shrank_is_no_end_of_the_file(self) -> None:
        found = cut(io.BytesIO(self.BODY), JPEG, "all")

        with pytest.raises(OSError, match="shorter"):
            Spliced(io.BytesIO(self.BODY[:1500]), found).readall()
