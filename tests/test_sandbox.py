"""The child that decodes: what it may, what it may not, and what happens when it or its zygote dies."""

import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from tests.sandboxes import ENDLESS, MEBIBYTE, assert_failed, names, new_sandbox, put, zygote_pid
from vault.imaging import nursery, wire
from vault.imaging.identify import JPEG
from vault.imaging.lending import Report
from vault.imaging.refusals import Reason
from vault.imaging.render import TARGETS, render
from vault.imaging.sandbox import Outcome, Sandbox, SandboxUnavailable
from vault.imaging.webp import measure

ROOT = Path(__file__).parents[1]
LINUX = sys.platform == "linux"
NAMES = sorted(target.file_name for target in TARGETS)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with new_sandbox() as shared:
        yield shared


@pytest.fixture
def out_dir(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def test_a_picture_becomes_files_that_only_we_can_read(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    exif = pictures.camera_exif(orientation=6, taken="2024:07:06 15:04:05", offset="+02:00", gps=True)
    body = pictures.jpeg(pictures.drawing(3000, 2000), exif=exif, xmp=pictures.xmp_packet(title="Über <b>alles</b>"))
    outcome = sandbox.render(put(tmp_path, body), out_dir)
    assert (outcome.failure, outcome.reason) == (None, None)
    # The same as without a sandbox: nothing is lost on the way, zone, umlauts and fractions included.
    here = render(BytesIO(body), JPEG, {t.name: BytesIO() for t in TARGETS}, max_pixels=10**8, max_frames=1)
    assert outcome.ok == here
    assert names(out_dir) == NAMES
    for variant in here.variants:
        path = out_dir / variant.file_name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size == variant.size_bytes
        with path.open("rb") as file:
            assert measure(file) == (variant.width, variant.height)
    assert 0 < outcome.peak_memory_bytes < 512 * MEBIBYTE


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF"])
def test_every_kind_is_rendered_in_the_child(sandbox: Sandbox, tmp_path: Path, out_dir: Path, kind: str) -> None:
    outcome = sandbox.render(put(tmp_path, pictures.encoded(pictures.drawing(), kind)), out_dir)
    assert outcome.failure is None
    assert outcome.ok is not None
    assert (outcome.ok.width, outcome.ok.height) == (96, 64)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.UNSUPPORTED),
        (b"<svg/>", Reason.UNSUPPORTED),
        (pictures.jpeg()[:300], Reason.DAMAGED),
        (b"\xff\xd8\xff\xe0" + bytes(500), Reason.DAMAGED),
        (pictures.png_with_text("a", "x" * 9_000_000), Reason.TEXT_BOMB),
        (pictures.animated("GIF", frames=1001), Reason.TOO_MANY_FRAMES),
        # The WebP decoder takes its memory while it opens a file: the claim must be read before.
        (pictures.webp_claiming(11_000, 11_000), Reason.TOO_MANY_PIXELS),
    ],
    ids=["empty", "svg", "cut", "zeros", "text bomb", "frames", "pixels"],
)
def test_a_refused_picture_leaves_nothing_behind(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path, body: bytes, reason: Reason
) -> None:
    assert_failed(sandbox.render(put(tmp_path, body), out_dir), reason, out_dir)


def test_a_failure_takes_older_variants_away(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    assert sandbox.render(put(tmp_path, pictures.jpeg()), out_dir).ok is not None
    assert_failed(sandbox.render(put(tmp_path, pictures.jpeg()[:300]), out_dir), Reason.DAMAGED, out_dir)


@pytest.mark.skipif(not LINUX, reason="only Linux limits the address space")
def test_a_picture_that_needs_too_much_memory_fails_alone(tmp_path: Path, out_dir: Path) -> None:
    with new_sandbox(memory_bytes=256 * MEBIBYTE) as sandbox:
        # 75 megapixels in colour want 300 MB.
        large = pictures.encoded(Image.new("RGB", (10_000, 7_500)), "PNG", compress_level=1)
        outcome = sandbox.render(put(tmp_path, large), out_dir)
        assert_failed(outcome, Reason.TOO_MUCH_MEMORY, out_dir)
        assert outcome.peak_memory_bytes < 256 * MEBIBYTE
        before = zygote_pid(sandbox)
        assert sandbox.render(put(tmp_path, pictures.jpeg()), out_dir).ok is not None
        assert zygote_pid(sandbox) == before


def test_a_picture_that_takes_too_long_is_stopped(tmp_path: Path, out_dir: Path) -> None:
    with new_sandbox(wall_seconds=0.5) as sandbox:
        outcome = sandbox.render(put(tmp_path, ENDLESS), out_dir)
        assert_failed(outcome, Reason.TOO_SLOW, out_dir)
        assert 0.5 <= outcome.seconds < 5
        before = zygote_pid(sandbox)
        assert sandbox.render(put(tmp_path, pictures.jpeg()), out_dir).ok is not None
        assert zygote_pid(sandbox) == before


def test_a_picture_that_eats_processor_time_is_stopped(tmp_path: Path, out_dir: Path) -> None:
    with new_sandbox(cpu_seconds=1) as sandbox:
        outcome = sandbox.render(put(tmp_path, ENDLESS), out_dir)
        assert_failed(outcome, Reason.TOO_SLOW, out_dir)
        assert outcome.seconds < 15, "the wall clock was not what stopped it"


def test_a_missing_source_or_folder_is_the_callers_mistake(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sandbox.render(tmp_path / "nothing", out_dir)
    with pytest.raises(FileNotFoundError):
        sandbox.render(put(tmp_path, pictures.jpeg()), tmp_path / "nowhere")
    assert sandbox.render(put(tmp_path, pictures.jpeg()), out_dir).ok is not None


def test_variants_are_not_written_through_a_link(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (out_dir / "preview.webp").symlink_to(victim)
    with pytest.raises(OSError, match="preview"):
        sandbox.render(put(tmp_path, pictures.jpeg()), out_dir)
    assert victim.read_bytes() == b"precious"


def test_a_closed_sandbox_starts_again(tmp_path: Path, out_dir: Path) -> None:
    sandbox = new_sandbox()
    path = put(tmp_path, pictures.jpeg())
    assert sandbox.render(path, out_dir).ok is not None
    sandbox.close()
    sandbox.close()
    assert sandbox.render(path, out_dir).ok is not None
    sandbox.close()


def test_a_zygote_that_cannot_start_is_not_the_pictures_fault(
    tmp_path: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "_PACKAGE_ROOT", str(tmp_path))
    monkeypatch.setattr(nursery, "_START", "raise SystemExit('no such thing')")
    with pytest.raises(SandboxUnavailable, match="no such thing"):
        new_sandbox().render(put(tmp_path, pictures.jpeg()), out_dir)
    assert names(out_dir) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_not_the_pictures_fault(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.imaging.sandbox._create", lambda _: os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(SandboxUnavailable, match="disk"):
        sandbox.render(put(tmp_path, pictures.jpeg()), out_dir)


def test_two_threads_take_turns(sandbox: Sandbox, tmp_path: Path) -> None:
    path = put(tmp_path, pictures.jpeg())
    outcomes: list[Outcome] = []

    def work(name: str) -> None:
        (tmp_path / name).mkdir()
        outcomes.extend(sandbox.render(path, tmp_path / name) for _ in range(5))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [outcome.failure for outcome in outcomes] == [None] * 10


def test_no_open_file_is_left_behind(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    def held() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    sandbox.render(put(tmp_path, pictures.jpeg()), out_dir)
    before = held()
    for body in (pictures.jpeg(), b"\xff\xd8\xff", b"", pictures.jpeg()[:300]):
        sandbox.render(put(tmp_path, body), out_dir)
    assert held() == before


def test_the_zygote_keeps_no_picture_open(tmp_path: Path, out_dir: Path) -> None:
    path = put(tmp_path, pictures.jpeg(pictures.drawing(8, 8)))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with new_sandbox() as sandbox:
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, limits[1]))
        try:
            # The zygote inherits the low limit, and would reach it if it kept anything.
            first = sandbox.render(path, out_dir)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        zygote = zygote_pid(sandbox)
        assert [first.failure, *(sandbox.render(path, out_dir).failure for _ in range(60))] == [None] * 61
        assert zygote_pid(sandbox) == zygote


@pytest.mark.parametrize(
    "body",
    [b"<html><script>alert(1)</script></html>", pictures.encoded(pictures.drawing(), "WEBP", xmp=b"<secret/>"), b""],
    ids=["html", "metadata", "nothing"],
)
def test_files_that_are_not_what_the_child_says_are_thrown_away(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    def lie(_: object, __: str, descriptors: list[int]) -> Report:
        honest = render(BytesIO(pictures.jpeg()), JPEG, sinks, max_pixels=10**6, max_frames=1)
        os.write(descriptors[1], body)
        os.write(descriptors[2], sinks["thumb"].getvalue())
        return Report(wire.write_rendered(honest).decode(), 0, is_timed_out=False, peak_memory_bytes=1)

    sinks = {target.name: BytesIO() for target in TARGETS}
    monkeypatch.setattr(nursery.Nursery, "ask", lie)
    assert_failed(sandbox.render(put(tmp_path, pictures.jpeg()), out_dir), Reason.CRASHED, out_dir)


def test_the_child_reads_texts_that_are_not_in_the_alphabet_of_most(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path
) -> None:
    exif = pictures.camera_exif()
    # What a common program for pictures writes: confined, nothing can be loaded any more, not even an alphabet.
    exif[0x9C9B] = "Über alles".encode("utf-16-le")
    exif[0x9C9E] = "Maß;Öl".encode("utf-16-le")
    outcome = sandbox.render(put(tmp_path, pictures.jpeg(exif=exif, xmp=pictures.xmp_packet(title="Żółć"))), out_dir)

    assert outcome.failure is None
    assert outcome.ok is not None
    assert outcome.ok.metadata.title == "Żółć"


def test_a_parent_loads_no_library_that_only_a_child_needs() -> None:
    code = "import sys, vault.app; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert "vault.imaging.sandbox" in ran.stdout.split()
    assert not {"av", "numpy", "pillow_heif", "rawpy"} & set(ran.stdout.split())
