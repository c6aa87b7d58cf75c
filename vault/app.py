"""Wires the building: settings in, a sealed application out.

Floor 5: knows every room; only manage.py, the server and the tests import it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response
from flask_migrate import Migrate
from sqlalchemy import Engine
from typing_extensions import override
from werkzeug.middleware.proxy_fix import ProxyFix

from vault import audit, storage
from vault import db as database
from vault.chain import Chain
from vault.config import ROOT, Settings, audit_key, load
from vault.db import db
from vault.jobs.engine import open_queue
from vault.passwords import Passwords
from vault.services import Vault
from vault.services.recording import Recorder
from vault.signing import Signer
from vault.web import (
    access,
    account,
    admin,
    admin_events,
    admin_exposure,
    album_sharing,
    albums,
    api,
    arrivals,
    auth,
    delivery,
    errors,
    exposure,
    groups,
    guests,
    health,
    history,
    imports,
    library,
    links,
    looking,
    media,
    moving,
    notices,
    parts,
    progress,
    requests,
    seen_by,
    templating,
    tus,
    uploads,
    viewing_as,
    visit,
    zips,
)
from vault.web.cookies import CookieSessions
from vault.web.receiving import UploadRequest
from vault.web.tus import guests as guests_tus

PAGES = (
    auth,
    account,
    library,
    uploads,
    imports,
    tus,
    guests_tus,
    albums,
    album_sharing,
    moving,
    groups,
    media,
    parts,
    links,
    exposure,
    history,
    seen_by,
    viewing_as,
    notices,
    progress,
    visit,
    guests,
    arrivals,
    zips,
    admin,
    looking,
    admin_exposure,
    admin_events,
    health,
)
YEAR_SECONDS = 365 * 86_400
SQLITE_CONNECTIONS = 64
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class Application(Flask):
    """Flask for views that are all plain functions: to ask each time whether one is a coroutine is not free."""

    @override
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Raises SettingsError, StorageError, RuntimeError for an address without a mark."""
    settings = settings or load()
    app = Application("vault", template_folder=str(_beside("templates")), static_folder=None)
    app.request_class = UploadRequest
    _prepare_home(settings)
    _configure(app, settings)
    _open_vault(app, settings)
    _open_database(app, settings)
    _open_doors(app, settings)
    access.seal(app)
    return app


def _beside(name: str) -> Path:
    """Return a folder that lies inside the installed package, or beside it in a checkout."""
    inside = ROOT / "vault" / name
    return inside if inside.exists() else ROOT / name


def _prepare_home(settings: Settings) -> None:
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)


def _configure(app: Flask, settings: Settings) -> None:
    signer = Signer(settings.secret_keys)
    app.config.update(
        SECRET_KEY=signer.key("session"),
        SECRET_KEY_FALLBACKS=signer.former_keys("session"),
        WTF_CSRF_SECRET_KEY=signer.key("csrf"),
        # A token is good as long as its session: an album stays open on a tablet for days.
        WTF_CSRF_TIME_LIMIT=None,
        # The gate asks for it, because a request with a bearer token needs none.
        WTF_CSRF_CHECK_DEFAULT=False,
        SESSION_COOKIE_NAME="vault" if settings.is_loopback_http else "__Host-vault",
        SESSION_COOKIE_SECURE=not settings.is_loopback_http,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=settings.session_days * 86_400,
        TRUSTED_HOSTS=settings.hosts,
        MAX_CONTENT_LENGTH=access.SMALL_BODY,
        MAX_FORM_PARTS=100,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        SQLALCHEMY_DATABASE_URI=_driver_url(settings.database_url),
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
    )


def _driver_url(url: str) -> str:
    """Name psycopg 3, whatever this release of SQLAlchemy takes `postgresql://` for."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _engine_options(settings: Settings) -> dict[str, object]:
    # What a statement was given is nobody's business in a log.
    hidden = {"hide_parameters": True}
    # A connection of SQLite costs little, and every thread of the server may want one at the same time.
    if settings.database_url.startswith("sqlite"):
        return hidden | {"pool_size": SQLITE_CONNECTIONS, "max_overflow": 16}
    return hidden | {"pool_size": 16, "max_overflow": 16, "pool_pre_ping": True}


def _open_vault(app: Flask, settings: Settings) -> None:
    signer = Signer(settings.secret_keys)
    app.extensions["vault"] = Vault(
        settings=settings,
        storage=storage.from_url(settings.storage_url, reserve_bytes=settings.reserve_bytes),
        queue=open_queue(settings.queue_url, settings.home, bytes.fromhex(signer.key("queue"))),
        signer=signer,
        passwords=Passwords(memory_kib=settings.password_memory_kib, rounds=settings.password_rounds),
        recorder=Recorder(app.app_context),
    )


def _open_database(app: Flask, settings: Settings) -> None:
    db.init_app(app)
    Migrate(app, db, directory=str(_beside("migrations")), render_as_batch=True)
    with app.app_context():
        engine: Engine = db.engine
        database.listen(engine)
        audit.keep_chain(engine, Chain(audit_key(settings), Path(settings.audit_heads)))


def _open_doors(app: Flask, settings: Settings) -> None:
    app.session_interface = CookieSessions(app)
    access.init(app)
    errors.init(app)
    templating.init(app)
    requests.init(app)
    app.after_request(_private_unless_said)
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    api.init(app)
    # Added here, because Flask adds it before it is told not to answer OPTIONS.
    app.static_folder = str(ROOT / "vault" / "static")
    app.add_url_rule("/static/<path:filename>", "static", _built(app))
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        proxied = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_prefix=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # Flask's own way to add a middleware


def _built(app: Flask) -> Callable[[str], Response]:
    """Return the view of what was built for browsers; a name with a hash in it never means other bytes."""

    def static(filename: str) -> Response:
        answer = app.send_static_file(filename)
        answer.direct_passthrough = False
        is_hashed = filename.startswith("dist/")
        answer.headers["Cache-Control"] = (
            f"public, max-age={YEAR_SECONDS}, immutable" if is_hashed else "public, max-age=3600"
        )
        return answer

    return access.public(static, access.Face.BYTES)


def _private_unless_said(answer: Response) -> Response:
    """Close every answer: what may be kept, framed or run must have said so itself."""
    headers = answer.headers
    if delivery.is_delivered(answer):
        return answer
    headers.setdefault("Cache-Control", "private, no-store")
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), browsing-topics=()"
    if not access.vault().settings.is_loopback_http:
        headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}"
    return answer
