"""Random stories of sharing and taking back, and after every step the decision against the small model."""

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

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

from tests.factories import House
from tests.policy_world import forget
from tests.story_deeds import PASSWORD, PEOPLE, Family
from tests.story_questions import KINDS, authorized, cells, everybody, expected, is_open, listed, picked
from vault.db import db, utcnow
from vault.models.sharing import GRANTABLE, LinkRole, Role, Scope
from vault.policy import Action, grants
from vault.policy import links as links_rule
from vault.services import links

STORIES, SHARES, STEPS = 200, 4, 30
MOST_GROUPS, MOST_ALBUMS, MOST_PICTURES, MOST_LINKS, MOST_VISITS = 2, 5, 6, 4, 4
ACTIONS = list(Action)
pick = st.integers(0, 10**6)
ends = st.none() | st.integers(1, 3)
HOUSE: list[House] = []
"""The house in which the present test tells its stories."""


class Story(RuleBasedStateMachine):
    """A family and its albums. What a story draws is taken modulo what there is."""

    @initialize(role=st.sampled_from(LinkRole), scope=st.sampled_from(Scope))
    def begin(self, role: LinkRole, scope: Scope) -> None:
        """Begin with something to share: an album below another, a picture in it, a group, a link and a visitor."""
        self.clock = time_machine.travel("2026-11-20T12:00:00Z", tick=False)
        self.traveller = self.clock.start()
        self.turn = 0
        self.family = it = Family(HOUSE[0])
        it.make_an_album(1, None)
        it.make_an_album(1, 0)
        it.upload(1)
        it.put_in(0, 1)
        it.grant(0, 2, Role.EDITOR, it.after(1))
        it.make_a_group()
        it.change_a_group(0, 3, joins=True)
        it.grant_group(0, 0, Role.MANAGER, None)
        it.make_a_link(1, 0, links.Terms("Link", role), scope, None)
        it.make_a_link(3, 1, links.Terms("Link", LinkRole.CONTRIBUTOR, needs_acceptance=False), Scope.TREE, None)
        for address in range(len(it.links)):
            it.come(address, "")

    def teardown(self) -> None:
        """Ask over HTTP once more, and give the clock back."""
        try:
            if hasattr(self, "family"):
                self.ask_over_http(6)
        finally:
            db.session.remove()
            if hasattr(self, "clock"):
                self.clock.stop()

    @precondition(lambda self: len(self.family.albums) < MOST_ALBUMS)
    @rule(who=pick, above=st.none() | pick)
    def make_an_album(self, who: int, above: int | None) -> None:
        self.family.make_an_album(who % PEOPLE, self.album(above))

    @rule(which=pick, above=st.none() | pick)
    def move_an_album(self, which: int, above: int | None) -> None:
        self.family.move_an_album(which % len(self.family.albums), self.album(above))

    @rule(which=pick)
    def change_inheritance(self, which: int) -> None:
        self.family.change_inheritance(which % len(self.family.albums))

    @precondition(lambda self: len(self.family.pictures) < MOST_PICTURES)
    @rule(who=pick)
    def upload(self, who: int) -> None:
        self.family.upload(who % PEOPLE)

    @rule(what=pick, where=pick, inside=st.booleans())
    def put_in_or_take_out(self, what: int, where: int, inside: bool) -> None:  # noqa: FBT001  # hypothesis draws it
        deed = self.family.put_in if inside else self.family.take_out
        deed(what % len(self.family.pictures), where % len(self.family.albums))

    @rule(which=pick, deed=st.sampled_from(["trash", "restore", "quarantine", "release"]))
    def treat_a_picture(self, which: int, deed: str) -> None:
        self.family.treat(which % len(self.family.pictures), deed)

    @rule(where=pick, whom=pick, role=st.sampled_from(GRANTABLE), days=ends)
    def grant(self, where: int, whom: int, role: Role, days: int | None) -> None:
        self.family.grant(where % len(self.family.albums), whom % PEOPLE, role, self.family.after(days))

    @rule(where=pick, whom=pick)
    def revoke_grant(self, where: int, whom: int) -> None:
        self.family.revoke_grant(where % len(self.family.albums), whom % PEOPLE)

    @precondition(lambda self: len(self.family.groups) < MOST_GROUPS)
    @rule()
    def make_a_group(self) -> None:
        self.family.make_a_group()

    @precondition(lambda self: self.family.groups)
    @rule(which=pick, whom=pick, joins=st.booleans())
    def change_a_group(self, which: int, whom: int, joins: bool) -> None:  # noqa: FBT001  # hypothesis draws it
        self.family.change_a_group(which % len(self.family.groups), whom % PEOPLE, joins=joins)

    @precondition(lambda self: self.family.groups)
    @rule(where=pick, which=pick, role=st.none() | st.sampled_from(GRANTABLE), days=ends)
    def grant_a_group(self, where: int, which: int, role: Role | None, days: int | None) -> None:
        album, group = where % len(self.family.albums), which % len(self.family.groups)
        if role is None:
            self.family.revoke_group_grant(album, group)
        else:
            self.family.grant_group(album, group, role, self.family.after(days))

    @precondition(lambda self: len(self.family.links) < MOST_LINKS)
    @rule(data=st.data())
    def make_a_link(self, data: st.DataObject) -> None:
        terms = links.Terms(
            "Link",
            data.draw(st.sampled_from(LinkRole)),
            starts_at=self.family.after(data.draw(st.sampled_from([None, None, 1]))),
            expires_at=self.family.after(data.draw(st.sampled_from([None, 2, 4]))),
            max_visits=data.draw(st.sampled_from([None, 1])),
            needs_acceptance=data.draw(st.booleans()),
        )
        album, scope = self.album(data.draw(st.none() | pick)), data.draw(st.sampled_from(Scope))
        password = data.draw(st.sampled_from([None, None, PASSWORD]))
        self.family.make_a_link(data.draw(pick) % PEOPLE, album, terms, scope, password)

    @precondition(lambda self: self.family.links)
    @rule(which=pick, deed=st.sampled_from(["pause", "resume", "rotate", "revoke", "password"]))
    def change_a_link(self, which: int, deed: str) -> None:
        self.family.change_a_link(which % len(self.family.links), deed)

    @precondition(lambda self: self.family.addresses and len(self.family.visits) < MOST_VISITS)
    @rule(by=pick, password=st.sampled_from([PASSWORD, PASSWORD, "gorse on the hill"]))
    def come(self, by: int, password: str) -> None:
        self.family.come(by % len(self.family.addresses), password)

    @precondition(lambda self: self.family.visits and len(self.family.pictures) < MOST_PICTURES)
    @rule(who=pick)
    def bring(self, who: int) -> None:
        self.family.bring(who % len(self.family.visits))

    @precondition(lambda self: self.family.visits)
    @rule(who=pick, what=pick)
    def withdraw(self, who: int, what: int) -> None:
        self.family.withdraw(who % len(self.family.visits), what % len(self.family.pictures))

    @rule(who=pick, what=pick, accepts=st.booleans())
    def answer_a_guest(self, who: int, what: int, accepts: bool) -> None:  # noqa: FBT001  # hypothesis draws it
        self.family.answer_a_guest(who % PEOPLE, what % len(self.family.pictures), accepts=accepts)

    @rule(whom=pick)
    def disable_or_enable(self, whom: int) -> None:
        self.family.disable_or_enable(whom % PEOPLE)

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.traveller.shift(timedelta(hours=hours))
        self.family.model.now = utcnow()

    @invariant()
    def the_vault_decides_as_the_model(self) -> None:
        """Compare looking for everybody, every action for one by turns, and every way to ask in turn."""
        if not hasattr(self, "family"):
            return
        db.session.expire_all()
        self.turn += 1
        viewers = everybody(self.family)
        for number, _ in enumerate(viewers):
            self.compare(number, Action.VIEW, authorized)
        number = self.turn % len(viewers)
        for action in ACTIONS:
            self.compare(number, action, authorized)
        # Writing down a question takes longer than asking it: by turns lists, and a browser.
        if self.turn % 3 == 0:
            self.ask_over_http(1)
        elif self.turn % 3 == 1:
            action = ACTIONS[(self.turn // 6) % len(ACTIONS)] if self.turn % 2 else Action.VIEW
            self.compare(number, action, lambda _family, *asked: listed(*asked))
            self.compare(number, action, picked)

    def compare(self, number: int, action: Action, ask: Callable[..., set[str]]) -> None:
        """Compare what one viewer may do with everything there is."""
        viewer, wanted = everybody(self.family)[number], expected(self.family, number, action)
        for what in KINDS:
            assert ask(self.family, viewer, action, what) == wanted[what], (number, viewer, action, what)

    def ask_over_http(self, most: int) -> None:
        """Ask for some addresses as people and visitors do, always for other ones."""
        found = list(cells(self.family))
        for each in range(most):
            number, address, is_to_be_open = found[(self.turn * 37 + each * 101) % len(found)]
            assert is_open(self.family, number, address) is is_to_be_open, (number, address)

    def album(self, drawn: int | None) -> int | None:
        """Return which album is meant; None is none."""
        return None if drawn is None else drawn % len(self.family.albums)


def tell(house: House, stories: int, **more: Any) -> None:
    """Tell so many stories in a house."""
    HOUSE[:] = [house]
    checks = settings(
        max_examples=stories,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(Story, settings=checks)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("share", range(SHARES))
def test_every_story_of_sharing_ends_as_the_model_says(house: House, share: int) -> None:
    tell(house, STORIES // SHARES)
    assert share < SHARES


@pytest.mark.timeout(300)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_stories_end_so_on_postgresql_too(house: House) -> None:
    tell(house, 8)


def always(*_: Any) -> sa.Exists:
    """Return a condition that always holds, in place of one that looks for a row."""
    return sa.exists(sa.select(sa.literal(1)))


def without_last(clause: Callable[..., Any]) -> Callable[..., Any]:
    """Return a clause that forgets the last of its conditions."""
    return lambda *given: clause(*given)[:-1]


LOST: list[tuple[ModuleType, str, Callable[..., Any]]] = [
    (grants, "in_daylight", sa.true),
    (grants, "enabled", always),
    (grants, "_granted", without_last(grants._granted)),  # noqa: SLF001  # the clause that is to be lost
    (links_rule, "accepted", sa.true),
    (links_rule, "_stays", lambda *_: ()),
    (links_rule, "_reaches", lambda link, reach: (reach.source_id == link.album_id,)),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("where", "clause", "broken"), LOST, ids=[f"{clause}" for _, clause, _ in LOST])
def test_the_stories_notice_when_a_clause_of_the_decision_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch, where: ModuleType, clause: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(where, clause, broken)
    forget()
    try:
        with pytest.raises(AssertionError):
            tell(house, 200, phases=[Phase.generate], derandomize=True, report_multiple_bugs=False)
    finally:
        forget()
