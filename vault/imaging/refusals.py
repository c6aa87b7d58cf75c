"""Why a picture could not be shown, in a word for programs and a sentence for people.

Floor 0. Knows nothing of decoders.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why no variants were made of a file."""

    UNSUPPORTED = "unsupported"
    """Not a kind of file that the vault keeps."""
    TOO_MANY_PIXELS = "too-many-pixels"
    """Width times height is above the limit."""
    TOO_MANY_FRAMES = "too-many-frames"
    """An animation with more frames than the limit."""
    TEXT_BOMB = "text-bomb"
    """Compressed text or a colour profile that unfolds to far more than a picture needs."""
    DAMAGED = "damaged"
    """The decoder could not make sense of the bytes, or some are missing."""
    TOO_SLOW = "too-slow"
    """The time limit passed."""
    TOO_MUCH_MEMORY = "too-much-memory"
    """The memory limit was reached."""
    CRASHED = "crashed"
    """The decoder ended without an answer, or with one that cannot be believed."""
    NO_PICTURES = "no-pictures"
    """A video's container with sound alone, or with nothing."""
    UNKNOWN_CODEC = "unknown-codec"
    """A video that no decoder here understands."""
    TOO_LONG = "too-long"
    """A video of more hours than anybody films."""


class Refused(Exception):
    """A picture is refused for the given reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def sentence(reason: Reason, *, max_pixels: int, max_frames: int) -> str:
    """Say to a person why a picture was refused."""
    match reason:
        case Reason.TOO_MANY_PIXELS:
            return f"This picture has too many pixels: more than {_megapixels(max_pixels)} megapixels."
        case Reason.TOO_MANY_FRAMES:
            return f"This animation has too many frames: more than {max_frames}."
        case Reason.TEXT_BOMB:
            return "This picture carries packed text that unfolds to far too much."
        case Reason.DAMAGED:
            return "This picture is damaged or incomplete."
        case Reason.TOO_SLOW:
            return "This picture took too long to open."
        case Reason.TOO_MUCH_MEMORY:
            return "This picture needs too much memory to open."
        case Reason.CRASHED:
            return "This picture made the decoder crash; it is probably damaged."
        case Reason.UNSUPPORTED:
            return "This kind of file cannot be kept."
        case Reason.NO_PICTURES:
            return "This file has sound, perhaps, but no moving pictures."
        case Reason.UNKNOWN_CODEC:
            return "This video is written in a way that the vault cannot read."
        case Reason.TOO_LONG:
            return "This video is too long to be shown."


def film_sentence(reason: Reason, *, max_pixels: int) -> str:
    """Say to a person why a video was refused."""
    match reason:
        case Reason.TOO_MANY_PIXELS:
            return f"The pictures of this video have too many pixels: more than {_megapixels(max_pixels)} megapixels."
        case Reason.TOO_MUCH_MEMORY:
            return "This video needs too much memory to open."
        case Reason.TOO_SLOW:
            return "This video took too long to open."
        case Reason.CRASHED:
            return "This video made the decoder crash; it is probably damaged."
        case Reason.DAMAGED:
            return "This video is damaged or incomplete."
        case _:
            return sentence(reason, max_pixels=max_pixels, max_frames=0)


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1_000_000:g}"
