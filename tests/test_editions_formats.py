"""What leaves by a link of the kinds that nobody can cut: byte for byte where all is kept, else made anew as a JPEG."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from tests import pictures, sensors
from tests.factories import House
from tests.governed import ALL, KEEP, LOCATION, Shared, image, one_workshop
from tests.rendering import pixel
from vault import leftovers
from vault.imaging.render import PIPELINE_VERSION
from vault.models.media import State

UPRIGHT = pictures.drawing(600, 400)
EXIF = pictures.camera_exif(taken="2024:07:06 15:04:05", gps=True)
FILES = {
    "image/heic": pictures.encoded(UPRIGHT, "HEIC", exif=EXIF.tobytes(), xmp=pictures.xmp_packet()),
    "image/tiff": pictures.encoded(UPRIGHT, "TIFF", exif=EXIF),
    "image/x-adobe-dng": sensors.dng(UPRIGHT, orientation=6, preview=sensors.jpeg(sensors.stored(UPRIGHT, 6))),
}
SECRETS = (b"Testar", b"SERIAL", b"xmpmeta", b"2024:07:06")


@pytest.fixture(autouse=True, scope="module")
def benches() -> Iterator[None]:
    with one_workshop():
        yield


@pytest.fixture(params=FILES)
def shared(house: House, request: pytest.FixtureRequest) -> Shared:
    return Shared(house, body=FILES[request.param])


def test_it_is_ready_and_knows_its_kind(house: House) -> None:
    anna = house.person("Anna")
    for media_type, body in FILES.items():
        media = house.render(house.picture(anna, data=body, file_name="A.bin", ready=False))

        assert (media.state, media.width, media.height) == (State.READY, 600, 400)
        # Whatever it looked like at the door, and whatever it is called.
        assert media.media_type == media_type


def test_where_all_is_kept_the_original_leaves(shared: Shared) -> None:
    body = next(each for media_type, each in FILES.items() if media_type == shared.media.media_type)
    answer = shared.get(shared.link(metadata_rule=KEEP), "original")

    assert (answer.status_code, answer.data) == (200, body)
    assert answer.headers["Content-Type"] == shared.media.media_type
    ending = {"image/heic": ".heic", "image/tiff": ".tif", "image/x-adobe-dng": ".dng"}[shared.media.media_type]
    assert f'{ending}"' in answer.headers["Content-Disposition"]


def test_else_a_jpeg_is_made_upright_and_bare(shared: Shared) -> None:
    table: list[tuple[dict[str, Any], int]] = [
        ({"metadata_rule": ALL}, 600),
        ({"metadata_rule": LOCATION}, 600),
        ({"metadata_rule": KEEP, "long_edge_px": 330}, 330),
        ({"metadata_rule": KEEP, "watermark": "For Ben"}, 600),
    ]
    for terms, edge in table:
        link = shared.link(**terms)
        answers = {name: shared.get(link, name) for name in ("thumb", "preview", "original")}
        for name, answer in answers.items():
            assert answer.status_code == 200
            assert not any(secret in answer.data for secret in SECRETS), name
            found = image(answer.data)
            longest = min(edge, 480 if name == "thumb" else edge)
            assert found.size == (longest, longest * 2 // 3)
            corner = pixel(found.convert("RGB").resize((30, 20)), (3, 2))
            assert corner[0] > 150 > corner[2], "its red corner is at the top left"
        assert answers["original"].headers["Content-Type"] == "image/jpeg"
        assert '.jpg"' in answers["original"].headers["Content-Disposition"]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
def test_what_moves_moves_for_visitors_too_unless_a_text_lies_over_it(house: House, kind: str) -> None:
    shared = Shared(house, body=pictures.animated(kind))

    def frames(name: str, **terms: object) -> int:
        answer = shared.get(shared.link(**terms), name)
        assert answer.status_code == 200
        with Image.open(io.BytesIO(answer.data)) as found:
            return int(getattr(found, "n_frames", 1))

    assert frames("preview", metadata_rule=ALL) == 3
    assert frames("thumb", metadata_rule=ALL) == 1
    assert frames("preview", metadata_rule=ALL, watermark="For Ben") == 1
    assert frames("thumb", metadata_rule=ALL, watermark="For Ben") == 1
    # Of an original the metadata is cut out where that can be; an AVIF is made anew, and stands still.
    assert frames("original", metadata_rule=ALL) == (1 if kind == "AVIF" else 3)
    assert frames("original", metadata_rule=KEEP) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_an_older_pipeline_has_made_is_served_as_it_is(house: House) -> None:
    with pytest.MonkeyPatch.context() as older:
        older.setattr("tests.factories.PIPELINE_VERSION", PIPELINE_VERSION - 1)
        anna = house.person("Anna")
        album = house.album(anna)
        media = house.picture(anna, album)
    assert media.pipeline == PIPELINE_VERSION - 1
    browser, visitor = house.browser(anna), house.visitor(link := house.link(album))

    for name in ("thumb", "preview"):
        assert browser.get(f"/media/{media.public_id}/{name}").status_code == 200
        assert visitor.get(f"/l/{link.public_id}/media/{media.public_id}/{name}").status_code == 200
    assert list(leftovers.unnamed(house.vault.storage, house.vault.storage.keys(), grace=timedelta(0))) == []
