"""Films that mean harm, or are only broken: each ends in time, with a sentence, and the next one is shown as before."""

import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import films
from tests.conftest import SHARED, missing
from vault.imaging.identify import HEAD_BYTES, Unsupported, identify
from vault.imaging.playing import Play
from vault.imaging.refusals import Reason
from vault.imaging.sandbox import Outcome, Sandbox, Unmakeable

GIB = 1024**3
LONGEST_SECONDS = 60.0
PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref", b"stbl", b"stsd")


@pytest.fixture(scope="module")
def child() -> Iterator[Sandbox]:
    with Sandbox(memory_bytes=GIB, cpu_seconds=20, wall_seconds=40, max_pixels=50_000_000, max_frames=100) as made:
        yield made


@pytest.fixture(scope="module")
def good() -> bytes:
    return films.film(seconds=0.4)


class Trial:
    """Shows a child what may be anything."""

    def __init__(self, child: Sandbox, folder: Path) -> None:
        self._child, self._folder = child, folder

    def shown(self, body: bytes) -> Outcome:
        """Draw stills, and make what plays where there are any; nothing but an outcome may come of either."""
        path, began = self._folder / "film", time.monotonic()
        path.write_bytes(body)
        outcome = self._child.render(path, self._folder)
        if outcome.ok is not None:
            try:
                self._child.play(path, self._folder / "out.mp4", Play(0, len(body)))
            except Unmakeable:
                assert not (self._folder / "out.mp4").exists()
        else:
            assert outcome.failure is not None
            assert outcome.failure.endswith(".")
        assert time.monotonic() - began < 2 * LONGEST_SECONDS
        return outcome


@pytest.fixture
def trial(child: Sandbox, tmp_path: Path) -> Trial:
    return Trial(child, tmp_path)


def put_in(body: bytes, at: int, more: bytes) -> bytes:
    """Put bytes into an index that stands at the end, and let every box around them grow."""
    longer = bytearray(body[:at] + more + body[at:])
    for name in PARENTS:
        start = body.find(name, body.rindex(b"moov")) - 4
        size = int.from_bytes(body[start : start + 4])
        if start >= 0 and start < at <= start + size:
            longer[start : start + 4] = (size + len(more)).to_bytes(4)
    return bytes(longer)


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("name", ["mp4", "webm", "avi", "ts", "mpg"])
def test_a_film_that_breaks_off(trial: Trial, name: str, part: float) -> None:
    body = films.film(name, seconds=0.4)
    outcome = trial.shown(body[: max(400, int(len(body) * part))])
    # Its index stands at the end.
    if name == "mp4" and part < 0.9:
        assert outcome.reason is Reason.DAMAGED
        assert outcome.failure == "This video is damaged or incomplete."


def test_pictures_of_an_absurd_size_are_not_opened(trial: Trial, good: bytes) -> None:
    at = good.rindex(b"avc1") + 4 + 24
    body = good[:at] + (60_000).to_bytes(2) * 2 + good[at + 4 :]
    assert body != good
    trial.shown(body)
    still = bytearray(films.film("mov", seconds=0.2))
    for at in [place for place in range(len(still) - 9) if still[place : place + 2] == b"\xff\xc0"]:
        still[at + 5 : at + 9] = (65_000).to_bytes(2) * 2
    assert trial.shown(bytes(still)).ok is None


def test_thousands_of_tracks_are_refused(trial: Trial, good: bytes) -> None:
    at = good.index(b"trak", good.rindex(b"moov")) - 4
    track = good[at : at + int.from_bytes(good[at : at + 4])]
    outcome = trial.shown(put_in(good, at, track * 3_000))
    assert outcome.reason in (Reason.DAMAGED, Reason.TOO_MUCH_MEMORY)


def test_what_lies_in_another_file_is_not_looked_for(trial: Trial, good: bytes, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(films.film(colours=("magenta",), seconds=0.4))
    at = good.index(b"url \0\0\0\1", good.rindex(b"moov"))
    named = good[: at + 7] + b"\0" + good[at + 8 :]
    place = f"file://{other}\0".encode()
    body = put_in(named, at + 8, place)
    grown = bytearray(body)
    start = body.index(b"url \0\0\0\0", body.rindex(b"moov")) - 4
    grown[start : start + 4] = (12 + len(place)).to_bytes(4)
    outcome = trial.shown(bytes(grown))
    assert outcome.ok is None or b"magenta" not in (tmp_path / "preview.webp").read_bytes()
    with pytest.raises(Unsupported):
        identify(b"ffconcat version 1.0\nfile " + str(other).encode())
    with pytest.raises(Unsupported):
        identify(b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + str(other).encode())


def test_a_few_bytes_that_promise_years_are_refused(trial: Trial) -> None:
    long = bytearray(films.film("webm", seconds=0.4))
    at = long.index(b"\x44\x89\x88") + 3
    long[at : at + 8] = struct.pack(">d", 1e14)  # milliseconds
    assert trial.shown(bytes(long)).reason is Reason.TOO_LONG


@pytest.mark.parametrize("name", ["mp4", "mov", "webm", "avi", "mpg", "ts", "wmv"])
def test_bytes_that_were_changed_anywhere(trial: Trial, name: str) -> None:
    body, dice = films.film(name, seconds=0.3), random.Random(name)  # noqa: S311 - the same changes each time, which is the point
    for _ in range(4):
        broken = bytearray(body)
        for _ in range(20):
            broken[dice.randrange(16, len(broken))] = dice.randrange(256)
        trial.shown(bytes(broken))
    trial.shown(body[:HEAD_BYTES] + dice.randbytes(60_000))
    assert trial.shown(body).ok is not None, "the next one is shown as before"


def test_the_hostile_films_end_with_a_sentence(trial: Trial) -> None:
    folder = SHARED / "hostile" / "malformed"
    if not folder.is_dir():
        missing("the hostile files")
    found = [path for path in folder.iterdir() if path.suffix in (".mp4", ".mov")]
    assert found
    for path in found:
        assert trial.shown(path.read_bytes()).ok is None, path.name
