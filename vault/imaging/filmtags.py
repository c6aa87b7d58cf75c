"""What a film's container says of it, in the tags that FFmpeg reads: QuickTime's, Android's and Matroska's.

Floor 0. Text in, metadata out. Knows nothing of streams.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from vault.imaging.exif_texts import identifier
from vault.imaging.metadata import Metadata
from vault.imaging.moments import Moment, is_past, moment
from vault.imaging.packets import rating
from vault.imaging.provenance import Source
from vault.imaging.texts import MAX_CAPTION, MAX_NAME, cleaned, keywords

_APPLE: Final = "com.apple.quicktime."
# What a phone wrote of the moment in words, with its zone; MP4 calls the same "©day".
_DATES: Final = (f"{_APPLE}creationdate", "date")
_PLACES: Final = (f"{_APPLE}location.iso6709", "location", "location-eng")
_MAKES: Final = (f"{_APPLE}make", "com.android.manufacturer", "make")
_MODELS: Final = (f"{_APPLE}model", "com.android.model", "model")
_TITLES: Final = (f"{_APPLE}title", f"{_APPLE}displayname", "title")
_CAPTIONS: Final = (f"{_APPLE}description", f"{_APPLE}comment", "description", "comment")
_KEYWORDS: Final = (f"{_APPLE}keywords", "keywords")
_RATINGS: Final = (f"{_APPLE}rating.user", "rating")
# ISO 6709 in degrees with decimals, as QuickTime and Android write it: ±DD.D±DDD.D(±height)(CRS…)/
_PLACE: Final = re.compile(
    r"([+-]\d{1,2}(?:\.\d{1,12})?)([+-]\d{1,3}(?:\.\d{1,12})?)([+-]\d{1,6}(?:\.\d{1,12})?)?(?:CRS[\w:]{1,20})?/?"
)
# Where containers and old systems begin to count; who never sets the clock writes the first day.
_ZEROS: Final = (datetime(1904, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC))
_ZERO_LASTS: Final = timedelta(days=2)


def read(tags: Mapping[str, str]) -> Metadata:
    """Read the tags of a container; raises nothing, whatever they hold."""
    said = {str(name).lower(): str(text) for name, text in tags.items()}
    sources: dict[str, str] = {}
    facts = _when(said, sources) | _where(said, sources) | _words(said, sources)
    make, model = _text(said, _MAKES), _text(said, _MODELS)
    if make or model:
        sources["camera"] = Source.QUICKTIME.value
    return Metadata(
        **facts,
        camera_make=make,
        camera_model=model,
        content_id=identifier(said.get(f"{_APPLE}content.identifier")),
        sources=sources,
    )


def _when(said: Mapping[str, str], sources: dict[str, str]) -> dict[str, Any]:
    for name in _DATES:
        found = moment(said.get(name))
        if found is not None and _is_credible(found):
            sources["taken_at"] = Source.QUICKTIME.value
            return {"taken_at": found.at, "taken_offset_minutes": found.offset_minutes}
    found = moment(said.get("creation_time"))
    if found is None or not _is_credible(found):
        return {}
    sources["taken_at"] = Source.CONTAINER.value
    # In UTC by the standard; a camera that writes its local time there is told by its file's name, if at all.
    return {"taken_at": found.at, "taken_offset_minutes": 0}


def _is_credible(found: Moment) -> bool:
    return is_past(found.at) and all(abs(found.at - zero) > _ZERO_LASTS for zero in _ZEROS)


def _where(said: Mapping[str, str], sources: dict[str, str]) -> dict[str, Any]:
    for name in _PLACES:
        place = position(said.get(name))
        if place is not None:
            sources["place"] = Source.QUICKTIME.value
            return {"latitude": place[0], "longitude": place[1], "altitude_m": place[2]}
    return {}


def position(text: str | None) -> tuple[float, float, float | None] | None:
    """Read a place of ISO 6709 in degrees with decimals: latitude, longitude, and metres above the sea or nothing."""
    match = _PLACE.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        return None
    height = float(match[3]) if match[3] else None
    return latitude, longitude, height if height is not None and math.isfinite(height) else None


def _words(said: Mapping[str, str], sources: dict[str, str]) -> dict[str, Any]:
    words = next((said[name] for name in _KEYWORDS if said.get(name)), "")
    found: dict[str, Any] = {
        "title": _text(said, _TITLES),
        "caption": _text(said, _CAPTIONS, MAX_CAPTION),
        "keywords": keywords(re.split(r"[,;]", words)),
        "rating": next((number for name in _RATINGS if (number := rating(said.get(name)))), None),
    }
    sources.update({name: Source.QUICKTIME.value for name, value in found.items() if value})
    return found


def _text(said: Mapping[str, str], names: tuple[str, ...], longest: int = MAX_NAME) -> str | None:
    return next((text for name in names if (text := cleaned(said.get(name), longest))), None)
