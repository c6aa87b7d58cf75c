"""For whoever runs the vault: is it up, can it serve, how much is there. Floor 4."""

import ipaddress

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from vault.policy import Denied
from vault.services import statistics
from vault.web.access import is_administrator, public, vault

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """Say that the process answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public
def ready() -> Response:
    """Say whether database and storage answer too."""
    wrong = statistics.unready(vault())
    return Response("\n".join(wrong or ["ready"]) + "\n", 503 if wrong else 200, mimetype="text/plain")


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Hand figures to Prometheus: to this machine itself, or for an administrator's token."""
    if not _comes_from_here() and not is_administrator():
        raise Denied
    registry = CollectorRegistry()
    for name, (about, value) in statistics.figures(vault()).items():
        Gauge(f"vault_{name}", about, registry=registry).set(value)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _comes_from_here() -> bool:
    """Whether the request was made on this machine: not through a proxy, which is on this machine for everybody."""
    forwarded = {"X-Forwarded-For", "Forwarded", "X-Real-IP"} & set(request.headers.keys())
    try:
        return not forwarded and ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
