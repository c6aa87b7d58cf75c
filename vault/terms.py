"""Ends as people choose them: a last day on a form, a moment in the rows.

Floor 0: knows the calendar only.
"""

from datetime import UTC, date, datetime, time, timedelta

LAST_DAY = date(9000, 1, 1)


def end_of(day: date | None) -> datetime | None:
    """Return the moment at which a day that was chosen as the last one is over, in UTC."""
    # Nobody means the calendar's last days, and databases and time zones do not reach beyond them.
    return datetime.combine(min(day, LAST_DAY) + timedelta(days=1), time(), UTC) if day else None


def last_day(expires_at: datetime) -> date:
    """Return the last day on which something that ends then is still good, in UTC: the other way round of `end_of`."""
    return (expires_at - timedelta(microseconds=1)).date()
