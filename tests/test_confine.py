"""What a confined process can still do: nothing that matters."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pictures
from vault.imaging import confine, nursery, syscalls

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits of other systems are fewer")

ROOT = Path(__file__).parents[1]
ZYGOTES = {"GLIBC_TUNABLES", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX"}
ZYGOTES |= {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
# Tries everything in a forked child, as the zygote does, and tells through a pipe what went through.
_ATTEMPTS = """
import json, os, resource, signal, socket, sys, threading
from vault.imaging import confine

victim, confined = sys.argv[1], sys.argv[2] != "free"
said, says = os.pipe()
own_fd = os.open(victim, os.O_RDWR)
if sys.argv[2] in ("confined", "threaded"):
    confine.become_nobody()
zygote = os.getpid()
attempts = {
    "open a file": lambda: os.open(victim, os.O_RDONLY),
    "open a socket": lambda: socket.socket(),
    "start a process": lambda: os.fork() or os._exit(0),
    "run a program": lambda: os.execv("/bin/true", ["true"]) if confined else None,
    "delete a file": lambda: os.unlink(victim + ".deleted"),
    "make a folder": lambda: os.mkdir(victim + ".made"),
    "rename a file": lambda: os.rename(victim + ".renamed", victim + ".other"),
    "duplicate a file": lambda: os.dup(own_fd),
    "write without end": lambda: os.pwrite(own_fd, b"x", confine.MAX_OUTPUT_BYTES + 1) if confined else None,
    "raise a limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    "use more memory": lambda: bytearray(1 << 30),
    "start a thread": lambda: threading.Thread(target=int).start(),
}
if os.fork() == 0:
    if confined:
        threads = sys.argv[2].startswith("threaded")
        confine.confine(memory_bytes=1 << 28, cpu_seconds=5, parent_pid=zygote, needs_threads=threads)
    through = []
    for name, attempt in attempts.items():
        try:
            attempt()
            through.append(name)
        except (OSError, ValueError, MemoryError, RuntimeError):
            pass
    os.write(says, json.dumps(through).encode())
    os._exit(0)
os.close(says)
print(os.read(said, 65536).decode())
"""


def _what_went_through(folder: Path, how: str) -> set[str]:
    victim = folder / "victim"
    for name in ("victim", "victim.deleted", "victim.renamed"):
        (folder / name).write_bytes(b"precious")
        (folder / name).chmod(0o666)
    folder.chmod(0o777)
    ran = subprocess.run(
        [sys.executable, "-c", _ATTEMPTS, str(victim), how],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return set(json.loads(ran.stdout))


def _landlock_version() -> int:
    return confine._landlock(confine._LANDLOCK_CREATE_RULESET, None, 0, confine._LANDLOCK_VERSION)  # noqa: SLF001 - asks the kernel as the code does


def test_a_confined_process_can_do_nothing_outside(tmp_path: Path) -> None:
    through = _what_went_through(tmp_path, "confined")
    if _landlock_version() < 1:
        # Paths can be changed without opening anything; only Landlock forbids that to everybody.
        through -= {"delete a file", "make a folder", "rename a file"}
    assert through == set()


@pytest.mark.skipif(not syscalls.is_known(), reason="the system calls of this processor are not known here")
@pytest.mark.parametrize("how", ["threaded", "threaded but not nobody"])
def test_one_that_needs_threads_gets_threads_and_nothing_else(tmp_path: Path, how: str) -> None:
    through = _what_went_through(tmp_path, how)
    if _landlock_version() < 1:
        through -= {"delete a file", "make a folder", "rename a file"}
    if how != "threaded":
        through -= {"raise a limit"}  # root may
    assert through == {"start a thread"}


@pytest.mark.skipif(_landlock_version() < 1, reason="this kernel has no Landlock")
def test_even_root_that_cannot_become_nobody_reaches_no_file(tmp_path: Path) -> None:
    through = _what_went_through(tmp_path, "confined but not nobody")
    # Root is above limits on processes and may raise its own limits; both need no file.
    assert through <= {"start a process", "start a thread", "raise a limit"}


def test_the_attempts_do_succeed_without_confinement(tmp_path: Path) -> None:
    assert _what_went_through(tmp_path, "free") >= {
        "open a file",
        "open a socket",
        "start a process",
        "delete a file",
        "make a folder",
        "rename a file",
        "duplicate a file",
        "use more memory",
        "start a thread",
    }


_SHOW = """
import os, sys
print(sorted(os.environ), os.getcwd(), sorted(int(fd) for fd in os.listdir("/proc/self/fd")), sep="\\n")
"""


def test_the_zygote_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_SECRET_KEY", "very secret")
    leaked = os.open(ROOT / "pyproject.toml", os.O_RDONLY)
    os.set_inheritable(leaked, True)
    started: list[dict[str, object]] = []
    real = subprocess.Popen

    def spy(arguments: list[str], **options: object) -> subprocess.Popen[bytes]:
        started.append({"arguments": arguments, **options})
        replaced = [sys.executable, "-I", "-c", _SHOW]
        return real(replaced, **{**options, "stdout": subprocess.PIPE})  # type: ignore[call-overload, no-any-return]  # handed through as it came

    monkeypatch.setattr(subprocess, "Popen", spy)
    process = nursery.Nursery("{}", patience_seconds=1)._launch(1)  # noqa: SLF001 - the start alone, without the talk
    output, _ = process.communicate(timeout=20)
    os.close(leaked)
    names, folder, descriptors = output.decode().splitlines()
    assert set(eval(names)) <= ZYGOTES  # noqa: S307 - our own output
    assert folder == "/"
    # The three standard ones, and the one with which the folder itself was read.
    assert descriptors == "[0, 1, 2, 3]"
    assert "very secret" not in str(started)


_LATE_IMPORTS = """
import sys
from io import BytesIO
from vault.imaging import zygote
from PIL import AvifImagePlugin
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
zygote._warm_up()
before = set(sys.modules)
for path in sys.argv[1:]:
    body = open(path, "rb").read()
    from vault.imaging.identify import identify
    kind = identify(body)
    sinks = {target.name: BytesIO() for target in zygote.TARGETS}
    try:
        zygote.wire.write_rendered(zygote.render(BytesIO(body), kind, sinks, max_pixels=10**8, max_frames=50))
    except zygote.Refused:
        pass
print(sorted(set(sys.modules) - before))
"""


def test_nothing_is_loaded_only_when_a_picture_asks_for_it(tmp_path: Path) -> None:
    exif = pictures.camera_exif(orientation=6, taken="2024:07:06 15:04:05", offset="+02:00", gps=True)
    extras = {"exif": exif, "xmp": pictures.xmp_packet(), "icc_profile": pictures.profile("Display P3")}
    bodies = [pictures.encoded(pictures.drawing(), kind, **extras) for kind in ("JPEG", "PNG", "WEBP", "AVIF")]
    bodies += [pictures.animated(kind) for kind in ("GIF", "WEBP", "PNG", "AVIF")]
    bodies += [pictures.wide_png(), pictures.encoded(pictures.drawing(mode="CMYK"), "JPEG"), bodies[0][:400]]
    bodies += [pictures.encoded(pictures.drawing(), "MPO", save_all=True, append_images=[pictures.drawing()])]
    bodies += [pictures.png_with_text("Raw profile type exif", "\n\n\n4d4d002a")]
    paths = []
    for number, body in enumerate(bodies):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(body)
    ran = subprocess.run(
        [sys.executable, "-c", _LATE_IMPORTS, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ran.stdout.strip() == "[]"
