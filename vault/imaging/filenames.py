"""Dates in the names of files, as phones, cameras and messengers write them.

Floor 0. Names are guessed at only where their shape says that a program wrote a date: eight digits may as well be half
of a telephone number.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from vault.imaging.moments import FIRST_YEAR, Moment, is_past, is_plausible

_LONGEST: Final = 255
# Names without signs between the numbers are written by digital cameras only.
_FIRST_DIGITAL_YEAR: Final = 1990
_NOON: Final = (12, 0, 0)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# IMG_20230102_030405, VID_20230102_030405123, 20230102_030405(1), Screenshot_20230102-030405_Maps, WP_20130102_03_04_05
_COMPACT: Final = re.compile(
    r"(?<!\d)(\d{4})(\d\d)(\d\d)[_\- T](\d\d)[_.\-]?(\d\d)[_.\-]?(\d\d)(?:[_.\-]?\d{3})?(?!\d)"
)
# DJI_20230102030405_0001, and a name that is nothing else.
_RUN_TOGETHER: Final = re.compile(r"(?:DJI_)?(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:_\d{4}.*)?")
# 2023-01-02 03.04.05, signal-2023-01-02-03-04-05-678, Screenshot 2023-01-02 at 3.04.05 PM, photo_2023-01-02_03-04-05
_SEPARATED: Final = re.compile(
    r"(?<!\d)(\d{4})([-_.])(\d\d)\2(\d\d)"
    r"(?:(?:[ _T\-]|\s(?:at|um|à|om|a las|alle)\s)(\d{1,2})[-_.:h]?(\d\d)[-_.:m]?(\d\d)(?!\d)(?:\s?([AP])M\b)?|(?!\d))"
)
# IMG-20230102-WA0001: the day on which it was sent.
_MESSENGER: Final = re.compile(r"(?:IMG|VID|AUD|PTT|STK)-(\d{4})(\d\d)(\d\d)-WA\d+.*", re.IGNORECASE)
# FB_IMG_1672628645000 and mmexport1672628645000: milliseconds since 1970.
_SINCE_1970: Final = re.compile(r"(?:FB_IMG_|mmexport)(\d{13}).*")
# Pixel phones write UTC where all others write local time.
_IN_UTC: Final = "PXL_"


def taken(file_name: str) -> Moment | None:
    """Return the moment that a file's name tells, or nothing; noon where it tells a day only.

    Local time without a zone, but for names that are known to be in UTC.
    """
    stem = re.split(r"[/\\]", file_name[-_LONGEST:])[-1].rpartition(".")
    name = (stem[0] or stem[2]).strip()
    found = _since_1970(name) or _compact(name) or _separated(name) or _messenger(name)
    return found if found and is_plausible(found.at) and is_past(found.at) else None


def _since_1970(name: str) -> Moment | None:
    match = _SINCE_1970.fullmatch(name)
    return Moment(_EPOCH + timedelta(seconds=int(match[1]) // 1000), 0) if match else None


def _compact(name: str) -> Moment | None:
    match = _COMPACT.search(name) or _RUN_TOGETHER.fullmatch(name)
    if match is None:
        return None
    at = _local(*(int(part) for part in match.groups()), first_year=_FIRST_DIGITAL_YEAR)
    return Moment(at, 0 if name.startswith(_IN_UTC) else None) if at else None


def _separated(name: str) -> Moment | None:
    match = _SEPARATED.search(name)
    if match is None:
        return None
    day = int(match[1]), int(match[3]), int(match[4])
    time = _NOON
    if match[5]:
        hour = int(match[5])
        if match[8]:
            hour = hour % 12 + (12 if match[8] == "P" else 0)
        time = (hour, int(match[6]), int(match[7]))
    # What follows the day may be a number of another kind.
    at = _local(*day, *time, first_year=FIRST_YEAR) or _local(*day, *_NOON, first_year=FIRST_YEAR)
    return Moment(at, None) if at else None


def _messenger(name: str) -> Moment | None:
    match = _MESSENGER.fullmatch(name)
    if match is None:
        return None
    at = _local(*(int(part) for part in match.groups()), *_NOON, first_year=_FIRST_DIGITAL_YEAR)
    return Moment(at, None) if at else None


def _local(*parts: int, first_year: int) -> datetime | None:
    """Return local time as if it were UTC, or nothing for a day or a time that does not exist."""
    year, month, day, hour, minute, second = parts
    if year < first_year:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
