"""Colours that a picture states by numbers instead of a profile: turned into a profile.

Floor 0. Knows the code points of ITU-T H.273 that cameras write, and the curves behind them.
"""

import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

# Red, green and blue as XYZ under D50, from the chromaticities of H.273, table 2, by Bradford's matrix.
_SRGB: Final = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_PRIMARIES: Final = {
    1: _SRGB,
    9: ((0.67348, 0.27904, -0.00193), (0.16566, 0.67534, 0.02998), (0.12505, 0.04561, 0.79686)),
    12: ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
}
_D50: Final = (0.9642, 1.0, 0.8249)
_STEPS: Final = 1024
# White paper has 203 candela per square metre (ITU-R BT.2408) and this part of the light of a screen; what is brighter
# is pressed into the rest.
_PAPER_NITS, _PAPER = 203.0, 0.6


def _srgb(signal: float) -> float:
    return signal / 12.92 if signal <= 0.04045 else float(((signal + 0.055) / 1.055) ** 2.4)


def _pressed(nits: float) -> float:
    """The light of a screen for light that is brighter than any paper."""
    light = nits / _PAPER_NITS * _PAPER
    rest = 1 - _PAPER
    return light if light <= _PAPER else 1 - rest * 2.0 ** (-(light - _PAPER) / (rest * 0.6931))


def _pq(signal: float) -> float:
    """SMPTE ST 2084, 5.3."""
    root = signal ** (1 / 78.84375)
    return _pressed(10_000 * float((max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)))


def _hlg(signal: float) -> float:
    """ITU-R BT.2100, table 5, on a screen of 1000 candela per square metre."""
    scene = (
        signal**2 / 3 if signal <= 0.5 else (2.0 ** ((signal - 0.55991073) / 0.17883277 / 0.6931472) + 0.28466892) / 12
    )
    return _pressed(1000 * float(scene**1.2))


_CURVES: Final[Mapping[int, Callable[[float], float]]] = {
    4: lambda signal: signal**2.2,
    8: lambda signal: signal,
    16: _pq,
    18: _hlg,
}


def profile(primaries: object, transfer: object) -> bytes | None:
    """Return a profile of what these code points mean; None for sRGB, and for what is not known."""
    if not isinstance(primaries, int) or not isinstance(transfer, int) or primaries not in _PRIMARIES:
        return None
    # The curves of television count as that of sRGB, as they do in every browser.
    if _PRIMARIES[primaries] is _SRGB and transfer not in _CURVES:
        return None
    return _written(primaries, transfer)


@lru_cache(16)
def _written(primaries: int, transfer: int) -> bytes:
    """Write a profile of version 2 (ICC.1:2001-04, 6.1 to 6.5)."""
    meaning = _CURVES.get(transfer, _srgb)
    values = (round(65_535 * min(1.0, max(0.0, meaning(step / (_STEPS - 1))))) for step in range(_STEPS))
    curve = struct.pack(f">4s4xI{_STEPS}H", b"curv", _STEPS, *values)
    elements = {
        b"desc": struct.pack(">4s4xI", b"desc", 5) + b"nclx\x00" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"None\x00",
        b"wtpt": _point(_D50),
        **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_point, _PRIMARIES[primaries]), strict=True)),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, places = struct.pack(">I", len(elements)), b"", dict[bytes, int]()
    start = 128 + 4 + 12 * len(elements)
    for name, element in elements.items():
        if element not in places:
            places[element] = start + len(body)
            body += element + bytes(-len(element) % 4)
        table += struct.pack(">4sII", name, places[element], len(element))
    head = struct.pack(">I4xI4s4s4s12x4s28x", start + len(body), 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (head + _point(_D50)[8:]).ljust(128, b"\x00") + table + body


def _point(place: tuple[float, float, float]) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(each * 65_536) for each in place))
