"""How long the worker stays with one import before another one has its turn.

Floor 3: knows the clock and counts files. To look through a large folder takes a while before the first file of it
comes out, so the clock starts at that file; and so much is done in every slice that the way back to where an import was
never costs more than its files do.
"""

import time
from dataclasses import dataclass

SECONDS = 10.0
LEAST_FILES = 300
# Where so few files take this long, they are large.
LONGEST_SECONDS = 60.0


@dataclass
class Slice:
    """One slice, which begins with its first file."""

    files: int = 0
    began_at: float = 0.0

    def is_over(self) -> bool:
        """Count one more file, and say whether it was the last."""
        now = time.monotonic()
        self.began_at = self.began_at if self.files else now
        self.files += 1
        went = now - self.began_at
        return went >= LONGEST_SECONDS or (went >= SECONDS and self.files >= LEAST_FILES)
