/** Tiles that are still being processed become pictures without a reload. */
import type { Grid } from "./grid";
import { lengthOf } from "./film";
import type { Poller } from "./poller";

export function followTiles(grid: Grid, poller: Poller): void {
  grid.eachTile((_item, tile) => {
    if (tile.state !== "pending") return;
    poller.watch(tile.id, (progress) => {
      if (progress === null) return;
      const { state, failure, width, height, placeholder } = progress;
      const shown_at = progress.taken_at ?? progress.uploaded_at;
      const { kind, playback } = progress;
      const length = lengthOf(progress.duration_seconds);
      const video = kind === "video" && playback === "ready" ? `/media/${tile.id}/video` : null;
      grid.update(tile.id, { state, failure, width, height, placeholder, shown_at, kind, playback, length, video });
    });
  });
}
