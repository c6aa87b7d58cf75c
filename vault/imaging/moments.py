"""Moments as cameras write them, turned into aware times.

Floor 0. Knows EXIF's grammar of dates and nothing of pictures.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

# When the first photograph was taken, and the last year that not only broken clocks show.
FIRST_YEAR: Final = 1826
LAST_YEAR: Final = 2200
_STAMP: Final = re.compile(
    r"(\d{4})[:\-/. ](\d{1,2})[:\-/. ](\d{1,2})[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?:\.\d*)?\s*([+-]\d\d:?\d\d|Z)?"
)
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)")


def moment(stamp: object, offset: object) -> tuple[datetime, bool] | None:
    """Read EXIF's `YYYY:MM:DD HH:MM:SS` and its separate offset `±HH:MM`.

    Answers the moment in UTC and whether its zone was known, or nothing for blanks, zeros and impossible dates.
    """
    match = _STAMP.match(_text(stamp).strip())
    if match is None:
        return None
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    zone = _zone(match[7] or _text(offset))
    try:
        local = datetime(year, month, day, hour, minute, int(match[6] or 0), tzinfo=zone or UTC)
        at = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (at, zone is not None) if is_plausible(at) else None


def satellite_moment(date: object, time: object) -> datetime | None:
    """Read GPSDateStamp and GPSTimeStamp, which are always UTC (EXIF 3.0, 4.6.7)."""
    match = re.match(r"(\d{4})[:\-](\d{1,2})[:\-](\d{1,2})", _text(date).strip())
    if match is None or not isinstance(time, tuple) or len(time) != 3:
        return None
    try:
        hours, minutes, seconds = (float(part) for part in time)
        since_midnight = hours * 3600 + minutes * 60 + seconds
        if not (math.isfinite(since_midnight) and 0 <= since_midnight <= 86_400):
            return None
        midnight = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC)
        at = midnight + timedelta(seconds=int(since_midnight))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return at if is_plausible(at) else None


def is_plausible(at: datetime) -> bool:
    """Whether a camera can have seen this moment, which is aware and in UTC."""
    return FIRST_YEAR <= at.year <= LAST_YEAR


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value[:64].replace("\x00", " ") if isinstance(value, str) else ""


def _zone(text: str) -> timezone | None:
    text = text.strip()
    if text == "Z":
        return UTC
    match = _OFFSET.fullmatch(text)
    # UTC+14 and UTC-12 are the widest in use.
    if match is None or int(match[2]) > 14 or int(match[3]) > 59:
        return None
    distance = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-distance if match[1] == "-" else distance)
