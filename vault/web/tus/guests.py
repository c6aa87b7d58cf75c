"""Uploads in pieces for those who came by a link that takes pictures: the same protocol, below the link's own address.

Floor 4. What a guest has half here is his visit's, and ends with it.
"""

from flask import Blueprint, Response, url_for

from vault.models.sharing import Link, LinkFacts
from vault.policy import Action, Permit
from vault.services import Refused, guests, visiting
from vault.services.uploads import NO_MORE
from vault.services.uploads.promises import Sender
from vault.web.access import Face, public
from vault.web.tus import begin, body, capabilities, check_version, close, go_on, headers, stand, welcome
from vault.web.visitors import keep_to_itself, opened_by_link

blueprint = Blueprint("guest_tus", __name__, url_prefix="/l/<link_id>/uploads")
blueprint.before_request(check_version)
blueprint.after_request(close)
blueprint.after_request(keep_to_itself)


def describe(link_id: str) -> Response:  # noqa: ARG001  # the same for every link, and for none
    """Say what is spoken here."""
    return capabilities()


blueprint.add_url_rule("/", "capabilities", public(describe, Face.BYTES), methods=["OPTIONS"])


@blueprint.post("/")
@opened_by_link(Action.VISIT, Link, face=Face.VISIT_API, body=body)
def create(permit: Permit[LinkFacts]) -> Response:
    """Take on a file that comes in pieces."""
    sender = _sender(permit)
    headers.method("POST")
    if guests.room_left(permit) == 0:
        raise Refused(NO_MORE)
    standing = begin(sender, headers.announced(), headers.piece())
    answer = headers.describe(Response(status=201), standing)
    link_id, upload_id = permit.row.public_id, standing.upload_id
    answer.headers["Location"] = url_for("guest_tus.ask", link_id=link_id, upload_id=upload_id)
    return answer


@blueprint.route("/<upload_id>", methods=["HEAD"])
@opened_by_link(Action.VISIT, Link, face=Face.VISIT_API)
def ask(permit: Permit[LinkFacts], upload_id: str) -> Response:
    """Say how far an upload of this visit is."""
    return stand(_sender(permit), upload_id)


@blueprint.route("/<upload_id>", methods=["PATCH", "DELETE", "POST"])
@opened_by_link(Action.VISIT, Link, face=Face.VISIT_API, body=body)
def append(permit: Permit[LinkFacts], upload_id: str) -> Response:
    """Take the next piece of an upload of this visit, or end it."""
    return go_on(_sender(permit), upload_id)


def _sender(permit: Permit[LinkFacts]) -> Sender:
    """Return who sends. Raises Denied where the link takes no pictures, or no longer."""
    return welcome(Sender(permit.viewer, adding=visiting.adding(permit)))
