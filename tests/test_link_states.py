"""What a link answers in every state, on every path, as its table says; and what must not be read out of any answer."""

import pytest
import sqlalchemy as sa

from tests.factories import House
from tests.link_scene import TITLE, Asked, new_scene, send
from tests.link_states import ASKING, GUARDED, PATHS, rows
from tests.link_ways import STATES
from tests.policy_world import forget
from vault import policy
from vault.db import db
from vault.models.sharing import Link

VALIDATED = {"thumb": "thumb", "orig": "original"}
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.timeout(300)
def test_every_state_answers_on_every_path_as_the_table_says(house: House) -> None:
    anna = house.person("Anna")
    assert list(rows()) == list(STATES)

    wrong, told = [], []
    for state, statuses in rows().items():
        scene = new_scene(house, anna)
        asked = STATES[state](scene)
        counted = visits(asked)
        # What a browser kept; who was never given anything says that whatever he has is good.
        etags = {"thumb": "*", "original": "*"}
        for path in PATHS:
            answer = send(house, asked, path, etags)
            if answer.status_code != statuses[path]:
                wrong.append(f"{state}: {path} answered {answer.status_code}, not {statuses[path]}")
            if path in VALIDATED and answer.status_code == 200:
                etags[VALIDATED[path]] = answer.headers["ETag"]
            assert answer.status_code < 500, (state, path)
            if tells(asked, state, path, answer.data.decode("latin-1"), answer.status_code):
                told.append(f"{state}: {path}")
            if path == "bot":
                assert visits(asked) == counted, (state, "only the page of the link lets anybody in")
    assert (wrong, told) == ([], [])


def tells(asked: Asked, state: str, path: str, body: str, status: int) -> bool:
    """Whether an answer says what it must not: a title or an id, to whom the album or its picture is not open."""
    words = [TITLE, "Boats"]
    if status == 403 or (path in ("json", "home") and state in ASKING):
        return any(word in body for word in [*words, asked.media])
    return path == "bot" and state in GUARDED and TITLE in body


def visits(asked: Asked) -> int | None:
    return db.session.scalar(sa.select(Link.visit_count).where(Link.id == asked.number))


@sqlite_only
def test_a_refusal_is_the_same_byte_for_byte_whatever_the_reason(house: House) -> None:
    anna = house.person("Anna")
    bodies: dict[str, set[tuple[bytes, str]]] = {}
    for state, statuses in rows().items():
        scene = new_scene(house, anna)
        asked = STATES[state](scene)
        for path in ("sub", "page", "thumb", "orig", "zip"):
            # Who brings no cookie at all is told that he needs one, whatever there is.
            if statuses[path] == 403 and asked.ticket:
                answer = send(house, asked, path)
                headers = sorted((name, value) for name, value in answer.headers if name != "Content-Length")
                bodies.setdefault(path, set()).add((answer.data, str(headers)))
    assert {path: len(found) for path, found in bodies.items()} == dict.fromkeys(bodies, 1)


@sqlite_only
def test_every_refusal_of_the_table_turns_red_where_the_decision_is_opened(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, red = house.person("Anna"), set()
    # Where the ticket proves nothing there is no question, and other counts than the rule stand in the way.
    elsewhere = {"guessing", "newcomer", "locked", "used up, newcomer", "another's ticket", "same password"}
    elsewhere |= {"one letter changed", "downloads used up", "begun, used up", "album deleted"}
    denied = {
        (state, path) for state, row in rows().items() for path in ("page", "thumb", "Thum", "ifth") if row[path] == 403
    }
    asked = {state: STATES[state](new_scene(house, anna)) for state, _ in denied if state not in elsewhere}
    db.session.remove()
    monkeypatch.setattr(policy, "rule", lambda *_: sa.true())
    forget()
    try:
        for state, path in denied:
            if state in asked and send(house, asked[state], path).status_code != 403:
                red.add((state, path))
    finally:
        forget()
    assert red == {(state, path) for state, path in denied if state in asked}
