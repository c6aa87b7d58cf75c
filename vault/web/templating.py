"""What templates can use besides what a view hands them: who is signed in, built assets, and ways to write values.

Floor 4.
"""

import json
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, url_for

from vault import devices, terms
from vault.db import incidental
from vault.services import notices, visiting
from vault.web import access

UNITS = ("bytes", "KB", "MB", "GB", "TB")
THOUSAND = 1000


def init(app: Flask) -> None:
    """Register filters and names."""
    app.jinja_env.filters.update(size=size, day=day, moment=moment, iso=iso, last_day=terms.last_day)
    app.jinja_env.filters["device"] = devices.in_words
    app.jinja_env.globals.update(asset=asset, sharer_of=visiting.sharer)
    app.context_processor(lambda: {"me": access.person(), "notices_of_mine": _notices})


def _notices() -> list[notices.Told]:
    """Return what whoever is signed in must be told; a page is shown without it rather than not at all."""
    found = access.person()
    if found is not None:
        with incidental("notices"):
            return notices.of(found.user_id)
    return []


def size(count: float) -> str:
    """Write a number of bytes as people read it: 4.2 MB."""
    amount, unit = float(count), 0
    while amount >= THOUSAND and unit < len(UNITS) - 1:
        amount, unit = amount / THOUSAND, unit + 1
    return f"{amount:.0f} {UNITS[unit]}" if unit == 0 or amount >= 100 else f"{amount:.1f} {UNITS[unit]}"


def day(moment_: date | None) -> str:
    """Write a date: 20 November 2026."""
    return f"{moment_.day} {moment_:%B %Y}" if moment_ else ""


def moment(moment_: datetime | None) -> str:
    """Write a point in time, in UTC: 20 Nov 2026, 14:05."""
    return f"{moment_.day} {moment_:%b %Y, %H:%M}" if moment_ else ""


def iso(moment_: datetime | None) -> str:
    """Write a point in time for machines (RFC 3339)."""
    return moment_.isoformat(timespec="seconds") if moment_ else ""


def asset(name: str) -> str:
    """Return the address of a built file by the name of its source. Raises KeyError for one that was not built."""
    return url_for("static", filename=f"dist/{_built()[name]}")


@cache
def _built() -> dict[str, Any]:
    manifest = Path(__file__).resolve().parents[1] / "static" / "dist" / "manifest.json"
    built: dict[str, Any] = json.loads(manifest.read_text())
    return built
