"""Real photos, taken home by a link by every way there is, and looked at by a reader that is not ours."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.factories import House
from tests.test_cut_photos import facts_of, kept_photos, telling
from vault.imaging.kinds import EVERY_KIND
from vault.models.sharing import LinkRole, MetadataRule

PLACED = ("GPSLatitude", "GPSLongitude", "GPSPosition")
WAYS = ("thumb", "preview", "original")
KINDS = {kind.media_type: kind.extension for kind in EVERY_KIND}


def placed(photos: Path) -> list[tuple[Path, bytes]]:
    """Return the photos that say where they were taken."""
    saying = {
        Path(facts["SourceFile"]).name
        for facts in facts_of(photos)
        if any(name in key for key in facts for name in PLACED)
    }
    return [(path, body) for path, body, _ in kept_photos(photos) if path.name in saying]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("rule", [MetadataRule.STRIP_LOCATION, MetadataRule.STRIP_ALL, MetadataRule.KEEP])
def test_what_a_link_hands_out_tells_no_place(house: House, photos: Path, tmp_path: Path, rule: MetadataRule) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    uploaded = [
        house.render(house.picture(anna, album, data=body, file_name=path.name, ready=False))
        for path, body in placed(photos)
    ]
    assert len(uploaded) > 5
    link = house.link(album, role=LinkRole.DOWNLOADER, metadata_rule=rule)
    visitor = house.visitor(link)
    taken = tmp_path / "taken"
    taken.mkdir()

    for number, media in enumerate(uploaded):
        for way in WAYS:
            answer = visitor.get(f"/l/{link.public_id}/media/{media.public_id}/{way}")
            assert answer.status_code == 200
            kind = KINDS[answer.headers["Content-Type"]]
            (taken / f"{number}-{way}.{kind}").write_bytes(answer.data)
    archive = visitor.get(f"/l/{link.public_id}/zip")
    assert archive.status_code == 200
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        for number, name in enumerate(opened.namelist()):
            (taken / f"zip-{number}{Path(name).suffix}").write_bytes(opened.read(name))

    found = facts_of(taken)
    assert len(found) == 4 * len(uploaded)
    told = {facts["SourceFile"] for facts in found if telling(facts)}
    # With all kept, the reader finds it: in each original, and in none of the pictures for screens.
    assert len(told) == (2 * len(uploaded) if rule is MetadataRule.KEEP else 0)
