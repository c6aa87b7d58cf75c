"""Videos in the confined child: their stills, what browsers play of them, and what is refused."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image

from tests import films
from tests.conftest import SHARED, missing
from vault.imaging import boxes
from vault.imaging.boxes import NotBare
from vault.imaging.playing import Play, Played, fitted
from vault.imaging.refusals import Reason
from vault.imaging.sandbox import Outcome, Sandbox, Unmakeable

GIB = 1024**3


@pytest.fixture(scope="module")
def child() -> Iterator[Sandbox]:
    """Hold one confined child for all films of this file."""
    with Sandbox(
        memory_bytes=GIB, cpu_seconds=30, wall_seconds=45, max_pixels=100_000_000, max_frames=2_000, output_bytes=GIB
    ) as made:
        yield made


class Cinema:
    """Shows films: a file, its stills, and what plays of it."""

    def __init__(self, child: Sandbox, folder: Path) -> None:
        self._child, self._folder = child, folder

    def still(self, body: bytes) -> Outcome:
        """Draw the stills of a film."""
        return self._child.render(self._file(body), self._folder)

    def pixel(self, at: tuple[int, int]) -> tuple[int, ...]:
        """Return a pixel of the preview that was drawn last."""
        return pixel(Image.open(self._folder / "preview.webp"), at)

    def played(self, body: bytes, *, offset: int = 0) -> tuple[Played, bytes]:
        """Make what browsers play of a film."""
        out = self._folder / "out.mp4"
        made = self._child.play(self._file(body), out, Play(offset, len(body) - offset))
        return made, out.read_bytes()

    def _file(self, body: bytes) -> Path:
        path = self._folder / "film"
        path.write_bytes(body)
        return path


def pixel(picture: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    """Return the red, green and blue of a pixel."""
    found = picture.convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return found


@pytest.fixture
def cinema(child: Sandbox, tmp_path: Path) -> Cinema:
    """Return where films are shown."""
    return Cinema(child, tmp_path)


@pytest.mark.parametrize("name", films.CONTAINERS)
def test_a_film_of_every_container_has_a_still_and_plays(cinema: Cinema, name: str) -> None:
    body = films.film(name, seconds=1.2)
    outcome = cinema.still(body)
    assert outcome.ok is not None, outcome.failure
    assert (outcome.ok.width, outcome.ok.height) == films.SIZE
    assert outcome.ok.duration_seconds == pytest.approx(1.2, abs=0.1)
    assert max(cinema.pixel((5, 5))) > 230, "the white corner"
    made, played = cinema.played(body)
    shown, heard, codecs = films.seconds_of(played)
    assert codecs == ["h264", "aac"] or (made.is_copy and codecs[0] == "h264")
    # Matroska does not say when pictures are to be decoded, which an MP4 has to.
    assert made.is_copy == (name == "mp4")
    assert (made.width, made.height, made.size_bytes) == (*films.SIZE, len(played))
    assert shown[0] < 0.15
    assert shown[-1] == pytest.approx(1.16, abs=0.1)
    assert len(shown) == pytest.approx(30, abs=1)
    assert heard == pytest.approx(1.2, abs=0.1)
    assert shown == sorted(shown)


@pytest.mark.parametrize(("degrees", "corner"), [(90, (230, 10)), (180, (310, 230)), (270, (10, 310))])
@pytest.mark.parametrize("name", ["mp4", "hevc.mov"])
def test_a_film_stands_upright(cinema: Cinema, name: str, degrees: int, corner: tuple[int, int]) -> None:
    body = films.turned(films.film(name), degrees)
    size = films.SIZE if degrees == 180 else films.SIZE[::-1]
    outcome = cinema.still(body)
    assert outcome.ok is not None
    assert (outcome.ok.width, outcome.ok.height) == size
    assert min(cinema.pixel(corner)) > 230
    made, played = cinema.played(body)
    assert (made.width, made.height) == size
    # As a browser shows it: by the pixels, and by the turn where they were copied.
    with av.open(io.BytesIO(played), "r") as found:
        frame = next(found.decode(video=0))
        picture = films.image(frame).rotate(frame.rotation, expand=True)
    assert picture.size == size
    assert min(pixel(picture, corner)) > 230


def test_the_still_is_not_the_black_before_a_film(cinema: Cinema) -> None:
    body = films.film(seconds=2, colours=("black", "black", "teal"), options={}, size=(64, 64))
    assert cinema.still(body).ok is not None
    black = films.film(seconds=1, colours=("black",))
    assert cinema.still(black).ok is not None, "a film that stays black has a still all the same"


def test_what_plays_says_nothing_of_where_and_when(cinema: Cinema) -> None:
    said = {
        "title": "SECRET-title",
        "comment": "SECRET-words",
        "location": "+49.1989+016.6071/",
        "artist": "SECRET-name",
    }
    for name in ("mp4", "hevc.mov"):
        body = films.film(name, tags=said, options={"movflags": "use_metadata_tags"})
        assert b"SECRET" in body
        made, played = cinema.played(body)
        assert b"SECRET" not in played
        assert b"+49.19" not in played
        assert b"udta" not in played[: played.index(b"mdat")]
        with av.open(io.BytesIO(played), "r") as found:
            assert set(found.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
            assert len(found.streams) == 2
        assert made.size_bytes


def test_messages_between_pictures_are_left_out_of_a_copy(cinema: Cinema) -> None:
    body = films.film("mp4")
    # x264 writes its settings into a message of its own; camcorders write places into such.
    assert b"x264 - core" in body
    made, played = cinema.played(body)
    assert made.is_copy
    assert b"x264 - core" not in played


def test_a_film_without_sound_plays(cinema: Cinema) -> None:
    made, played = cinema.played(films.film("webm", sound=False))
    assert not made.is_copy
    assert films.seconds_of(played)[2] == ["h264"]


def test_sound_alone_is_no_film(cinema: Cinema) -> None:
    body = io.BytesIO()
    with av.open(body, "w", format="mp4") as output:
        voice = output.add_stream("aac", 48_000)
        output.mux(films._hum(voice, 0.5))  # noqa: SLF001 - the same hum without its pictures
    outcome = cinema.still(body.getvalue())
    assert outcome.reason is Reason.NO_PICTURES
    assert outcome.failure == "This file has sound, perhaps, but no moving pictures."


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3840, 2160), (1920, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((1080, 1080), (1080, 1080)),
        ((4000, 3000), (1440, 1080)),
        ((641, 361), (640, 360)),
        ((1, 5000), (2, 1920)),
    ],
)
def test_a_rendition_is_no_larger_than_a_screen(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fitted(size) == expected


def test_what_is_too_large_to_stream_is_made_smaller(cinema: Cinema) -> None:
    made, played = cinema.played(films.film(size=(2560, 1440), seconds=0.4))
    assert (made.width, made.height, made.is_copy) == (1920, 1080, False)
    assert played


def test_only_the_stretch_that_was_ordered_is_read(cinema: Cinema) -> None:
    before = b"\xff\xd8" + bytes(1000)
    made, played = cinema.played(before + films.film(), offset=len(before))
    assert made.duration_seconds == pytest.approx(1.0, abs=0.1)
    assert films.seconds_of(played)[0]


def test_the_films_of_the_real_photos_are_shown_and_play(cinema: Cinema) -> None:
    manifest = SHARED / "photos" / "MANIFEST.tsv"
    if not manifest.is_file():
        missing("the real photos")
    seen = 0
    lines = [line.split("\t") for line in manifest.read_text().splitlines()]
    at = {name: place for place, name in enumerate(lines[0])}
    for line in lines[1:]:
        if not line[at["duration_s"]] or line[at["type"]] not in ("MOV", "MP4"):
            continue
        body = (SHARED / "photos" / line[at["file"]]).read_bytes()
        outcome = cinema.still(body)
        assert outcome.ok is not None, line[0]
        assert outcome.ok.duration_seconds == pytest.approx(float(line[at["duration_s"]]), abs=0.1), line[0]
        assert f"{outcome.ok.width} {outcome.ok.height}" == line[at["pixels"]], line[0]
        if line[at["gps_lat"]]:
            assert outcome.ok.metadata.latitude == pytest.approx(float(line[at["gps_lat"]]), abs=1e-4), line[0]
            assert outcome.ok.metadata.longitude == pytest.approx(float(line[at["gps_lon"]]), abs=1e-4), line[0]
        made, played = cinema.played(body)
        shown, _, _ = films.seconds_of(played)
        assert shown[-1] <= made.duration_seconds + 0.1, line[0]
        assert shown[-1] > made.duration_seconds * 0.8, line[0]
        seen += 1
    assert seen >= 6


def test_the_parent_believes_only_a_bare_film(cinema: Cinema, tmp_path: Path) -> None:
    _, good = cinema.played(films.film())
    path = tmp_path / "doubted"

    def refused(body: bytes, size: int | None = None) -> bool:
        path.write_bytes(body)
        with path.open("rb") as file:
            try:
                boxes.require_bare(file, len(body) if size is None else size)
            except NotBare:
                return True
        return False

    assert not refused(good)
    assert refused(good, len(good) - 1)
    assert refused(good + b"\0\0\0\x0cudtaGPS!")
    assert refused(good + bytes(4))
    assert refused(good[:-1])
    assert refused(good.replace(b"VideoHandler", b"Anna at home"))
    assert refused(good.replace(b"url \0\0\0\1", b"url \0\0\0\0")), "pictures in another file"
    assert refused(good.replace(b"stts", b"meta", 1))
    assert refused(films.film()), "with the box of user data, and the index behind the pictures"
    assert refused(b"")
    assert refused(os.urandom(2000))
    hidden = good.replace(b"free" + bytes(53), b"free" + b"GPS 49.1989 16.6071".ljust(53, b"\0"), 1)
    assert hidden != good
    assert refused(hidden), "blank space that is not blank"


def test_a_kind_that_is_no_film_does_not_play(cinema: Cinema) -> None:
    with pytest.raises(Unmakeable) as refused:
        cinema.played(b"\xff\xd8\xff\xe0" + bytes(100))
    assert refused.value.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(("brightness", "grey"), [(16, 175), (18, 136)], ids=["pq", "hlg"])
def test_what_was_filmed_for_brighter_screens_is_brought_down(cinema: Cinema, brightness: int, grey: int) -> None:
    body = films.bright(brightness)
    assert cinema.still(body).ok is not None
    red, middle = cinema.pixel((80, 200)), cinema.pixel((240, 200))
    # A signal of a half: 92 candela in one way of writing, 50 in the other; paper has 203.
    assert middle == pytest.approx((grey, grey, grey), abs=4)
    assert red[0] - red[1] > 60
    made, played = cinema.played(body)
    assert not made.is_copy
    with av.open(io.BytesIO(played), "r") as found:
        frame = next(found.decode(video=0))
        assert (frame.format.name, frame.color_trc, frame.color_primaries, frame.colorspace) == ("yuv420p", 1, 1, 1)
        assert pixel(films.image(frame), (240, 200)) == pytest.approx((grey, grey, grey), abs=6)
