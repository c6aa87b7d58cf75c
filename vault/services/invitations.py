"""Invitations that are taken back before anybody came.

Floor 3.
"""

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from vault import audit
from vault.db import transaction
from vault.models.account import User
from vault.services import Refused

JOINED = "This person has been here already. You can disable the account instead."


def withdraw(actor_id: int, user_id: int) -> None:
    """Delete the account of somebody who never joined, with its one-time addresses and what was shared with it.

    Raises Refused for a person who has a password, or who did something here by a token.
    """
    never_joined = (User.id == user_id, User.password_hash.is_(None))
    try:
        with transaction() as session:
            email = session.scalar(sa.delete(User).where(*never_joined).returning(User.email))
            if email is None:
                raise Refused(JOINED)
            audit.record(session, "person.withdraw", actor_id=actor_id, subject=email)
    except IntegrityError as error:
        # Pictures, albums and events refer to whoever made them.
        raise Refused(JOINED) from error
