"""What films say of themselves: QuickTime's words before the container's clock."""

from datetime import UTC, datetime

import pytest

from vault.imaging.filmtags import position, read
from vault.imaging.metadata import Metadata

APPLE = "com.apple.quicktime."


def test_a_phones_film_says_when_where_and_with_what() -> None:
    tags = {
        "creation_time": "2021-04-10T10:50:00.000000Z",
        f"{APPLE}creationdate": "2021-04-10T11:43:59+0100",
        f"{APPLE}location.ISO6709": "+52.2097-000.8955+103.640/",
        f"{APPLE}make": "Apple",
        f"{APPLE}model": "iPhone 6s",
        f"{APPLE}content.identifier": "e905e6c6-c747-4805-942f-9904a0281f02",
        f"{APPLE}title": "The train",
        f"{APPLE}keywords": "train, Leeds",
    }
    assert read(tags) == Metadata(
        taken_at=datetime(2021, 4, 10, 10, 43, 59, tzinfo=UTC),
        taken_offset_minutes=60,
        latitude=52.2097,
        longitude=-0.8955,
        altitude_m=103.64,
        camera_make="Apple",
        camera_model="iPhone 6s",
        content_id="E905E6C6-C747-4805-942F-9904A0281F02",
        title="The train",
        keywords=("train", "Leeds"),
        sources=dict.fromkeys(("taken_at", "place", "camera", "title", "keywords"), "quicktime"),
    )


def test_the_containers_clock_serves_where_no_phone_spoke() -> None:
    found = read({"creation_time": "2012-11-16T18:44:27.000000Z", "location": "+48.1-003.5/"})
    assert (found.taken_at, found.taken_offset_minutes) == (datetime(2012, 11, 16, 18, 44, 27, tzinfo=UTC), 0)
    assert found.sources == {"taken_at": "container", "place": "quicktime"}


@pytest.mark.parametrize(
    "clock",
    ["1904-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z", "1970-01-01T09:00:00Z", "2190-01-01T00:00:00Z", "", "soon"],
)
def test_a_clock_that_nobody_set_tells_nothing(clock: str) -> None:
    assert read({"creation_time": clock, f"{APPLE}creationdate": clock}) == Metadata()


@pytest.mark.parametrize("text", ["", "+00.0000+000.0000/", "+91.0+000.5/", "+10.0+181.0/", "north", "+1+2" * 50, None])
def test_a_place_that_cannot_be_is_no_place(text: str | None) -> None:
    assert position(text) is None
