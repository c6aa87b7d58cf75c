"""Archives over real connections: two gigabytes in little memory, slow readers, revocation and hanging up midway."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.factories import PASSWORD, House, Person
from tests.live.client import Client
from tests.live.large import count, forget_peak, grow, open_originals, peak_bytes, reading
from tests.live.server import LiveVault, eventually, looking_inside, new_home, running
from vault.models.media import Album
from vault.models.sharing import Role
from vault.services.zipping.places import MOST_OF_PEOPLE

MIB = 1024**2
# What the system keeps of a connection on both sides, and the piece that was decided before.
UNDER_WAY_BYTES = 24 * MIB


@dataclass
class Story:
    """A vault that runs, and an album that Anna shares with Ben."""

    vault: LiveVault
    house: House
    anna: Person
    ben: Person
    album: Album

    @property
    def path(self) -> str:
        return f"/albums/{self.album.public_id}/zip"

    def fill(self, *sizes: int) -> None:
        for number, size in enumerate(sizes):
            grow(self.house, self.house.picture(self.anna, self.album, file_name=f"{number}.jpg"), size)

    def signed_in(self, person: Person) -> Client:
        client = self.vault.client()
        client.sign_in(person.email, PASSWORD)
        return client

    def script(self, person: Person) -> Client:
        header = self.house.token(person)
        return self.vault.client(token=header["Authorization"].removeprefix("Bearer "))


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[LiveVault]:
    with running(
        new_home(tmp_path_factory.mktemp("live"), migrated_database), "--web-workers", "1", "--no-worker"
    ) as live:
        yield live


@pytest.fixture
def story(vault: LiveVault) -> Iterator[Story]:
    with looking_inside(vault.home) as house:
        anna, ben = house.person(password=PASSWORD), house.person(password=PASSWORD)
        album = house.album(anna)
        house.grant(album, ben, Role.DOWNLOADER)
        yield Story(vault, house, anna, ben, album)


def test_two_gigabytes_take_little_memory_and_are_as_long_as_was_said(story: Story) -> None:
    story.fill(1200 * MIB, 3, 900 * MIB)
    (pid,) = story.vault.web_processes()
    client = story.signed_in(story.ben)
    client.get(story.path.replace("/zip", ""))

    before = forget_peak(pid)
    with reading(client, story.path) as answer:
        length = int(answer.headers["Content-Length"])
        came = count(answer)

    assert came == length > 2100 * MIB
    assert peak_bytes(pid) - before < 100 * MIB


def revoke(story: Story, _client: Client) -> None:
    path = f"/albums/{story.album.public_id}/grants/{story.ben.public_id}"
    assert story.script(story.anna).json("DELETE", path).status == 204


def throw_away(story: Story, _client: Client) -> None:
    page = story.script(story.anna).json("GET", f"/albums/{story.album.public_id}/media").json()
    for item in page["items"]:
        assert story.script(story.anna).json("DELETE", f"/media/{item['id']}").status == 204


def sign_out(_story: Story, client: Client) -> None:
    assert client.post("/sign-out").status == 302


@pytest.mark.parametrize("end", [revoke, throw_away, sign_out], ids=lambda end: end.__name__)
def test_a_right_that_ends_under_a_slow_reader_cuts_the_line(
    story: Story, end: Callable[[Story, Client], None]
) -> None:
    story.fill(100 * MIB, 100 * MIB)
    client = story.signed_in(story.ben)
    with reading(client, story.path) as answer:
        length, came = int(answer.headers["Content-Length"]), len(answer.read(MIB))

        end(story, client)
        came += count(answer)

    assert length > 200 * MIB
    assert came < UNDER_WAY_BYTES
    assert "Traceback" not in story.vault.said()


def test_a_reader_who_hangs_up_leaves_nothing_open(story: Story) -> None:
    story.fill(100 * MIB)
    (pid,) = story.vault.web_processes()
    client = story.signed_in(story.ben)
    with reading(client, story.path) as answer:
        answer.read(MIB)
        assert len(open_originals(pid)) == 1
        assert client.get("/albums").status == 200
    eventually(lambda: open_originals(pid) == [], 10)


def test_many_slow_readers_leave_threads_for_others(story: Story) -> None:
    story.fill(60 * MIB)
    token = story.script(story.ben)
    readers = [reading(token, f"/api/v1{story.path}") for _ in range(MOST_OF_PEOPLE)]
    answers = [reader.__enter__() for reader in readers]  # as many at once as there are in the list
    assert {len(answer.read(100)) for answer in answers} == {100}
    assert token.json("GET", story.path).status == 503
    assert token.json("GET", "/me").status == 200
    for reader in readers:
        reader.__exit__(None, None, None)
    eventually(lambda: token.json("HEAD", story.path).status == 200, 10)
