"""Sending bytes: the only place that does, and only against a Permit.

Floor 4, a hall that the page files use. The decision is made before this is called, so before conditional and range
headers are looked at (docs/adr/0006-delivery.md). The headers are those of the outward contract.
"""

from flask import Response, current_app, request, send_file

from vault.models.media import MediaFacts
from vault.policy import Permit
from vault.services import Vault
from vault.services.derivatives import Blob, find

# The browser may keep the bytes but must ask each time, so that a revocation holds for what it kept, too.
PRIVATE = "private, no-cache"
HEADERS = {
    "Cache-Control": PRIVATE,
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def send(permit: Permit[MediaFacts], name: str) -> Response:
    """Answer with the variant `name` ("thumb", "preview") or the "original", as an attachment.

    Raises NotReady while there is none, Missing when the bytes are lost.
    """
    vault: Vault = current_app.extensions["vault"]
    blob = find(permit, name)
    file_name = permit.row.file_name if name == "original" else None
    answer = (
        _handed_over(vault, blob, file_name) if vault.settings.delivery == "x-accel" else _sent(vault, blob, file_name)
    )
    answer.headers.update(HEADERS)
    return answer


def _sent(vault: Vault, blob: Blob, file_name: str | None) -> Response:
    with vault.storage.local_path(blob.key) as path:
        # The file is opened in here; that it may be deleted while it is read does not matter to an open file.
        return send_file(
            path,
            mimetype=blob.media_type,
            etag=blob.etag,
            conditional=True,
            as_attachment=file_name is not None,
            download_name=_attachment_name(file_name),
        )


def _handed_over(vault: Vault, blob: Blob, file_name: str | None) -> Response:
    """Let nginx send the bytes: it sees the key, and answers ranges; what has not changed is answered here."""
    stat = vault.storage.stat(blob.key)
    answer = Response(mimetype=blob.media_type)
    answer.set_etag(blob.etag)
    answer.last_modified = stat.modified_at
    if file_name is not None:
        answer.headers.set("Content-Disposition", "attachment", filename=_attachment_name(file_name))
    answer.make_conditional(request)
    if answer.status_code == Response.default_status:
        answer.headers["X-Accel-Redirect"] = f"/_blobs/{blob.key}"
    return answer


def _attachment_name(file_name: str | None) -> str | None:
    """Return a name that any system can save: no path, no control or invisible direction characters (RFC 6266, 4.3)."""
    if file_name is None:
        return None
    last = file_name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    printable = "".join(character if character.isprintable() else "_" for character in last).strip(" .")
    return printable[:180] or "picture"
