"""Figures for whoever runs the vault. Reads only, and names nobody.

Floor 3.
"""

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from vault.db import db
from vault.models.account import User
from vault.models.media import Media, State
from vault.services import Vault
from vault.storage import StorageError


def unready(vault: Vault) -> list[str]:
    """Return what keeps the vault from serving, one line each."""
    wrong = []
    try:
        db.session.execute(sa.select(sa.literal(1))).all()
    except SQLAlchemyError:
        wrong.append("the database does not answer")
    try:
        vault.storage.free_bytes()
    except (StorageError, OSError):
        wrong.append("the storage does not answer")
    return wrong


def figures(vault: Vault) -> dict[str, tuple[str, float]]:
    """Return name, description and value of every figure."""
    counted = sa.select(Media.state, sa.func.count()).group_by(Media.state)
    states = {str(state): count for state, count in db.session.execute(counted)}
    found = {f"media_{state}": (f"Pictures that are {state}", float(states.get(state, 0))) for state in State}
    used = db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(User.used_bytes), 0))) or 0
    people = db.session.scalar(sa.select(sa.func.count()).select_from(User)) or 0
    return found | {
        "people": ("Accounts", float(people)),
        "stored_bytes": ("Bytes of originals", float(used)),
        "free_bytes": ("Bytes that may still be stored", float(vault.storage.free_bytes())),
    }
