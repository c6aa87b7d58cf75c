"""After a right ends, no old request succeeds any more, on either of two web processes (docs/adr/0002)."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import PASSWORD, House, Person
from tests.live.client import Client
from tests.live.processes import bytes_read
from tests.live.server import LiveVault, looking_inside, new_home, running
from vault.db import transaction, utcnow
from vault.models.account import Scope
from vault.models.media import Album, Media
from vault.models.sharing import Link, Role

REPLAYS = 100


@dataclass
class Story:
    """A vault that runs, its insides, and a picture that Anna shares with Ben."""

    vault: LiveVault
    house: House
    anna: Person
    ben: Person
    admin: Person
    album: Album
    media: Media

    def signed_in(self, person: Person) -> Client:
        client = self.vault.client()
        client.sign_in(person.email, PASSWORD)
        return client

    def script(self, person: Person) -> Client:
        scopes = Scope.READ | Scope.WRITE
        header = self.house.token(person, scopes | Scope.ADMIN if person is self.admin else scopes)
        return self.vault.client(token=header["Authorization"].removeprefix("Bearer "))


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[LiveVault]:
    with running(
        new_home(tmp_path_factory.mktemp("live"), migrated_database), "--web-workers", "2", "--no-worker"
    ) as live:
        yield live


@pytest.fixture
def story(vault: LiveVault) -> Iterator[Story]:
    with looking_inside(vault.home) as house:
        anna, ben, admin = (house.person(password=PASSWORD, admin=role == "admin") for role in ("", "", "admin"))
        album = house.album(anna)
        media = house.picture(anna, album)
        house.grant(album, ben, Role.DOWNLOADER)
        yield Story(vault, house, anna, ben, admin, album, media)


def requests_of(who: Client, media: Media, album: Album, below: str = "") -> list[tuple[str, dict[str, str]]]:
    """Return what somebody could repeat later: every address, plain, with the validator of then, and in parts."""
    inside = f"{below}/media/{media.public_id}"
    paths = [f"{inside}/{name}" for name in ("thumb", "preview", "original")]
    found: list[tuple[str, dict[str, str]]] = []
    for path in paths:
        answer = who.get(path)
        assert answer.status == 200, (path, answer.status)
        etag = answer.headers["ETag"]
        assert who.get(path, If_None_Match=etag).status == 304
        assert who.get(path, Range="bytes=0-9").status == 206
        found += [(path, {}), (path, {"If-None-Match": etag}), (path, {"Range": "bytes=0-9"})]
        found += [(path, {"Range": "bytes=2-", "If-Range": etag}), (path, {"If-None-Match": "*"})]
    pages = [inside, f"{below}/"] if below else [inside, f"/albums/{album.public_id}"]
    found += [(path, {}) for path in pages]
    found.append((pages[1], {"Accept": "application/json"}))
    if not below:
        found += [(f"/api/v1/media/{media.public_id}", {}), (f"/api/v1/albums/{album.public_id}/media", {})]
    for path, headers in found:
        assert who.send("GET", path, headers=headers).status in (200, 206, 304), path
    return found


def replay(story: Story, who: Client, wanted: list[tuple[str, dict[str, str]]]) -> list[tuple[int, str]]:
    """Repeat requests a hundred times over new connections; return what succeeded. Both processes must answer."""
    processes = story.vault.web_processes()
    assert len(processes) == 2
    before = [bytes_read(pid) for pid in processes]
    cookie, successes = who.cookie, []
    for method, (path, headers) in itertools.islice(
        zip(itertools.cycle(["GET", "GET", "HEAD"]), itertools.cycle(wanted)), REPLAYS
    ):
        who.cookie = cookie
        status = who.send(method, path, headers=headers).status
        if status < 300 or status == 304:
            successes.append((status, path))
    grown = [bytes_read(pid) - old for pid, old in zip(processes, before, strict=True)]
    assert min(grown) > 1000, f"only one of two processes answered: {grown}"
    return successes


def revoke_the_grant(story: Story) -> None:
    path = f"/albums/{story.album.public_id}/grants/{story.ben.public_id}"
    assert story.script(story.anna).json("DELETE", path).status == 204


def take_the_picture_out(story: Story) -> None:
    path = f"/albums/{story.album.public_id}/media/{story.media.public_id}"
    assert story.script(story.anna).json("DELETE", path).status == 204


def throw_it_away(story: Story) -> None:
    assert story.script(story.anna).json("DELETE", f"/media/{story.media.public_id}").status == 204


def delete_the_album(story: Story) -> None:
    assert story.script(story.anna).json("DELETE", f"/albums/{story.album.public_id}").status == 204


def disable_ben(story: Story) -> None:
    path = f"/users/{story.ben.public_id}"
    assert story.script(story.admin).json("PATCH", path, {"is_disabled": True}).status == 200


def disable_anna(story: Story) -> None:
    path = f"/users/{story.anna.public_id}"
    assert story.script(story.admin).json("PATCH", path, {"is_disabled": True}).status == 200


MEMBER_ENDS = [revoke_the_grant, take_the_picture_out, throw_it_away, delete_the_album, disable_ben, disable_anna]
KEEPS_THE_ALBUM = {take_the_picture_out, throw_it_away}


@pytest.mark.parametrize("end", MEMBER_ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("by", ["session", "token"])
def test_a_member_replays_in_vain(story: Story, by: str, end: Callable[[Story], None]) -> None:
    who = story.signed_in(story.ben) if by == "session" else story.script(story.ben)
    wanted = requests_of(who, story.media, story.album)

    end(story)

    if end in KEEPS_THE_ALBUM:
        wanted = [(path, headers) for path, headers in wanted if story.media.public_id in path]
    assert replay(story, who, wanted) == []


def sign_out(_story: Story, ben: Client) -> None:
    cookie = ben.cookie
    assert ben.post("/sign-out").status == 302
    ben.cookie = cookie


def change_the_password(story: Story, _ben: Client) -> None:
    form = {"current": PASSWORD, "new": "another walk, by the sea"}
    assert story.signed_in(story.ben).post("/account/password", form).status == 302


def end_the_session_elsewhere(story: Story, _ben: Client) -> None:
    assert story.signed_in(story.ben).post("/account/sessions/end-others").status == 302


@pytest.mark.parametrize(
    "end", [sign_out, change_the_password, end_the_session_elsewhere], ids=lambda end: end.__name__
)
def test_an_old_cookie_is_worth_nothing(story: Story, end: Callable[[Story, Client], None]) -> None:
    ben = story.signed_in(story.ben)
    wanted = requests_of(ben, story.media, story.album)

    end(story, ben)

    assert replay(story, ben, wanted) == []


def revoke_the_link(story: Story, link_id: str) -> None:
    assert story.script(story.anna).json("DELETE", f"/links/{link_id}").status == 204


def rotate_the_link(story: Story, link_id: str) -> None:
    assert story.signed_in(story.anna).post(f"/links/{link_id}/rotate").status == 302


def pause_the_link(_story: Story, link_id: str) -> None:
    with transaction() as session:
        session.execute(sa.update(Link).where(Link.public_id == link_id).values(paused_at=utcnow()))


def disable_its_creator(story: Story, _link_id: str) -> None:
    disable_anna(story)


def delete_its_album(story: Story, _link_id: str) -> None:
    delete_the_album(story)


LINK_ENDS = [revoke_the_link, rotate_the_link, pause_the_link, disable_its_creator, delete_its_album]


@pytest.mark.parametrize("end", LINK_ENDS, ids=lambda end: end.__name__)
def test_an_old_link_opens_nothing(story: Story, end: Callable[[Story, str], None]) -> None:
    link = story.house.link(story.album, role=Role.DOWNLOADER)
    link_id, visitor = link.public_id, story.vault.client()
    came = visitor.get(story.house.address(link))
    assert (came.status, came.headers["Location"]) == (303, f"/l/{link_id}/")
    assert visitor.get(came.headers["Location"]).status == 200
    wanted = requests_of(visitor, story.media, story.album, f"/l/{link_id}")

    end(story, link_id)

    assert replay(story, visitor, wanted) == []
