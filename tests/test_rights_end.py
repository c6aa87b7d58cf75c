"""Rights that end take with them what was made by them: tokens do not outlive a lost password or a lost office."""

import pytest

from tests.factories import PASSWORD, House
from vault.models.account import Scope
from vault.policy import Denied
from vault.services import accounts, tokens
from vault.services.accounts import Changes

NEW = "an evening at the lake in May"


def test_a_new_password_by_a_one_time_address_ends_every_token(house: House) -> None:
    anna, ben = house.person("Anna", password=PASSWORD), house.person("Ben")
    header, other = house.token(anna), house.token(ben)
    _, address = accounts.offer_new_password(house.vault, None, anna.id)
    assert house.browser().get("/api/v1/me", headers=header).status_code == 200

    accounts.set_new_password(house.vault, address, password=NEW)

    assert house.browser().get("/api/v1/me", headers=header).status_code == 401
    assert house.browser().get("/api/v1/me", headers=other).status_code == 200


def test_changing_the_password_oneself_keeps_the_tokens(house: House) -> None:
    anna = house.person("Anna", password=PASSWORD)
    header = house.token(anna)

    accounts.change_password(house.vault, anna.id, None, current=PASSWORD, new=NEW)

    assert house.browser().get("/api/v1/me", headers=header).status_code == 200


def test_the_scope_of_administrators_does_not_come_back_with_the_office(house: House) -> None:
    first, second = house.person("Anna", admin=True), house.person("Ben", admin=True)
    everything = Scope.READ | Scope.WRITE | Scope.ADMIN
    fallen, standing = house.token(second, everything), house.token(first, everything)

    for is_admin in (False, True):
        accounts.change(first.id, second.id, Changes(is_admin=is_admin))

    assert house.browser().get("/api/v1/users", headers=fallen).status_code == 403
    assert house.browser().get("/api/v1/me", headers=fallen).status_code == 200
    assert house.browser().get("/api/v1/users", headers=standing).status_code == 200


def test_nobody_who_is_disabled_gets_a_token(house: House) -> None:
    anna = house.person("Anna")
    house.disable(anna)

    with pytest.raises(Denied):
        tokens.create(anna.id, name="script", scopes=Scope.READ, expires_in_days=None)

    assert tokens.of_person(anna.id) == []
