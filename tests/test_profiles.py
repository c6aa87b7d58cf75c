"""Colour profiles leave with their colours and with nothing else."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests import laden, pictures
from tests.laden import SECRET, colours, cut_out
from vault.imaging.cut import Uncuttable
from vault.imaging.identify import JPEG, PNG, WEBP, Kind
from vault.imaging.profiles import rewritten

P3 = pictures.profile("Display P3")


def profile(
    tags: dict[bytes, bytes],
    *,
    space: bytes = b"RGB ",
    connection: bytes = b"XYZ ",
    version: int = 2,
    tail: bytes = b"",
) -> bytes:
    """A profile of tags, with a secret in each field of the header that speaks of makers and devices."""
    table, body = struct.pack(">I", len(tags)), b""
    for name, element in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(element))
        body += element + bytes(-len(element) % 4)
    size = 128 + len(table) + len(body) + len(tail)
    head = struct.pack(">I4sB3s4s4s4s", size, SECRET[:4], version, SECRET[:3], b"mntr", space, connection)
    head += SECRET[:12] + b"acsp" + (SECRET * 2)[:24] + bytes(4) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return head + (SECRET * 4)[:48] + table + body + tail


def tags_of(body: bytes) -> dict[bytes, bytes]:
    found = {}
    for at in range(132, 132 + 12 * int.from_bytes(body[128:132]), 12):
        name, offset, length = struct.unpack_from(">4sII", body, at)
        found[name] = body[offset : offset + length]
    return found


def laden_profile() -> bytes:
    """P3 with a secret in texts, in tags that nobody knows, behind numbers, between and behind the tags."""
    tags = tags_of(P3)
    tags |= {b"desc": tags[b"desc"] + SECRET, b"dmdd": b"desc" + SECRET, b"SECR": SECRET, b"cprt": b"text" + SECRET}
    tags |= {name: tags[name] + SECRET for name in (b"rXYZ", b"wtpt", b"rTRC")}
    return profile(tags | {b"gTRC": b"curv" + SECRET[:4] + tags[b"gTRC"][8:]}, tail=SECRET)


def carried(kind: Kind, body: bytes) -> bytes:
    match kind.extension:
        case "jpg":
            return pictures.jpeg(profile=body)
        case "png":
            plain = pictures.encoded(pictures.drawing(), "PNG")
            return plain[:33] + laden.chunk(b"iCCP", b"a\x00\x00" + zlib.compress(body)) + plain[33:]
        case _:
            return pictures.encoded(pictures.drawing(), "WEBP", lossless=True, icc_profile=body)


@pytest.mark.parametrize("kind", [JPEG, PNG, WEBP], ids=lambda kind: kind.extension)
def test_nothing_leaves_in_a_profile_but_its_colours(kind: Kind) -> None:
    before = laden_profile()
    with laden.opened(cut_out(carried(kind, before), kind, "all")) as image:
        after = image.info["icc_profile"]
    assert SECRET in before
    assert SECRET[:4] not in after
    assert colours(after) == colours(before) == colours(P3)
    assert (after[4:8], after[24:36], after[40:64], after[80:128]) == (bytes(4), bytes(12), bytes(24), bytes(48))


@pytest.mark.parametrize("kind", [JPEG, PNG, WEBP], ids=lambda kind: kind.extension)
def test_what_is_not_understood_to_the_end_is_made_anew(kind: Kind) -> None:
    odd = tags_of(P3) | {b"A2B0": b"mAB " + SECRET * 9}
    with pytest.raises(Uncuttable):
        cut_out(carried(kind, profile(odd)), kind, "all")


def _lut(wide: bool) -> bytes:  # noqa: FBT001 - a table of sixteen bits or of eight
    inputs, outputs, grid, entries = 4, 3, 3, 256
    head = b"mft2" if wide else b"mft1"
    identity = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    sizes = struct.pack(">HH", entries, entries) if wide else b""
    ramp = [round(at * (257 if wide else 1)) for at in range(entries)]
    numbers = ramp * inputs + [at * 37 % 256 * (257 if wide else 1) for at in range(grid**inputs * outputs)]
    numbers += ramp * outputs
    body = struct.pack(f">{len(numbers)}{'H' if wide else 'B'}", *numbers)
    return head + SECRET[:4] + bytes([inputs, outputs, grid]) + b"P" + identity + sizes + body


@pytest.mark.parametrize("wide", [False, True], ids=["8 bits", "16 bits"])
def test_tables_of_ink_stay(wide: bool) -> None:  # noqa: FBT001 - what pytest gives
    lut = _lut(wide)
    before = profile({b"A2B0": lut + SECRET, b"wtpt": tags_of(P3)[b"wtpt"]}, space=b"CMYK", connection=b"Lab ")
    after = rewritten(before)
    assert after is not None
    assert colours(after) == colours(before)
    assert SECRET[:4] not in after
    assert tags_of(after)[b"A2B0"] == lut[:4] + bytes(4) + lut[8:11] + b"\x00" + lut[12:]


@pytest.mark.parametrize("form", range(5))
def test_curves_by_formula_stay(form: int) -> None:
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0)[: (1, 3, 4, 5, 7)[form]]
    numbers = struct.pack(f">{len(values)}i", *(round(each * 65536) for each in values))
    curve = struct.pack(">4s4xH2s", b"para", form, b"PL") + numbers
    chad = b"sf32" + bytes(4) + struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    before = profile(tags_of(P3) | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve) | {b"chad": chad}, version=4)
    after = rewritten(before)
    assert after is not None
    assert colours(after) == colours(before) != colours(P3)
    assert tags_of(after)[b"rTRC"] == curve[:10] + bytes(2) + numbers
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(after))).strip() == "Colour profile"


def test_grey_stays_grey() -> None:
    before = profile({b"kTRC": tags_of(P3)[b"rTRC"], b"wtpt": tags_of(P3)[b"wtpt"]}, space=b"GRAY")
    after = rewritten(before)
    assert after is not None
    assert colours(after) == colours(before)


def test_it_is_the_same_each_time_and_cannot_be_cut_further() -> None:
    after = rewritten(laden_profile())
    assert after is not None
    assert rewritten(after) == after == rewritten(laden_profile())


ODD = {
    "nothing": b"",
    "half": P3[:200],
    "a tail that its length leaves out": P3 + b"x",
    "a version of tomorrow": P3[:8] + b"\x05" + P3[9:],
    "a device that is a link": P3[:12] + b"link" + P3[16:],
    "a space of six inks": P3[:16] + b"6CLR" + P3[20:],
    "another magic": P3[:36] + b"ACSP" + P3[40:],
    "an intent that there is not": P3[:64] + b"\x00\x00\x00\x09" + P3[68:],
    "countless tags": P3[:128] + b"\xff\xff\xff\xff" + P3[132:],
    "a tag twice": P3[:144] + P3[132:144] + P3[156:],
    "a tag in the header": P3[:136] + bytes(4) + P3[140:],
    "a tag beyond the end": P3[:140] + b"\x7f\xff\xff\xff" + P3[144:],
    "tables of floating numbers": profile(tags_of(P3) | {b"D2B0": SECRET}),
    "a curve beyond its end": profile(tags_of(P3) | {b"rTRC": b"curv" + bytes(4) + b"\x00\xff\xff\xff"}),
    "a formula that there is not": profile(tags_of(P3) | {b"rTRC": b"para" + bytes(4) + b"\x00\x05" + bytes(40)}),
    "half a point": profile(tags_of(P3) | {b"rXYZ": b"XYZ " + bytes(12)}),
    "a text where numbers belong": profile(tags_of(P3) | {b"rXYZ": b"text" + bytes(4) + SECRET}),
    "a table beyond its end": profile({b"A2B0": _lut(wide=True)[:-1]}, space=b"CMYK", connection=b"Lab "),
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_an_odd_profile_is_not_understood(body: bytes) -> None:
    assert rewritten(body) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(P3) - 1), st.binary(min_size=1, max_size=12))
def test_a_profile_changed_anywhere_is_written_anew_or_refused(at: int, noise: bytes) -> None:
    after = rewritten((P3[:at] + noise + P3[at + len(noise) :])[: len(P3)])
    assert after is None or (rewritten(after) == after and len(after) < 2 * len(P3))


def test_profiles_of_real_photos_keep_their_colours(photos: Path) -> None:
    kept = 0
    for path in sorted(photos.iterdir()):
        try:
            with Image.open(path) as image:
                before = image.info.get("icc_profile")
        except OSError:
            continue
        after = rewritten(before) if before else None
        if before and after:
            assert colours(after) == colours(before), path.name
            kept += 1
    assert kept > 3
