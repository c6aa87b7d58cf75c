"""The page of one picture: what its form changes, and what it leaves alone."""

from datetime import UTC, datetime

import pytest

from tests.factories import House
from vault.db import db

MOMENT = datetime(2024, 7, 14, 18, 30, 41, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "taken_at"),
    [
        ("2024-07-14T18:30:41", MOMENT),
        ("2024-07-14T18:30:42", MOMENT.replace(second=42, microsecond=0)),
        ("2024-07-14T18:30", MOMENT.replace(second=0, microsecond=0)),
        ("", None),
        (None, MOMENT),
        ("0001-01-01T00:00:00", MOMENT),
        ("yesterday", MOMENT),
    ],
)
def test_the_date_changes_only_where_the_form_says(house: House, said: str | None, taken_at: datetime | None) -> None:
    anna = house.person("Anna")
    media = house.picture(anna, shown_at=MOMENT)
    browser = house.browser(anna)
    form = {"caption": "The lake"} | ({} if said is None else {"taken_at": said})

    browser.post(f"/media/{media.public_id}/edit", data=form, headers=house.csrf(browser))

    db.session.expire_all()
    assert (media.taken_at, media.shown_at) == (taken_at, taken_at or media.uploaded_at)


def test_the_form_shows_the_date_to_the_second(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna, shown_at=MOMENT)

    page = house.browser(anna).get(f"/media/{media.public_id}").get_data(as_text=True)

    assert 'value="2024-07-14T18:30:41"' in page
