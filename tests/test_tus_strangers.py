"""Bodies of uploads that nobody wants: to whom they are listened to, and for how long."""

import io

import pytest

from tests import tus
from tests.factories import House
from tests.test_tus_guests import guest
from vault.models.sharing import LinkRole
from vault.web import tus as web

LENGTH = 4 * 1024**2
NOWHERE = f"/l/{'A' * 22}/uploads/"


class Sending(io.RawIOBase):
    """A body that counts what is read of it."""

    def __init__(self) -> None:
        self.taken_bytes = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, into: object) -> int:
        """Give as much as is asked for, until it ends."""
        size = min(len(memoryview(into)), LENGTH - self.taken_bytes)  # type: ignore[arg-type]  # every buffer has a length
        self.taken_bytes += size
        return size


def refused(sends: tus.Sends, path: str, method: str = "POST", **headers: str) -> tuple[int, int]:
    """Send a body that nobody wants; return what is answered, and how much was read."""
    body = Sending()
    given = {**tus.SPOKEN, **tus.PIECE, **sends.proof, **headers}
    environ = {"wsgi.input": body, "CONTENT_LENGTH": str(LENGTH)}
    answer = sends.browser.open(path, method=method, headers=given, environ_overrides=environ)
    return answer.status_code, body.taken_bytes


@pytest.mark.parametrize("path", [NOWHERE, NOWHERE + "B" * 22, "/uploads/", "/uploads/" + "B" * 22])
def test_no_stranger_is_listened_to(house: House, path: str) -> None:
    status, taken = refused(tus.Sends(house.browser()), path)

    assert (status in {400, 401, 403}, taken) == (True, 0)


def test_a_page_without_its_token_is_not_listened_to(house: House) -> None:
    sends = tus.Sends(house.browser(house.person("Anna")))

    assert refused(sends, "/uploads/") == (400, 0)


def test_who_may_send_is_heard_out(house: House) -> None:
    anna = house.person("Anna")
    visitor = guest(house, house.link(house.album(anna), role=LinkRole.DROP))

    for sends in (tus.page(house, anna), visitor):
        assert refused(sends, sends.below) == (400, LENGTH)


def test_nobody_is_heard_for_ever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LISTENING_SECONDS", 0.0)
    sends = tus.page(house, house.person("Anna"))

    assert refused(sends, "/uploads/") == (400, 0)
