"""Real photos, cut and made anew, looked at by a reader that is not ours: no place, no serial number, same pixels."""

import io
import json
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence

from tests import laden
from tests.conftest import missing
from tests.laden import cut_out
from tests.sandboxes import new_sandbox
from vault.imaging import metadata
from vault.imaging.cut import Rule, Uncuttable
from vault.imaging.identify import GIF, JPEG, PNG, WEBP, Kind, Unsupported, identify
from vault.imaging.remake import Order

# Groups that only speak of pixels, of the file on this disk, or of exiftool itself.
HARMLESS_GROUPS = {
    "ExifTool",
    "System",
    "File",
    "JFIF",
    "PNG",
    "PNG-pHYs",
    "GIF",
    "RIFF",
    "Composite",
    "APP14",
    "Adobe",
    "ICC",
}
# Its profile has tables of a type that is not cut.
MADE_ANEW = "test__thompson-springs.jpg"
CUTTABLE = (JPEG, PNG, WEBP, GIF)
KEPT_GROUPS = {"IFD0", "ExifIFD"}
TELLING = ("gps", "serial", "location", ":city", "latitude", "longitude", "makernote", "thumbnail", "owner", "trailer")


def facts_of(folder: Path) -> list[dict[str, Any]]:
    """What exiftool reads out of every file of a folder, down to the last embedded one, by group and name."""
    tool = shutil.which("exiftool")
    if tool is None:
        missing("exiftool")
    told = subprocess.run([tool, "-j", "-a", "-G1", "-s", "-ee3", str(folder)], check=False, capture_output=True)
    found: list[dict[str, Any]] = json.loads(told.stdout)
    return found


def telling(facts: dict[str, Any]) -> list[str]:
    """The names of facts that may tell where, by whom or with which very camera a picture was taken."""
    said = [key for key in facts if key != "SourceFile" and not key.startswith(("System:", "ExifTool:"))]
    return [key for key in said if any(word in key.lower() for word in TELLING)]


def groups(facts: dict[str, Any]) -> set[str]:
    found = (key.partition(":")[0] for key in facts if key != "SourceFile")
    return {"ICC" if group.startswith("ICC") else group for group in found}


def kept_photos(photos: Path) -> list[tuple[Path, bytes, Kind]]:
    found = []
    for path in sorted(photos.iterdir()):
        body = path.read_bytes()
        try:
            kind = identify(body[:4096])
        except Unsupported:
            continue
        # Of videos no metadata is cut out: see tests/test_films.py.
        if not kind.is_film:
            found.append((path, body, kind))
    return found


def seen(body: bytes) -> tuple[list[bytes], object, int]:
    """Every frame's pixels as they are stored, what their profile makes of colours, and which way up they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(body)) as image:
            frames = [frame.tobytes() for frame in ImageSequence.Iterator(image)][
                : 1 if image.format == "MPO" else None
            ]
            return frames, laden.colours(image.info.get("icc_profile")), metadata.read(image).orientation


@pytest.mark.parametrize("rule", ["location", "all"])
def test_cut_photos_tell_nothing_and_show_the_same(photos: Path, tmp_path: Path, rule: Rule) -> None:
    originals = [each for each in kept_photos(photos) if each[2] in CUTTABLE and each[0].name != MADE_ANEW]
    for path, body, kind in originals:
        result = cut_out(body, kind, rule)
        assert seen(result) == seen(body), path.name
        (tmp_path / path.name).write_bytes(result)

    found = facts_of(tmp_path)

    assert len(found) == len(originals) > 30
    assert {facts["SourceFile"]: told for facts in found if (told := telling(facts))} == {}
    allowed = HARMLESS_GROUPS | KEPT_GROUPS if rule == "location" else HARMLESS_GROUPS | {"IFD0"}
    assert {group for facts in found for group in groups(facts)} - allowed == set()
    if rule == "all":
        said = {key for facts in found for key in facts if key.startswith("IFD0:")}
        assert said == {"IFD0:Orientation"}


def test_a_photo_with_a_profile_beyond_understanding_is_left_to_be_made_anew(photos: Path) -> None:
    with pytest.raises(Uncuttable):
        cut_out((photos / MADE_ANEW).read_bytes(), JPEG, "all")


def test_the_reader_would_have_found_it(photos: Path) -> None:
    told = [name for facts in facts_of(photos) for name in telling(facts)]

    assert sum("GPSLatitude" in name for name in told) > 10
    assert any("SerialNumber" in name for name in told)


def test_photos_made_anew_tell_nothing_and_keep_their_bounds(photos: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    chosen = [each for each in kept_photos(photos) if each[2] not in CUTTABLE or each[0].stat().st_size < 400_000]
    with new_sandbox(memory_bytes=1 << 30) as sandbox:
        for path, _, _ in chosen:
            for order in (Order("file", 300, "For Anna"), Order("file", None, ""), Order("screen", 200, "For Anna")):
                target = made / f"{path.name.replace('.', '-')}-{order.form}-{order.long_edge_px}"
                result = sandbox.remake(path, target, order)
                assert max(result.width, result.height) <= (order.long_edge_px or 100_000)
                target.rename(target.with_suffix(f".{result.kind.extension}"))

    found = facts_of(made)

    assert len(found) == 3 * len(chosen) > 30
    assert {facts["SourceFile"]: told for facts in found if (told := telling(facts))} == {}
    assert {group for facts in found for group in groups(facts)} - HARMLESS_GROUPS == set()
    assert not any("ICC" in groups(facts) for facts in found)
