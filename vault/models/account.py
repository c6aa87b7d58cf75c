"""People, and what proves that a request comes from one of them.

Floor 1. Secrets are kept as digests only: a stolen database opens no session.
"""

from datetime import datetime
from enum import IntFlag, StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.signing import new_public_id

SHA256_HEX = String(64)


class Scope(IntFlag):
    """What an API token may be used for; one bit each."""

    READ = 1
    WRITE = 2
    ADMIN = 4


class Purpose(StrEnum):
    """What a one-time address is good for, and for nothing else."""

    SETUP = "setup"
    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105  # the name of a purpose, no password


class User(Base):
    """A person. Without a password hash the invitation is still open."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_admin: Mapped[bool] = mapped_column(default=False)
    disabled_at: Mapped[datetime | None]
    quota_bytes: Mapped[int | None] = mapped_column(BigInteger)
    used_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class LoginSession(Base):
    """One signed-in browser. Deleting the row signs it out on every worker at once."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    digest: Mapped[str] = mapped_column(SHA256_HEX, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(45), default="")


class ApiToken(Base):
    """A bearer token of a script. `scopes` is a sum of Scope bits."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    digest: Mapped[str] = mapped_column(SHA256_HEX, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class OneTimeToken(Base):
    """A one-time address: the first administrator's, an invitation's, or that of a new password."""

    __tablename__ = "one_time_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(SHA256_HEX, unique=True)
    purpose: Mapped[Purpose] = mapped_column(String(16))
    user_id: Mapped[int | None] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """One try to sign in, kept for a day: what throttling counts.

    `account` is a digest, so that a mistyped password in the e-mail field is not kept in the clear.
    """

    __tablename__ = "sign_in_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(SHA256_HEX)
    address: Mapped[str] = mapped_column(String(45))
    at: Mapped[datetime] = mapped_column(default=utcnow, index=True)

    __table_args__ = (Index(None, account, address, at), Index(None, address, at))
