/** The tile of a picture that has just arrived: nothing is known of it yet but where it will be. */
import type { Tile } from "../tiles";

export function newTile(id: string, name: string): Tile {
  const page = `/media/${id}`;
  return {
    id,
    page,
    name,
    thumb: `${page}/thumb`,
    preview: `${page}/preview`,
    original: `${page}/original`,
    width: null,
    height: null,
    state: "pending",
    failure: null,
    caption: null,
    placeholder: null,
    kind: "image",
    playback: "",
    video: null,
    motion: null,
    length: null,
    mine: true,
  };
}
