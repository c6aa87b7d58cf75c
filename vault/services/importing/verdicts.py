"""What a file counts as that was not kept, and why.

Floor 3. A picture or video that could not be taken is refused, and somebody should look at it; whatever else lies in a
folder is left out.
"""

from vault.archives import Entry, Unwanted
from vault.imaging.identify import Unsupported
from vault.storage import StorageError, TooLarge

NO_MEDIA = "no picture or video"
PICTURES = {"jpg", "jpeg", "jpe", "jfif", "png", "gif", "webp", "avif", "avifs", "heic", "heif", "hif", "tif", "tiff"}
OTHER_PICTURES = {"bmp", "psd", "jp2", "jxl", "raw"}
RAW = {"dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "raf", "orf", "rw2", "pef", "srw", "x3f", "3fr"}
RAW |= {"rwl", "mrw", "iiq", "erf", "dcr", "kdc", "mef", "mos", "fff"}
FILMS = {"mp4", "m4v", "mov", "qt", "webm", "mkv", "avi", "mts", "m2ts", "3gp", "3g2", "mpg", "mpeg", "wmv", "flv"}
MEDIA = PICTURES | OTHER_PICTURES | RAW | FILMS


def of(entry: Entry, error: Exception) -> tuple[str, str]:
    """Return the name of a count and the reason. Raises StorageError where no further file can be kept either."""
    if isinstance(error, Unwanted):
        return "left_out", str(error)
    is_called_media = entry.name.rpartition(".")[2].lower() in MEDIA
    if isinstance(error, Unsupported) and not is_called_media:
        return "left_out", NO_MEDIA
    if isinstance(error, StorageError) and not isinstance(error, TooLarge):
        raise error
    return "refused", getattr(error, "sentence", "") or str(error)
