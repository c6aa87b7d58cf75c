"""The pages and the API of imports: for whoever began one, and nobody else."""

import base64
import io

import pytest
import sqlalchemy as sa

from tests.factories import House, small_picture
from tests.parcels import packed, seen, takeout, upload, work
from vault.db import db, transaction, utcnow
from vault.models.ingest import ImportRun, RunState
from vault.services.importing import runs

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EVIL = "<script>alert(1)</script>.zip"


@sqlite_only
def test_an_import_is_shown_to_its_owner_from_beginning_to_end(house: House) -> None:
    anna = house.person("Anna")
    files = {"a.jpg": small_picture(), "b<i>.jpg": b"no picture", "c.txt": b"text"}
    run = upload(house, anna, packed(files), name=EVIL)
    browser = house.browser(anna)

    before = browser.get(f"/imports/{run.public_id}").get_data(as_text=True)
    assert 'data-import="alive"' in before
    assert "Waiting for its turn" in before
    assert f"/imports/{run.public_id}/stop" in before

    work(house)
    after = browser.get(f"/imports/{run.public_id}").get_data(as_text=True)
    listed = browser.get("/imports").get_data(as_text=True)

    assert 'data-import="alive"' not in after
    assert "/stop" not in after
    for said in ("Done", "b&lt;i&gt;.jpg", "No picture or video", "<dd>1</dd>"):
        assert said in after
    for page in (before, after, listed):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;.zip" in page
        assert EVIL not in page


@sqlite_only
def test_others_learn_nothing_of_an_import(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    run = upload(house, anna, packed({"a.jpg": small_picture()}), name="secret.zip")
    browser = house.browser(ben)
    csrf, token = house.csrf(browser), house.token(ben)

    for path in (f"/imports/{run.public_id}", f"/imports/{'A' * 22}", "/imports/x", "/imports/%00"):
        assert browser.get(path).status_code == 403
        assert browser.get(f"/api/v1{path}", headers=token).status_code == 403
        assert browser.post(f"{path}/stop", headers=csrf).status_code == 403
        assert browser.delete(f"/api/v1{path}", headers=token).status_code == 403
    assert "secret" not in browser.get("/imports").get_data(as_text=True)
    assert browser.get("/api/v1/imports", headers=token).get_json()["items"] == []
    assert seen(anna, run).state == RunState.WAITING


@sqlite_only
def test_an_import_is_stopped_by_a_plain_form(house: House) -> None:
    anna = house.person("Anna")
    run = upload(house, anna, packed({"a.jpg": small_picture()}))
    browser = house.browser(anna)

    answer = browser.post(f"/imports/{run.public_id}/stop", headers=house.csrf(browser))

    assert (answer.status_code, answer.location) == (302, f"/imports/{run.public_id}")
    assert seen(anna, run).state == RunState.STOPPED
    assert list(house.vault.storage.keys("archives/")) == []


def test_the_api_tells_how_an_import_stands_and_stops_it(house: House) -> None:
    anna = house.person("Anna")
    first = upload(house, anna, packed(takeout(small_picture) | {"x.jpg": b"none"}), name="takeout.zip")
    work(house)
    second = upload(house, anna, packed({"a.jpg": small_picture()}), name="later.zip")
    api, token = house.browser(), house.token(anna)

    page = api.get("/api/v1/imports?limit=1", headers=token).get_json()
    rest = api.get(f"/api/v1/imports?cursor={page['next_cursor']}", headers=token).get_json()
    details = api.get(f"/api/v1/imports/{first.public_id}", headers=token).get_json()

    assert [item["id"] for item in page["items"] + rest["items"]] == [second.public_id, first.public_id]
    assert rest["next_cursor"] is None
    assert (details["state"], details["imported"], details["already_here"], details["refused"]) == ("done", 6, 1, 1)
    assert [each["path"] for each in details["refusals"]] == ["x.jpg"]
    assert details["reasons"]["in the trash of Google Photos"] == 1
    assert api.delete(f"/api/v1/imports/{second.public_id}", headers=token).status_code == 204
    assert api.delete(f"/api/v1/imports/{second.public_id}", headers=token).status_code == 204
    assert api.get(f"/api/v1/imports/{second.public_id}", headers=token).get_json()["state"] == "stopped"


@sqlite_only
def test_an_archive_that_is_uploaded_in_pieces_is_imported(house: House) -> None:
    anna = house.person("Anna")
    data = packed({"Sea/a.jpg": small_picture(), "b.jpg": small_picture()})
    said = {"filename": "sea.zip", "purpose": "archive"}
    words = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    headers = {
        **house.token(anna),
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(data)),
        "Upload-Metadata": words,
        "Content-Type": "application/offset+octet-stream",
    }

    answer = house.browser().post("/uploads/", headers=headers, data=data)
    work(house)

    db.session.rollback()
    run = db.session.scalars(sa.select(ImportRun)).one()
    assert (answer.status_code, answer.headers["Vault-Import"]) == (201, run.public_id)
    assert (run.state, run.imported, run.name) == (RunState.DONE, 2, "sea.zip")
    assert list(house.vault.storage.partials()) == []


@sqlite_only
def test_an_import_by_the_command_that_nobody_hears_of_is_broken_off(house: House) -> None:
    anna = house.person("Anna")
    run = runs.begin_here(anna.viewer, name="/disk", album_id=None, count=9, size_bytes=9)
    browser = house.browser(anna)
    assert "Being imported" in browser.get(f"/imports/{run.public_id}").get_data(as_text=True)

    with transaction() as session:
        session.execute(sa.update(ImportRun).values(claimed_at=utcnow() - runs.CLAIM_LIFE * 2))

    page = browser.get(f"/imports/{run.public_id}").get_data(as_text=True)
    assert "Broken off" in page
    assert "Run the same command again" in page


@sqlite_only
def test_the_plain_form_takes_an_archive_too(house: House) -> None:
    anna = house.person("Anna")
    browser = house.browser(anna)
    archive = (io.BytesIO(packed({"a.jpg": small_picture()})), "Sea.ZIP")
    none = (io.BytesIO(b"no archive"), "none.zip")

    answer = browser.post("/upload", data={"file": [archive, none]}, headers=house.csrf(browser))
    page = browser.get("/imports").get_data(as_text=True)
    work(house)

    assert (answer.status_code, answer.location) == (302, "/imports")
    assert "Sea.ZIP is here" in page
    assert "none.zip: This is no zip archive." in page
    db.session.rollback()
    run = db.session.scalars(sa.select(ImportRun)).one()
    assert (run.state, run.imported, run.name) == (RunState.DONE, 1, "Sea.ZIP")
