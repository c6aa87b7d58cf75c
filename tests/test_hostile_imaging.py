"""Every hostile file and every real photo through the sandbox: rendered, or refused with a sentence; nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests import pictures
from vault.imaging.identify import HEAD_BYTES, Unsupported, identify
from vault.imaging.refusals import Reason
from vault.imaging.sandbox import Outcome, Sandbox
from vault.imaging.webp import measure

MEMORY_BYTES = 1 << 30
HOSTILE = pictures.SHARED / "hostile"
PHOTOS = pictures.SHARED / "photos"
SENTENCE_LENGTHS = range(15, 120)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(
        memory_bytes=MEMORY_BYTES, cpu_seconds=30, wall_seconds=30.0, max_pixels=100_000_000, max_frames=2000
    ) as shared:
        yield shared


def _assert_orderly(outcome: Outcome, out_dir: Path) -> None:
    assert outcome.peak_memory_bytes < MEMORY_BYTES
    assert outcome.seconds < 40
    if outcome.ok is None:
        assert outcome.reason is not None
        assert outcome.failure is not None
        assert len(outcome.failure) in SENTENCE_LENGTHS
        assert outcome.failure.endswith(".")
        assert list(out_dir.iterdir()) == []
        return
    assert (outcome.failure, outcome.reason) == (None, None)
    for variant in outcome.ok.variants:
        path = out_dir / variant.file_name
        most_frames = outcome.ok.frames if variant.name == "preview" else 1
        with path.open("rb") as file:
            assert measure(file, most_frames=most_frames) == (variant.width, variant.height)
        with Image.open(path, formats=["WEBP"]) as image:
            image.load()
        path.unlink()


def _pid(sandbox: Sandbox) -> int | None:
    process = sandbox._nursery._process  # noqa: SLF001 - whether the zygote is still the same is the question
    return process.pid if process is not None else None


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="no hostile files on this machine")
def test_every_hostile_file_ends_in_order(sandbox: Sandbox, tmp_path: Path) -> None:
    paths = [path for path in sorted(HOSTILE.rglob("*")) if path.is_file()]
    assert len(paths) > 200
    sandbox.render(paths[0], tmp_path)
    (tmp_path / "first").write_bytes(pictures.jpeg())
    out_dir = tmp_path / "out"
    out_dir.mkdir()
    sandbox.render(tmp_path / "first", out_dir)
    zygote = _pid(sandbox)
    seen: dict[str, int] = {}
    for path in paths:
        for left in out_dir.iterdir():
            left.unlink()
        outcome = sandbox.render(path, out_dir)
        _assert_orderly(outcome, out_dir)
        assert outcome.reason is not Reason.CRASHED, path.name
        seen[outcome.reason or "rendered"] = seen.get(outcome.reason or "rendered", 0) + 1
    assert _pid(sandbox) == zygote
    assert {"rendered", Reason.UNSUPPORTED, Reason.DAMAGED, Reason.TOO_MANY_PIXELS, Reason.TEXT_BOMB} <= seen.keys()


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="no real photos on this machine")
def test_variants_of_real_photos_are_less_than_half_of_what_they_stand_for(sandbox: Sandbox, tmp_path: Path) -> None:
    originals = variants = 0
    lines = ["original | preview | thumb | smaller by"]
    for path in sorted(PHOTOS.iterdir()):
        with path.open("rb") as file:
            try:
                identify(file.read(HEAD_BYTES))
            except Unsupported:
                continue
        outcome = sandbox.render(path, tmp_path)
        assert outcome.ok is not None, (path.name, outcome.failure)
        preview, thumb = (variant.size_bytes for variant in outcome.ok.variants)
        _assert_orderly(outcome, tmp_path)
        size = path.stat().st_size
        originals, variants = originals + size, variants + preview + thumb
        lines.append(f"{size} | {preview} | {thumb} | {1 - (preview + thumb) / size:.0%} | {path.name}")
    lines.append(f"{originals} | {variants} together | {1 - variants / originals:.0%}")
    print("\n".join(lines))  # noqa: T201 - the table that `pytest -s` shows
    assert variants < originals / 2


_SEEDS = [
    pictures.encoded(pictures.drawing(), kind.format, exif=pictures.camera_exif(gps=True)) for kind in pictures.WRITABLE
] + [
    pictures.animated("GIF"),
    pictures.animated("WEBP"),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(_SEEDS),
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=4)), max_size=6),
    st.integers(0, 4000),
)
def test_a_mutated_picture_ends_in_order(
    sandbox: Sandbox, tmp_path: Path, seed: bytes, changes: list[tuple[int, bytes]], cut: int
) -> None:
    file = bytearray(seed)
    for at, value in changes:
        place = at % len(file)
        file[place : place + len(value)] = value
    source, out_dir = tmp_path / "source", tmp_path / "out"
    out_dir.mkdir(exist_ok=True)
    source.write_bytes(file if cut % 3 else file[:cut])
    _assert_orderly(sandbox.render(source, out_dir), out_dir)


def test_a_jpeg_that_goes_over_itself_for_hours_is_stopped(tmp_path: Path) -> None:
    source, out_dir = tmp_path / "source", tmp_path / "out"
    out_dir.mkdir()
    source.write_bytes(pictures.many_scans(100_000))
    with Sandbox(
        memory_bytes=MEMORY_BYTES, cpu_seconds=2, wall_seconds=10.0, max_pixels=100_000_000, max_frames=2000
    ) as strict:
        outcome = strict.render(source, out_dir)
    _assert_orderly(outcome, out_dir)
    assert outcome.reason is Reason.TOO_SLOW
