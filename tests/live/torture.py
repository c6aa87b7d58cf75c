"""`make torture`: three hundred kills, and sixteen writers for half a minute; one line of figures each."""

import sys
import tempfile
from pathlib import Path

from tests.live import kills, writers
from tests.live.commands import manage

KILLS = 300
WRITING_SECONDS = 30.0


def main() -> int:
    """Run both in homes of their own and return 0 when nothing was lost."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory(prefix="vault-torture-") as folder:
        homes = [Path(folder) / name for name in ("kills", "writers")]
        for home in homes:
            manage(home, "migrate")
        killed = kills.torture(homes[0], kills=KILLS, seed=seed)
        print(killed, flush=True)  # noqa: T201  # this is what the command is for
        written = writers.torture(homes[1], seconds=WRITING_SECONDS)
        print(written, flush=True)  # noqa: T201  # this is what the command is for
    return 0 if killed.holds and written.holds else 1


if __name__ == "__main__":
    sys.exit(main())
