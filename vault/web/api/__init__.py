"""The JSON API: the outward contract's `/api/v1`, described by itself.

Floor 4. A view here parses, asks a use case, and says what came of it; it decides nothing. Refusals are worded by the
same table as everywhere.
"""

import json
from functools import cache

from flask import Flask, Response

from vault.web.access import Face, public, vault
from vault.web.api import access as seers
from vault.web.api import (
    albums,
    arrivals,
    grants,
    groups,
    history,
    imports,
    known,
    links,
    media,
    moving,
    notices,
    people,
    progress,
    sidecars,
)
from vault.web.api.document import ABOUT, VaultApi, completed
from vault.web.api.protocol import PREFIX

RESOURCES = (
    *(people, albums, media, sidecars, arrivals, moving, groups, grants),
    *(known, links, history, seers, notices, progress, imports),
)


def init(app: Flask) -> None:
    """Register the API and the address of its description."""
    api = VaultApi(
        app,
        spec_kwargs={
            "title": "The vault",
            "version": "1",
            "openapi_version": "3.1.0",
            "info": {"description": ABOUT},
            "security": [{"token": []}, {"session": []}],
        },
    )
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    cookie = {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]}
    api.spec.components.security_scheme("session", cookie)
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint)
    _describe(app, api)


def _describe(app: Flask, api: VaultApi) -> None:
    @cache
    def text() -> str:
        return json.dumps(completed(api.spec.to_dict()) | {"servers": [{"url": vault().settings.origin}]})

    def show_description() -> Response:
        """Answer with the description, which everybody may read: it says nothing of anybody."""
        return Response(text(), mimetype="application/json")

    app.add_url_rule(f"{PREFIX}/openapi.json", "api.description", public(show_description, Face.API))
