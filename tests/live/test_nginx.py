"""A real nginx in front, with the configuration of the documentation: the vault decides, nginx sends the bytes."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.factories import House, Person, small_picture
from tests.live.client import Client
from tests.live.server import eventually, looking_inside, new_home, running
from vault.models.account import Scope
from vault.models.media import Media
from vault.models.sharing import LinkRole, Role

ROOT = Path(__file__).resolve().parents[2]
# Of all processes of the vault together.
MORE_THAN_THREADS = 150
PRIVATE = {
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass
class Front:
    """A vault behind nginx, and a picture of Anna's."""

    port: int
    plain_port: int
    vault_port: int
    log: Path
    house: House
    anna: Person
    media: Media
    data: bytes

    def client(self, person: Person | None = None) -> Client:
        token = self.house.token(person, Scope.READ | Scope.WRITE)["Authorization"] if person else ""
        return Client(self.port, token=token.removeprefix("Bearer "))

    def straight(self) -> Client:
        """Ask the vault itself, as nginx does."""
        return Client(self.vault_port, token=self.client(self.anna).token, host=f"127.0.0.1:{self.port}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def adapted(folder: Path, home: Path, port: int, plain_port: int, vault_port: int) -> Path:
    """Write the documented configuration with this machine's ports and folders; every change must find its place."""
    text = (ROOT / "docs" / "nginx.conf").read_text()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    changes = {
        "user vault;\n": "user root;\n" if os.geteuid() == 0 else "",
        "http {\n": f"pid {folder}/pid;\nhttp {{\n{temporary}",
        "worker_processes auto;": "worker_processes 1;",
        "/var/log/nginx/vault.log": f"{folder}/access.log",
        "/var/log/nginx/error.log": f"{folder}/error.log",
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{vault_port};",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port};",
        "ssl_certificate /etc/ssl/vault/fullchain.pem;": "",
        "ssl_certificate_key /etc/ssl/vault/privkey.pem;": "",
        "/srv/vault/instance/blobs/": f"{home}/blobs/",
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text)
    return folder / "nginx.conf"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[Front]:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        missing("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    home, port, plain_port = new_home(folder, migrated_database), free_port(), free_port()
    origin = f"http://127.0.0.1:{port}"
    settings = {"VAULT_ORIGIN": origin, "VAULT_DELIVERY": "x-accel", "VAULT_TRUSTED_PROXIES": "1"}
    with looking_inside(home) as house, running(home, "--no-worker", **settings) as vault:
        configuration = adapted(folder, home, port, plain_port, vault.port)
        command = [
            program,
            "-c",
            str(configuration),
            "-p",
            str(folder),
            "-g",
            "daemon off;",
            "-e",
            str(folder / "error.log"),
        ]
        nginx = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: nginx.poll() is not None or (folder / "pid").exists())
            assert nginx.poll() is None, (folder / "error.log").read_text()
            anna, data = house.person("Anna"), small_picture()
            media = house.picture(anna, data=data, file_name="Süden.jpg")
            yield Front(port, plain_port, vault.port, folder / "access.log", house, anna, media, data)
        finally:
            nginx.send_signal(signal.SIGTERM)
            nginx.wait(20)


def test_each_variant_comes_whole_with_the_private_headers(front: Front) -> None:
    anna = front.client(front.anna)
    answer = anna.get("/")
    for name, kind in (("thumb", "image/webp"), ("preview", "image/webp"), ("original", "image/jpeg")):
        path = f"/media/{front.media.public_id}/{name}"
        decided, answer = front.straight().get(path), anna.get(path)

        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
        assert {header: answer.headers.get(header) for header in PRIVATE} == PRIVATE
        assert answer.headers["ETag"] == decided.headers["ETag"]
        assert not {"X-Accel-Redirect", "Set-Cookie"} & answer.headers.keys()
        # nginx really sent it: the vault's own answer was empty and named the place.
        assert (decided.body, decided.headers["X-Accel-Redirect"][:8]) == (b"", "/_blobs/")
        assert len(answer.body) == int(answer.headers["Content-Length"]) > 0
    assert answer.body == front.data
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")
    assert "filename*=UTF-8''S%C3%BCden.jpg" in disposition


def test_what_has_not_changed_is_304_and_other_validators_are_not(front: Front) -> None:
    anna, path = front.client(front.anna), f"/media/{front.media.public_id}/original"
    etag = anna.get(path).headers["ETag"]

    same, other = anna.get(path, If_None_Match=etag), anna.get(path, If_None_Match='"other"')

    assert (same.status, same.body, same.headers["ETag"]) == (304, b"", etag)
    assert {header: same.headers.get(header) for header in PRIVATE} == PRIVATE
    assert (other.status, other.body) == (200, front.data)


def test_parts_come_as_asked_for(front: Front) -> None:
    anna, path = front.client(front.anna), f"/media/{front.media.public_id}/original"
    whole = anna.get(path)
    etag, size = whole.headers["ETag"], len(front.data)

    part = anna.get(path, Range="bytes=10-19")
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, front.data[10:20], f"bytes 10-19/{size}")
    assert {header: part.headers.get(header) for header in PRIVATE} == PRIVATE
    assert anna.get(path, Range="bytes=-5").body == front.data[-5:]
    assert anna.get(path, Range="bytes=10-", If_Range=etag).status == 206
    assert anna.get(path, Range="bytes=10-", If_Range='"other"').status == 200
    assert anna.get(path, Range=f"bytes={size}-").status == 416
    head = anna.send("HEAD", path)
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", etag)


def test_who_may_not_gets_403_whatever_he_sends(front: Front) -> None:
    etag = front.client(front.anna).get(f"/media/{front.media.public_id}/original").headers["ETag"]
    stranger = front.client(front.house.person())
    for name in ("thumb", "preview", "original"):
        path, missing_path = f"/media/{front.media.public_id}/{name}", f"/media/{'A' * 22}/{name}"
        for headers in (
            {},
            {"If-None-Match": etag},
            {"If-None-Match": "*"},
            {"Range": "bytes=0-0"},
            {"If-Range": etag},
        ):
            for who in (stranger, front.client()):
                answers = [who.send("GET", each, headers=headers) for each in (path, missing_path)]
                assert [answer.status for answer in answers] == [403, 403]
                assert answers[0].body == answers[1].body
                assert answers[0].headers["Cache-Control"] == "private, no-store"


def test_a_clients_own_x_accel_header_is_nothing(front: Front) -> None:
    place = front.straight().get(f"/media/{front.media.public_id}/original").headers["X-Accel-Redirect"]
    stranger = front.client(front.house.person())
    for header in ("X-Accel-Redirect", "X-Sendfile", "X-Original-URL", "X-Rewrite-URL"):
        answer = stranger.send("GET", f"/media/{front.media.public_id}/original", headers={header: place})
        assert answer.status == 403
        assert front.data not in answer.body


def test_the_internal_place_cannot_be_reached(front: Front) -> None:
    place = front.straight().get(f"/media/{front.media.public_id}/original").headers["X-Accel-Redirect"]
    anna = front.client(front.anna)
    for path in (
        place,
        f"/{place}",
        f"/.{place}",
        place.replace("_", "%5f"),
        f"/x/..{place}",
        place.replace("/_", "/./_"),
    ):
        answer = anna.get(path)
        assert answer.status == 404, path
        assert front.data not in answer.body


@pytest.mark.parametrize(
    "path",
    ["/_blobs../vault.db", "/_blobs/../vault.db", "/_blobs/%2e%2e/vault.db", "/_blobs..%2fsecret_key", "/_blobs"],
)
def test_nothing_beside_the_blobs_comes_out(front: Front, path: str) -> None:
    assert front.client(front.anna).get(path).status in (400, 404)


def test_a_large_upload_comes_through_and_is_rendered_by_nobody_else(front: Front) -> None:
    data = small_picture() + b"." * 3_000_000
    answer = front.client(front.anna).upload(data)

    assert (answer.status, answer.json()["bytes"]) == (201, len(data))
    assert front.client(front.anna).get(f"/media/{answer.json()['id']}/original").body == data


def test_a_guests_large_picture_comes_through(front: Front) -> None:
    album, data = front.house.album(front.anna), small_picture() + b"." * 3_000_000
    link = front.house.link(album, role=LinkRole.CONTRIBUTOR, needs_acceptance=False)
    guest, address = front.client(), front.house.address(link)
    assert (guest.get(address).status, guest.get(f"/l/{link.public_id}/").status) == (303, 200)

    answer = guest.bring(link.public_id, data)

    assert answer.status == 201
    assert front.client(front.anna).get(f"/media/{answer.json()['id']}/original").body == data


def test_a_revoked_link_is_403_through_nginx_too_and_is_in_no_log(front: Front) -> None:
    album = front.house.album(front.anna)
    inside = front.house.picture(front.anna, album)
    link = front.house.link(album, role=Role.DOWNLOADER)
    link_id, address = link.public_id, front.house.address(link)
    visitor, path = front.client(), f"/l/{link_id}/media/{inside.public_id}/original"
    assert (visitor.get(address).status, visitor.get(f"/l/{link_id}/").status) == (303, 200)
    etag = visitor.get(path).headers["ETag"]
    assert visitor.get(path, If_None_Match=etag).status == 304
    assert visitor.get(path).headers["Referrer-Policy"] == "no-referrer"

    assert front.client(front.anna).json("DELETE", f"/links/{link_id}").status == 204

    assert [visitor.get(path).status, visitor.get(path, If_None_Match=etag).status] == [403, 403]
    assert visitor.get(address).status == 403
    logged = front.log.read_text()
    assert '"GET /l/..." 403' in logged
    assert address not in logged


def test_a_key_is_not_in_the_log_of_errors_either(front: Front) -> None:
    asked = front.client().send("POST", "/l/a-key-in-an-address", b"x" * 2_000_000)

    assert asked.status == 413, "nginx itself turns it away, and complains"
    assert "a-key-in-an-address" not in front.log.with_name("error.log").read_text()


def test_half_a_request_does_not_reach_the_vault(front: Front) -> None:
    head = f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{front.port}\r\nContent-Length: 100\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\nhalf"
    with ExitStack() as open_ends:
        for _ in range(MORE_THAN_THREADS):
            end = open_ends.enter_context(socket.create_connection(("127.0.0.1", front.port)))
            end.sendall(head.encode())
        assert front.client().get("/healthz").status == 200


def test_plain_http_leads_to_the_vaults_own_name(front: Front) -> None:
    answer = Client(front.plain_port, host="evil.example").get("/albums?x=1")

    assert (answer.status, answer.headers["Location"]) == (301, "https://photos.example.org/albums?x=1")
