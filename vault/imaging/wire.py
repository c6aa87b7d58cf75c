"""What a parent asks of the decoding child, what the child says, and the parent's doubt about it.

Floor 0. One line each way. The child has read a stranger's bytes: its answer is checked like a stranger's.
"""

import base64
import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Final

from vault.imaging import webp
from vault.imaging.confine import MAX_OUTPUT_BYTES
from vault.imaging.identify import EVERY_KIND, Kind
from vault.imaging.metadata import Metadata
from vault.imaging.moments import is_plausible
from vault.imaging.playing import LONG_EDGE_PX, LONGEST_SECONDS, SHORT_EDGE_PX, Play, Played
from vault.imaging.provenance import Source
from vault.imaging.refusals import Reason, Refused
from vault.imaging.remake import FORMS, Made, Order
from vault.imaging.render import PLACEHOLDER_LONG_EDGE_PX, TARGETS, Rendered, Target, Variant
from vault.imaging.texts import MAX_CAPTION, MAX_NAME, cleaned, keywords

MAX_ANSWER_BYTES: Final = 128 * 1024
MAX_REQUEST_BYTES: Final = 4096
UNWRITTEN: Final = b'{"unwritten": true}'
"""The line for "the variants could not be written", which is not the picture's fault."""
_PLAY: Final = "play "
_MAX_PLACEHOLDER_BYTES: Final = 4096
_TYPES: Final = typing.get_type_hints(Metadata)
_RANGES: Final = {
    "orientation": (1, 8),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "rating": (-1, 5),
    "taken_offset_minutes": (-24 * 60, 24 * 60),
}
_SOURCES: Final = frozenset(Source)
_SOURCED: Final = frozenset({"taken_at", "place", "camera", "title", "caption", "keywords", "rating"})


class Unwritten(Exception):
    """The child had no room, or no right, to write what it made."""


class Unbelievable(ValueError):
    """The child's answer has a shape or a value that honest code does not produce."""


def write_request(kind: Kind, order: Order | Play | None) -> str:
    """One line that asks for the variants of a picture or, with an order, for what is ordered of it."""
    if isinstance(order, Play):
        return f"{kind.format} {_PLAY}{json.dumps(dataclasses.asdict(order))}"
    return kind.format if order is None else f"{kind.format} {json.dumps(dataclasses.asdict(order))}"


def read_request(line: bytes) -> tuple[Kind, Order | Play | None]:
    """Turn the parent's line into what it wants; the parent is believed."""
    name, _, order = line.decode().strip().partition(" ")
    kind = next(kind for kind in EVERY_KIND if kind.format == name)
    if order.startswith(_PLAY):
        return kind, Play(**json.loads(order.removeprefix(_PLAY)))
    return kind, Order(**json.loads(order)) if order else None


def write_played(played: Played) -> bytes:
    """One line that `read_played` turns into the same `Played` again."""
    return json.dumps({"played": dataclasses.astuple(played)}).encode()


def read_played(line: bytes, *, max_pixels: int, max_bytes: int) -> Played:
    """Turn the child's line into what it made for browsers to play. Raises as `read_answer`."""
    if line == UNWRITTEN:
        raise Unwritten
    try:
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused(Reason(answer["refused"]))
        width, height, seconds, size_bytes, is_copy = answer["played"]
        _between(_between(width, 1, max_pixels) * _between(height, 1, max_pixels), 1, max_pixels)
        if type(is_copy) is not bool:
            raise Unbelievable("neither copied nor written anew")
        # A copy may be of whole blocks, a few lines more than wanted.
        most = LONG_EDGE_PX * (SHORT_EDGE_PX + 16)
        _between(width * height, 1, most)
        return Played(width, height, _seconds(seconds), _between(size_bytes, 1, max_bytes), is_copy)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise Unbelievable(str(error)) from error


def write_made(made: Made) -> bytes:
    """One line that `read_made` turns into the same `Made` again."""
    return json.dumps({"made": [made.kind.format, made.width, made.height, made.size_bytes]}).encode()


def read_made(line: bytes, order: Order, *, max_pixels: int) -> Made:
    """Turn the child's line into what it made of an order. Raises as `read_answer`."""
    if line == UNWRITTEN:
        raise Unwritten
    try:
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused(Reason(answer["refused"]))
        name, width, height, size_bytes = answer["made"]
        kind = next((each for each in FORMS[order.form] if each.format == name), None)
        if kind is None:
            raise Unbelievable("a file of another kind")
        longest = min(order.long_edge_px or max_pixels, max_pixels)
        size = _between(width, 1, longest), _between(height, 1, longest)
        _between(size[0] * size[1], 1, max_pixels)
        return Made(kind, *size, _between(size_bytes, 1, MAX_OUTPUT_BYTES))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise Unbelievable(str(error)) from error


def write_rendered(rendered: Rendered) -> bytes:
    """One line that `read_answer` turns into the same `Rendered` again."""
    facts = {
        field.name: value.isoformat() if isinstance(value, datetime) else value
        for field in dataclasses.fields(Metadata)
        if (value := getattr(rendered.metadata, field.name)) not in (None, (), {})
    }
    answer = {
        "size": [rendered.width, rendered.height],
        "frames": rendered.frames,
        "variants": {
            variant.name: [variant.width, variant.height, variant.size_bytes] for variant in rendered.variants
        },
        "placeholder": base64.b64encode(rendered.placeholder).decode(),
        "metadata": facts,
        "seconds": rendered.duration_seconds,
    }
    return json.dumps(answer).encode()


def write_refusal(reason: Reason) -> bytes:
    """One line that makes `read_answer` raise `Refused`."""
    return json.dumps({"refused": reason}).encode()


def read_answer(line: bytes, kind: Kind, *, max_pixels: int, max_frames: int) -> Rendered:
    """Turn the child's line into what it made.

    Raises `Refused` when it says that it refused the picture, `Unwritten` when it could not write its work, and
    `Unbelievable` when it says what cannot be.
    """
    if line == UNWRITTEN:
        raise Unwritten
    try:
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused(Reason(answer["refused"]))
        width, height = (_between(side, 1, max_pixels) for side in answer["size"])
        _between(width * height, 1, max_pixels)
        return Rendered(
            kind=kind,
            width=width,
            height=height,
            frames=_between(answer["frames"], 1, max_frames),
            variants=tuple(_variant(target, answer["variants"][target.name]) for target in TARGETS),
            placeholder=_placeholder(answer["placeholder"]),
            metadata=_metadata(answer["metadata"]),
            duration_seconds=_seconds(answer["seconds"]) if kind.is_film else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise Unbelievable(str(error)) from error


def _seconds(value: object) -> float:
    if type(value) is not float or not 0 < value <= LONGEST_SECONDS:
        raise Unbelievable("a length that no video has")
    return value


def _between(value: object, lowest: int, highest: int) -> int:
    if type(value) is not int or not lowest <= value <= highest:
        raise Unbelievable("a number out of bounds")
    return value


def _variant(target: Target, value: object) -> Variant:
    if not isinstance(value, list) or len(value) != 3:
        raise Unbelievable("a variant of an odd shape")
    width, height = (_between(side, 1, target.long_edge_px) for side in value[:2])
    return Variant(target.name, width, height, _between(value[2], 1, 1 << 30))


def _placeholder(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > _MAX_PLACEHOLDER_BYTES:
        raise Unbelievable("a placeholder of an odd length")
    body = base64.b64decode(value, validate=True)
    if max(webp.measure(BytesIO(body))) > PLACEHOLDER_LONG_EDGE_PX:
        raise Unbelievable("a placeholder of an odd size")
    return body


def _metadata(value: object) -> Metadata:
    if not isinstance(value, Mapping) or value.keys() - _TYPES.keys():
        raise Unbelievable("unknown metadata")
    return Metadata(**{name: _fact(name, fact) for name, fact in value.items()})


def _fact(name: str, fact: object) -> typing.Any:
    """The fact, if it is of the type that its field has, and harmless."""
    if name == "keywords":
        return _keywords(fact)
    if name == "sources":
        return _sources(fact)
    expected = _TYPES[name]
    allowed = typing.get_args(expected) if isinstance(expected, types.UnionType) else (expected,)
    if datetime in allowed and isinstance(fact, str):
        at = datetime.fromisoformat(fact)
        if at.tzinfo is None:
            raise Unbelievable("a moment without a zone")
        at = at.astimezone(UTC)
        if not is_plausible(at):
            raise Unbelievable("a moment that no camera saw")
        return at
    if type(fact) not in allowed:
        raise Unbelievable("metadata of another type")
    lowest, highest = _RANGES.get(name, (-1e9, 1e9))
    if name == "rating" and fact == 0:
        raise Unbelievable("a rating that is none")
    # Not-a-number is on no side of any bound.
    if isinstance(fact, int | float) and not lowest <= fact <= highest:
        raise Unbelievable("metadata out of bounds")
    return cleaned(fact, MAX_CAPTION if name == "caption" else MAX_NAME) if isinstance(fact, str) else fact


def _keywords(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Unbelievable("keywords of an odd shape")
    found = keywords(value)
    if list(found) != value:
        raise Unbelievable("keywords that are not harmless")
    return found


def _sources(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or value.keys() - _SOURCED or not _SOURCES.issuperset(value.values()):
        raise Unbelievable("sources that are none")
    return value
