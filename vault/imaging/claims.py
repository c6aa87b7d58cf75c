"""What comes beside a file and speaks of it: the sender, a sidecar, an archive's list.

Floor 0. Claims like those in the file itself: kept as they came, and weighed when the picture is described.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What one source says of a picture; `None` or empty where it says nothing.

    `source` is a word of `provenance.Source`, like "xmp-sidecar" or "takeout". `taken_at` is aware and in UTC,
    `taken_offset_minutes` the zone it was given in, east of UTC; where none was given, local time stands there as if it
    were UTC. Angles are degrees, positive to north and east. `rating` is 1 to 5, or -1 for "rejected".
    """

    source: str
    taken_at: datetime | None = None
    taken_offset_minutes: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None
    title: str | None = None
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that came beside a file: when its own folder says that it was changed (aware), and a sidecar's claims."""

    file_time: datetime | None = None
    beside: Claims | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, without what is not there."""
        found: dict[str, Any] = {"file_time": self.file_time.isoformat()} if self.file_time else {}
        if self.beside:
            said = {name: value for name, value in asdict(self.beside).items() if value not in (None, ())}
            found["beside"] = said | {name: said[name].isoformat() for name in ("taken_at",) if name in said}
        return found

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Return what `as_json` wrote."""
        beside = kept.get("beside")
        if beside is not None:
            moment = beside.get("taken_at")
            dated = {"taken_at": datetime.fromisoformat(moment) if moment else None}
            beside = Claims(**(beside | dated | {"keywords": tuple(beside.get("keywords", ()))}))
        moment = kept.get("file_time")
        return cls(file_time=datetime.fromisoformat(moment) if moment else None, beside=beside)


NOTHING = Told()
"""A file that came with nothing beside it."""
