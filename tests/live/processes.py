"""What runs below a process of ours, read from /proc."""

import re
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def descendants(pid: int) -> list[int]:
    """Return the ids of every process below one that has not ended, the nearest first."""
    children: dict[int, list[int]] = {}
    for child, parent in _living():
        children.setdefault(parent, []).append(child)
    found, level = [], [pid]
    while level:
        level = [child for parent in level for child in sorted(children.get(parent, []))]
        found += level
    return found


def children(pid: int) -> list[int]:
    """Return the ids of the processes right below one."""
    return sorted(child for child, parent in _living() if parent == pid)


def listens(pid: int, port: int) -> bool:
    """Whether a process holds the socket that listens on a port of 127.0.0.1."""
    table = (PROC / "net" / "tcp").read_text()
    inodes = re.findall(rf"0100007F:{port:04X} 00000000:0000 0A (?:\S+ +){{5}}(\d+)", table)
    try:
        held = {str(file.readlink()) for file in (PROC / str(pid) / "fd").iterdir()}
    except OSError:
        return False
    return any(f"socket:[{inode}]" in held for inode in inodes)


def bytes_read(pid: int) -> int:
    """Return how many bytes a process has asked to read so far, from files and sockets; 0 when it has ended."""
    try:
        return int(re.findall(r"rchar: (\d+)", (PROC / str(pid) / "io").read_text())[0])
    except OSError:
        return 0


def _living() -> Iterator[tuple[int, int]]:
    for path in PROC.glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            yield int(path.parent.name), int(parent)
