"""What of all that is said of a picture goes into its row, and from where: docs/adr/0020-describing-and-parts.md.

Floor 2. The file speaks of itself, a sidecar or an archive's list speaks beside it, its name may tell a date, and what
a person wrote stands above all of them. Called again it comes to the same end: nothing is lost by a new rendering.
"""

from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from vault.imaging import filenames
from vault.imaging.claims import Claims, Told
from vault.imaging.metadata import Metadata
from vault.imaging.moments import Moment, is_past, is_plausible, zoned
from vault.imaging.provenance import DATES, TEXTS, Source, prefers
from vault.models import membership
from vault.models.media import Media, State

# Characters that the columns hold: PostgreSQL refuses a longer text, SQLite does not.
LONGEST_NAME = 200
LONGEST_CAPTION = 5_000
LONGEST_TITLE = 300
MOST_ISO = 10_000_000
# Words, and what goes with them, that a sidecar may say better than the file.
WORDS = ("title", "caption", "keywords", "rating")
# Zips count from here: a file's time that was never set.
_ZIP_ZERO = 1980


def read(media: Media, said: Metadata) -> None:
    """Write into a row what its file says of itself, as it was read just now, and weigh it with the rest."""
    media.said = _as_json(said)
    make, model = said.camera_make or "", said.camera_model or ""
    camera = model if model.lower().startswith(make.lower().split(" ")[0]) else f"{make} {model}".strip()
    media.camera, media.lens = camera[:LONGEST_NAME], (said.lens or "")[:LONGEST_NAME]
    media.f_number, media.exposure_seconds = said.f_number, said.exposure_seconds
    media.iso = round(said.iso) if said.iso is not None and said.iso < MOST_ISO else None
    media.focal_length_mm = said.focal_length_mm
    media.content_id = said.content_id or ""
    weigh(media)


def weigh(media: Media) -> None:
    """Weigh all that is known of a picture anew, after the file was read or something came beside it.

    The caller moves it to its new place in its albums (`membership.redate`).
    """
    said = _from_json(media.said) if media.said else _before(media)
    told = Told.from_json(media.told)
    written = {name: source for name, source in media.sources.items() if source == Source.PERSON}
    if media.caption_by_person:
        written["caption"] = Source.PERSON.value
    found = {} if "camera" not in said.sources else {"camera": said.sources["camera"]}
    for name in WORDS:
        if name not in written:
            value, source = _best(name, said, told.beside)
            setattr(media, name, _fitting(name, value))
            found |= {name: source} if source else {}
    found |= _place(media, said, told.beside)
    if "taken_at" not in written and not _was_dated_before(media):
        found |= _date(media, said, told)
    elif "taken_at" in media.sources:
        found["taken_at"] = media.sources["taken_at"]
    media.sources = found | written


def lay_beside(session: Session, media: Media, claims: Claims) -> None:
    """Keep what a sidecar says of a picture that is held, instead of an earlier one, and describe it anew.

    One that is still to be rendered is described then.
    """
    media.told = replace(Told.from_json(media.told), beside=claims).as_json()
    if media.state == State.READY:
        weigh(media)
        session.flush()
        membership.redate(session, media)


def write(media: Media, **values: Any) -> None:
    """Write down what a person says of a picture, by field: from now on no file and no sidecar overrules it.

    `taken_at` is aware or None; where it stands otherwise among the others is for the caller. Other fields as in the
    row. The caller has checked them.
    """
    for name, value in values.items():
        setattr(media, name, value)
    if "caption" in values:
        media.caption_by_person = True
    if "taken_at" in values:
        media.shown_at = media.taken_at or media.uploaded_at
        # Another time of day, but the place and its zone are what they were.
        media.taken_offset_minutes = media.taken_offset_minutes if media.taken_at else None
    media.sources = media.sources | dict.fromkeys(values, Source.PERSON.value)


def _before(media: Media) -> Metadata:
    """Return what a vault that kept no sources had read from the file, as far as its row still says it."""
    known = {name: getattr(media, name) for name in WORDS if name not in media.sources}
    if "place" not in media.sources:
        known |= {name: getattr(media, name) for name in ("latitude", "longitude", "altitude_m")}
    return Metadata(**(known | {"keywords": tuple(known.get("keywords", ()))}))


def _best(name: str, said: Metadata, beside: Claims | None) -> tuple[Any, str | None]:
    """Return the best word for a field and where it was read."""
    value, source = getattr(said, name), said.sources.get(name)
    if beside is None or not getattr(beside, name):
        return value, source
    if value and not prefers(TEXTS, beside.source, source):
        return value, source
    return getattr(beside, name), beside.source


def _fitting(name: str, value: Any) -> Any:
    if name == "keywords":
        return list(value)
    if name == "rating":
        return value
    return (value or "")[: LONGEST_TITLE if name == "title" else LONGEST_CAPTION]


def _place(media: Media, said: Metadata, beside: Claims | None) -> dict[str, str]:
    # The halves of a place belong together, whoever says them.
    by_file, placed = said.latitude is not None, beside is not None and beside.latitude is not None
    if beside and placed and (not by_file or prefers(TEXTS, beside.source, said.sources.get("place"))):
        media.latitude, media.longitude = beside.latitude, beside.longitude
        media.altitude_m = beside.altitude_m if beside.altitude_m is not None else said.altitude_m
        return {"place": beside.source}
    media.latitude, media.longitude, media.altitude_m = said.latitude, said.longitude, said.altitude_m
    return {"place": said.sources["place"]} if by_file and "place" in said.sources else {}


def _was_dated_before(media: Media) -> bool:
    """Whether it was dated by a vault that kept no sources, by its file or a person: then it stays so."""
    return media.taken_at is not None and "taken_at" not in media.sources


def _date(media: Media, said: Metadata, told: Told) -> dict[str, str]:
    for source, found in sorted(_dates(media, said, told), key=lambda each: DATES.index(each[0])):
        if found is not None and is_plausible(found.at) and is_past(found.at):
            media.taken_at = media.shown_at = found.at
            media.taken_offset_minutes = found.offset_minutes
            return {"taken_at": source.value}
    media.taken_at, media.taken_offset_minutes, media.shown_at = None, None, media.uploaded_at
    return {}


def _dates(media: Media, said: Metadata, told: Told) -> Iterable[tuple[Source, Moment | None]]:
    name = filenames.taken(media.file_name)
    own = Moment(said.taken_at, said.taken_offset_minutes) if said.taken_at else None
    if own and said.taken_source in DATES:
        source = Source(said.taken_source)
        yield source, _on_the_wall(own, name, said.longitude) if source is Source.CONTAINER else own
    if told.beside is not None and told.beside.taken_at is not None:
        beside = Moment(told.beside.taken_at, told.beside.taken_offset_minutes)
        yield Source(told.beside.source), _as_exactly(beside, own)
    yield Source.FILE_NAME, name
    if told.file_time is not None and told.file_time.year > _ZIP_ZERO:
        yield Source.FILE_TIME, Moment(told.file_time, 0)


def _as_exactly(beside: Moment, own: Moment | None) -> Moment:
    """Return a sidecar's date; where it only repeats the file's without its zone, the file's."""
    if own is None or beside.offset_minutes is not None or own.offset_minutes is None:
        return beside
    return own if beside.at == own.at + timedelta(minutes=own.offset_minutes) else beside


def _on_the_wall(clock: Moment, name: Moment | None, longitude: float | None) -> Moment:
    """Give a container's clock, said to be in UTC, the zone in which its file's name shows the same moment.

    Where both show the same, the camera may have written its local time there: then the zone is not known.
    """
    if name is None or name.offset_minutes is not None:
        return clock
    if name.at == clock.at:
        return name
    found = zoned(name, clock.at, longitude)
    return Moment(clock.at, found.offset_minutes) if found.offset_minutes is not None else clock


def _as_json(said: Metadata) -> dict[str, Any]:
    """Return what describing needs again of what a file says, without what is not there."""
    kept = {name: value for name, value in asdict(said).items() if name in _KEPT and value not in (None, (), {})}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}


def _from_json(kept: dict[str, Any]) -> Metadata:
    moment = kept.get("taken_at")
    known = {name: value for name, value in kept.items() if name in _KEPT}
    read_again = {"taken_at": datetime.fromisoformat(moment) if moment else None}
    return Metadata(**(known | read_again | {"keywords": tuple(kept.get("keywords", ()))}))


_KEPT = {each.name for each in fields(Metadata)} & {
    *("taken_at", "taken_offset_minutes", "latitude", "longitude", "altitude_m", "sources"),
    *WORDS,
}
