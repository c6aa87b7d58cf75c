"""The API's way to move an album in its tree: look first, then do just that. Floor 4."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from vault.models.media import Album, AlbumFacts
from vault.policy import Action, Permit
from vault.services import moving, people
from vault.services.moving import Place, Preview, Side, Somebody
from vault.web.access import Face, requires
from vault.web.api.protocol import Answer, Blueprint, Body, Flag, Text
from vault.web.api.shapes import ID

blueprint = Blueprint("moving", "Moving an album in its tree changes at once what it inherits, so it is shown first.")
MOST_NAMED = 50


class Seer(Answer):
    """A person, or whoever holds a link, who gains or loses by it."""

    id = fields.String(allow_none=True, metadata=ID | {"description": "Null for a link that one may not see."})
    kind = fields.String(metadata={"description": "`person` or `link`.", "examples": ["person"]})
    name = fields.String(metadata={"description": "Of the person, or the link's label."})


class MoveAnswer(Answer):
    """Who gains and who loses sight of the album or of something below it, and who else may do more or less there.

    Whoever comes from an album that one does not see is counted, but not named.
    """

    album_id = fields.String(metadata=ID)
    parent_id = fields.String(allow_none=True, metadata={"description": "The album to lie below; null is the top."})
    is_done = fields.Boolean(metadata={"description": "False for a preview."})
    digest = fields.String(metadata={"description": "Send it as `expected` to do just what was shown."})
    gains = fields.List(fields.Nested(Seer), metadata={"description": f"The first {MOST_NAMED} by name."})
    gains_count = fields.Integer()
    loses = fields.List(fields.Nested(Seer), metadata={"description": f"The first {MOST_NAMED} by name."})
    loses_count = fields.Integer()
    may_do_more = fields.List(fields.Nested(Seer), metadata={"description": "They see no more, but may do more."})
    may_do_more_count = fields.Integer()
    may_do_less = fields.List(fields.Nested(Seer), metadata={"description": "They see no less, but may do less."})
    may_do_less_count = fields.Integer()


class Move(Body):
    """Where to, and whether it is only to be looked at."""

    parent_id = Text(required=True, allow_none=True, metadata={"description": "Null is the top: its owner's deed."})
    preview = Flag(load_default=False)
    expected = Text(load_default=None, metadata={"description": "The `digest` of a preview. Left out for one."})

    @validates_schema
    def _check_expected(self, data: dict[str, Any], **_more: Any) -> None:
        if not data.get("preview") and data.get("expected") is None:
            raise ValidationError("Ask for a preview first, and send its digest.", "expected")


@blueprint.post("/albums/<album_id>/move")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.arguments(Move)
@blueprint.response(200, MoveAnswer)
def move(permit: Permit[AlbumFacts], body: dict[str, Any]) -> dict[str, Any]:
    """Move an album below another of the same owner, or to the top.

    Asks for the role manager on the album, on the one it lies in and on the one it goes to. With `preview` nothing
    happens; without, it happens only if `expected` still stands for what would change, else 409.
    """
    wish = Place(body["parent_id"])
    if body["preview"]:
        return _answer(permit, wish, moving.preview(permit, wish), is_done=False)
    return _answer(permit, wish, moving.carry_out(permit, wish, expected=body["expected"]), is_done=True)


def _answer(permit: Permit[AlbumFacts], wish: Place, found: Preview, *, is_done: bool) -> dict[str, Any]:
    return {
        "album_id": permit.row.public_id,
        "parent_id": wish.parent_id,
        "is_done": is_done,
        "digest": found.digest,
        **_side("gains", found.gains),
        **_side("loses", found.loses),
        **_side("may_do_more", found.more),
        **_side("may_do_less", found.less),
    }


def _side(name: str, side: Side) -> dict[str, Any]:
    return {name: [_seer(each) for each in side.known[:MOST_NAMED]], f"{name}_count": side.count}


def _seer(each: Somebody) -> dict[str, Any]:
    kind = "link" if each.email is None else "person"
    return {"id": each.public_id, "kind": kind, "name": each.name or (people.veiled(each.email) if each.email else "")}
