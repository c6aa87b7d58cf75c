"""How a link comes into each state of the table of states."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from tests.link_scene import PASSWORD, Asked, Scene, send
from vault.db import db, transaction, utcnow
from vault.models.group import Group, GroupMember
from vault.models.history import Visit
from vault.models.media import Album, Media
from vault.models.sharing import GroupGrant, Link, LinkRole, Role, Scope
from vault.policy import Action, authorize
from vault.services import albums, library, links, sharing


def fresh(scene: Scene) -> Asked:
    return scene.inside(scene.link())


def guessing(scene: Scene) -> Asked:
    return scene.asked(scene.link(), "")


def newcomer(scene: Scene) -> Asked:
    return scene.came(scene.link())


def not_yet_started(scene: Scene) -> Asked:
    asked = fresh(scene)
    scene.write(Link, asked.number, starts_at=utcnow() + timedelta(hours=1))
    return asked


def ended(scene: Scene) -> Asked:
    asked = fresh(scene)
    scene.write(Link, asked.number, expires_at=utcnow() - timedelta(seconds=1))
    return asked


def paused(scene: Scene) -> Asked:
    asked = fresh(scene)
    links.pause(scene.manage(asked))
    return asked


def resumed(scene: Scene) -> Asked:
    asked = paused(scene)
    links.resume(scene.manage(asked))
    return asked


def revoked(scene: Scene) -> Asked:
    asked = fresh(scene)
    links.revoke(authorize(scene.anna.viewer, Action.DELETE, Link, asked.link_id))
    return asked


def rotated(scene: Scene) -> Asked:
    asked = fresh(scene)
    links.rotate(scene.manage(asked))
    return asked


def former_generation(scene: Scene) -> Asked:
    asked = rotated(scene)
    db.session.expire_all()
    return replace(asked, address=links.address(scene.house.vault, db.session.get_one(Link, asked.number)))


def locked(scene: Scene) -> Asked:
    return scene.came(scene.link(password=PASSWORD))


def unlocked(scene: Scene) -> Asked:
    return scene.inside(scene.link(password=PASSWORD), PASSWORD)


def password_changed(scene: Scene) -> Asked:
    asked = unlocked(scene)
    links.change(scene.house.vault, scene.manage(asked), password="gorse on the hill")
    return asked


def used_up_by_others(scene: Scene) -> Asked:
    link = scene.link(max_visits=1)
    asked = scene.came(link)
    scene.inside(link)
    return asked


def used_up_inside(scene: Scene) -> Asked:
    return scene.inside(scene.link(max_visits=1))


def visit_is_over(scene: Scene) -> Asked:
    asked = fresh(scene)
    with transaction() as session:
        session.execute(sa.update(Visit).where(Visit.link_id == asked.number).values(expires_at=utcnow()))
    return asked


def downloads_used_up(scene: Scene) -> Asked:
    asked = scene.inside(scene.link(max_downloads=1))
    other = replace(asked, media=scene.other.public_id)
    assert send(scene.house, other, "orig").status_code == 200
    return asked


def begun_and_used_up(scene: Scene) -> Asked:
    asked = scene.inside(scene.link(max_downloads=1))
    assert send(scene.house, asked, "part").status_code == 206
    return asked


def creator_disabled(scene: Scene) -> Asked:
    mary = scene.house.person()
    scene.house.grant(scene.album, mary, Role.MANAGER)
    asked = scene.inside(scene.link(by=mary))
    scene.house.disable(mary)
    return asked


def creator_lost_right(scene: Scene) -> Asked:
    mary = scene.house.person()
    scene.house.grant(scene.album, mary, Role.MANAGER)
    asked = scene.inside(scene.link(by=mary))
    permit = authorize(scene.anna.viewer, Action.MANAGE, Album, scene.album.public_id)
    assert sharing.revoke_grant(permit, mary.public_id)
    return asked


def group_lost_right(scene: Scene) -> Asked:
    mary = scene.house.person()
    with transaction() as session:
        group = Group(name="Family", owner_id=scene.anna.id)
        session.add(group)
        session.flush()
        session.add(GroupMember(group_id=group.id, user_id=mary.id))
        given = {"role": int(Role.MANAGER), "granted_by_id": scene.anna.id}
        session.add(GroupGrant(album_id=scene.album.id, group_id=group.id, **given))
    asked = scene.inside(scene.link(by=mary))
    with transaction() as session:
        session.execute(sa.delete(GroupMember).where(GroupMember.user_id == mary.id))
    return asked


def moved_from_creator(scene: Scene) -> Asked:
    mary, top = scene.house.person(), scene.house.album(scene.anna, "Top")
    scene.move(scene.album, top)
    scene.house.grant(top, mary, Role.MANAGER)
    asked = scene.inside(scene.link(by=mary))
    scene.move(scene.album, None)
    return asked


def moved_from_link(scene: Scene) -> Asked:
    asked = replace(fresh(scene), media=scene.other.public_id)
    scene.move(scene.below, None)
    return asked


def moved_to_the_link(scene: Scene) -> Asked:
    scene.move(scene.below, None)
    asked = replace(fresh(scene), media=scene.other.public_id)
    scene.move(scene.below, scene.album)
    return asked


def picture_taken_out(scene: Scene) -> Asked:
    asked = fresh(scene)
    albums.take_out(scene.anna.viewer, scene.album.public_id, scene.media.public_id)
    return asked


def picture_in_trash(scene: Scene) -> Asked:
    asked = fresh(scene)
    library.trash(authorize(scene.anna.viewer, Action.TRASH, Media, scene.media.public_id))
    return asked


def picture_of_another(scene: Scene) -> Asked:
    elsewhere = scene.house.picture(scene.anna, scene.house.album(scene.anna, "Elsewhere"))
    return replace(fresh(scene), media=elsewhere.public_id)


def for_viewers(scene: Scene) -> Asked:
    return scene.inside(scene.link(role=LinkRole.VIEWER))


def album_alone(scene: Scene) -> Asked:
    return scene.inside(scene.link(scope=Scope.ALBUM))


def selection(scene: Scene) -> Asked:
    return scene.inside(scene.link(scope=Scope.SELECTION, pictures=[scene.media]))


def album_deleted(scene: Scene) -> Asked:
    asked = fresh(scene)
    albums.delete(authorize(scene.anna.viewer, Action.DELETE, Album, scene.album.public_id))
    return asked


def anothers_ticket(scene: Scene) -> Asked:
    of_another = scene.inside(scene.link(password=PASSWORD), PASSWORD).ticket
    return scene.asked(scene.link(password=PASSWORD), of_another)


def same_password(scene: Scene) -> Asked:
    scene.inside(scene.link(password=PASSWORD), PASSWORD)
    return locked(scene)


def one_letter_changed(scene: Scene) -> Asked:
    asked = fresh(scene)
    middle = len(asked.ticket) // 2
    other = "A" if asked.ticket[middle] != "A" else "B"
    return replace(asked, ticket=asked.ticket[:middle] + other + asked.ticket[middle + 1 :])


STATES: dict[str, Callable[[Scene], Asked]] = {
    "fresh": fresh,
    "guessing": guessing,
    "newcomer": newcomer,
    "not yet started": not_yet_started,
    "ended": ended,
    "paused": paused,
    "resumed": resumed,
    "revoked": revoked,
    "rotated": rotated,
    "locked": locked,
    "unlocked": unlocked,
    "password changed": password_changed,
    "used up, newcomer": used_up_by_others,
    "used up, inside": used_up_inside,
    "visit is over": visit_is_over,
    "downloads used up": downloads_used_up,
    "begun, used up": begun_and_used_up,
    "creator disabled": creator_disabled,
    "creator lost right": creator_lost_right,
    "group lost right": group_lost_right,
    "moved from creator": moved_from_creator,
    "moved from link": moved_from_link,
    "moved to the link": moved_to_the_link,
    "picture taken out": picture_taken_out,
    "picture in trash": picture_in_trash,
    "picture of another": picture_of_another,
    "for viewers": for_viewers,
    "album alone": album_alone,
    "selection": selection,
    "album deleted": album_deleted,
    "another's ticket": anothers_ticket,
    "same password": same_password,
    "one letter changed": one_letter_changed,
    "former generation": former_generation,
}
