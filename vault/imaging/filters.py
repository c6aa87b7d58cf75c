"""FFmpeg's filters for the frames of a video, one after the other, without threads.

Floor 0. Only for the child of `vault.imaging.sandbox`, where the extra `video` is installed.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import av
from av.filter import Graph
from av.video.frame import VideoFrame

Filters = tuple[tuple[str, str], ...]
"""Names of filters, each with what it is told."""
_USUAL_CLOCK: Final = Fraction(1, 90_000)


class Chain:
    """Filters that frames go through; without any, frames pass as they are. Begins anew with another size or format."""

    def __init__(self, filters: Filters) -> None:
        self._filters = filters
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None

    @property
    def is_begun(self) -> bool:
        """Whether a frame has gone in."""
        return self._graph is not None

    def passed(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Put a frame in, and yield what comes out, which may be an earlier one. Raises what PyAV raises."""
        if not self._filters:
            yield frame
            return
        shape = (frame.width, frame.height, frame.format.name)
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = self._made(frame), shape
        self._graph.vpush(frame)
        yield from self._ready()

    def rest(self) -> Iterator[VideoFrame]:
        """Yield what is still inside; nothing may be put in afterwards."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()

    def _ready(self) -> Iterator[VideoFrame]:
        while self._graph is not None:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    def _made(self, frame: VideoFrame) -> Graph:
        graph = Graph()
        # Before anything is in it: a graph starts its threads with its first filter.
        graph.threads = 1
        clock = frame.time_base or _USUAL_CLOCK
        places = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=clock)]
        places += [graph.add(name, said or None) for name, said in self._filters]
        places.append(graph.add("buffersink"))
        graph.link_nodes(*places)
        graph.configure()
        return graph
