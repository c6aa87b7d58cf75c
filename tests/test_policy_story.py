"""Random stories of sharing and taking back, and after every step the decision against the small model."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.factories import House, Person
from tests.policy_world import forget
from tests.story_model import Model, ModelAlbum, ModelLink, ModelPicture
from vault.db import METADATA, db, transaction, utcnow
from vault.models.account import User
from vault.models.media import Album, Media
from vault.models.sharing import GRANTABLE, LINKABLE, Link, Role
from vault.policy import NOBODY, Action, Denied, Resource, Viewer, allowed, authorize, decision, visible
from vault.services import Refused, albums, library, links, sharing

PEOPLE = 4
MOST_ALBUMS, MOST_PICTURES, MOST_LINKS = 5, 6, 4
pick = st.integers(0, 10**6)
ends = st.none() | st.integers(1, 3)
HOUSE: list[House] = []
"""The house in which the present test tells its stories."""


class Story(RuleBasedStateMachine):
    """A family and its albums."""

    @initialize()
    def begin(self) -> None:
        """Empty the house and let the people in."""
        self.house = HOUSE[0]
        self.clock = time_machine.travel("2026-11-20T12:00:00Z", tick=False)
        self.traveller = self.clock.start()
        with transaction() as session:
            for table in reversed(METADATA.sorted_tables):
                session.execute(table.delete())
        self.model = Model(utcnow())
        self.people: list[Person] = [self.house.person(f"person{number}") for number in range(PEOPLE)]
        self.albums: list[str] = []
        self.pictures: list[str] = []
        self.links: list[str] = []
        self.addresses: list[tuple[int, int]] = []
        self.turn = 0
        # A story begins with something to share: an album below another, and a picture in it.
        self.make_an_album(0, 0, at_the_top=True)
        self.make_an_album(0, 0, at_the_top=False)
        self.upload(0)
        self.put_in(0, 1)
        self.grant(0, 1, Role.EDITOR, 1)

    def teardown(self) -> None:
        """Give the clock back."""
        db.session.remove()
        if hasattr(self, "clock"):
            self.clock.stop()

    @precondition(lambda self: len(self.albums) < MOST_ALBUMS)
    @rule(who=pick, above=pick, at_the_top=st.booleans())
    def make_an_album(self, who: int, above: int, at_the_top: bool) -> None:  # noqa: FBT001  # hypothesis draws it
        parent = None if at_the_top or not self.albums else above % len(self.albums)
        owner = who % PEOPLE if parent is None else self.model.albums[parent].owner
        if owner in self.model.disabled:
            return
        parent_id = None if parent is None else self.albums[parent]
        self.albums.append(albums.create(self.people[owner].viewer, title="Album", parent_id=parent_id).public_id)
        self.model.albums.append(ModelAlbum(owner, parent))

    @precondition(lambda self: len(self.pictures) < MOST_PICTURES)
    @rule(who=pick)
    def upload(self, who: int) -> None:
        owner = who % PEOPLE
        if owner not in self.model.disabled:
            media = self.house.picture(self.people[owner], ready=False)
            self.pictures.append(media.public_id)
            self.model.pictures.append(ModelPicture(owner))

    @precondition(lambda self: self.albums and self.pictures)
    @rule(what=pick, where=pick)
    def put_in(self, what: int, where: int) -> None:
        picture, album = what % len(self.pictures), where % len(self.albums)
        owner = self.model.pictures[picture].owner
        with contextlib.suppress(Denied):
            viewer = self.people[owner].viewer
            albums.put(authorize(viewer, Action.ADD, Album, self.albums[album]), self.pictures[picture])
            self.model.pictures[picture].albums.add(album)

    @precondition(lambda self: self.albums and self.pictures)
    @rule(what=pick, where=pick)
    def take_out(self, what: int, where: int) -> None:
        picture, album = what % len(self.pictures), where % len(self.albums)
        with contextlib.suppress(Denied):
            albums.take_out(self._owner_of(album), self.albums[album], self.pictures[picture])
            self.model.pictures[picture].albums.discard(album)

    @precondition(lambda self: self.albums)
    @rule(where=pick, whom=pick, role=st.sampled_from(GRANTABLE), days=ends)
    def grant(self, where: int, whom: int, role: Role, days: int | None) -> None:
        album, person = where % len(self.albums), whom % PEOPLE
        end = None if days is None else utcnow() + timedelta(days=days)
        with contextlib.suppress(Denied, Refused):
            permit = authorize(self._owner_of(album), Action.MANAGE, Album, self.albums[album])
            sharing.grant(permit, user_id=self.people[person].public_id, role=role, expires_at=end)
            self.model.grants[album, person] = (role, end)

    @precondition(lambda self: self.albums)
    @rule(where=pick, whom=pick)
    def revoke_grant(self, where: int, whom: int) -> None:
        album, person = where % len(self.albums), whom % PEOPLE
        with contextlib.suppress(Denied):
            permit = authorize(self._owner_of(album), Action.MANAGE, Album, self.albums[album])
            if sharing.revoke_grant(permit, self.people[person].public_id):
                del self.model.grants[album, person]

    @precondition(lambda self: self.albums)
    @rule(where=pick)
    def change_inheritance(self, where: int) -> None:
        album = where % len(self.albums)
        inherits = not self.model.albums[album].inherits
        with contextlib.suppress(Denied):
            permit = authorize(self._owner_of(album), Action.MANAGE, Album, self.albums[album])
            albums.change(permit, albums.Changes(inherits=inherits))
            self.model.albums[album].inherits = inherits

    @precondition(lambda self: self.albums and len(self.links) < MOST_LINKS)
    @rule(where=pick, by=pick, role=st.sampled_from(LINKABLE), days=ends)
    def make_a_link(self, where: int, by: int, role: Role, days: int | None) -> None:
        album, creator = where % len(self.albums), by % PEOPLE
        end = None if days is None else utcnow() + timedelta(days=days)
        with contextlib.suppress(Denied):
            permit = authorize(self.people[creator].viewer, Action.MANAGE, Album, self.albums[album])
            self.links.append(links.create(self.house.vault, permit, links.Terms("Link", role, expires_at=end)).public_id)
            self.model.links.append(ModelLink(creator, album, role, end))
            self.addresses.append((len(self.links) - 1, 1))

    @precondition(lambda self: self.links)
    @rule(which=pick, rotate=st.booleans())
    def end_an_address(self, which: int, rotate: bool) -> None:  # noqa: FBT001  # hypothesis draws it
        link = which % len(self.links)
        owner = self._owner_of(self.model.links[link].album)
        with contextlib.suppress(Denied):
            if rotate:
                links.rotate(authorize(owner, Action.MANAGE, Link, self.links[link]))
                self.model.links[link].generation += 1
                self.addresses.append((link, self.model.links[link].generation))
            else:
                links.revoke(authorize(owner, Action.DELETE, Link, self.links[link]))
                self.model.links[link].revoked = True

    @precondition(lambda self: self.pictures)
    @rule(which=pick, deed=st.sampled_from(["trash", "restore", "quarantine", "release"]))
    def move_a_picture(self, which: int, deed: str) -> None:
        number = which % len(self.pictures)
        owner, it = self.people[self.model.pictures[number].owner].viewer, self.model.pictures[number]
        with contextlib.suppress(Denied):
            if deed == "trash":
                library.trash(authorize(owner, Action.TRASH, Media, self.pictures[number]))
                it.trashed = True
            elif deed == "restore":
                library.restore(authorize(owner, Action.RESTORE, Media, self.pictures[number]))
                it.trashed = False
            else:
                it.quarantined = deed == "quarantine"
                moment = utcnow() if it.quarantined else None
                self._update(Media, Media.public_id == self.pictures[number], quarantined_at=moment)

    @rule(whom=pick)
    def disable_or_enable(self, whom: int) -> None:
        person = whom % PEOPLE
        self.model.disabled ^= {person}
        moment = utcnow() if person in self.model.disabled else None
        self._update(User, User.id == self.people[person].id, disabled_at=moment)

    @rule(hours=st.integers(1, 150))
    def time_passes(self, hours: int) -> None:
        self.traveller.shift(timedelta(hours=hours))
        self.model.now = utcnow()

    @invariant()
    def the_vault_decides_as_the_model(self) -> None:
        """Compare looking and one more action for everybody and everything; in which way to ask changes by turns."""
        if not hasattr(self, "model"):
            return
        db.session.expire_all()
        self.turn += 1
        for action in (Action.VIEW, list(Action)[self.turn % len(Action)]):
            for viewer, expected in self._expectations(action):
                for what, ids in expected.items():
                    self._compare(viewer, action, what, ids)

    def _expectations(self, action: Action) -> Iterator[tuple[Viewer, dict[Resource, set[str]]]]:
        model = self.model
        yield NOBODY, {Media: set(), Album: set(), Link: set()}
        for number, person in enumerate(self.people):
            yield (
                person.viewer,
                {
                    Media: {each for i, each in enumerate(self.pictures) if model.picture(number, action, i)},
                    Album: {each for i, each in enumerate(self.albums) if model.album(number, action, i)},
                    Link: {each for i, each in enumerate(self.links) if model.link(number, action, i)},
                },
            )
        for link, generation in self.addresses:
            yield (
                Viewer(link_id=self.links[link], generation=generation),
                {
                    Media: {self.pictures[i] for i in model.shown(link, generation, action)},
                    Album: {self.albums[i] for i in model.opened(link, generation, action)},
                    Link: set(),
                },
            )

    def _compare(self, viewer: Viewer, action: Action, what: Resource, expected: set[str]) -> None:
        every = self.pictures if what is Media else self.albums if what is Album else self.links
        match (self.turn + (action is Action.VIEW)) % 3:
            case 0:
                listed = db.session.scalars(visible(viewer, action, cast("type[Media]", what)))
                found = {row.public_id for row in listed}
            case 1:
                found = allowed(viewer, action, what, every)
            case _:
                found = {each for each in every if _authorized(viewer, action, what, each)}
        assert found == expected, (viewer, action, what)

    def _owner_of(self, album: int) -> Viewer:
        return self.people[self.model.albums[album].owner].viewer

    def _update(self, what: Any, where: Any, **values: Any) -> None:
        with transaction() as session:
            session.execute(sa.update(what).where(where).values(**values))


def _authorized(viewer: Viewer, action: Action, what: Resource, public_id: str) -> bool:
    try:
        authorize(viewer, action, what, public_id)
    except Denied:
        return False
    return True


def tell(house: House, stories: int, **more: Any) -> None:
    """Tell so many stories in a house."""
    HOUSE[:] = [house]
    checks = settings(
        max_examples=stories,
        stateful_step_count=25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(Story, settings=checks)


@pytest.mark.timeout(300)
def test_every_story_of_sharing_ends_as_the_model_says(house: House) -> None:
    tell(house, 60 if db.engine.dialect.name == "sqlite" else 8)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("clause", ["_in_daylight", "_enabled", "_live_grants"])
def test_the_stories_notice_when_a_clause_of_the_decision_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch, clause: str
) -> None:
    live_grants = decision._live_grants  # noqa: SLF001  # the clause that is to be lost

    def endless(album: Any, user_id: Any) -> tuple[Any, Any, tuple[Any, ...]]:
        reach, grant, conditions = live_grants(album, user_id)
        return reach, grant, conditions[:-1]

    lost: dict[str, Callable[..., Any]] = {
        "_in_daylight": sa.true,
        "_enabled": lambda _: sa.exists(sa.select(sa.literal(1))),
        "_live_grants": endless,
    }
    monkeypatch.setattr(decision, clause, lost[clause])
    forget()
    try:
        with pytest.raises(AssertionError):
            tell(house, 200, phases=[Phase.generate], derandomize=True, report_multiple_bugs=False)
    finally:
        forget()
