/** Arrow keys walk through a grid the way the eye does. */
import type { Grid } from "./grid";

export function attachGridKeys(grid: Grid): void {
  grid.list.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target;
    if (!(link instanceof HTMLAnchorElement)) return;
    const index = grid.indexOf(link.closest<HTMLElement>("[data-tile]")?.dataset["tile"] ?? "");
    const goal = goalOf(grid, index, event.key);
    if (index < 0 || goal === null) return;
    event.preventDefault();
    grid.reveal(goal)?.focus({ preventScroll: true });
  });
}

function goalOf(grid: Grid, index: number, key: string): number | null {
  const last = grid.length - 1;
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, index - 1);
    case "ArrowRight":
      return Math.min(last, index + 1);
    case "ArrowUp":
      return across(grid, index, -1);
    case "ArrowDown":
      return across(grid, index, 1);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

/** The picture in the next row whose middle is nearest to this one's. */
function across(grid: Grid, index: number, step: 1 | -1): number {
  const here = grid.rows[grid.rowAt(index)];
  const there = grid.rows[grid.rowAt(index) + step];
  if (here === undefined || there === undefined) return index;
  const wanted = middles(here.widths)[index - here.first] ?? 0;
  const distances = middles(there.widths).map((middle) => Math.abs(middle - wanted));
  return there.first + distances.indexOf(Math.min(...distances));
}

function middles(widths: readonly number[]): number[] {
  let left = 0;
  return widths.map((width) => {
    left += width;
    return left - width / 2;
  });
}
