"""The child that decodes: what it may, what it may not, and what happens when it or its zygote dies."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from vault.imaging import nursery
from vault.imaging.identify import JPEG
from vault.imaging.refusals import Reason
from vault.imaging.render import TARGETS, render
from vault.imaging.sandbox import Outcome, Sandbox, SandboxUnavailable
from vault.imaging.webp import measure

LINUX = sys.platform == "linux"
MEBIBYTE = 1024 * 1024
NAMES = sorted(target.file_name for target in TARGETS)


def _sandbox(*, memory_bytes: int = 512 * MEBIBYTE, cpu_seconds: int = 20, wall_seconds: float = 20.0) -> Sandbox:
    return Sandbox(
        memory_bytes=memory_bytes,
        cpu_seconds=cpu_seconds,
        wall_seconds=wall_seconds,
        max_pixels=100_000_000,
        max_frames=1000,
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with _sandbox() as shared:
        yield shared


@pytest.fixture
def out_dir(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _file(folder: Path, body: bytes) -> Path:
    path = folder / "source"
    path.write_bytes(body)
    return path


# About a second of work, and hours of it.
SLOW = pictures.many_scans(200)
ENDLESS = pictures.many_scans(200_000)


def _zygote_pid(sandbox: Sandbox) -> int:
    process = sandbox._nursery._process  # noqa: SLF001 - tests kill what nobody else may reach
    assert process is not None
    return process.pid


def _children(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607 - ps stands where the system puts it
    return [int(word) for word in listing.stdout.split()]


def _eventually(holds: Callable[[], object], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


def _is_gone(pid: int) -> bool:
    """Ended, or a zombie that only waits to be counted."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607 - as above
    return state.stdout.strip().startswith("Z") or not state.stdout.strip()


def _assert_failed(outcome: Outcome, reason: Reason, out_dir: Path) -> None:
    assert outcome.reason is reason
    assert outcome.ok is None
    assert outcome.failure is not None
    assert outcome.failure.endswith(".")
    assert _names(out_dir) == []


def test_a_picture_becomes_files_that_only_we_can_read(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    exif = pictures.camera_exif(orientation=6, taken="2024:07:06 15:04:05", offset="+02:00", gps=True)
    body = pictures.jpeg(pictures.drawing(3000, 2000), exif=exif, xmp=pictures.xmp_packet(title="Über <b>alles</b>"))
    outcome = sandbox.render(_file(tmp_path, body), out_dir)
    assert (outcome.failure, outcome.reason) == (None, None)
    # The same as without a sandbox: nothing is lost on the way, zone, umlauts and fractions included.
    here = render(BytesIO(body), JPEG, {t.name: BytesIO() for t in TARGETS}, max_pixels=10**8, max_frames=1)
    assert outcome.ok == here
    assert _names(out_dir) == NAMES
    for variant in here.variants:
        path = out_dir / variant.file_name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size == variant.size_bytes
        with path.open("rb") as file:
            assert measure(file) == (variant.width, variant.height)
    assert 0 < outcome.peak_memory_bytes < 512 * MEBIBYTE


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF"])
def test_every_kind_is_rendered_in_the_child(sandbox: Sandbox, tmp_path: Path, out_dir: Path, kind: str) -> None:
    outcome = sandbox.render(_file(tmp_path, pictures.encoded(pictures.drawing(), kind)), out_dir)
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
    ],
    ids=["empty", "svg", "cut", "zeros", "text bomb", "frames"],
)
def test_a_refused_picture_leaves_nothing_behind(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path, body: bytes, reason: Reason
) -> None:
    _assert_failed(sandbox.render(_file(tmp_path, body), out_dir), reason, out_dir)


def test_a_failure_takes_older_variants_away(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    assert sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir).ok is not None
    _assert_failed(sandbox.render(_file(tmp_path, pictures.jpeg()[:300]), out_dir), Reason.DAMAGED, out_dir)


@pytest.mark.skipif(not LINUX, reason="only Linux limits the address space")
def test_a_picture_that_needs_too_much_memory_fails_alone(tmp_path: Path, out_dir: Path) -> None:
    with _sandbox(memory_bytes=256 * MEBIBYTE) as sandbox:
        # 75 megapixels in colour want 300 MB.
        large = pictures.encoded(Image.new("RGB", (10_000, 7_500)), "PNG", compress_level=1)
        outcome = sandbox.render(_file(tmp_path, large), out_dir)
        _assert_failed(outcome, Reason.TOO_MUCH_MEMORY, out_dir)
        assert outcome.peak_memory_bytes < 256 * MEBIBYTE
        before = _zygote_pid(sandbox)
        assert sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir).ok is not None
        assert _zygote_pid(sandbox) == before


def test_a_picture_that_takes_too_long_is_stopped(tmp_path: Path, out_dir: Path) -> None:
    with _sandbox(wall_seconds=0.5) as sandbox:
        outcome = sandbox.render(_file(tmp_path, ENDLESS), out_dir)
        _assert_failed(outcome, Reason.TOO_SLOW, out_dir)
        assert 0.5 <= outcome.seconds < 5
        before = _zygote_pid(sandbox)
        assert sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir).ok is not None
        assert _zygote_pid(sandbox) == before


def test_a_picture_that_eats_processor_time_is_stopped(tmp_path: Path, out_dir: Path) -> None:
    with _sandbox(cpu_seconds=1) as sandbox:
        outcome = sandbox.render(_file(tmp_path, ENDLESS), out_dir)
        _assert_failed(outcome, Reason.TOO_SLOW, out_dir)
        assert outcome.seconds < 15, "the wall clock was not what stopped it"


@pytest.mark.skipif(not LINUX, reason="ps --ppid")
@pytest.mark.parametrize("who", ["child", "zygote"])
def test_a_kill_in_the_middle_costs_nothing(tmp_path: Path, out_dir: Path, who: str) -> None:
    with _sandbox() as sandbox:
        assert sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir).ok is not None
        path = _file(tmp_path, SLOW)
        zygote = _zygote_pid(sandbox)
        outcomes: list[Outcome] = []
        rendering = threading.Thread(target=lambda: outcomes.append(sandbox.render(path, out_dir)))
        rendering.start()
        assert _eventually(lambda: _children(zygote))
        (child,) = _children(zygote)
        os.kill(child if who == "child" else zygote, signal.SIGKILL)
        rendering.join(30)
        assert [outcome.failure for outcome in outcomes] == [None]
        assert _names(out_dir) == NAMES
        assert _eventually(lambda: _is_gone(child)), "no child outlives its zygote"
        assert (_zygote_pid(sandbox) == zygote) == (who == "child")


@pytest.mark.skipif(not LINUX, reason="ps --ppid")
def test_a_decoder_that_crashes_is_a_failure_of_the_picture(tmp_path: Path, out_dir: Path) -> None:
    with _sandbox() as sandbox:
        sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir)
        path = _file(tmp_path, SLOW)
        zygote = _zygote_pid(sandbox)
        outcomes: list[Outcome] = []
        rendering = threading.Thread(target=lambda: outcomes.append(sandbox.render(path, out_dir)))
        rendering.start()
        assert _eventually(lambda: _children(zygote))
        os.kill(_children(zygote)[0], signal.SIGSEGV)
        rendering.join(30)
        _assert_failed(outcomes[0], Reason.CRASHED, out_dir)
        assert _zygote_pid(sandbox) == zygote


_PARENT = """
import sys, threading, time
from pathlib import Path
from vault.imaging.sandbox import Sandbox
sandbox = Sandbox(memory_bytes=1 << 29, cpu_seconds=20, wall_seconds=20, max_pixels=10**8, max_frames=9)
sandbox.render(Path(sys.argv[2]), Path(sys.argv[3]))
print(sandbox._nursery._process.pid, flush=True)
sandbox.render(Path(sys.argv[1]), Path(sys.argv[3]))
"""


@pytest.mark.skipif(not LINUX, reason="ps --ppid")
def test_zygote_and_child_end_with_a_parent_that_is_killed(tmp_path: Path, out_dir: Path) -> None:
    slow, quick = tmp_path / "slow", tmp_path / "quick"
    slow.write_bytes(ENDLESS)
    quick.write_bytes(pictures.jpeg())
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(slow), str(quick), str(out_dir)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    with parent:
        assert parent.stdout is not None
        zygote = int(parent.stdout.readline())
        assert _eventually(lambda: _children(zygote))
        (child,) = _children(zygote)
        parent.kill()
    assert _eventually(lambda: _is_gone(zygote) and _is_gone(child), 5)


def test_a_missing_source_or_folder_is_the_callers_mistake(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sandbox.render(tmp_path / "nothing", out_dir)
    with pytest.raises(FileNotFoundError):
        sandbox.render(_file(tmp_path, pictures.jpeg()), tmp_path / "nowhere")
    assert sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir).ok is not None


def test_variants_are_not_written_through_a_link(sandbox: Sandbox, tmp_path: Path, out_dir: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (out_dir / "preview.webp").symlink_to(victim)
    with pytest.raises(OSError, match="preview"):
        sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir)
    assert victim.read_bytes() == b"precious"


def test_a_closed_sandbox_starts_again(tmp_path: Path, out_dir: Path) -> None:
    sandbox = _sandbox()
    path = _file(tmp_path, pictures.jpeg())
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
        _sandbox().render(_file(tmp_path, pictures.jpeg()), out_dir)
    assert _names(out_dir) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_not_the_pictures_fault(
    sandbox: Sandbox, tmp_path: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.imaging.sandbox._create", lambda _: os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(SandboxUnavailable, match="disk"):
        sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir)


def test_two_threads_take_turns(sandbox: Sandbox, tmp_path: Path) -> None:
    path = _file(tmp_path, pictures.jpeg())
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

    sandbox.render(_file(tmp_path, pictures.jpeg()), out_dir)
    before = held()
    for body in (pictures.jpeg(), b"\xff\xd8\xff", b"", pictures.jpeg()[:300]):
        sandbox.render(_file(tmp_path, body), out_dir)
    assert held() == before
