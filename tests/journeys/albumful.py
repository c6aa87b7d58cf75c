"""The files that journeys upload."""

from pathlib import Path

from tests.pictures import animated, camera_exif, drawing, encoded, jpeg, oriented

KINDS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"}


def of_folder(folder: Path) -> list[Path]:
    """Return every picture of a folder that the vault takes, or nothing where there is no such folder."""
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in KINDS)


def drawn(folder: Path) -> list[Path]:
    """Draw a picture of every kind and every orientation."""
    files = {
        "wide.png": encoded(drawing(600, 200), "PNG"),
        "tall.webp": encoded(drawing(200, 500), "WEBP"),
        "small.avif": encoded(drawing(320, 200), "AVIF"),
        "moving.gif": animated("GIF"),
        "berlin.jpg": jpeg(drawing(640, 480), exif=camera_exif(taken="2024:07:14 18:30:00", gps=True)),
        "square.jpeg": jpeg(drawing(400, 400)),
        **{f"turned{turn}.jpg": oriented(turn, upright=drawing(300, 200 + turn)) for turn in range(1, 9)},
    }
    return [_written(folder / name, data) for name, data in sorted(files.items())]


def more(folder: Path, count: int) -> list[Path]:
    """Draw small pictures that are in no other list."""
    return [_written(folder / f"more{number}.jpg", jpeg(drawing(301 + number, 207))) for number in range(count)]


def unwanted(folder: Path) -> list[Path]:
    """Write a paper and a drawing, both under the names of pictures."""
    paper = b"%PDF-1.7\n" + bytes(64)
    active = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    return [_written(folder / "paper.jpg", paper), _written(folder / "drawing.png", active)]


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
