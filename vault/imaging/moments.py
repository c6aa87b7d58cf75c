"""Moments as cameras write them, turned into aware times.

Floor 0. Knows EXIF's grammar of dates and nothing of pictures.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

# When the first photograph was taken, and the last year that not only broken clocks show.
FIRST_YEAR: Final = 1826
LAST_YEAR: Final = 2200
_STAMP: Final = re.compile(
    r"(\d{4})[:\-/. ](\d{1,2})[:\-/. ](\d{1,2})[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?:\.\d*)?\s*([+-]\d\d:?\d\d|Z)?"
)
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)")
# The widest zones in use, in minutes; what lies between, lies on quarters of an hour.
_WESTERNMOST, _EASTERNMOST, _QUARTER = -12 * 60, 14 * 60, 15
# How far any zone's noon is from the sun's, in minutes, with summer time and something over.
_FURTHEST_FROM_SUN, _DAY = 270, 1440
# A camera asks for a fix every few minutes at best; a larger rest is a wrong clock and tells nothing of the zone.
_ZONE_TOLERANCE: Final = timedelta(minutes=5)
_TOMORROW: Final = timedelta(days=1)


class Moment(NamedTuple):
    """A moment in UTC, and the zone it was given in, in minutes east of UTC.

    Without a zone (None) its local time stands in `at` as if it were UTC.
    """

    at: datetime
    offset_minutes: int | None


def moment(stamp: object, offset: object = None) -> Moment | None:
    """Read EXIF's `YYYY:MM:DD HH:MM:SS` and its separate offset `±HH:MM`; also ISO 8601, as XMP writes it.

    Answers nothing for blanks, zeros and impossible dates.
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
    return Moment(at, _minutes(zone)) if is_plausible(at) else None


def zoned(local: Moment, satellite: datetime | None, longitude: float | None = None) -> Moment:
    """Give a moment without a zone the one in which the satellites' clock, in UTC, showed it.

    Only where the difference is a zone that exists, and not far from the sun's at that longitude (degrees); otherwise
    the moment is answered as it is.
    """
    if satellite is None or local.offset_minutes is not None:
        return local
    difference = local.at - satellite
    minutes = round(difference / timedelta(minutes=_QUARTER)) * _QUARTER
    distance = timedelta(minutes=minutes)
    if abs(difference - distance) > _ZONE_TOLERANCE or not _WESTERNMOST <= minutes <= _EASTERNMOST:
        return local
    if longitude is not None and _FURTHEST_FROM_SUN < (minutes - longitude * 4) % _DAY < _DAY - _FURTHEST_FROM_SUN:
        return local
    return Moment(local.at - distance, minutes)


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


def is_past(at: datetime, now: datetime | None = None) -> bool:
    """Whether a moment, aware and in UTC, is not beyond tomorrow: nobody took a picture then, whatever a clock says."""
    return at <= (now or datetime.now(UTC)) + _TOMORROW


def _minutes(zone: timezone | None) -> int | None:
    distance = zone.utcoffset(None) if zone is not None else None
    return None if distance is None else int(distance.total_seconds()) // 60


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
