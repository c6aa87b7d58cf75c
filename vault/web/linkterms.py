"""The terms of a link as forms say them, and how a page shows them again.

Floor 4, a hall that the page files use: a link is made on an album's page and for chosen pictures, and changed on its
own. Whatever a form leaves out is the safe choice.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import session
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, IntegerField, RadioField, SelectField, StringField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than WTForms 3.3
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from vault import terms
from vault.models.linkrules import SCREEN_EDGE_PX
from vault.models.sharing import Link, LinkRole, MetadataRule, Scope
from vault.passwords import UnacceptablePassword, suggested
from vault.services import Refused, editions, links
from vault.services.links import LARGEST_EDGE_PX, MOST_COUNTED, SMALLEST_EDGE_PX, Terms
from vault.signing import LONGEST_SEALED
from vault.web.access import vault

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
# What each step gives, in the words of who makes the link; templates add what it means.
ROLES = {
    LinkRole.VIEWER: "Look",
    LinkRole.DOWNLOADER: "Look and save",
    LinkRole.CONTRIBUTOR: "Look, save and add",
    LinkRole.DROP: "Only add",
}
TOLD = "told"


def _choices(*pairs: tuple[str, str]) -> list[Any]:
    return [SelectChoice(value, label) for value, label in pairs]


def _limit(label: str) -> IntegerField:
    return IntegerField(label, [Optional(), NumberRange(1, MOST_COUNTED)], render_kw={"inputmode": "numeric"})


class LinkForm(FlaskForm):
    """Whom a link is for, what it opens, until when, and what leaves by it."""

    label = StringField("Who is it for?", [InputRequired(), Length(max=200)])
    role = SelectField("They may", choices=_choices(*((role.label, name) for role, name in ROLES.items())))
    protect = BooleanField("Password")
    password = StringField("The password", [Length(max=200)])
    ends = RadioField(
        "It ends",
        [Optional()],
        choices=_choices(("week", "In a week"), ("month", "In a month"), ("never", "Never"), ("day", "On a day")),
        default="month",
    )
    ends_on = DateField("Last day", [Optional()])
    starts_on = DateField("First day", [Optional()])
    max_visits = _limit("Visits at most")
    max_downloads = _limit("Downloads at most")
    max_uploads = _limit("Pictures they may add")
    accept_at_once = BooleanField("What they add appears at once")
    metadata = RadioField(
        "What the camera wrote",
        [Optional()],
        choices=_choices(("location", "Without the place"), ("all", "Without anything"), ("keep", "With everything")),
        default=MetadataRule.STRIP_LOCATION.value,
    )
    size = RadioField(
        "Size of what they save",
        [Optional()],
        choices=_choices(("original", "Original"), ("preview", "Screen size"), ("edge", "At most …")),
        default="original",
    )
    long_edge_px = IntegerField("Longest edge in pixels", [Optional(), NumberRange(SMALLEST_EDGE_PX, LARGEST_EDGE_PX)])
    mark = RadioField(
        "Written across the pictures",
        [Optional()],
        choices=_choices(("none", "Nothing"), ("name", "Their name"), ("text", "A text")),
        default="none",
    )
    watermark = StringField("The text", [Length(max=100)])
    show_names = BooleanField("Show the names of the files")
    only_this = BooleanField("Only this album, without those inside it")


def blank(**values: Any) -> LinkForm:
    """Return a form for a new link, with a password that waits for the switch beside it."""
    return LinkForm(formdata=None, data={"role": LinkRole.VIEWER.label, "password": suggested(), **values})


def filled(link: Link) -> LinkForm:
    """Return a form that says what a link's terms are now; its password is known to nobody."""
    edge = link.long_edge_px
    return LinkForm(
        formdata=None,
        data={
            "label": link.label,
            "role": LinkRole(link.role).label,
            "protect": link.password_hash is not None,
            "ends": "day" if link.expires_at else "never",
            "ends_on": terms.last_day(link.expires_at) if link.expires_at else None,
            "starts_on": link.starts_at.date() if link.starts_at else None,
            "max_visits": link.max_visits,
            "max_downloads": link.max_downloads,
            "max_uploads": link.max_uploads,
            "accept_at_once": not link.needs_acceptance,
            "metadata": link.metadata_rule,
            "size": "original" if edge is None else "preview" if edge == SCREEN_EDGE_PX else "edge",
            "long_edge_px": edge if edge != SCREEN_EDGE_PX else None,
            "mark": "none" if not link.watermark else "name" if link.watermark == link.label else "text",
            "watermark": link.watermark if link.watermark != link.label else "",
            "show_names": not link.neutral_names,
        },
    )


def said(form: LinkForm) -> Terms:
    """Return the terms that a form says. Raises Refused for what is left open."""
    return Terms(
        label=form.label.data or "",
        role=LinkRole.from_label(form.role.data or ""),
        starts_at=_begin_of(form.starts_on),
        expires_at=_end(form),
        max_visits=form.max_visits.data,
        max_downloads=form.max_downloads.data,
        max_uploads=form.max_uploads.data,
        needs_acceptance=not form.accept_at_once.data,
        metadata_rule=MetadataRule(form.metadata.data or MetadataRule.STRIP_LOCATION),
        long_edge_px=_edge(form),
        watermark=_watermark(form),
        neutral_names=not form.show_names.data,
    )


def scope(form: LinkForm) -> Scope:
    """Return how much of an album a new link covers."""
    return Scope.ALBUM if form.only_this.data else Scope.TREE


def password(form: LinkForm) -> str | None:
    """Return the password of a new link; None without one. Raises UnacceptablePassword for an empty one."""
    if not form.protect.data:
        return None
    if not form.password.data:
        raise UnacceptablePassword("Say which password, or switch it off.")
    return form.password.data


def blame(form: LinkForm, error: Refused | UnacceptablePassword) -> None:
    """Write into a form why it was refused."""
    field: Field = form.password if isinstance(error, UnacceptablePassword) else form.label
    field.errors = [str(error)]


def tell_once(link: Link, known: str | None) -> None:
    """Keep a new link's password for the next page alone, sealed in the browser of who made it."""
    if known and len(known.encode()) <= LONGEST_SEALED:
        session[TOLD] = [link.public_id, vault().signer.seal(f"password of {link.public_id}", known)]


def told(link: Link) -> str | None:
    """Return a new link's password, the first time that its page is looked at."""
    kept = session.pop(TOLD, None) if TOLD in session else None
    if not isinstance(kept, list) or kept[0] != link.public_id:
        return None
    return vault().signer.unseal(f"password of {link.public_id}", kept[1])


def make_for_album(permit: Any, form: LinkForm) -> Link:
    """Make a link to an album as a form says it. Raises Denied, Refused, UnacceptablePassword."""
    known = password(form)
    made = links.create(vault(), permit, said(form), scope=scope(form), password=known)
    editions.make_ahead(vault(), made)
    tell_once(made, known)
    return made


def _end(form: LinkForm) -> datetime | None:
    today = datetime.now(UTC).date()
    match form.ends.data:
        case "week":
            return terms.end_of(today + WEEK)
        case "day":
            if form.ends_on.data is None:
                raise Refused("Say on which day it ends, or choose “Never”.")
            return terms.end_of(form.ends_on.data)
        case "never":
            return None
        case _:
            return terms.end_of(today + MONTH)


def _begin_of(field: DateField) -> datetime | None:
    day = min(field.data, terms.LAST_DAY) if field.data else None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def _edge(form: LinkForm) -> int | None:
    match form.size.data:
        case "preview":
            return SCREEN_EDGE_PX
        case "edge":
            if form.long_edge_px.data is None:
                raise Refused("Say how many pixels the longest edge may have.")
            return form.long_edge_px.data
        case _:
            return None


def _watermark(form: LinkForm) -> str:
    if form.mark.data == "name":
        return form.label.data or ""
    return (form.watermark.data or "") if form.mark.data == "text" else ""
