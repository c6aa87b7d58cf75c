"""The kinds of files that the vault keeps: pictures of cameras and phones, and films.

Floor 0. Names them only; `vault.imaging.identify` tells them apart, and knows which of them can be opened here.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that the vault keeps.

    `extension` has no dot; `format` is its short name, and no two kinds share one.
    """

    media_type: str
    extension: str
    format: str

    @property
    def is_film(self) -> bool:
        """Whether it is a kind of video."""
        return self.media_type.startswith("video/")

    @property
    def is_raw(self) -> bool:
        """Whether it is what a camera's sensor saw, before it was made into a picture."""
        return self in RAWS


JPEG: Final = Kind("image/jpeg", "jpg", "JPEG")
PNG: Final = Kind("image/png", "png", "PNG")
WEBP: Final = Kind("image/webp", "webp", "WEBP")
GIF: Final = Kind("image/gif", "gif", "GIF")
AVIF: Final = Kind("image/avif", "avif", "AVIF")
TIFF: Final = Kind("image/tiff", "tif", "TIFF")
HEIC: Final = Kind("image/heic", "heic", "HEIC")
HEIF: Final = Kind("image/heif", "heif", "HEIF")
HEIFS: Final = (HEIC, HEIF)
"""Kinds of one container; kept where the extra `heif` is installed."""
DNG: Final = Kind("image/x-adobe-dng", "dng", "DNG")
CR2: Final = Kind("image/x-canon-cr2", "cr2", "CR2")
CR3: Final = Kind("image/x-canon-cr3", "cr3", "CR3")
CRW: Final = Kind("image/x-canon-crw", "crw", "CRW")
NEF: Final = Kind("image/x-nikon-nef", "nef", "NEF")
NRW: Final = Kind("image/x-nikon-nrw", "nrw", "NRW")
ARW: Final = Kind("image/x-sony-arw", "arw", "ARW")
SR2: Final = Kind("image/x-sony-sr2", "sr2", "SR2")
ORF: Final = Kind("image/x-olympus-orf", "orf", "ORF")
RW2: Final = Kind("image/x-panasonic-rw2", "rw2", "RW2")
RWL: Final = Kind("image/x-leica-rwl", "rwl", "RWL")
RAF: Final = Kind("image/x-fuji-raf", "raf", "RAF")
PEF: Final = Kind("image/x-pentax-pef", "pef", "PEF")
SRW: Final = Kind("image/x-samsung-srw", "srw", "SRW")
X3F: Final = Kind("image/x-sigma-x3f", "x3f", "X3F")
MRW: Final = Kind("image/x-minolta-mrw", "mrw", "MRW")
HASSELBLAD: Final = Kind("image/x-hasselblad-3fr", "3fr", "3FR")
IIQ: Final = Kind("image/x-phaseone-iiq", "iiq", "IIQ")
ERF: Final = Kind("image/x-epson-erf", "erf", "ERF")
DCR: Final = Kind("image/x-kodak-dcr", "dcr", "DCR")
MEF: Final = Kind("image/x-mamiya-mef", "mef", "MEF")
MOS: Final = Kind("image/x-leaf-mos", "mos", "MOS")
RAWS: Final = (
    *(DNG, CR2, CR3, CRW, NEF, NRW, ARW, SR2, ORF, RW2, RWL, RAF, PEF, SRW, X3F, MRW),
    *(HASSELBLAD, IIQ, ERF, DCR, MEF, MOS),
)
"""What sensors saw, as each maker writes it; kept where the extra `raw` is installed."""
KINDS: Final = (JPEG, PNG, WEBP, GIF, AVIF, TIFF, *HEIFS, *RAWS)
"""Kinds of pictures."""
MP4: Final = Kind("video/mp4", "mp4", "MP4")
MOV: Final = Kind("video/quicktime", "mov", "MOV")
THREE_GP: Final = Kind("video/3gpp", "3gp", "3GP")
WEBM: Final = Kind("video/webm", "webm", "WEBM")
MATROSKA: Final = Kind("video/x-matroska", "mkv", "MKV")
AVI: Final = Kind("video/x-msvideo", "avi", "AVI")
MPEG: Final = Kind("video/mpeg", "mpg", "MPEG")
MPEG_TS: Final = Kind("video/mp2t", "mts", "MPEGTS")
WMV: Final = Kind("video/x-ms-wmv", "wmv", "WMV")
FILMS: Final = (MP4, MOV, THREE_GP, WEBM, MATROSKA, AVI, MPEG, MPEG_TS, WMV)
"""Kinds of video; kept where the extra `video` is installed."""
EVERY_KIND: Final = (*KINDS, *FILMS)
# Browsers know these by their media type; of the others they go by the ending of a name.
_FAMILIAR: Final = (JPEG, PNG, WEBP, GIF, AVIF)
_OTHER_ENDINGS: Final = ("tiff", "hif", "fff", "kdc", "m4v", "m2ts", "ts")
ACCEPT: Final = ",".join(
    [
        *(kind.media_type for kind in EVERY_KIND),
        *(f".{kind.extension}" for kind in EVERY_KIND if kind not in _FAMILIAR),
        *(f".{ending}" for ending in _OTHER_ENDINGS),
    ]
)
"""What a file picker may offer, for HTML's `accept`: media types, and endings where browsers know no type."""
