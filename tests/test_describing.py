"""What goes into a row of all that is said of a picture: the written order, and what a person wrote above it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vault import describing
from vault.imaging.claims import Claims, Told
from vault.imaging.metadata import Metadata
from vault.imaging.provenance import DATES, Source
from vault.models.media import Media

UPLOADED = datetime(2026, 1, 1, tzinfo=UTC)
DAY = datetime(2020, 6, 1, 12, tzinfo=UTC)
NAME = "IMG_20190102_030405.jpg"
BY_NAME = datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(*, file_name: str = "picture.jpg", told: Told | None = None, **values: Any) -> Media:
    """Return a row as an upload makes it."""
    kept = told.as_json() if told else {}
    fresh: dict[str, Any] = {"caption": "", "title": "", "keywords": [], "sources": {}, "said": {}}
    fresh |= {"caption_by_person": False, "taken_at": None, "rating": None}
    return Media(file_name=file_name, told=kept, uploaded_at=UPLOADED, shown_at=UPLOADED, **(fresh | values))


def said(source: Source = Source.EXIF, *, offset: int | None = None, at: datetime = DAY, **words: Any) -> Metadata:
    """Return what a file says: a date of this source, and words of EXIF."""
    sources = {"taken_at": source.value} | dict.fromkeys(words, "exif")
    return Metadata(taken_at=at, taken_offset_minutes=offset, sources=sources, **words)


def beside(source: Source = Source.SIDECAR, **values: Any) -> Told:
    """Return what a sidecar says."""
    return Told(beside=Claims(source=source.value, **values))


def described(media: Media, metadata: Metadata | None = None) -> Media:
    describing.read(media, metadata or Metadata())
    return media


def test_the_order_of_dates_is_the_written_one() -> None:
    assert [source.value for source in DATES] == [
        *("person", "xmp-sidecar", "exif", "exif-digitized", "xmp", "iptc", "gps", "quicktime", "takeout"),
        *("exif-changed", "container", "file-name", "file-time"),
    ]


@pytest.mark.parametrize("source", [each for each in DATES[2:-2] if each is not Source.TAKEOUT])
def test_a_date_of_the_file_goes_before_its_name_and_behind_a_sidecar(source: Source) -> None:
    media = described(row(file_name=NAME), said(source))
    assert (media.taken_at, media.shown_at, media.sources["taken_at"]) == (DAY, DAY, source.value)

    media = described(row(file_name=NAME, told=beside(taken_at=DAY + timedelta(days=9))), said(source))
    assert (media.taken_at, media.sources["taken_at"]) == (DAY + timedelta(days=9), "xmp-sidecar")


@pytest.mark.parametrize("source", [each for each in DATES[2:-2] if each is not Source.TAKEOUT])
def test_takeout_counts_where_the_camera_said_nothing(source: Source) -> None:
    later = DAY + timedelta(days=9)
    media = described(row(told=beside(Source.TAKEOUT, taken_at=later)), said(source))

    takeout_first = DATES.index(source) > DATES.index(Source.TAKEOUT)
    assert media.taken_at == (later if takeout_first else DAY)
    media = described(row(file_name=NAME, told=beside(Source.TAKEOUT, taken_at=later)))
    assert (media.taken_at, media.sources["taken_at"]) == (later, "takeout")


def test_the_name_goes_before_the_files_time_and_that_before_nothing() -> None:
    told = Told(file_time=DAY)
    by_name, by_time, by_nothing = (
        described(row(file_name=NAME, told=told)),
        described(row(told=told)),
        described(row()),
    )

    assert (by_name.taken_at, by_name.sources) == (BY_NAME, {"taken_at": "file-name"})
    assert (by_time.taken_at, by_time.sources) == (DAY, {"taken_at": "file-time"})
    assert (by_nothing.taken_at, by_nothing.shown_at, by_nothing.sources) == (None, UPLOADED, {})


@pytest.mark.parametrize(
    "impossible", [datetime(1700, 1, 1, tzinfo=UTC), datetime(2190, 1, 1, tzinfo=UTC)], ids=["too early", "to come"]
)
def test_an_impossible_date_falls_through_to_the_next(impossible: datetime) -> None:
    told = Told(file_time=impossible, beside=Claims(source="xmp-sidecar", taken_at=impossible))
    assert described(row(told=told), said(at=impossible)).taken_at is None
    assert described(row(file_name=NAME, told=told), said(at=impossible)).taken_at == BY_NAME


def test_a_zips_first_day_is_no_files_time() -> None:
    assert described(row(told=Told(file_time=datetime(1980, 1, 1, tzinfo=UTC)))).taken_at is None


def test_a_sidecar_that_repeats_the_date_without_its_zone_leaves_the_zone() -> None:
    wall = DAY + timedelta(hours=2)
    media = described(row(told=beside(taken_at=wall)), said(offset=120))
    assert (media.taken_at, media.taken_offset_minutes) == (DAY, 120)


@pytest.mark.parametrize(
    ("clock", "offset"), [(BY_NAME - timedelta(hours=1), 60), (BY_NAME, None), (BY_NAME - timedelta(minutes=7), 0)]
)
def test_a_films_clock_gets_the_zone_in_which_its_name_shows_it(clock: datetime, offset: int | None) -> None:
    media = described(row(file_name="VID_20190102_030405.mp4"), said(Source.CONTAINER, at=clock, offset=0))
    assert (media.taken_at, media.taken_offset_minutes) == (clock, offset)


def test_a_sidecars_words_overrule_the_files_and_takeouts_do_not() -> None:
    own = said(title="Own", caption="own", keywords=("own",), rating=2, latitude=1.0, longitude=2.0)
    own = replace(own, sources=dict(own.sources) | {"place": "exif"})
    words: dict[str, Any] = {"title": "Other", "caption": "other", "keywords": ("other",), "latitude": 5.0}
    words |= {"longitude": 6.0}

    by_sidecar = described(row(told=beside(**words, rating=5)), own)
    by_takeout = described(row(told=beside(Source.TAKEOUT, **words)), own)

    assert (by_sidecar.title, by_sidecar.caption, by_sidecar.keywords, by_sidecar.rating, by_sidecar.latitude) == (
        *("Other", "other", ["other"], 5, 5.0),
    )
    assert set(by_sidecar.sources.values()) == {"xmp-sidecar", "exif"}
    assert (by_takeout.title, by_takeout.caption, by_takeout.keywords, by_takeout.latitude) == (
        *("Own", "own", ["own"], 1.0),
    )


def test_what_a_sidecar_does_not_say_the_file_says_again() -> None:
    media = described(row(told=beside(caption="first", rating=5)), said(caption="own", rating=2))
    media.told = beside(title="second").as_json()
    describing.weigh(media)
    assert (media.title, media.caption, media.rating) == ("second", "own", 2)
    assert media.sources == {"title": "xmp-sidecar", "caption": "exif", "rating": "exif", "taken_at": "exif"}


def test_what_a_person_wrote_stands_whatever_is_read_again() -> None:
    media = described(row(told=beside(caption="theirs", rating=5)), said(title="own"))
    by_hand = datetime(1999, 1, 1, tzinfo=UTC)
    describing.write(media, title="", caption="Ours", keywords=["us"], rating=None, taken_at=by_hand)

    described(media, said(title="own", caption="own", keywords=("own",), rating=1))

    assert (media.title, media.caption, media.keywords, media.rating) == ("", "Ours", ["us"], None)
    assert (media.taken_at, media.shown_at, media.caption_by_person) == (by_hand, by_hand, True)


def test_a_date_that_a_person_took_away_stays_away() -> None:
    media = described(row(), said(offset=120))
    describing.write(media, taken_at=None)
    described(media, said())
    assert (media.taken_at, media.shown_at, media.taken_offset_minutes) == (None, UPLOADED, None)


def test_what_was_read_before_sources_were_kept_is_not_lost_to_a_sidecar() -> None:
    media = row(caption="from long ago", taken_at=DAY, latitude=1.0, longitude=2.0)
    media.told = beside(rating=4).as_json()
    describing.weigh(media)
    assert (media.caption, media.taken_at, media.latitude, media.rating) == ("from long ago", DAY, 1.0, 4)
