/**
 * Opens a grid's pictures over the page with PhotoSwipe, which is only fetched when the first one is opened.
 * The address follows the picture, so that "back" closes and a copied address leads to the picture's own page.
 */
import type PhotoSwipe from "photoswipe";
import type { SlideData } from "photoswipe";

import { icon } from "./elements";
import type { Grid } from "./grid";
import { addFilms, addLive } from "./lightboxfilms";
import { addButtons, addCaption } from "./lightboxparts";
import type { Poller } from "./poller";
import type { Tile } from "./tiles";

const CLOSE = icon("m6 6 12 12", "M18 6 6 18");
const ZOOM = icon("M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z", "m15.3 15.3 4.7 4.7", "M7.8 10.5h5.4", "M10.5 7.8v5.4");
// PhotoSwipe hides the upright stroke of the plus by this name once one is close.
ZOOM.lastElementChild?.classList.add("pswp__zoom-icn-bar-v");
const PREVIEW_EDGE_PX = 1920;
/** How near to the last picture the next ones are fetched. */
const AHEAD = 6;

export function attachLightbox(grid: Grid, poller: Poller | null): void {
  grid.list.addEventListener("click", (event) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a.tile-link") : null;
    const id = link?.closest<HTMLElement>("[data-tile]")?.dataset["tile"] ?? "";
    const tiles = grid.tiles.filter((tile) => tile.state === "ready");
    const index = tiles.findIndex((tile) => tile.id === id);
    if (index < 0) return;
    event.preventDefault();
    void open(grid, tiles, index, poller);
  });
}

async function open(grid: Grid, tiles: Tile[], index: number, poller: Poller | null): Promise<void> {
  const { default: Lightbox } = await import("photoswipe");
  const slides = tiles.map(slideOf);
  const lightbox = new Lightbox({
    dataSource: slides,
    index,
    loop: false,
    bgOpacity: 1,
    showHideAnimationType: matchMedia("(prefers-reduced-motion: reduce)").matches ? "fade" : "zoom",
    wheelToZoom: true,
    secondaryZoomLevel: 2,
    maxZoomLevel: 4,
    arrowPrevTitle: "Previous picture",
    arrowNextTitle: "Next picture",
    closeTitle: "Close",
    zoomTitle: "Zoom",
    closeSVG: CLOSE.outerHTML,
    zoomSVG: ZOOM.outerHTML,
    errorMsg: "This picture could not be loaded. You may no longer be allowed to see it.",
    // Ours gives the focus to the picture one ended with, not to the one one began with.
    returnFocus: false,
  });
  const current = (): Tile | undefined => tiles[lightbox.currIndex];
  addButtons(lightbox, current);
  addFilms(lightbox, (id) => tiles.find((tile) => tile.id === id), poller);
  addLive(lightbox, current);
  addCaption(lightbox, current);
  // PhotoSwipe takes "no thumbnail" for an answer and then fades; its types do not say so.
  lightbox.addFilter("thumbEl", (found, data) => (thumbOf(grid, data) ?? found) as HTMLElement);
  lightbox.addFilter("placeholderSrc", (_source, content) => content.data.msrc ?? "");
  followWithMore(lightbox, grid, tiles, slides);
  followWithAddress(lightbox, current);
  lightbox.on("afterInit", () => lightbox.element?.setAttribute("aria-label", "Pictures, one at a time"));
  lightbox.on("close", () => grid.reveal(grid.indexOf(current()?.id ?? "")));
  lightbox.on("destroy", () => grid.reveal(grid.indexOf(current()?.id ?? ""))?.focus({ preventScroll: true }));
  lightbox.init();
}

function slideOf(tile: Tile): SlideData {
  const width = tile.width ?? 3;
  const height = tile.height ?? 2;
  const scale = Math.min(1, PREVIEW_EDGE_PX / Math.max(width, height));
  return {
    id: tile.id,
    type: tile.kind,
    src: tile.preview,
    msrc: tile.thumb,
    width: Math.round(width * scale),
    height: Math.round(height * scale),
    alt: tile.caption ?? tile.name,
  };
}

function thumbOf(grid: Grid, slide: SlideData): HTMLElement | null {
  const item = grid.itemAt(grid.indexOf(String(slide["id"])));
  return item?.isConnected ? item.querySelector<HTMLElement>(".tile-image") : null;
}

/** Near the end, fetch more; the new slides join while the lightbox is open. */
function followWithMore(lightbox: PhotoSwipe, grid: Grid, tiles: Tile[], slides: SlideData[]): void {
  lightbox.on("change", () => {
    if (lightbox.currIndex < tiles.length - AHEAD) return;
    void grid.loadMore().then((came) => {
      if (!came || lightbox.isDestroying) return;
      const known = new Set(tiles.map((tile) => tile.id));
      const fresh = grid.tiles.filter((tile) => tile.state === "ready" && !known.has(tile.id));
      const end = tiles.length;
      tiles.push(...fresh);
      slides.push(...fresh.map(slideOf));
      if (lightbox.currIndex >= end - 1) lightbox.refreshSlideContent(end);
      lightbox.dispatch("change");
    });
  });
}

function followWithAddress(lightbox: PhotoSwipe, current: () => Tile | undefined): void {
  const restoration = history.scrollRestoration;
  history.scrollRestoration = "manual";
  history.pushState({ lightbox: true }, "");
  let left = false;
  const leave = (): void => {
    left = true;
    lightbox.close();
  };
  addEventListener("popstate", leave);
  lightbox.on("change", () => {
    const page = current()?.page;
    if (page !== undefined && !left) history.replaceState({ lightbox: true }, "", page);
  });
  lightbox.on("destroy", () => {
    removeEventListener("popstate", leave);
    if (!left) history.back();
    // Only after the step back has happened, or the browser would scroll to where one began.
    setTimeout(() => {
      history.scrollRestoration = restoration;
    }, 200);
  });
}
