"""The upload page: a plain form for everybody, and what the page's own uploader has to know.

Floor 4. The uploader itself sends by the tus protocol (`vault.web.tus`), scripts by the API.
"""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from vault.imaging import identify
from vault.imaging.identify import ACCEPT, Unsupported
from vault.imaging.kinds import FILMS, HEIFS, KINDS, RAWS
from vault.services import Refused, accounts, albums, uploads
from vault.services.importing import runs
from vault.storage import StorageError, StorageFull
from vault.web.access import me, signed_in, vault, viewer
from vault.web.receiving import MOST_FILES, incoming

blueprint = Blueprint("uploads", __name__, url_prefix="/upload")
# An archive is not kept as it is: what is in it is.
ZIP = ".zip"
ARCHIVES = f"{ZIP},application/zip"


@blueprint.app_context_processor
def _tell_pages() -> dict[str, Any]:
    return {"upload_facts": _facts}


def _facts() -> dict[str, str | int]:
    """Return what every page of somebody who is signed in tells the uploader, by the names of its data attributes."""
    settings = vault().settings
    return {
        "to": "/uploads/",
        "api": "/api/v1",
        "page": url_for("uploads.form"),
        "sign-in": url_for("auth.sign_in"),
        "accept": f"{ACCEPT},{ARCHIVES}",
        "piece-bytes": settings.upload_piece_bytes,
        "max-bytes": settings.max_upload_bytes,
    }


@blueprint.get("", endpoint="form")
@signed_in()
def show_form() -> str:
    """Show the uploader."""
    row = accounts.get(me().user_id)
    return render_template(
        "uploads/form.html",
        albums=albums.addable(viewer()),
        album_id=request.args.get("album"),
        accept=f"{ACCEPT},{ARCHIVES}",
        formats=formats(),
        most_files=MOST_FILES,
        max_bytes=vault().settings.max_upload_bytes,
        has_imports=bool(runs.own(viewer(), limit=1).items),
        used_bytes=row.used_bytes,
        quota_bytes=row.quota_bytes,
    )


@blueprint.post("", endpoint="receive")
@signed_in(body=lambda found: MOST_FILES * found.settings.max_upload_bytes)
def receive_form() -> Response:
    """Take the files of the plain form one by one: what is wrong with one does not touch the others."""
    album_id = request.form.get("album_id") or None
    kept = begun = 0
    for file in request.files.getlist("file"):
        if not file.filename and not incoming(file).bytes:
            continue  # a browser sends an empty part where nothing was chosen
        try:
            if (file.filename or "").lower().endswith(ZIP):
                _begin_import(file, album_id)
                begun += 1
                continue
            uploads.receive(vault(), viewer(), incoming(file), file_name=file.filename or "", album_id=album_id)
            kept += 1
        except (Unsupported, Refused) as refusal:
            flash(f"{file.filename}: {refusal}", "error")
        except StorageError as failure:
            if not kept + begun:
                raise  # then the page that says that nothing was kept tells the truth
            reason = "there is no room left for it" if isinstance(failure, StorageFull) else "it could not be kept"
            flash(f"{file.filename}: {reason}.", "error")
    if kept:
        flash("1 picture is here." if kept == 1 else f"{kept} pictures are here.", "ok")
    elif not request.files.getlist("file"):
        flash("Please choose a picture first.", "error")
    if begun and not kept:
        return redirect(url_for("imports.index"))
    if album_id:
        return redirect(url_for("albums.show", album_id=album_id))
    return redirect(url_for("library.pictures") if kept else url_for("uploads.form"))


def _begin_import(file: FileStorage, album_id: str | None) -> None:
    """Have an archive taken apart. Raises as `begin_from_upload`."""
    name = file.filename or ""
    runs.begin_from_upload(vault(), viewer(), incoming(file), file_name=name, album_id=album_id)
    flash(f"{name} is here, and the pictures in it are being imported.", "ok")


def formats() -> list[tuple[str, str]]:
    """Say which formats are kept here: what a group of them is called, and their names."""
    extras = [(RAWS, identify.has_raws()), (HEIFS, identify.has_heif()), (FILMS, identify.has_films())]
    left_out = {kind for kinds, is_here in extras if not is_here for kind in kinds}
    groups = (("Pictures", [kind for kind in KINDS if kind not in RAWS]), ("Camera RAW", RAWS), ("Videos", FILMS))
    kept = [(title, [kind.format for kind in kinds if kind not in left_out]) for title, kinds in groups]
    return [(title, ", ".join(names)) for title, names in kept if names]
