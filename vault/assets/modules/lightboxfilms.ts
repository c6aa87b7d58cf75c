/** Videos among the pictures of the lightbox, and the moving seconds of pictures. */
import type PhotoSwipe from "photoswipe";

import { element, icon, drawings } from "./elements";
import { fillNote, player, playLive, type Film } from "./film";
import type { Poller } from "./poller";
import type { Tile } from "./tiles";

type Content = NonNullable<PhotoSwipe["currSlide"]>["content"];
type Current = () => Tile | undefined;
/** The lower edge of a player belongs to its own buttons: there a finger does not turn the page. */
const CONTROLS_PX = 72;

export function addFilms(lightbox: PhotoSwipe, tileOf: (id: string) => Tile | undefined, poller: Poller | null): void {
  lightbox.addFilter("useContentPlaceholder", (use, content) => content.type === "video" || use);
  lightbox.addFilter("isContentZoomable", (is, content) => content.type !== "video" && is);
  lightbox.on("contentLoad", (event) => {
    const tile = event.content.type === "video" ? tileOf(String(event.content.data["id"])) : undefined;
    if (tile === undefined) return;
    event.preventDefault();
    show(event.content, tile, poller);
  });
  lightbox.on("contentDeactivate", ({ content }) => pause(content));
  lightbox.on("contentRemove", ({ content }) => pause(content));
  lightbox.on("close", () => lightbox.element?.querySelectorAll("video").forEach((video) => video.pause()));
  lightbox.on("pointerDown", (event) => {
    const target = event.originalEvent.target;
    const video = target instanceof Element ? target.closest("video") : null;
    if (video === null) return;
    if (event.originalEvent.clientY > video.getBoundingClientRect().bottom - CONTROLS_PX) event.preventDefault();
  });
  // Who has put the focus on a player means its keys; Escape and Tab stay the lightbox's.
  lightbox.on("keydown", (event) => {
    const { target, key } = event.originalEvent;
    if (target instanceof HTMLVideoElement && key !== "Escape" && key !== "Tab") event.preventDefault();
  });
}

export function addLive(lightbox: PhotoSwipe, current: Current): void {
  lightbox.on("uiRegister", () => {
    lightbox.ui?.registerElement({
      name: "vault-live",
      order: 7,
      tagName: "button",
      isButton: true,
      className: "pswp__button--vault",
      title: "Play the live photo",
      onInit: (made) => {
        made.append(icon(...drawings.live));
        lightbox.on("change", () => {
          lightbox.element?.querySelectorAll(".film-live").forEach((video) => video.remove());
          made.hidden = (current()?.motion ?? null) === null;
        });
      },
      onClick: () => {
        const motion = current()?.motion;
        const frame = lightbox.currSlide?.container.parentElement;
        if (motion && frame) playLive(frame, motion);
      },
    });
  });
}

function show(content: Content, tile: Tile, poller: Poller | null): void {
  const frame = element("div", "film-frame");
  content.element = frame;
  fill(frame, tile);
  if (tile.playback === "pending" && tile.video === null) {
    poller?.watchPlayback(tile.id, (progress) => {
      if (progress === null) return;
      tile.playback = progress.playback;
      if (progress.playback === "ready") tile.video = `/media/${tile.id}/video`;
      fill(frame, tile);
    });
  }
  content.state = "loaded";
  content.onLoaded();
}

function fill(frame: HTMLElement, tile: Tile): void {
  const film: Film = tile;
  if (tile.video !== null) {
    frame.replaceChildren(player(film, tile.video));
    return;
  }
  const still = element("img", "film-player");
  still.alt = tile.name;
  still.src = tile.preview;
  const note = element("p", "film-note");
  fillNote(note, film);
  frame.replaceChildren(still, note);
}

function pause(content: Content): void {
  content.element?.querySelector("video")?.pause();
}
