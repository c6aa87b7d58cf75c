/** Lets people with the right put the pictures of a hand-ordered album where they want them. */
import { announce } from "./announce";
import { csrfToken } from "./csrf";
import { button, drawings, element, icon } from "./elements";
import type { Grid } from "./grid";

export function attachArranging(grid: Grid): void {
  const address = grid.frame.dataset["arrange"];
  const toggle = document.querySelector<HTMLButtonElement>("[data-arrange-toggle]");
  if (address === undefined || toggle === null) return;
  const move = mover(grid, address);
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const on = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(on));
    grid.list.classList.toggle("is-arranging", on);
    for (const tile of grid.tiles) dress(grid, tile.id, on, move);
  });
  grid.eachTile((_item, tile) => dress(grid, tile.id, toggle.getAttribute("aria-pressed") === "true", move));
  attachDragging(grid, move);
}

type Move = (id: string, to: number) => Promise<void>;

/** Move at once on the page, then on the server; back again when the server refuses. */
function mover(grid: Grid, address: string): Move {
  return async (id, to) => {
    const from = grid.indexOf(id);
    const goal = Math.max(0, Math.min(grid.length - 1, to));
    if (from < 0 || from === goal) return;
    grid.move(from, goal);
    const body = new URLSearchParams({ after: grid.tiles[goal - 1]?.id ?? "" });
    try {
      const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
      const answer = await fetch(address.replace("MEDIA", id), { method: "POST", body, headers });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      announce(`Moved to place ${goal + 1}.`);
    } catch {
      grid.move(grid.indexOf(id), from);
      announce("Could not move the picture. It is back in its old place.");
    }
  };
}

function dress(grid: Grid, id: string, on: boolean, move: Move): void {
  const item = grid.itemAt(grid.indexOf(id));
  if (item === null) return;
  item.querySelector(".tile-arrange")?.remove();
  item.draggable = on;
  const link = item.querySelector("a");
  if (link !== null) link.draggable = !on;
  if (!on) return;
  const controls = element("div", "tile-arrange");
  const name = grid.tiles[grid.indexOf(id)]?.name ?? "";
  for (const [label, drawing, step] of [
    ["Earlier", drawings.earlier, -1],
    ["Later", drawings.later, 1],
  ] as const) {
    const made = button(`${label}: ${name}`, "", icon(...drawing));
    made.addEventListener("click", () => {
      void move(id, grid.indexOf(id) + step);
      grid.reveal(grid.indexOf(id));
      made.focus({ preventScroll: true });
    });
    controls.append(made);
  }
  item.append(controls);
}

function attachDragging(grid: Grid, move: Move): void {
  let held: HTMLElement | null = null;
  let target: HTMLElement | null = null;
  const aim = (item: HTMLElement | null): void => {
    target?.classList.remove("is-target");
    target = item;
    target?.classList.add("is-target");
  };
  grid.list.addEventListener("dragstart", (event) => {
    held = tileUnder(event);
    held?.classList.add("is-held");
    event.dataTransfer?.setData("text/plain", held?.dataset["tile"] ?? "");
  });
  grid.list.addEventListener("dragover", (event) => {
    if (held === null) return;
    event.preventDefault();
    aim(tileUnder(event));
  });
  grid.list.addEventListener("drop", (event) => {
    if (held === null || target === null || target === held) return;
    event.preventDefault();
    const from = grid.indexOf(held.dataset["tile"] ?? "");
    const to = grid.indexOf(target.dataset["tile"] ?? "");
    void move(held.dataset["tile"] ?? "", from < to ? to - 1 : to);
  });
  grid.list.addEventListener("dragend", () => {
    held?.classList.remove("is-held");
    held = null;
    aim(null);
  });
}

function tileUnder(event: DragEvent): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>("[data-tile]") : null;
}
