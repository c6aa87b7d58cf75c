"""What one has already: asked before a file is sent, so that it need not be. Floor 4."""

from typing import Any

from marshmallow import fields, validate

from vault.services import uploads
from vault.web.access import Face, signed_in, viewer
from vault.web.api.protocol import Answer, Blueprint, Body

MOST_DIGESTS = 500

blueprint = Blueprint("known", "Which files one has already, so that nobody sends them for nothing.")


class Digests(Body):
    """Files that one might send."""

    sha256 = fields.List(
        fields.String(validate=validate.Regexp(r"[0-9a-f]{64}\Z", error="Not 64 hexadecimal digits.")),
        required=True,
        validate=validate.Length(max=MOST_DIGESTS, error=f"At most {MOST_DIGESTS} at once."),
    )


class KnownFile(Answer):
    """A file that is here."""

    sha256 = fields.String()
    id = fields.String(metadata={"description": "The picture that it is."})


class KnownFiles(Answer):
    """Those that are here, of the files that were named."""

    items = fields.List(fields.Nested(KnownFile))


@blueprint.post("/media/known")
@signed_in(Face.API)
@blueprint.arguments(Digests)
@blueprint.response(200, KnownFiles)
def list_known(body: dict[str, Any]) -> dict[str, Any]:
    """Say which of some files one has already, by the SHA-256 of their bytes.

    Only one's own are looked at. What lies in the trash is not among them: sending it again takes it out.
    """
    found = uploads.known(viewer(), body["sha256"])
    return {"items": [{"sha256": sha256, "id": media_id} for sha256, media_id in found.items()]}
