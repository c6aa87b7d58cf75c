/** A tile: what the page knows of one picture in a grid, and the list item that shows it. */
import { drawings, element, icon } from "./elements";
import { fadeIn } from "./fade";

export type State = "pending" | "ready" | "failed";

export type Playback = "" | "pending" | "ready" | "failed" | "withheld";

export interface Tile {
  id: string;
  page: string;
  thumb: string;
  preview: string;
  original: string | null;
  width: number | null;
  height: number | null;
  state: State;
  kind: "image" | "video";
  /** Where the copy of a video stands that browsers play; "withheld" where a link shows only its still. */
  playback: Playback;
  playback_failure?: string | null;
  /** Where a video plays from, once it can. */
  video: string | null;
  /** Where the moving seconds of a picture play from, where it has some. */
  motion: string | null;
  /** How long a video plays, in words. */
  length: string | null;
  failure: string | null;
  caption: string | null;
  name: string;
  placeholder: string | null;
  /** Whether it belongs to whoever looks. */
  mine: boolean;
  /** When it was taken, or came here: what albums are sorted by. RFC 3339; absent where nobody sorts. */
  shown_at?: string | null;
}

/** Width over height; 3:2 while nobody knows, and bounded, so that one strip cannot spoil a row. */
export function ratioOf(tile: Tile): number {
  if (tile.width === null || tile.height === null || tile.width <= 0 || tile.height <= 0) return 1.5;
  return Math.min(3.6, Math.max(0.4, tile.width / tile.height));
}

export function readTile(item: HTMLElement): Tile {
  const data = item.dataset;
  return {
    id: data["tile"] ?? "",
    page: item.querySelector("a")?.href ?? "",
    thumb: data["thumb"] ?? "",
    preview: data["preview"] ?? "",
    original: data["original"] || null,
    width: Number(data["width"]) || null,
    height: Number(data["height"]) || null,
    state: readState(data["state"]),
    failure: null,
    kind: data["kind"] === "video" ? "video" : "image",
    playback: readPlayback(data["playback"]),
    video: data["video"] || null,
    motion: data["motion"] || null,
    length: data["length"] || null,
    caption: data["caption"] || null,
    name: data["name"] ?? "",
    placeholder: item.querySelector<HTMLImageElement>(".tile-blur")?.src ?? null,
    mine: data["mine"] !== undefined,
    shown_at: data["shown"] ?? null,
  };
}

export function makeTile(tile: Tile): HTMLLIElement {
  const item = element("li", "tile");
  item.dataset["tile"] = tile.id;
  const link = element("a", "tile-link");
  link.href = tile.page;
  item.append(link);
  fillTile(item, tile);
  return item;
}

/** Show the tile's present state in an item that may have shown an older one. */
export function fillTile(item: HTMLElement, tile: Tile): void {
  item.dataset["state"] = tile.state;
  const link = item.querySelector("a");
  if (link === null) return;
  const inside: HTMLElement[] = [];
  if (tile.placeholder !== null) {
    const blur = element("img", "tile-blur");
    blur.alt = "";
    blur.src = tile.placeholder;
    inside.push(blur);
  }
  inside.push(tile.state === "ready" ? thumbOf(tile) : statusOf(tile));
  const mark = tile.state === "ready" ? markOf(tile) : null;
  if (mark !== null) inside.push(mark);
  link.replaceChildren(...inside);
}

function thumbOf(tile: Tile): HTMLImageElement {
  const image = element("img", "tile-image");
  image.alt = tile.caption ?? tile.name;
  image.decoding = "async";
  if (tile.width !== null && tile.height !== null) {
    image.width = tile.width;
    image.height = tile.height;
  }
  image.src = tile.thumb;
  fadeIn(image);
  return image;
}

/** What moves says so: a video with its length, a picture with moving seconds. */
function markOf(tile: Tile): HTMLElement | null {
  if (tile.kind !== "video" && tile.motion === null) return null;
  const mark = element("span", "tile-mark");
  const isVideo = tile.kind === "video";
  mark.append(
    icon(...(isVideo ? drawings.go : drawings.live)),
    element("span", "unseen", isVideo ? "Video, " : "Live photo"),
    isVideo ? (tile.length ?? "") : "",
  );
  return mark;
}

function statusOf(tile: Tile): HTMLElement {
  const failed = tile.state === "failed";
  const status = element("span", "tile-status");
  const note = failed ? (tile.failure ?? "This picture could not be read.") : "Processing…";
  status.append(
    failed ? icon(...drawings.warning) : element("span", "spinner"),
    element("span", "tile-name", tile.name),
    element("span", "tile-note", note),
  );
  return status;
}

function readPlayback(text: string | undefined): Playback {
  return text === "pending" || text === "ready" || text === "failed" || text === "withheld" ? text : "";
}

function readState(text: string | undefined): State {
  return text === "ready" || text === "failed" ? text : "pending";
}
