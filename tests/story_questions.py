"""How the stories ask the vault: by its three ways of asking, and over HTTP as a browser does."""

from collections.abc import Iterator
from typing import cast

from tests.factories import ORIGIN
from tests.link_scene import COOKIE
from tests.story_deeds import Family
from vault.db import db
from vault.models.media import Album, Media
from vault.models.sharing import Link
from vault.policy import NOBODY, Action, Denied, Resource, Viewer, allowed, authorize, visible
from vault.services import sessions

KINDS: tuple[Resource, ...] = (Media, Album, Link)
Expected = dict[Resource, set[str]]


def everybody(family: Family) -> list[Viewer]:
    """Return all who could ask: nobody, people, the holders of addresses, and visitors."""
    holders = [Viewer(link_id=family.links[link], generation=generation) for link, generation in family.addresses]
    return [NOBODY, *(person.viewer for person in family.people), *holders, *family.visits]


def expected(family: Family, number: int, action: Action) -> Expected:
    """Return what the model lets the viewer of this number in `everybody` act on."""
    model, people, addresses = family.model, len(family.people), len(family.addresses)
    if number == 0:
        return {Media: set(), Album: set(), Link: set()}
    if number <= people:
        who = number - 1
        return {
            Media: {each for i, each in enumerate(family.pictures) if model.picture(who, action, i)},
            Album: {each for i, each in enumerate(family.albums) if model.album(who, action, i)},
            Link: {each for i, each in enumerate(family.links) if model.link(who, action, i)},
        }
    visit = number - people - addresses - 1
    if visit < 0:
        return _by_link(family, *family.addresses[number - people - 1], action)
    stay = model.visits[visit]
    if action is Action.WITHDRAW:
        return {Media: {family.pictures[i] for i in model.withdrawn(visit)}, Album: set(), Link: set()}
    if not model.stays(visit):
        return {Media: set(), Album: set(), Link: set()}
    return _by_link(family, stay.link, stay.generation, action)


def _by_link(family: Family, link: int, generation: int, action: Action) -> Expected:
    model = family.model
    own = {family.links[link]} if model.lives(link, generation) else set[str]()
    lets_in = action is Action.VISIT or (action is Action.DOWNLOAD and model.gives(link, action))
    sees = action in (Action.VIEW, Action.DOWNLOAD)
    return {
        Media: {family.pictures[i] for i in model.shown(link, generation, action)} if sees else set(),
        Album: {family.albums[i] for i in model.opened(link, generation, action)}
        if sees or action is Action.ADD
        else set(),
        Link: own if lets_in else set(),
    }


def ids(family: Family, what: Resource) -> list[str]:
    """Return the public ids of everything of a kind."""
    return family.pictures if what is Media else family.albums if what is Album else family.links


def authorized(family: Family, viewer: Viewer, action: Action, what: Resource) -> set[str]:
    """Return what `authorize` permits."""
    found = set()
    for each in ids(family, what):
        try:
            authorize(viewer, action, what, each)
        except Denied:
            continue
        found.add(each)
    return found


def listed(viewer: Viewer, action: Action, what: Resource) -> set[str]:
    """Return what `visible` lists."""
    chosen = visible(viewer, action, cast("type[Media]", what)).with_only_columns(what.public_id)
    return set(db.session.scalars(chosen))


def picked(family: Family, viewer: Viewer, action: Action, what: Resource) -> set[str]:
    """Return what `allowed` picks out."""
    return allowed(viewer, action, what, ids(family, what))


def cells(family: Family) -> Iterator[tuple[int, str, bool]]:
    """Yield what can be asked over HTTP: by which viewer, which address, and whether the model opens it."""
    first_visit = 1 + len(family.people) + len(family.addresses)
    for number, viewer in enumerate(everybody(family)):
        is_person = 0 < number <= len(family.people)
        if not is_person and number < first_visit:
            continue
        below = "" if is_person else f"/l/{viewer.link_id}"
        sees, takes = expected(family, number, Action.VIEW), expected(family, number, Action.DOWNLOAD)
        yield from ((number, f"{below}/albums/{each}", each in sees[Album]) for each in family.albums)
        for each in family.pictures:
            yield number, f"{below}/media/{each}", each in sees[Media]
            yield number, f"{below}/media/{each}/thumb", each in sees[Media]
            yield number, f"{below}/media/{each}/original", each in takes[Media]


def is_open(family: Family, number: int, address: str) -> bool:
    """Ask for an address over HTTP, as a person with a session or as a visitor with his ticket."""
    first_visit = 1 + len(family.people) + len(family.addresses)
    if number < first_visit:
        cookie = session_of(family, number - 1)
    else:
        cookie = f"{COOKIE}={family.tickets[number - first_visit]}"
    client = family.house.app.test_client(use_cookies=False)
    answer = client.get(address, headers={"Cookie": cookie}, base_url=ORIGIN, buffered=True)
    db.session.rollback()
    # 404: it may be seen, but there is no thumb of it yet. A disabled person is sent to the sign-in.
    assert answer.status_code in (200, 302, 403, 404), (address, answer.status_code)
    return answer.status_code in (200, 404)


def session_of(family: Family, person: int) -> str:
    """Return the cookie of a new session."""
    app = family.house.app
    secret, _ = sessions.open_for(family.house.vault, family.people[person].id, user_agent="a story")
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]  # Flask's own cookie sessions
    return f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps({'_user_id': secret, '_fresh': True})}"
