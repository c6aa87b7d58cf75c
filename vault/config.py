"""The settings of one vault, read once from the environment and never changed.

Floor 0: knows the environment and the file system, nothing of Flask or of the rest of the vault.
Every setting is described in docs/configuration.md; a test compares the two.
"""

import contextlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow.validate import Range

ROOT = Path(__file__).resolve().parent.parent
SHORTEST_SECRET = 32
FEWEST_DIFFERENT_CHARACTERS = 12
WELL_KNOWN_SECRETS = ("secret", "changeme", "change-me", "password", "development", "default", "example")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
GIB = 1024**3
# Files of the home that nobody else may read, and what goes with the two that are made here.
PRIVATE = ("vault.env", "secret_key", "audit.key")
LOST_WITH = {
    "secret_key": "every link and session then ends",
    "audit.key": "no event of before can then be verified",
}


class SettingsError(Exception):
    """The vault refuses to start; `problems` holds one sentence per wrong setting."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the person who runs the vault decides; the variable is `VAULT_` and the field's name in capitals."""

    home: Path
    secret_keys: tuple[str, ...] = field(repr=False)
    origin: str = "http://127.0.0.1:8000"
    audit_key: str = field(default="", repr=False)
    audit_heads: str = ""
    database_url: str = field(default="", repr=False)  # it may hold a password
    storage_url: str = ""
    queue_url: str = "sqlite"
    delivery: str = "direct"
    trusted_proxies: int = 0
    max_upload_bytes: int = 4 * GIB
    upload_piece_bytes: int = 16 * 1024**2
    upload_days: int = 7
    default_quota_bytes: int = 0
    trash_days: int = 30
    session_days: int = 30
    invitation_days: int = 7
    history_days: int = 365
    history_addresses: str = "network"
    max_pixels: int = 100_000_000
    max_frames: int = 2_000
    decoder_memory_bytes: int = GIB
    decoder_seconds: int = 30
    video_memory_bytes: int = 2 * GIB
    video_seconds: int = 3_600
    worker_threads: int = (os.cpu_count() or 1) + 1
    worker_memory_bytes: int = 0
    reserve_bytes: int = 0
    password_memory_kib: int = 65_536
    password_rounds: int = 3

    def __post_init__(self) -> None:
        """Fill the places that follow from the home, so that no reader has to."""
        if not self.audit_heads:
            object.__setattr__(self, "audit_heads", str(self.home / "audit-heads.log"))
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.home / 'vault.db'}")
        if not self.storage_url:
            object.__setattr__(self, "storage_url", f"file://{self.home / 'blobs'}")
        if not self.worker_memory_bytes:
            object.__setattr__(self, "worker_memory_bytes", max(self.decoder_memory_bytes, _machine_bytes() // 2))

    @property
    def is_loopback_http(self) -> bool:
        """Whether people come by plain http on this very machine, the only case without `Secure` cookies."""
        return _is_loopback_http(self.origin)

    @property
    def picture_share_bytes(self) -> int:
        """What one picture may take of the worker's memory."""
        return min(self.decoder_memory_bytes, self.worker_memory_bytes)

    @property
    def video_share_bytes(self) -> int:
        """What one video may take of the worker's memory, so that a picture still fits beside it where that can be."""
        beside = max(self.worker_memory_bytes - self.decoder_memory_bytes, GIB // 4)
        return min(self.video_memory_bytes, self.worker_memory_bytes, beside)

    @property
    def host(self) -> str:
        """Name of the origin without its port."""
        return urlsplit(self.origin).hostname or ""

    @property
    def hosts(self) -> list[str]:
        """The names that are answered: the origin's, and every name of this machine itself where that is one."""
        return ["127.0.0.1", "localhost", "[::1]"] if self.is_loopback_http else [self.host]


def _machine_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@cache
def _is_loopback_http(origin: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


# The least and the greatest value of each whole number.
BOUNDS: dict[str, tuple[int, int | None]] = {
    "trusted_proxies": (0, 10),
    "max_upload_bytes": (1024, None),
    "upload_piece_bytes": (64 * 1024, GIB),
    "upload_days": (1, 90),
    "default_quota_bytes": (0, None),
    "trash_days": (0, 3650),
    "session_days": (1, 365),
    "invitation_days": (1, 90),
    "history_days": (1, 3650),
    "max_pixels": (1, None),
    "max_frames": (1, None),
    "decoder_memory_bytes": (GIB // 2, None),
    "decoder_seconds": (1, 45),
    "video_memory_bytes": (GIB // 2, None),
    "video_seconds": (60, 86_400),
    "worker_threads": (1, 64),
    "worker_memory_bytes": (GIB // 2, None),
    "reserve_bytes": (0, None),
    "password_memory_kib": (8_192, None),
    "password_rounds": (1, None),
}
ADDRESSES = ("origin", "database_url", "storage_url", "queue_url", "audit_heads")


def load() -> Settings:
    """Read the environment and `vault.env` in the vault's home.

    Makes the home (mode 0700) and, where none is given, the secret key (mode 0600).
    Raises SettingsError with every problem at once.
    """
    home = Path(os.environ.get("VAULT_HOME") or ROOT / "instance").absolute()
    env = Env(eager=False)
    _read(env, home / "vault.env")
    with env.prefixed("VAULT_"):
        values: dict[str, object] = {
            name: env.int(name.upper(), validate=Range(*span))
            for name, span in BOUNDS.items()
            if env.str(name.upper(), "")
        }
        values |= {name: value.rstrip("/") for name in ADDRESSES if (value := env.str(name.upper(), ""))}
        values["delivery"] = env.str("DELIVERY", "") or "direct"
        values["history_addresses"] = env.str("HISTORY_ADDRESSES", "") or "network"
        given = [key.strip() for key in env.str("SECRET_KEY", "").split(",") if key.strip()]
        values["audit_key"] = env.str("AUDIT_KEY", "").strip()
    problems = (
        _unreadable(env)
        + _bad_delivery(str(values["delivery"]))
        + _bad_addresses(str(values["history_addresses"]))
        + _bad_origin(str(values.get("origin", Settings.origin)))
        + _bad_database(str(values.get("database_url", "")))
        + _bad_path(str(values.get("audit_heads", "/")))
        + (weaknesses(str(values["audit_key"]), "VAULT_AUDIT_KEY") if values["audit_key"] else [])
    )
    problems += [problem for path in map(home.joinpath, PRIVATE) for problem in _too_open(path)]
    problems += [problem for key in given for problem in weaknesses(key)]
    if problems:
        raise SettingsError(problems)
    return Settings(home=home, secret_keys=tuple(given) or (_kept_secret(home / "secret_key"),), **values)  # type: ignore[arg-type]  # the names are the fields', the values checked above


def audit_key(settings: Settings) -> str:
    """Return the key of the audit chain: the setting, or the file `audit.key` in the home, made on the first start.

    Never made from the secret key: that may change, and the chain must hold all the same. Raises SettingsError.
    """
    return settings.audit_key or _kept_secret(settings.home / "audit.key")


def weaknesses(secret: str, name: str = "VAULT_SECRET_KEY") -> list[str]:
    """Say why a signing secret is too weak; an empty list for a good one (OWASP ASVS 5.0, 11.2)."""
    if len(secret) < SHORTEST_SECRET:
        return [f"{name} is shorter than {SHORTEST_SECRET} characters"]
    if len(set(secret)) < FEWEST_DIFFERENT_CHARACTERS or any(word in secret.lower() for word in WELL_KNOWN_SECRETS):
        return [f"{name} is easy to guess; remove the setting and the vault makes a good one"]
    return []


def _read(env: Env, path: Path) -> None:
    try:
        env.read_env(path, recurse=False)
    except UnicodeDecodeError:
        raise SettingsError([f"{path.name} is not a text in UTF-8"]) from None


def _unreadable(env: Env) -> list[str]:
    try:
        env.seal()
    except EnvValidationError as error:
        return [
            f"{name}: {' '.join(map(str, found))}"
            for name, found in cast("dict[str, list[str]]", error.error_messages).items()
        ]
    return []


def _bad_delivery(delivery: str) -> list[str]:
    return [] if delivery in ("direct", "x-accel") else ["VAULT_DELIVERY is neither 'direct' nor 'x-accel'"]


def _bad_addresses(kept: str) -> list[str]:
    good = kept in ("full", "network", "none")
    return [] if good else ["VAULT_HISTORY_ADDRESSES is neither 'full' nor 'network' nor 'none'"]


def _bad_origin(origin: str) -> list[str]:
    try:
        parts = urlsplit(origin)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return ["VAULT_ORIGIN is not an address like https://photos.example.org"]
    if not good or parts.path or parts.query or parts.username:
        return ["VAULT_ORIGIN is not an address like https://photos.example.org"]
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return ["VAULT_ORIGIN is plain http: over a network nobody could stay signed in, it must be https"]
    return []


def _bad_database(url: str) -> list[str]:
    good = not url or url.startswith(("sqlite:////", "postgresql://"))
    return [] if good else ["VAULT_DATABASE_URL is neither sqlite:////an/absolute/path nor postgresql://…"]


def _bad_path(path: str) -> list[str]:
    return [] if path.startswith("/") else ["VAULT_AUDIT_HEADS is not an absolute path"]


def _too_open(path: Path) -> list[str]:
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return [f"{path.name} can be read by others on this machine: chmod 600 it"]
    return []


def _kept_secret(path: Path) -> str:
    """Return the secret kept in a file of the home, made on the first start."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # A second process that starts at the same moment must not end up with another key: whoever links first has made
        # it.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    kept = path.read_text(errors="replace").strip()
    if weaknesses(kept):
        # Cut short by a crash, or edited: with a key that can be guessed anybody could sign anything.
        raise SettingsError([f"{path.name} is damaged: restore it, or remove it ({LOST_WITH[path.name]})"])
    return kept
