"""Whether a variant can still be decoded, asked in the same confined child that decodes strangers' pictures.

Floor 3: knows variants as files. They were made here, but by a child that had read a stranger's bytes, so neither this
process nor a browser is the first to try them. A WebP is parsed strictly, then decoded in the child, into a picture of
a few pixels that is thrown away; of an MP4 the boxes are walked.
"""

import os
import tempfile
import threading
from pathlib import Path

from vault.config import Settings
from vault.imaging import boxes, webp
from vault.imaging.allowance import sandbox_for_pictures
from vault.imaging.animation import MOST_FRAMES
from vault.imaging.remake import Order
from vault.imaging.sandbox import Sandbox, SandboxUnavailable, Unmakeable
from vault.services import Refused
from vault.storage import Missing, Storage

TINY = Order(form="screen", long_edge_px=16, watermark="")
UNDECODABLE = "it cannot be decoded"


class Decoder:
    """Decodes variants for several threads, each with a child of its own. To be closed."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self._settings = settings
        self._storage = storage
        self._of_thread = threading.local()
        self._opened: list[Sandbox] = []
        self._folder = tempfile.TemporaryDirectory(prefix="vault-fsck-")

    def objection(self, key: str) -> str | None:
        """Say why a variant is none; None for one that is, and for an original, which is not asked that.

        Raises Refused where there is no child to be had, StorageError, OSError.
        """
        if key.startswith("originals/"):
            return None
        with self._storage.open(key) as file:
            try:
                if key.endswith(".mp4"):
                    boxes.require_bare(file, os.fstat(file.fileno()).st_size)
                else:
                    webp.measure(file, most_frames=MOST_FRAMES)
            except ValueError:
                return UNDECODABLE
        return None if key.endswith(".mp4") else self._decoded(key)

    def close(self) -> None:
        """End the children."""
        for sandbox in self._opened:
            sandbox.close()
        self._folder.cleanup()

    def _decoded(self, key: str) -> str | None:
        made = Path(self._folder.name) / str(threading.get_ident())
        try:
            with self._storage.local_path(key) as source:
                self._sandbox().remake(source, made, TINY)
        except FileNotFoundError as error:
            raise Missing("no such blob") from error
        except Unmakeable:
            return UNDECODABLE
        except SandboxUnavailable as error:
            raise Refused(f"variants cannot be tried here: {error}") from error
        finally:
            made.unlink(missing_ok=True)
        return None

    def _sandbox(self) -> Sandbox:
        sandbox: Sandbox | None = getattr(self._of_thread, "sandbox", None)
        if sandbox is None:
            sandbox = self._of_thread.sandbox = sandbox_for_pictures(self._settings)
            self._opened.append(sandbox)
        return sandbox
