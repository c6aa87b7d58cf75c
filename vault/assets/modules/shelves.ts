/** Where pictures stand that can be chosen: a grid that keeps few of its tiles in the document, or the trash's plain list. */
import type { Grid } from "./grid";

export interface Picture {
  id: string;
  name: string;
  /** Whether it belongs to whoever looks. */
  mine: boolean;
  /** Whether whoever looks may have the original. */
  takeable: boolean;
  item: HTMLElement;
}

export interface Shelf {
  readonly list: HTMLElement;
  /** What becomes the checkbox inside a picture's item. */
  readonly box: string;
  pictures(): readonly Picture[];
  /** Call `watcher` for each item now here and each that comes later. */
  eachItem(watcher: (item: HTMLElement) => void): void;
  takeAway(ids: ReadonlySet<string>): void;
  /** Whether there are pictures that are not on the page yet. */
  hasMore(): boolean;
}

export function gridShelf(grid: Grid): Shelf {
  return {
    list: grid.list,
    box: "a",
    pictures: () =>
      grid.tiles.flatMap(({ id, name, mine, original }, index) => {
        const item = grid.itemAt(index);
        return item === null ? [] : [{ id, name, mine, takeable: original !== null, item }];
      }),
    eachItem: (watcher) => grid.eachTile(watcher),
    takeAway: (ids) => grid.remove(ids),
    hasMore: () => grid.hasMore,
  };
}

export function binShelf(list: HTMLElement): Shelf {
  const items = (): HTMLElement[] => [...list.querySelectorAll<HTMLElement>("[data-tile]")];
  return {
    list,
    box: ".bin-picture",
    pictures: () =>
      items().map((item) => ({
        id: item.dataset["tile"] ?? "",
        name: item.dataset["name"] ?? "",
        mine: true,
        takeable: false,
        item,
      })),
    eachItem: (watcher) => items().forEach(watcher),
    takeAway: (ids) => {
      for (const item of items()) if (ids.has(item.dataset["tile"] ?? "")) item.remove();
    },
    hasMore: () => document.querySelector(".grid-more") !== null,
  };
}
