"""What is this file? Decided by its first bytes alone, without a decoder.

Floor 0. Knows no file names and no declared types: neither is believed.
"""

from functools import cache
from importlib.util import find_spec
from typing import Final

from vault.imaging import raw_kinds
from vault.imaging.kinds import (
    ACCEPT,
    AVI,
    AVIF,
    CR3,
    CRW,
    EVERY_KIND,
    GIF,
    HEIC,
    HEIF,
    HEIFS,
    JPEG,
    KINDS,
    MATROSKA,
    MOV,
    MP4,
    MPEG,
    MPEG_TS,
    MRW,
    ORF,
    PNG,
    RAF,
    THREE_GP,
    TIFF,
    WEBM,
    WEBP,
    WMV,
    X3F,
    Kind,
)
from vault.imaging.raw_kinds import Beyond

__all__ = [
    "ACCEPT",
    "AVI",
    "AVIF",
    "EVERY_KIND",
    "GIF",
    "HEAD_BYTES",
    "JPEG",
    "KINDS",
    "MATROSKA",
    "MOV",
    "MP4",
    "MPEG",
    "MPEG_TS",
    "PNG",
    "THREE_GP",
    "WEBM",
    "WEBP",
    "WMV",
    "Beyond",
    "Kind",
    "Unsupported",
    "identify",
]

HEAD_BYTES: Final = 4096
"""How many of a file's first bytes `identify` wants to see (all of them when the file is shorter)."""


class Unsupported(Exception):
    """The file is not of a kind that the vault keeps.

    `kind` names what it is where that is known; `sentence` says it to a person.
    """

    def __init__(self, kind: str | None, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


_EMPTY = "This file is empty."
_UNKNOWN = "This file is neither a picture nor a video that can be kept."
_NO_HEIF = "{} pictures cannot be kept here: whoever runs this vault would have to install its extra “heif”."
_NO_RAWS = "Camera RAW ({}) cannot be kept here: whoever runs this vault would have to install its extra “raw”."
_VIDEO = "Videos of this kind ({}) cannot be kept. Save the video as MP4 and try again."
_NO_FILMS = "Videos ({}) cannot be kept here: whoever runs this vault would have to install its extra “video”."
_SOUND = "Sound files ({}) cannot be kept."
_OTHER = "{} pictures cannot be kept. Export the picture as JPEG, PNG or TIFF and try again."
_DOCUMENT = "{} files are documents, not pictures, and cannot be kept."
_ACTIVE = "{} files can carry programs and cannot be kept."
_ARCHIVE = "Archives ({}) cannot be kept. Unpack it and upload the pictures inside."
_PROGRAM = "Programs cannot be kept."

_KEPT: Final = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"FUJIFILMCCD-RAW", RAF),
    (b"IIRO", ORF),
    (b"IIRS", ORF),
    (b"MMOR", ORF),
    (b"FOVb", X3F),
    (b"\x00MRM", MRW),
    (b"II\x1a\x00\x00\x00HEAPCCDR", CRW),
)
# TIFF in both orders of bytes, and with wide offsets.
_TIFFS: Final = (b"II*\x00", b"MM\x00*")
_WIDE_TIFFS: Final = (b"II+\x00", b"MM\x00+")
_PANASONIC: Final = b"IIU\x00"

# Leading bytes, name, sentence. Longer and surer beginnings stand before shorter ones.
_KNOWN: Final = (
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000", _OTHER),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL", _OTHER),
    (b"\xff\x4f\xff\x51", "JPEG 2000", _OTHER),
    (b"\xff\x0a", "JPEG XL", _OTHER),
    (b"8BPS", "Photoshop", _OTHER),
    (b"DDS ", "DDS", _OTHER),
    (b"icns", "ICNS", _OTHER),
    (b"\x00\x00\x01\x00", "ICO", _OTHER),
    (b"\x00\x00\x02\x00", "CUR", _OTHER),
    (b"BM", "BMP", _OTHER),
    (b"\x00\x00\x01\xb3", "MPEG", _VIDEO),
    (b"FLV\x01", "FLV", _VIDEO),
    (b"OggS", "Ogg", _SOUND),
    (b"fLaC", "FLAC", _SOUND),
    (b"ID3", "MP3", _SOUND),
    (b"%PDF", "PDF", _DOCUMENT),
    (b"%!PS", "PostScript", _ACTIVE),
    (b"\xc5\xd0\xd3\xc6", "PostScript", _ACTIVE),
    (b"ffconcat", "Playlist", _DOCUMENT),
    (b"#EXTM3U", "Playlist", _DOCUMENT),
    (b"PK\x03\x04", "ZIP", _ARCHIVE),
    (b"PK\x05\x06", "ZIP", _ARCHIVE),
    (b"PK\x07\x08", "ZIP", _ARCHIVE),
    (b"Rar!\x1a\x07", "RAR", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", "7z", _ARCHIVE),
    (b"\x1f\x8b", "gzip", _ARCHIVE),
    (b"\x7fELF", "ELF", _PROGRAM),
    (b"MZ", "Windows program", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", "Mach-O", _PROGRAM),
    (b"\xca\xfe\xba\xbe", "Mach-O", _PROGRAM),
    (b"\x00asm", "WebAssembly", _PROGRAM),
    (b"#!", "Script", _PROGRAM),
)

_WEBP_CHUNKS: Final = (b"VP8 ", b"VP8L", b"VP8X")
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
# ISO/IEC 23008-12: a file may lead with these and name its codec only among the compatible brands.
_GENERIC_BRANDS: Final = frozenset({b"mif1", b"msf1"})
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_ASF: Final = bytes.fromhex("3026b2758e66cf11")
_PACK: Final = b"\x00\x00\x01\xba"
# ISO/IEC 13818-1: a packet begins with 0x47; recorders of tapes and discs put four bytes of time before each.
_SYNC: Final = 0x47
_PACKETS: Final = ((0, 188), (4, 192))
_QUICKTIME_BOXES: Final = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def identify(head: bytes, beyond: Beyond | None = None) -> Kind:
    """Name the kind of a file from its first `HEAD_BYTES` bytes.

    Some cameras write what tells their RAW from a TIFF at the end of the file: without `beyond`, which reads there,
    such a file counts as a TIFF. Raises `Unsupported` for what the vault does not keep, also for want of an extra;
    else nothing but what `beyond` raises.
    """
    kind = _identify(head, beyond)
    if kind.is_film and not has_films():
        raise _unsupported(kind.format, _NO_FILMS)
    if kind in HEIFS and not has_heif():
        raise _unsupported(kind.format, _NO_HEIF)
    if kind.is_raw and not has_raws():
        raise _unsupported(kind.format, _NO_RAWS)
    return kind


@cache
def has_films() -> bool:
    """Whether the extra `video` is installed."""
    return find_spec("av") is not None


@cache
def has_heif() -> bool:
    """Whether the extra `heif` is installed."""
    return find_spec("pillow_heif") is not None


@cache
def has_raws() -> bool:
    """Whether the extra `raw` is installed."""
    return find_spec("rawpy") is not None


def _identify(head: bytes, beyond: Beyond | None) -> Kind:
    if not head:
        raise Unsupported(None, _EMPTY)
    for magic, kind in _KEPT:
        if head.startswith(magic):
            return kind
    if head.startswith(b"RIFF"):
        return _riff(head)
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(_TIFFS):
        return raw_kinds.of_tiff(head, beyond)
    if head.startswith(_WIDE_TIFFS):
        return TIFF
    if head.startswith(_PANASONIC):
        return raw_kinds.of_panasonic(head, beyond)
    film = _film(head)
    if film is not None:
        return film
    raise _refusal(head)


def _film(head: bytes) -> Kind | None:
    """Recognise the containers that are neither RIFF nor begin with an `ftyp` box."""
    if head.startswith(b"\x1aE\xdf\xa3"):
        return WEBM if b"webm" in head[:64] else MATROSKA
    if head[4:8] in _QUICKTIME_BOXES:
        return MOV
    if head.startswith(_PACK):
        return MPEG
    if head.startswith(_ASF):
        return WMV
    for first, step in _PACKETS:
        if len(head) > first + 2 * step and all(head[first + step * number] == _SYNC for number in range(3)):
            return MPEG_TS
    return None


def _riff(head: bytes) -> Kind:
    form = head[8:12]
    if form == b"WEBP" and head[12:16] in _WEBP_CHUNKS:
        return WEBP
    if form == b"AVI ":
        return AVI
    if form == b"WAVE":
        raise _unsupported("WAV", _SOUND)
    raise Unsupported(None, _UNKNOWN)


def _iso_media(head: bytes) -> Kind:
    """Tell AVIF, HEIC, RAW and video apart by the `ftyp` box (ISO/IEC 14496-12, 4.3)."""
    box = head[: max(16, min(int.from_bytes(head[:4]), len(head)))]
    major = box[8:12]
    brands = {box[at : at + 4] for at in range(16, len(box) - 3, 4)}
    if major in _AVIF_BRANDS or (major in _GENERIC_BRANDS and brands & _AVIF_BRANDS):
        return AVIF
    if major in _HEIC_BRANDS or (major in _GENERIC_BRANDS and brands & _HEIC_BRANDS):
        return HEIC
    if major in _GENERIC_BRANDS:
        return HEIF
    if major == b"crx ":
        return CR3
    if major in (b"M4A ", b"M4B "):
        raise _unsupported("M4A", _SOUND)
    if major == b"qt  ":
        return MOV
    return THREE_GP if major.startswith((b"3gp", b"3g2")) else MP4


def _refusal(head: bytes) -> Unsupported:
    for magic, name, sentence in _KNOWN:
        if head.startswith(magic):
            return _unsupported(name, sentence)
    return _markup(head) or Unsupported(None, _UNKNOWN)


def _markup(head: bytes) -> Unsupported | None:
    """Recognise SVG, HTML and XML, also behind a byte-order mark, blanks or in UTF-16."""
    text = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x0b\x0c").lower()
    if not text.startswith(b"<"):
        return None
    if b"<svg" in text:
        return _unsupported("SVG", _ACTIVE)
    if text.startswith(b"<?xml"):
        return _unsupported("XML", _ACTIVE)
    return _unsupported("HTML", _ACTIVE)


def _unsupported(name: str, sentence: str) -> Unsupported:
    return Unsupported(name, sentence.format(name))
