"""What sensors saw, shown: the camera's own picture or one developed here, upright once, at the sensor's size."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests import pictures, sensors
from tests.rendering import difference, opened, pixel, rendered
from tests.sandboxes import MEBIBYTE, assert_failed, emptied, names, new_sandbox, put
from vault.imaging.kinds import DNG, JPEG
from vault.imaging.refusals import Reason, Refused
from vault.imaging.remake import Order, remake
from vault.imaging.sandbox import Sandbox

UPRIGHT = pictures.drawing(300, 200)
TURNS = (1, 3, 6, 8)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with new_sandbox() as shared:
        yield shared


@pytest.fixture
def out_dir(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def preview(upright: Image.Image, orientation: int, **options: object) -> bytes:
    return sensors.jpeg(sensors.stored(upright, orientation), **options)


def seen(body: bytes) -> Image.Image:
    return opened(body).resize(UPRIGHT.size)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_cameras_own_picture_is_shown_upright(orientation: int) -> None:
    answer, bodies = rendered(sensors.dng(UPRIGHT, orientation=orientation, preview=preview(UPRIGHT, orientation)), DNG)

    assert (answer.kind, answer.width, answer.height) == (DNG, 300, 200)
    assert difference(seen(bodies["preview"]), UPRIGHT) < 8
    assert difference(seen(bodies["preview"]), UPRIGHT.transpose(Image.Transpose.ROTATE_180)) > 20


@pytest.mark.parametrize("orientation", TURNS)
def test_its_own_word_on_how_it_lies_counts_once(orientation: int) -> None:
    exif = pictures.camera_exif(orientation=orientation)
    body = sensors.dng(UPRIGHT, orientation=orientation, preview=preview(UPRIGHT, orientation, exif=exif))
    _, bodies = rendered(body, DNG)

    assert difference(seen(bodies["preview"]), UPRIGHT) < 8


@pytest.mark.parametrize("exif", [None, pictures.camera_exif(orientation=1)], ids=["silent", "upright"])
@pytest.mark.parametrize("orientation", [6, 8])
def test_one_that_a_converter_has_turned_already_is_left_alone(orientation: int, exif: Image.Exif | None) -> None:
    options = {} if exif is None else {"exif": exif}
    _, bodies = rendered(sensors.dng(UPRIGHT, orientation=orientation, preview=sensors.jpeg(UPRIGHT, **options)), DNG)

    assert difference(seen(bodies["preview"]), UPRIGHT) < 8


@pytest.mark.parametrize("orientation", TURNS)
def test_a_raw_without_a_picture_is_developed_upright(orientation: int) -> None:
    answer, bodies = rendered(sensors.dng(UPRIGHT, orientation=orientation), DNG)

    assert (answer.width, answer.height, answer.metadata.orientation) == (300, 200, 1)
    # Developed here, its tones are not those of the drawing; its corners are.
    assert difference(seen(bodies["preview"]), UPRIGHT) < 15
    assert difference(seen(bodies["preview"]), UPRIGHT.transpose(Image.Transpose.ROTATE_180)) > 30


def test_a_tiny_picture_gives_way_to_what_the_sensor_saw() -> None:
    large = pictures.drawing(1200, 800)
    red = Image.new("RGB", (160, 107), "red")
    _, bodies = rendered(sensors.dng(large, preview=sensors.jpeg(red)), DNG, max_pixels=2_000_000)
    _, kept = rendered(sensors.dng(large, preview=sensors.jpeg(red.resize((1080, 720)))), DNG, max_pixels=2_000_000)

    assert difference(seen(bodies["preview"]), UPRIGHT) < 20
    assert difference(seen(kept["preview"]), Image.new("RGB", (300, 200), "red")) < 8


def test_of_the_two_the_one_that_is_whole_is_shown() -> None:
    blue = Image.new("RGB", (160, 107), "blue")
    body = sensors.dng(pictures.drawing(1200, 800), preview=sensors.jpeg(blue))
    entry = sensors.longs(273, 0)
    start = struct.pack("<HHL", *entry[:3])
    of_sensor = body.index(start)
    of_preview = body.index(start, of_sensor + 1)
    for broken, size, corner in ((of_sensor, (160, 107), (0, 0, 255)), (of_preview, (1200, 800), (220, 30, 30))):
        beyond = body[: broken + 8] + struct.pack("<L", len(body) + 10) + body[broken + 12 :]
        _, bodies = rendered(beyond, DNG, max_pixels=2_000_000)
        shown = opened(bodies["preview"])
        assert shown.size == size
        assert all(abs(one - other) < 30 for one, other in zip(pixel(shown, (9, 9)), corner, strict=True))


def test_what_it_says_of_itself_is_read_from_its_own_directories() -> None:
    answer, _ = rendered(sensors.dng(UPRIGHT, taken="2024:07:06 15:04:05"), DNG)

    assert (answer.metadata.camera_make, answer.metadata.camera_model) == ("Testar", "Testar Raw")
    assert str(answer.metadata.taken_at).startswith("2024-07-06 15:04:05")


def test_a_sensor_above_the_limit_is_refused_before_it_is_read() -> None:
    body = sensors.dng(UPRIGHT, preview=preview(UPRIGHT, 1))
    assert rendered(body, DNG, max_pixels=60_000)[0].width == 300
    for file in (body, sensors.dng(UPRIGHT)):
        with pytest.raises(Refused) as refused:
            rendered(file, DNG, max_pixels=59_999)
        assert refused.value.reason is Reason.TOO_MANY_PIXELS


def test_what_is_taken_home_of_it_is_a_jpeg() -> None:
    sink = io.BytesIO()
    body = sensors.dng(UPRIGHT, orientation=6, preview=preview(UPRIGHT, 6))
    made = remake(io.BytesIO(body), DNG, sink, Order("file", None, ""), max_pixels=10**6, max_frames=1)

    assert (made.kind, made.width, made.height) == (JPEG, 300, 200)
    assert difference(Image.open(sink), UPRIGHT) < 8


def test_the_child_opens_it_with_no_thread_and_little_memory(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    for body in (sensors.dng(UPRIGHT), sensors.dng(UPRIGHT, orientation=8, preview=preview(UPRIGHT, 8))):
        outcome = sandbox.render(put(tmp_path, body), out_dir)
        assert outcome.failure is None
        assert outcome.ok is not None
        # Its directory stands at its end, and the parent has found it there.
        assert (outcome.ok.kind, outcome.ok.width, outcome.ok.height) == (DNG, 300, 200)
        assert outcome.peak_memory_bytes < 128 * MEBIBYTE
    assert names(out_dir) == ["preview.webp", "thumb.webp"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"FUJIFILMCCD-RAW 0201" + bytes(4000), Reason.DAMAGED),
        (b"FOVb" + bytes(4000), Reason.DAMAGED),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(4000), Reason.DAMAGED),
        (sensors.camera_tiff("NIKON CORPORATION", "NIKON D1", compression=34713), Reason.DAMAGED),
    ],
)
def test_a_raw_with_nothing_in_it_is_refused(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path, body: bytes, reason: Reason
) -> None:
    assert_failed(sandbox.render(put(tmp_path, body), out_dir), reason, out_dir)


_SEEDS = [sensors.dng(pictures.drawing(96, 64)), sensors.dng(UPRIGHT, orientation=6, preview=preview(UPRIGHT, 6))]
_MAGICS = [b"II*\x00", b"IIU\x00", b"IIRO", b"MM\x00*", b"FOVb", b"\x00MRM"]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(_SEEDS),
    st.lists(st.tuples(st.integers(0, 1000), st.binary(min_size=1, max_size=4)), max_size=6),
    st.tuples(st.one_of(st.none(), st.sampled_from(_MAGICS)), st.integers(0, 3)),
)
def test_a_mutated_raw_ends_in_order(
    sandbox: Sandbox, tmp_path: Path, seed: bytes, changes: list[tuple[int, bytes]], whole: tuple[bytes | None, int]
) -> None:
    magic, cut = whole
    file = bytearray(seed)
    for back, value in changes:
        # What counts stands at the end: the directories.
        place = max(0, len(file) - 1 - back)
        file[place : place + len(value)] = value
    if magic is not None:
        file[:4] = magic
    out_dir = emptied(tmp_path / "out")
    outcome = sandbox.render(put(tmp_path, bytes(file if cut else file[: len(file) // 2])), out_dir)

    assert outcome.peak_memory_bytes < 512 * MEBIBYTE
    assert (outcome.ok is None) == (outcome.failure is not None)
    assert names(out_dir) == ([] if outcome.ok is None else ["preview.webp", "thumb.webp"])
