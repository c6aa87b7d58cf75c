"""What leaves by a link is what its terms say, by every address, and is made once."""

import contextvars
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests import laden, pictures
from tests.factories import House
from tests.governed import ALL, BODY, KEEP, LOCATION, Shared, image, kept, one_workshop
from tests.laden import SECRET, cut_out
from vault.imaging.identify import JPEG
from vault.imaging.workshop import Occupied
from vault.models.media import Media
from vault.policy import Action, Permit, authorize
from vault.services import NotReady, editions
from vault.services.editions import making


@pytest.fixture(autouse=True, scope="module")
def benches() -> Iterator[None]:
    with one_workshop():
        yield


@pytest.fixture
def shared(house: House) -> Shared:
    return Shared(house)


def test_each_address_gives_what_the_terms_say(shared: Shared) -> None:
    table: list[tuple[dict[str, Any], bytes | None, int]] = [
        ({"metadata_rule": KEEP}, BODY, 0),
        ({"metadata_rule": LOCATION}, cut_out(BODY, JPEG, "location"), 0),
        ({"metadata_rule": ALL}, cut_out(BODY, JPEG, "all"), 0),
        ({"metadata_rule": KEEP, "long_edge_px": 900}, BODY, 1),
        ({"metadata_rule": ALL, "long_edge_px": 2000}, cut_out(BODY, JPEG, "all"), 0),
        ({"metadata_rule": KEEP, "long_edge_px": 640}, None, 640),
        ({"metadata_rule": KEEP, "watermark": "For Ben"}, None, 900),
        ({"metadata_rule": ALL, "long_edge_px": 320, "watermark": "For Ben"}, None, 320),
    ]
    for terms, exactly, edge in table:
        link = shared.link(**terms)
        answers = {name: shared.get(link, name) for name in ("thumb", "preview", "original")}

        assert {answer.status_code for answer in answers.values()} == {200}
        sizes = {name: max(image(answer.data).size) for name, answer in answers.items()}
        bound = terms.get("long_edge_px") or 9999
        assert (sizes["thumb"], sizes["preview"]) == (min(480, bound), min(900, bound))
        if exactly is not None:
            assert answers["original"].data == exactly
        else:
            assert sizes["original"] == edge
        if terms["metadata_rule"] is not KEEP or exactly is None:
            assert not any(SECRET in answer.data for answer in answers.values())


def test_a_text_is_in_every_variant_and_in_none_of_those_without(shared: Shared) -> None:
    plain, marked, other = (shared.link(watermark=text) for text in ("", "For Ben", "For Eve"))
    for name in ("thumb", "preview", "original"):
        bodies = [shared.get(link, name).data for link in (plain, marked, other)]
        pixels = [image(body).convert("L").tobytes() for body in bodies]

        assert len(set(bodies)) == len(set(pixels)) == 3


def test_a_link_that_demands_nothing_costs_nothing_more(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    people = authorize(shared.anna.viewer, Action.DOWNLOAD, Media, shared.media.public_id)
    monkeypatch.setattr(editions, "made", None)
    monkeypatch.setattr(editions, "_cut", None)
    monkeypatch.setattr(editions, "_fits", None)

    for name in ("thumb", "preview", "original"):
        own = editions.find(shared.house.vault, people, name)
        assert editions.find(shared.house.vault, shared.permit(), name)._replace(etag=own.etag) == own
    for name in ("thumb", "preview"):
        found = editions.find(shared.house.vault, shared.permit(metadata_rule=ALL, long_edge_px=1920), name)
        own = editions.find(shared.house.vault, people, name)
        assert found._replace(etag=own.etag) == own


def test_a_rule_that_nobody_knows_is_the_strictest(shared: Shared) -> None:
    size, file = editions.to_take(shared.house.vault, shared.permit(metadata_rule="rot13"))
    with file:
        assert file.read() == cut_out(BODY, JPEG, "all")
    assert size == len(cut_out(BODY, JPEG, "all"))


@pytest.mark.parametrize("terms", [{}, {"metadata_rule": LOCATION}, {"watermark": "For Ben"}])
def test_an_archive_gets_the_same_bytes_and_their_number(shared: Shared, terms: dict[str, Any]) -> None:
    size, file = editions.to_take(shared.house.vault, shared.permit(**terms))
    with file:
        body = file.read()

    assert len(body) == size
    assert body == shared.get(shared.link(**({"metadata_rule": KEEP} | terms)), "original").data


@pytest.mark.parametrize("delivery", ["direct", "x-accel"])
def test_a_cut_file_is_sent_as_any_other(shared: Shared, delivery: str) -> None:
    object.__setattr__(shared.house.vault.settings, "delivery", delivery)
    link, whole = shared.link(metadata_rule=ALL), cut_out(BODY, JPEG, "all")
    answer = shared.get(link, "original")
    etag = answer.headers["ETag"]

    assert (answer.status_code, answer.data, answer.content_length) == (200, whole, len(whole))
    assert "X-Accel-Redirect" not in answer.headers
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert not etag.startswith("W/")
    head = shared.get(link, "original", method="HEAD")
    assert (head.status_code, head.content_length, head.data) == (200, len(whole), b"")
    assert shared.get(link, "original", If_None_Match=etag).status_code == 304
    for start, end in ((0, 99), (37, 900), (len(whole) - 50, len(whole) - 1)):
        part = shared.get(link, "original", Range=f"bytes={start}-{end}", If_Range=etag)
        assert (part.status_code, part.data) == (206, whole[start : end + 1])
        assert part.headers["Content-Range"] == f"bytes {start}-{end}/{len(whole)}"
    assert shared.get(link, "original", Range=f"bytes={len(whole)}-").status_code == 416
    assert shared.get(link, "original", Range="bytes=0-9", If_Range='"another"').status_code == 200


def test_no_two_terms_share_a_validator(shared: Shared) -> None:
    terms: list[dict[str, Any]] = [{}, {"metadata_rule": ALL}, {"metadata_rule": LOCATION}, {"watermark": "a"}]
    terms += [{"watermark": "b"}, {"long_edge_px": 320}, {"long_edge_px": 321}, {"long_edge_px": 320, "watermark": "a"}]
    for name in ("thumb", "original"):
        etags = [editions.find(shared.house.vault, shared.permit(**each), name).etag for each in terms]
        assert len(set(etags)) == len(terms) - (2 if name == "thumb" else 0)


def test_behind_nginx_a_made_edition_is_handed_over(shared: Shared) -> None:
    object.__setattr__(shared.house.vault.settings, "delivery", "x-accel")
    answer = shared.get(shared.link(watermark="For Ben"), "preview")

    assert answer.data == b""
    assert answer.headers["X-Accel-Redirect"] == f"/_blobs/{kept(shared.house)[0]}"


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ({"metadata_rule": KEEP, "neutral_names": False}, "Our divorce.jpeg"),
        ({"metadata_rule": ALL, "neutral_names": False}, "Our divorce.jpeg"),
        ({"watermark": "For Ben"}, "picture-{}.jpg"),
        ({"metadata_rule": KEEP}, "picture-{}.jpg"),
    ],
)
def test_the_file_is_called_as_the_terms_say(shared: Shared, terms: dict[str, Any], name: str) -> None:
    said = shared.get(shared.link(**terms), "original").headers["Content-Disposition"]

    assert said.startswith(f'attachment; filename="{name.format(shared.media.public_id[:8])}"')


def test_what_is_made_as_another_kind_is_called_so(house: House) -> None:
    shared = Shared(house, body=pictures.encoded(pictures.drawing(), "AVIF"))
    answer = shared.get(shared.link(metadata_rule=ALL, neutral_names=False), "original")

    assert (answer.content_type, image(answer.data).format) == ("image/jpeg", "JPEG")
    assert 'filename="Our divorce.jpg"' in answer.headers["Content-Disposition"]


def test_what_cannot_be_cut_is_made_anew_at_full_size(house: House) -> None:
    odd = pictures.jpeg(pictures.drawing(900, 600), exif=pictures.camera_exif(gps=True))
    shared = Shared(house, body=odd[:2] + laden.segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + SECRET) + odd[2:])
    answer = shared.get(shared.link(metadata_rule=LOCATION), "original")

    assert image(answer.data).size == (900, 600)
    assert SECRET not in answer.data
    assert not image(answer.data).getexif()


def test_it_is_made_once_and_found_again_without_work(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    link, made = shared.link(watermark="For Ben"), list[str]()
    make = making._make  # to see how often it is called

    def counted(*arguments: Any) -> making.Edition:
        made.append(arguments[2])
        time.sleep(0.05)
        return make(*arguments)

    monkeypatch.setattr(making, "_make", counted)
    bodies: list[bytes] = []
    visitor = shared.house.visitor(link)
    path = f"/l/{link.public_id}/media/{shared.media.public_id}/thumb"

    def ask() -> None:
        bodies.append(contextvars.Context().run(visitor.get, path).data)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (made, len(set(bodies)), len(bodies)) == (["thumb"], 1, 3)
    assert visitor.get(path).data == bodies[0]
    assert made == ["thumb"]


def test_who_would_wait_too_long_is_asked_to_come_again(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    def occupied(*_arguments: object) -> None:
        raise Occupied

    monkeypatch.setattr(making, "_make", occupied)
    answer = shared.get(shared.link(watermark="For Ben"), "thumb")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_one_link_holds_few_threads_and_all_others_are_answered_at_once(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, may_end, begun = making._make, threading.Event(), threading.Semaphore(0)

    def slow(*arguments: Any) -> making.Edition:
        begun.release()
        may_end.wait(30)
        return make(*arguments)

    monkeypatch.setattr(making, "_make", slow)
    link, other = shared.link(watermark="For Ben"), shared.link(watermark="For Eve")
    visitor, eve = shared.house.visitor(link), shared.house.visitor(other)
    found: list[tuple[int, str | None, float]] = []

    def ask(browser: Any, path: str) -> None:
        began = time.monotonic()
        answer = browser.get(path)
        found.append((answer.status_code, answer.headers.get("Retry-After"), time.monotonic() - began))

    def asking(browser: Any, link_id: str, times: int) -> list[threading.Thread]:
        path = f"/l/{link_id}/media/{shared.media.public_id}/thumb"
        return [threading.Thread(target=contextvars.Context().run, args=(ask, browser, path)) for _ in range(times)]

    threads = asking(visitor, link.public_id, 12)
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=9)
    while len(found) < 9 and any(thread.is_alive() for thread in threads):
        time.sleep(0.01)
    assert [each[:2] for each in found] == [(503, "5")] * 9
    assert max(each[2] for each in found) < making.PATIENCE_SECONDS / 2
    for thread in (others := asking(eve, other.public_id, 1)):
        thread.start()
    assert begun.acquire(timeout=20), "another link has seats of its own"
    may_end.set()
    for thread in (*threads, *others):
        thread.join()
    assert [each[0] for each in found[9:]] == [200] * 4


def test_a_picture_that_cannot_be_drawn_is_never_handed_out_instead(shared: Shared) -> None:
    with shared.house.vault.storage.local_path(shared.media.blob_key) as path:
        path.write_bytes(BODY[:3000])
    for _ in range(2):
        assert shared.get(shared.link(watermark="For Ben"), "original").status_code == 404
        assert shared.get(shared.link(metadata_rule=ALL), "original").status_code == 404
    assert kept(shared.house) == []


def test_pictures_are_made_ahead_by_the_worker(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[tuple[str, ...]] = []
    monkeypatch.setattr(type(shared.house.vault.queue), "enqueue", lambda _self, *words: left.append(words))
    for terms in ({"watermark": "For Ben", "long_edge_px": 640}, {"long_edge_px": 1920}, {}):
        editions.make_ahead(shared.house.vault, shared.link(**terms))

    assert [words[0] for words in left] == ["link"]
    editions.tasks.run(shared.house.vault, "link", left.pop()[1:])
    assert [words[:2] for words in left] == [("editions", shared.media.public_id)]
    editions.tasks.run(shared.house.vault, "editions", left[0][1:])
    editions.tasks.run(shared.house.vault, "editions", ("x" * 22, "keep", "", "For Ben"))
    editions.tasks.run(shared.house.vault, "link", ("x" * 22,))
    assert len(kept(shared.house)) == 2
    monkeypatch.setattr(making, "_make", None)
    for name in ("thumb", "preview"):
        assert editions.find(shared.house.vault, shared.permit(watermark="For Ben", long_edge_px=640), name).key


def test_what_is_not_rendered_yet_has_no_editions(house: House) -> None:
    shared = Shared(house)
    pending = house.picture(shared.anna, shared.album, ready=False)
    row = authorize(shared.anna.viewer, Action.DOWNLOAD, Media, pending.public_id).row
    permit = shared.permit(watermark="For Ben")

    with pytest.raises(NotReady):
        editions.find(house.vault, Permit(permit.viewer, permit.action, row, "link", permit.terms), "thumb")
