"""The API's imports: how each of one's own stands, and stopping it. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from vault.models.ingest import ImportRun, RunState
from vault.services.importing import runs
from vault.web.access import Face, signed_in, vault, viewer
from vault.web.api.protocol import Answer, Blueprint, ListQuery, Moment, nothing, page, page_of
from vault.web.api.shapes import ID

blueprint = Blueprint("imports", "Imports of many files at once: uploaded archives, and what commands bring in.")
COUNTS = ("imported", "already_here", "refused", "left_out", "total_count", "done_count", "total_bytes", "done_bytes")


class Import(Answer):
    """One import. Each file that was dealt with is in one of the four counts, but for sidecars."""

    id = fields.String(metadata=ID)
    name = fields.String(metadata={"description": "What was imported.", "examples": ["takeout-001.zip"]})
    state = fields.String(validate=validate.OneOf([state.value for state in RunState]))
    failure = fields.String(allow_none=True)
    total_count = fields.Integer(metadata={"description": "Files in all; 0 until they were counted."})
    done_count = fields.Integer()
    total_bytes = fields.Integer()
    done_bytes = fields.Integer()
    imported = fields.Integer()
    already_here = fields.Integer()
    refused = fields.Integer(metadata={"description": "Pictures and videos that could not be taken."})
    left_out = fields.Integer(metadata={"description": "What is no picture or video, hidden, or a link."})
    reasons = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "How many files were refused or left out for each reason."},
    )
    created_at = Moment()
    finished_at = Moment(allow_none=True)


class NotTaken(Answer):
    """A file that was refused."""

    path = fields.String()
    reason = fields.String()


class ImportDetails(Import):
    """An import with the files that were refused, at most 500."""

    refusals = fields.List(fields.Nested(NotTaken))


@blueprint.get("/imports")
@signed_in(Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Import))
def list_imports(query: dict[str, Any]) -> dict[str, Any]:
    """List one's own imports, the latest first."""
    found = runs.own(viewer(), **query)
    return page([_import(run) for run in found.items], found)


@blueprint.get("/imports/<import_id>")
@signed_in(Face.API)
@blueprint.response(200, ImportDetails)
def show(import_id: str) -> dict[str, Any]:
    """Say how one's own import stands."""
    run = runs.get(viewer(), import_id)
    told = [{"path": each.path, "reason": each.reason} for each in runs.refusals(run)]
    return _import(run) | {"refusals": told}


@blueprint.delete("/imports/<import_id>")
@signed_in(Face.API)
@blueprint.response(204)
def stop(import_id: str) -> Response:
    """Stop one's own import; what came in stays. One that has ended stays as it is."""
    runs.stop(vault(), viewer(), import_id)
    return nothing()


def _import(run: ImportRun) -> dict[str, Any]:
    names = (*COUNTS, "name", "state", "failure", "reasons", "created_at", "finished_at")
    return {"id": run.public_id} | {name: getattr(run, name) for name in names}
