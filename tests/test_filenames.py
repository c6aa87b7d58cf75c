"""Dates in the names of files: those that programs write, and what only looks like one."""

from datetime import UTC, datetime

import pytest

from vault.imaging.filenames import taken

MOMENT = datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)
NOON = datetime(2023, 1, 2, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("IMG_20230102_030405.jpg", MOMENT),
        ("IMG_20230102_030405123.jpg", MOMENT),
        ("VID_20230102_030405.mp4", MOMENT),
        ("MVIMG_20230102_030405.jpg", MOMENT),
        ("20230102_030405.jpg", MOMENT),
        ("20230102_030405(0).jpg", MOMENT),
        ("20230102_030405-COLLAGE.jpg", MOMENT),
        ("holiday/2023/20230102_030405.jpg", MOMENT),
        ("WP_20230102_03_04_05_Pro.jpg", MOMENT),
        ("20230102030405.jpg", MOMENT),
        ("DJI_20230102030405_0001_D.JPG", MOMENT),
        ("Screenshot_20230102-030405_Chrome.png", MOMENT),
        ("Screenshot_2023-01-02-03-04-05-123_com.app.jpg", MOMENT),
        ("Screenshot 2023-01-02 at 03.04.05.png", MOMENT),
        ("Screenshot 2023-01-02 at 3.04.05\u202fAM.png", MOMENT),
        ("Screen Shot 2023-01-02 at 3.04.05 PM.png", MOMENT.replace(hour=15)),
        ("Screen Shot 2023-01-02 at 12.04.05 AM.png", MOMENT.replace(hour=0)),
        ("Bildschirmfoto 2023-01-02 um 03.04.05.png", MOMENT),
        ("signal-2023-01-02-03-04-05-678.jpg", MOMENT),
        ("signal-2023-01-02-030405.jpg", MOMENT),
        ("photo_2023-01-02_03-04-05.jpg", MOMENT),
        ("2023-01-02 03.04.05.jpg", MOMENT),
        ("2023-01-02 03.04.05-1.jpg", MOMENT),
        ("IMG-20230102-WA0001.jpg", NOON),
        ("VID-20230102-WA0001.mp4", NOON),
        ("2023-01-02 birthday.jpg", NOON),
        ("2023.01.02.jpg", NOON),
        ("scan 2023_01_02.tif", NOON),
        ("2023-01-02-99-99-99.jpg", NOON),
    ],
)
def test_a_name_that_a_program_wrote_tells_its_local_moment(name: str, at: datetime) -> None:
    assert taken(name) == (at, None)


@pytest.mark.parametrize(
    "name", ["PXL_20230102_030405678.jpg", "PXL_20230102_030405678.MP.jpg", "FB_IMG_1672628645000.jpg"]
)
def test_a_name_in_utc_tells_so(name: str) -> None:
    assert taken(name) == (MOMENT, 0)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".jpg",
        "IMG_2041.jpg",
        "DSC01234.JPG",
        "P1020304.JPG",
        "+49 30 20230102.jpg",
        "20230102.jpg",
        "015120230102030405.jpg",
        "0049-20231-030405.jpg",
        "IMG_20231302_030405.jpg",
        "IMG_20230230_030405.jpg",
        "IMG_20230102_256199.jpg",
        "IMG_00000000_000000.jpg",
        "IMG_21900102_030405.jpg",
        "IMG_18500102_030405.jpg",
        "IMG-20231402-WA0001.jpg",
        "2023-13-45.jpg",
        "192.168.001.002.png",
        "12023-01-02.jpg",
        "2023-01-021.jpg",
        "mmexport12.jpg",
        "9" * 5000,
    ],
)
def test_what_only_looks_like_a_date_tells_nothing(name: str) -> None:
    assert taken(name) is None
