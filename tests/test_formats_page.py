"""The page about formats, held against the code: every kind, every limit, every reason, word by word."""

import re
from pathlib import Path

from vault.config import Settings
from vault.imaging import animation, identify, raw
from vault.imaging.kinds import EVERY_KIND
from vault.imaging.refusals import Reason, film_sentence, sentence

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "formats.md").read_text()
SETTINGS = Settings(home=Path("/nowhere"), secret_keys=("none",))
OF_VIDEOS = {Reason.NO_PICTURES, Reason.UNKNOWN_CODEC, Reason.TOO_LONG}
OF_PICTURES = {Reason.TOO_MANY_FRAMES, Reason.TEXT_BOMB}


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_kind_is_named() -> None:
    kept = section("Pictures") + section("Videos")

    assert set(re.findall(r"`((?:image|video)/[^`]+)`", kept)) == {kind.media_type for kind in EVERY_KIND}
    for kind in EVERY_KIND:
        assert re.search(rf"\b{kind.extension}\b|\b{kind.format}\b|\b{kind.media_type}\b", kept, re.IGNORECASE), kind


def test_every_reason_is_given_in_its_words() -> None:
    rows = {
        reason: (picture.strip(), film.strip())
        for reason, picture, film in re.findall(r"^\| `([\w-]+)` \|(.*?)\|(.*?)\|$", PAGE, re.MULTILINE)
    }
    bounds = {"max_pixels": SETTINGS.max_pixels}

    assert set(rows) == set(Reason)
    for reason in Reason:
        picture = sentence(reason, **bounds, max_frames=SETTINGS.max_frames) if reason not in OF_VIDEOS else ""
        film = film_sentence(reason, **bounds) if reason not in OF_PICTURES else ""
        assert rows[reason] == (picture, film)


def test_every_sentence_at_the_door_is_there() -> None:
    sentences = {
        value.format("…")
        for name, value in vars(identify).items()
        if name.startswith("_") and isinstance(value, str) and value.endswith((".", ".”"))
        if not name.startswith("__")
    }
    told = {words.strip() for words in re.findall(r"^\|.*?\|(.*?)\|$", section("Refused at the door"), re.MULTILINE)}

    assert len(sentences) > 9
    assert told - {"sentence", "---"} == sentences


def test_the_limits_of_what_moves_are_those_of_the_code() -> None:
    words = " ".join(section("Pictures").split())

    assert f"up to {animation.MOST_FRAMES} frames, {animation.MOST_PIXELS // 10**6} megapixels" in words
    assert f"a minute, {animation.MOST_BYTES // 1024**2} MiB" in words
    assert animation.LONGEST_SECONDS == 60
    assert f"shorter than {raw.TINY_PX:,} pixels" in words
