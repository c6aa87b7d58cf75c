/**
 * The one script of every page: looks for what the page marked with data attributes and brings it to life.
 * Everything here is an addition; each page works without it.
 */
import { attachArranging } from "./modules/arrange";
import { attachChoosing } from "./modules/chosenbar";
import { attachConfirmations } from "./modules/confirm";
import { attachCopyButtons } from "./modules/copy";
import { fadeIn } from "./modules/fade";
import { Grid } from "./modules/grid";
import { attachGuests } from "./modules/guests";
import { attachImport } from "./modules/imports";
import { attachKeys } from "./modules/keys";
import { attachLightbox } from "./modules/lightbox";
import { attachMenus } from "./modules/menus";
import { followTiles } from "./modules/pending";
import { Poller } from "./modules/poller";
import { attachProgress } from "./modules/progress";
import { binShelf, gridShelf } from "./modules/shelves";
import { attachLive, followStage } from "./modules/stage";
import { attachSwipe } from "./modules/swipe";
import { attachUploads } from "./modules/uploads";

document.documentElement.classList.add("scripted");

attachConfirmations();
attachCopyButtons();
attachGuests();
attachImport();
attachKeys();
attachLive();
attachMenus();
attachProgress();
attachSwipe();
document.querySelectorAll<HTMLImageElement>("img[data-fade]").forEach(fadeIn);

const statesUrl = document.body.dataset["mediaStates"];
const poller = statesUrl === undefined ? null : new Poller(statesUrl);

const grids = [...document.querySelectorAll<HTMLElement>("[data-grid]")].map((frame) => {
  const grid = new Grid(frame);
  attachLightbox(grid, poller);
  attachArranging(grid);
  if (frame.dataset["choose"] !== undefined) attachChoosing(gridShelf(grid), frame);
  if (poller !== null) followTiles(grid, poller);
  return grid;
});

const bin = document.querySelector<HTMLElement>("[data-bin]");
if (bin !== null) attachChoosing(binShelf(bin), bin);

if (poller !== null) {
  followStage(poller);
  attachUploads(poller, grids);
}
