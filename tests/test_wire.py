"""The child's answer is believed only as far as it can be checked."""

import json
from io import BytesIO

import pytest

from tests import pictures
from vault.imaging import wire
from vault.imaging.identify import JPEG
from vault.imaging.refusals import Reason, Refused
from vault.imaging.render import TARGETS, render
from vault.imaging.webp import measure


def _answer() -> dict[str, object]:
    sinks = {target.name: BytesIO() for target in TARGETS}
    exif = pictures.camera_exif(taken="2024:07:06 15:04:05", gps=True)
    rendered = render(BytesIO(pictures.jpeg(exif=exif)), JPEG, sinks, max_pixels=10**6, max_frames=1)
    answer: dict[str, object] = json.loads(wire.write_rendered(rendered))
    return answer


def _read(line: bytes) -> None:
    wire.read_answer(line, JPEG, max_pixels=10**6, max_frames=5)


def test_an_honest_answer_is_believed() -> None:
    _read(json.dumps(_answer()).encode())


@pytest.mark.parametrize(
    "lie",
    [
        {"size": [10**6, 2]},
        {"size": [0, 5]},
        {"size": [1.5, 5]},
        {"size": [5]},
        {"size": "ab"},
        {"frames": 6},
        {"frames": True},
        {"variants": {}},
        {"variants": {"preview": [5000, 1, 10], "thumb": [1, 1, 10]}},
        {"placeholder": "<script>"},
        {"placeholder": "A" * 8000},
        {"placeholder": None},
        {"metadata": {"unknown": 1}},
        {"metadata": {"iso": "many"}},
        {"metadata": {"latitude": float("nan")}},
        {"metadata": {"latitude": 90.5}},
        {"metadata": {"iso": float("inf")}},
        {"metadata": {"orientation": 9}},
        {"metadata": {"taken_at": "2024-07-06"}},
        {"metadata": {"taken_at": 5}},
        {"metadata": {"taken_at": "0001-01-01T00:00:00+14:00"}},
        {"metadata": {"taken_at": "9999-12-31T23:59:59-14:00"}},
        {"metadata": {"taken_at": "0800-12-25T12:00:00+00:00"}},
        {"metadata": {"orientation": None}},
        {"metadata": {"taken_offset_minutes": 1441}},
        {"metadata": {"taken_offset_minutes": 1.5}},
        {"metadata": {"rating": 0}},
        {"metadata": {"rating": 6}},
        {"metadata": {"rating": True}},
        {"metadata": {"keywords": "lake"}},
        {"metadata": {"keywords": [1]}},
        {"metadata": {"keywords": ["lake", "Lake"]}},
        {"metadata": {"keywords": ["x" * 101]}},
        {"metadata": {"keywords": ["a\nb"]}},
        {"metadata": {"keywords": [str(each) for each in range(101)]}},
        {"metadata": {"sources": ["exif"]}},
        {"metadata": {"sources": {"taken_at": "hearsay"}}},
        {"metadata": {"sources": {"owner_id": "exif"}}},
        {"metadata": {"sources": {"taken_at": ["exif"]}}},
        {"metadata": []},
        {"refused": "because"},
    ],
    ids=str,
)
def test_a_lie_is_not_believed(lie: dict[str, object]) -> None:
    with pytest.raises(wire.Unbelievable):
        _read(json.dumps(_answer() | lie).encode())


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"7", b"null", b"\xff", b"[" * 60_000])
def test_noise_is_not_believed(line: bytes) -> None:
    with pytest.raises(wire.Unbelievable):
        _read(line)


def test_texts_are_cleaned_again() -> None:
    answer = _answer() | {"metadata": {"caption": "a\x00b\nc", "camera_make": "x" * 9999}}
    rendered = wire.read_answer(json.dumps(answer).encode(), JPEG, max_pixels=10**6, max_frames=5)
    assert rendered.metadata.caption == "a"
    assert rendered.metadata.camera_make == "x" * 200


def test_a_refusal_is_a_refusal() -> None:
    with pytest.raises(Refused) as refused:
        _read(wire.write_refusal(Reason.DAMAGED))
    assert refused.value.reason is Reason.DAMAGED


@pytest.mark.parametrize(
    "body",
    [
        b"<html><script>alert(1)</script></html>",
        pictures.jpeg(),
        pictures.encoded(pictures.drawing(), "WEBP") + b"tail",
        pictures.encoded(pictures.drawing(), "WEBP", exif=pictures.camera_exif()),
        pictures.encoded(pictures.drawing(), "WEBP", xmp=pictures.xmp_packet()),
        pictures.encoded(pictures.drawing(), "WEBP", icc_profile=pictures.profile("Display P3")),
        pictures.animated("WEBP"),
        pictures.encoded(pictures.drawing(), "WEBP")[:-2],
        b"",
    ],
    ids=["html", "jpeg", "tail", "exif", "xmp", "icc", "animated", "cut", "empty"],
)
def test_only_bare_still_webp_passes_for_a_variant(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"WebP|chunk"):
        measure(BytesIO(body))
