"""The door of those who come by a link: which ticket they hold, and the permit in place of the ids.

Floor 4, a hall that the page files use. Whether a visit lives is asked of its row with every request, together with the
rule and in one statement.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Response
from flask.globals import request_ctx

from vault.models.sharing import Link
from vault.policy import Action, Credential, Denied, Permit, authorize
from vault.services import Vault
from vault.signing import digest
from vault.web.access import ID_NAMES, SMALL_BODY, Face, Mark, marked

R = TypeVar("R")
# The programs that draw previews of links in messengers and search engines, but not the telephones of a maker called
# Cubot. One that does not say what it is gets no further than the door either: it keeps no cookie, so it is no visitor.
NAMES = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|facebookexternalhit|facebookcatalog|whatsapp|telegram|slack|discord|linkedin|"
    r"twitter|skypeuripreview|pinterest|vkshare|viber|embedly|iframely|snapchat|mastodon|synapse|google-|bingpreview|"
    r"yandex|baidu|duckduck",
    re.IGNORECASE,
)


def opened_by_link(
    action: Action, what: Any, *, face: Face = Face.VISIT, body: Callable[[Vault], int] = lambda _vault: SMALL_BODY
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Mark an address below a link: the ids in it become the visitor's Permit, the view's first argument."""

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @wraps(view)
        def decided(*, link_id: str, **values: Any) -> R:
            public_id = link_id if what is Link else values.pop(ID_NAMES[what])
            return view(visit_permit(link_id, action, what, public_id), **values)

        return marked(decided, Mark(face, body=body))

    return decorate


def visit_permit(link_id: str, action: Action, what: Any, public_id: str) -> Permit[Any]:
    """Return the permit of whoever visits by this link, in one statement. Raises Denied."""
    ticket = visit_ticket()
    if not ticket:
        raise Denied
    return authorize(Credential(digest(ticket), link_id=link_id), action, what, public_id)


def visit_ticket() -> str:
    """Return the ticket that came with a request; "" without one."""
    # Read out of the header itself: every picture of a page brings it, and parsing all cookies costs more than this.
    header: str = request_ctx.request.environ.get("HTTP_COOKIE", "")
    wanted = f"{visit_cookie()}="
    for part in header.split("; "):
        if part.startswith(wanted):
            return part[len(wanted) :]
    return ""


def visit_cookie() -> str:
    """Return the name of the cookie that holds a visitor's ticket. It is sent to one link's pages, so not `__Host-`."""
    # Asked of the configuration, which is nearer than the vault's settings.
    return "__Secure-vault-visit" if request_ctx.app.config["SESSION_COOKIE_SECURE"] else "vault-visit"


def keep_to_itself(answer: Response) -> Response:
    """Keep the address of a visitor's page out of Referer headers and search engines."""
    answer.headers.extend((("Referrer-Policy", "no-referrer"), ("X-Robots-Tag", "noindex, nofollow")))
    return answer


def is_bot(user_agent: str) -> bool:
    """Whether a User-Agent is that of a program which looks at links for others."""
    return bool(NAMES.search(user_agent))
