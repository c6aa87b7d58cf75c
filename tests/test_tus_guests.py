"""Uploads in pieces by those who came by a link that takes pictures."""

import sqlalchemy as sa

from tests import tus
from tests.factories import House
from tests.tus import kept, nothing_is_here, picture
from vault.db import db
from vault.models.media import Media
from vault.models.sharing import Link, LinkRole
from vault.policy import Action, authorize
from vault.services import links


class TestGuests:
    def test_what_a_guest_sends_in_pieces_waits_for_the_owner(self, house: House) -> None:
        anna, data = house.person("Anna"), picture(5_000)
        link = house.link(house.album(anna), role=LinkRole.DROP, max_uploads=1)
        sends = guest(house, link)

        path = sends.begun(len(data), guest_name="Gus", filename="lake.jpg")
        assert path.startswith(f"/l/{link.public_id}/uploads/")
        assert sends.send(path, 0, data[:2_000]).status_code == 204
        ended = sends.send(path, sends.offset(path), data[2_000:])

        assert kept(house, ended.headers["Vault-Media"]) == data
        media = db.session.scalars(sa.select(Media)).one()
        assert (media.owner_id, media.guest_name, media.awaiting_since is None) == (anna.id, "Gus", False)
        assert (sends.create(10).status_code, sends.create(10).mimetype) == (422, "application/problem+json")

    def test_another_visits_upload_is_closed(self, house: House) -> None:
        link = house.link(house.album(house.person("Anna")), role=LinkRole.DROP)
        path = guest(house, link).begun(3_000)
        other = guest(house, link)

        answers = [other.ask(method, path) for method in ("HEAD", "DELETE")] + [other.send(path, 0, b"x")]

        assert [(each.status_code, each.mimetype) for each in answers] == [(403, "application/problem+json")] * 3

    def test_a_link_that_was_revoked_meanwhile_takes_nothing_more(self, house: House) -> None:
        anna, data = house.person("Anna"), picture(5_000)
        link = house.link(house.album(anna), role=LinkRole.DROP)
        sends = guest(house, link)
        path = sends.begun(len(data))
        links.revoke(authorize(anna.viewer, Action.DELETE, Link, link.public_id))

        assert sends.send(path, 0, data).status_code == 403
        assert nothing_is_here(house)

    def test_no_archive_is_taken_from_a_guest(self, house: House) -> None:
        link = house.link(house.album(house.person("Anna")), role=LinkRole.DROP)

        assert guest(house, link).create(10, purpose="archive").status_code == 415


def guest(house: House, link: Link) -> tus.Sends:
    """Return the browser of a guest on the page where he adds."""
    browser = house.visitor(link)
    token = browser.get(f"/l/{link.public_id}/add").get_data(as_text=True)
    proof = {"X-CSRFToken": token.partition('name="csrf_token" value="')[2].partition('"')[0]}
    return tus.Sends(browser, proof, f"/l/{link.public_id}/uploads/")
