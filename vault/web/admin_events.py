"""Administration: what happened, filtered and taken along. Floor 4."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for

from vault import tables
from vault.db import utcnow
from vault.models.system import Event
from vault.services import auditing, events
from vault.web.access import admin, me

blueprint = Blueprint("events", __name__, url_prefix="/admin/events")


@blueprint.get("", endpoint="show")
@admin()
def show_events() -> str:
    """Show what happened, the latest first."""
    asked = _asked()
    page = events.page(_wanted(asked), before=request.args.get("cursor", type=int))
    return render_template(
        "admin/events.html",
        events=[_described(event) for event in page.events],
        next=_address("events.show", **asked, cursor=page.next_before) if page.next_before else None,
        export=_address("events.export", **asked),
        asked=asked,
        actions=events.actions(),
        people=events.people(),
        standing=auditing.standing(),
    )


@blueprint.get("/export")
@admin()
def export() -> Response:
    """Send what the page shows, all of it, as CSV."""
    lines = events.export(me().user_id, _wanted(_asked()))
    answer = Response(stream_with_context(lines), content_type=tables.MEDIA_TYPE)
    answer.headers["Content-Disposition"] = f"attachment; filename=events-{utcnow():%Y-%m-%d}.csv"
    return answer


def _asked() -> dict[str, str]:
    """Return what the filter says, without the fields that are empty or no day."""
    said = {name: request.args.get(name, "").strip() for name in ("q", "action", "person", "from", "to")}
    return {name: value for name, value in said.items() if value and (name not in {"from", "to"} or _day(value))}


def _address(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values)


def _wanted(asked: dict[str, str]) -> events.Wanted:
    return events.Wanted(
        text=asked.get("q", ""),
        action=asked.get("action", ""),
        person_id=asked.get("person", ""),
        first_day=_day(asked.get("from", "")),
        last_day=_day(asked.get("to", "")),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _described(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "detail": ", ".join(f"{name}: {value}" for name, value in event.detail.items()),
        "address": event.address,
    }
