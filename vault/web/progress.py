"""How far the work on one's pictures is, which failed, and trying again. Floor 4."""

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from vault.services import progress
from vault.services.progress import Progress
from vault.web.access import me, signed_in, vault, viewer
from vault.web.tiles import PAGE_SIZE, member_tile, next_url, wants_json

blueprint = Blueprint("progress", __name__, url_prefix="/progress")


@blueprint.app_context_processor
def _tell_pages() -> dict[str, Any]:
    return {"progress_of_mine": _in_line}


@blueprint.get("")
@signed_in()
def show() -> str | Response:
    """Show what is still being made of one's pictures, and what could not be."""
    found = progress.of_person(vault(), viewer())
    if wants_json():
        return jsonify(_in_line(found))
    page = progress.failed(viewer(), limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    tiles = [
        {**member_tile(media, me().user_id, original=True), "may_pass": media.failure_may_pass} for media in page.items
    ]
    return render_template("progress/show.html", found=found, tiles=tiles, next=next_url(page))


@blueprint.post("/try-again")
@signed_in()
def try_again() -> AnyResponse:
    """Try once more what may work out this time."""
    count = progress.try_again(vault(), viewer())
    what = "one picture" if count == 1 else f"{count:,} pictures"
    flash(f"The vault tries {what} again." if count else "There is nothing that another try would help.", "ok")
    return redirect(url_for("progress.show"))


def _in_line(found: Progress | None = None) -> dict[str, str]:
    """Return what the line on a page says of the work on one's pictures."""
    found = found or progress.of_person(vault(), viewer())
    return {"busy": in_words(found), "failed": failures_in_words(found)}


def in_words(found: Progress) -> str:
    """Say what is still to come; nothing when all is done."""
    pictures = found.waiting + found.under_way
    parts = [
        f"{count:,} {one if count == 1 else many}"
        for count, one, many in ((pictures, "picture", "pictures"), (found.films, "video", "videos"))
        if count
    ]
    if not parts:
        return ""
    verb = "is" if pictures + found.films == 1 else "are"
    return f"{' and '.join(parts)} {verb} being prepared."


def failures_in_words(found: Progress) -> str:
    """Say what could not be made; nothing when all could."""
    if not found.failed:
        return ""
    return f"{found.failed:,} {'picture' if found.failed == 1 else 'pictures'} could not be read."
