"""Imports: how each of one's own stands, what came of it, and stopping it. Floor 4."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from vault.db import utcnow
from vault.models.ingest import ImportRun, RunState
from vault.services.importing import runs
from vault.web.access import signed_in, vault, viewer

blueprint = Blueprint("imports", __name__, url_prefix="/imports")
AT_ONCE = 30
STATES = {
    RunState.WAITING: "Waiting for its turn",
    RunState.RUNNING: "Being imported",
    RunState.DONE: "Done",
    RunState.STOPPED: "Stopped",
    RunState.FAILED: "Broken off",
}
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@blueprint.get("")
@signed_in()
def index() -> str:
    """List one's own imports, the latest first."""
    page = runs.own(viewer(), limit=AT_ONCE, cursor=request.args.get("cursor"))
    following = url_for("imports.index", cursor=page.next_cursor) if page.next_cursor else None
    return render_template("imports/index.html", imports=[_shown(run) for run in page.items], next=following)


@blueprint.get("/<import_id>")
@signed_in()
def show(import_id: str) -> str:
    """Show how an import stands, and its report."""
    run = runs.get(viewer(), import_id)
    return render_template(
        "imports/show.html",
        found=_shown(run),
        reasons=sorted(run.reasons.items(), key=lambda each: (-each[1], each[0])),
        refusals=runs.refusals(run),
    )


@blueprint.post("/<import_id>/stop")
@signed_in()
def stop(import_id: str) -> Response:
    """Stop an import; what came in stays."""
    runs.stop(vault(), viewer(), import_id)
    flash("The import is stopped. What came in before stays.", "ok")
    return redirect(url_for("imports.show", import_id=import_id))


def _shown(run: ImportRun) -> dict[str, Any]:
    is_broken_off = runs.is_broken_off(run)
    is_alive = run.state in runs.ALIVE and not is_broken_off
    return {
        "id": run.public_id,
        "name": _short(run.name),
        "state": STATES[RunState.FAILED if is_broken_off else RunState(run.state)],
        "failure": "Run the same command again to go on." if is_broken_off else run.failure,
        "is_alive": is_alive,
        "is_measured": run.total_count > 0,
        "count": run.done_count,
        "total": run.total_count,
        "imported": run.imported,
        "already_here": run.already_here,
        "refused": run.refused,
        "left_out": run.left_out,
        "created_at": run.created_at,
        "time_left": _time_left(run) if is_alive else "",
    }


def _short(name: str) -> str:
    """Return the last part of every absolute path, which is what people call it; any other name as it is."""
    if not name.startswith("/"):
        return name
    return ", ".join(path.rstrip("/").rpartition("/")[2] or name for path in name.split(", /"))


def _time_left(run: ImportRun) -> str:
    """Say about how long an import goes on, by what it took until now."""
    if not run.done_bytes or run.total_bytes <= run.done_bytes:
        return ""
    left = (utcnow() - run.created_at) * ((run.total_bytes - run.done_bytes) / run.done_bytes)
    if left < MINUTE:
        return "less than a minute left"
    count, unit = (left // HOUR, "hour") if left >= 2 * HOUR else (left // MINUTE, "minute")
    return f"about {count} {unit}{'' if count == 1 else 's'} left"
