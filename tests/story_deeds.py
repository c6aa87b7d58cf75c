"""What happens in the stories: every deed is done by the vault's own use cases and, where they let it, in the model."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.factories import House, Person, small_picture
from tests.story_model import Model, ModelAlbum, ModelLink, ModelPicture, ModelVisit
from vault.db import METADATA, db, transaction, utcnow
from vault.models.account import User
from vault.models.media import Album, Media
from vault.models.sharing import Link, Role, Scope
from vault.policy import Action, Denied, Viewer, authorize
from vault.services import Refused, albums, groups, guests, library, links, moving, sharing, uploads, visiting
from vault.storage.incoming import Incoming

PEOPLE = 4
PASSWORD = "heather on the hill"  # of links that live as long as a story


@contextmanager
def perhaps() -> Iterator[None]:
    """Let the vault refuse a deed: then nothing has happened."""
    with contextlib.suppress(Denied, Refused):
        yield


class Family:
    """People with their albums, in the vault and in the model alike."""

    def __init__(self, house: House) -> None:
        """Empty the house and let the people in."""
        with transaction() as session:
            for table in reversed(METADATA.sorted_tables):
                session.execute(table.delete())
        self.house = house
        self.model = Model(utcnow())
        self.people: list[Person] = [house.person(f"person{number}", admin=number == 0) for number in range(PEOPLE)]
        self.groups: list[str] = []
        self.albums: list[str] = []
        self.pictures: list[str] = []
        self.links: list[str] = []
        self.visits: list[Viewer] = []
        self.tickets: list[str] = []
        self.addresses: list[tuple[int, int]] = []
        self.keeper = groups.Asker(self.people[0].id, administers=True)

    def make_an_album(self, owner: int, parent: int | None) -> None:
        """Make an album at the top, or below another of whoever owns that."""
        owner = owner if parent is None else self.model.albums[parent].owner
        if owner not in self.model.disabled:
            parent_id = None if parent is None else self.albums[parent]
            made = albums.create(self.people[owner].viewer, title=f"Album {len(self.albums)}", parent_id=parent_id)
            self.albums.append(made.public_id)
            self.model.albums.append(ModelAlbum(owner, parent))

    def move_an_album(self, album: int, parent: int | None) -> None:
        """Let the owner of an album put it elsewhere in his tree."""
        wish = moving.Place(None if parent is None else self.albums[parent])
        with perhaps():
            permit = authorize(self.owner_of(album), Action.MANAGE, Album, self.albums[album])
            moving.carry_out(permit, wish, expected=moving.preview(permit, wish).digest)
            assert parent is None or parent not in self.model.below(album), "an album lies below itself"
            self.model.albums[album].parent = parent

    def change_inheritance(self, album: int) -> None:
        """Let an album take over what is given above, or not any more."""
        inherits = not self.model.albums[album].inherits
        with perhaps():
            permit = authorize(self.owner_of(album), Action.MANAGE, Album, self.albums[album])
            albums.change(permit, albums.Changes(inherits=inherits))
            self.model.albums[album].inherits = inherits

    def upload(self, owner: int) -> None:
        """Upload a picture."""
        if owner not in self.model.disabled:
            self.pictures.append(self.house.picture(self.people[owner], ready=False).public_id)
            self.model.pictures.append(ModelPicture(owner))

    def put_in(self, picture: int, album: int) -> None:
        """Let the owner of a picture put it into an album."""
        with perhaps():
            viewer = self.people[self.model.pictures[picture].owner].viewer
            albums.put(authorize(viewer, Action.ADD, Album, self.albums[album]), self.pictures[picture])
            self.model.pictures[picture].albums.add(album)

    def take_out(self, picture: int, album: int) -> None:
        """Let the owner of an album take a picture out."""
        with perhaps():
            albums.take_out(self.owner_of(album), self.albums[album], self.pictures[picture])
            self.model.pictures[picture].albums.discard(album)

    def treat(self, picture: int, deed: str) -> None:
        """Put a picture into the trash or take it back, into quarantine or out of it."""
        owner, it = self.people[self.model.pictures[picture].owner].viewer, self.model.pictures[picture]
        with perhaps():
            if deed == "trash":
                library.trash(authorize(owner, Action.TRASH, Media, self.pictures[picture]))
                it.trashed = True
            elif deed == "restore":
                library.restore(authorize(owner, Action.RESTORE, Media, self.pictures[picture]))
                it.trashed = False
            else:
                it.quarantined = deed == "quarantine"
                moment = utcnow() if it.quarantined else None
                self._update(Media, Media.public_id == self.pictures[picture], quarantined_at=moment)

    def grant(self, album: int, person: int, role: Role, end: datetime | None) -> None:
        """Give a person a role."""
        with perhaps():
            permit = authorize(self.owner_of(album), Action.MANAGE, Album, self.albums[album])
            sharing.grant(permit, user_id=self.people[person].public_id, role=role, expires_at=end)
            self.model.grants[album, person] = (role, end)

    def revoke_grant(self, album: int, person: int) -> None:
        """Take a person's role away."""
        with perhaps():
            permit = authorize(self.owner_of(album), Action.MANAGE, Album, self.albums[album])
            if sharing.revoke_grant(permit, self.people[person].public_id):
                del self.model.grants[album, person]

    def make_a_group(self) -> None:
        """Let the administrator make a group of the whole vault."""
        with perhaps():
            self.groups.append(groups.create(self.keeper, name=f"G{len(self.groups)}", is_vaults=True).group.public_id)
            self.model.groups.append(set())

    def change_a_group(self, group: int, person: int, *, joins: bool) -> None:
        """Put somebody into a group, or take him out."""
        with perhaps():
            if joins:
                groups.add(self.keeper, self.groups[group], self.people[person].public_id)
                self.model.groups[group].add(person)
            elif groups.remove(self.keeper, self.groups[group], self.people[person].public_id):
                self.model.groups[group].remove(person)

    def grant_group(self, album: int, group: int, role: Role, end: datetime | None) -> None:
        """Give everybody in a group a role."""
        with perhaps():
            permit = authorize(self.owner_of(album), Action.MANAGE, Album, self.albums[album])
            sharing.grant_group(permit, group_id=self.groups[group], role=role, expires_at=end)
            self.model.group_grants[album, group] = (role, end)

    def revoke_group_grant(self, album: int, group: int) -> None:
        """Take a group's role away."""
        with perhaps():
            permit = authorize(self.owner_of(album), Action.MANAGE, Album, self.albums[album])
            if sharing.revoke_group_grant(permit, self.groups[group]):
                del self.model.group_grants[album, group]

    def make_a_link(
        self, creator: int, album: int | None, terms: links.Terms, scope: Scope, password: str | None
    ) -> None:
        """Make a link to an album, to pictures of one, or without one to all of one's own pictures."""
        viewer, vault = self.people[creator].viewer, self.house.vault
        wanted = [i for i, it in enumerate(self.model.pictures) if _picks(it, creator, album)]
        ids = [self.pictures[i] for i in wanted]
        with perhaps():
            if album is None:
                scope = Scope.SELECTION
                made = links.create_for_pictures(vault, viewer, ids, terms, password=password)
            else:
                permit = authorize(viewer, Action.MANAGE, Album, self.albums[album])
                made = links.create(vault, permit, terms, scope=scope, media_ids=ids, password=password)
            picked = frozenset(wanted) if scope is Scope.SELECTION else frozenset()
            its = ModelLink(creator, album, terms.role, scope, terms.starts_at, terms.expires_at, picked)
            its.most_visits, its.password, its.needs_acceptance = terms.max_visits, password, terms.needs_acceptance
            self.links.append(made.public_id)
            self.model.links.append(its)
            self.addresses.append((len(self.links) - 1, 1))

    def change_a_link(self, link: int, deed: str) -> None:
        """Let whoever manages a link pause, resume, rotate or revoke it, or give it a password."""
        it = self.model.links[link]
        viewer = self.people[it.creator].viewer if it.album is None else self.owner_of(it.album)
        with perhaps():
            action = Action.DELETE if deed == "revoke" else Action.MANAGE
            permit = authorize(viewer, action, Link, self.links[link])
            if deed == "password":
                links.change(self.house.vault, permit, password=PASSWORD)
                it.password = PASSWORD
                for visit in self.model.visits:
                    visit.ended |= visit.link == link
                return
            {"pause": links.pause, "resume": links.resume, "rotate": links.rotate, "revoke": links.revoke}[deed](permit)
            it.paused = {"pause": True, "resume": False}.get(deed, it.paused)
            it.revoked |= deed == "revoke"
            if deed == "rotate":
                it.generation += 1
                self.addresses.append((link, it.generation))

    def come(self, address: int, password: str) -> None:
        """Let a visitor come by an address; with a password where he is asked for it."""
        link, generation = self.addresses[address]
        it, vault, agent = self.model.links[link], self.house.vault, "a story"
        room = it.most_visits is None or it.visits < it.most_visits
        welcome = self.model.lives(link, generation) and room and it.password in (None, password)
        viewer = Viewer(link_id=self.links[link], generation=generation)
        ticket = visiting.new_ticket(vault, viewer)
        try:
            if it.password is None:
                entered = visiting.enter(vault, self.links[link], ticket, user_agent=agent)
            else:
                entered = visiting.unlock(vault, self.links[link], ticket, password, user_agent=agent)
        except (Denied, visiting.WrongPassword):
            assert not welcome, "the door was shut to a welcome visitor"
            return
        assert welcome, "the door was open to somebody who is not welcome"
        it.visits += 1
        self.visits.append(entered.permit.viewer)
        self.tickets.append(entered.ticket or ticket)
        self.model.visits.append(ModelVisit(link, generation, utcnow() + visiting.STAY))

    def bring(self, visit: int) -> None:
        """Let a visitor bring a picture to the album of his link."""
        its = self.model.links[self.model.visits[visit].link]
        with perhaps():
            permit = authorize(self.visits[visit], Action.ADD, Album, self.albums[its.album or 0])
            with Incoming(self.house.vault.storage, 10**9) as incoming:
                incoming.write(small_picture())
                vault, name = self.house.vault, "guest.jpg"
                brought = uploads.receive_from_guest(vault, permit, incoming, file_name=name, guest_name="Gus")
            self.pictures.append(brought.media.public_id)
            owner, album = self.model.albums[its.album or 0].owner, {its.album or 0}
            self.model.pictures.append(ModelPicture(owner, album, brought=visit, awaiting=its.needs_acceptance))

    def withdraw(self, visit: int, picture: int) -> None:
        """Let a guest take a picture back."""
        with perhaps():
            permit = authorize(self.visits[visit], Action.WITHDRAW, Media, self.pictures[picture])
            guests.withdraw(self.house.vault, permit)
            self.model.pictures[picture].gone = True

    def answer_a_guest(self, person: int, picture: int, *, accepts: bool) -> None:
        """Let somebody accept a guest's picture, or decline it."""
        with perhaps():
            permit = authorize(self.people[person].viewer, Action.ACCEPT, Media, self.pictures[picture])
            it = self.model.pictures[picture]
            if accepts:
                guests.accept(permit)
                it.awaiting = False
            else:
                guests.decline(permit)
                it.trashed = True

    def disable_or_enable(self, person: int) -> None:
        """Shut somebody out, or let him in again."""
        self.model.disabled ^= {person}
        moment = utcnow() if person in self.model.disabled else None
        self._update(User, User.id == self.people[person].id, disabled_at=moment)

    def after(self, days: int | None) -> datetime | None:
        """Return the moment in so many days; None without an end."""
        return None if days is None else utcnow() + timedelta(days=days)

    def owner_of(self, album: int) -> Viewer:
        """Return who owns an album."""
        return self.people[self.model.albums[album].owner].viewer

    def _update(self, what: Any, where: Any, **values: Any) -> None:
        with transaction() as session:
            session.execute(sa.update(what).where(where).values(**values))
        db.session.rollback()


def _picks(it: ModelPicture, creator: int, album: int | None) -> bool:
    return not it.gone and (it.owner == creator if album is None else album in it.albums)
