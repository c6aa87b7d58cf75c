"""The form for what people write on the back of a picture. Floor 4, a hall that the page files use."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than WTForms 3.3
from wtforms.validators import Length, Optional

from vault.imaging.texts import MAX_KEYWORD_CHARACTERS, MAX_KEYWORDS
from vault.models.media import Media
from vault.services import library
from vault.services.library import Kept
from vault.web.facts import stars, wall_clock, zone

LONGEST_KEYWORDS = MAX_KEYWORD_CHARACTERS + 2 * MAX_KEYWORDS
# The first one is also how a date is shown; browsers leave out seconds that are zero.
MOMENTS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
RATINGS = {"": "Not rated", **{str(each): stars(each)["words"] for each in (5, 4, 3, 2, 1, -1)}}


class CaptionForm(FlaskForm):
    """What people write on the back of a picture."""

    title = StringField("Title", [Length(max=library.LONGEST_TITLE)])
    caption = TextAreaField("Caption", [Length(max=library.LONGEST_CAPTION)])
    keywords = StringField("Keywords", [Length(max=LONGEST_KEYWORDS)])
    rating = SelectField(
        "Rating", choices=[SelectChoice(value, label) for value, label in RATINGS.items()], validate_choice=False
    )
    taken_at = DateTimeLocalField("Taken at", [Optional()], format=MOMENTS, render_kw={"step": 1})


def caption_form(media: Media) -> CaptionForm:
    """Return the form with what is written on a picture now."""
    shown = {name: getattr(media, name) for name in ("title", "caption")}
    shown |= {"keywords": ", ".join(media.keywords), "rating": str(media.rating or "")}
    wall = wall_clock(media.taken_at, media.taken_offset_minutes) if media.taken_at else None
    form = CaptionForm(formdata=None, data=shown | {"taken_at": wall})
    form.taken_at.label.text = f"Taken at ({_clock(media)})"
    return form


def _clock(media: Media) -> str:
    if media.taken_at is None:
        return "UTC"
    return "local time" if media.taken_offset_minutes is None else zone(media.taken_offset_minutes)


def written(form: CaptionForm) -> dict[str, Any]:
    """Return what the form says in words and stars; a field that was not sent says nothing."""
    said: dict[str, Any] = {"caption": form.caption.data or ""}
    if form.title.raw_data:
        said["title"] = form.title.data or ""
    if form.keywords.raw_data:
        said["keywords"] = (form.keywords.data or "").split(",")
    if form.rating.raw_data and (form.rating.data or "") in RATINGS:
        said["rating"] = int(form.rating.data) if form.rating.data else None
    return said


def date_of(form: CaptionForm, media: Media) -> datetime | Kept | None:
    """Return what the form says of the date, which it shows by the clock on the wall there, in whole seconds."""
    said, offset = form.taken_at.data, media.taken_offset_minutes
    shown = wall_clock(media.taken_at, offset).replace(microsecond=0, tzinfo=None) if media.taken_at else None
    if not form.taken_at.raw_data or (said and shown and said == shown):
        return Kept.AS_IT_IS
    return said.replace(tzinfo=UTC) - timedelta(minutes=offset or 0) if said else None
