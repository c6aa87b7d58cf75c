/**
 * The justified grid: gives every tile its place, keeps only the tiles near the window in the document,
 * and fetches the next pictures before the last ones come into sight.
 */
import { fadeIn } from "./fade";
import { attachGridKeys } from "./gridkeys";
import { More } from "./more";
import { packRows, type Row } from "./rows";
import { fillTile, makeTile, ratioOf, readTile, type Tile } from "./tiles";

/** How many window heights above and below stay in the document. */
const SPARE_SCREENS = 1.25;
const GAP_PX = 4;

interface Entry {
  tile: Tile;
  item: HTMLElement;
}

type Watcher = (item: HTMLElement, tile: Tile) => void;

export class Grid {
  readonly list: HTMLElement;
  rows: Row[] = [];
  private entries: Entry[];
  private readonly rowOf: number[] = [];
  private readonly watchers: Watcher[] = [];
  private readonly more: More;
  private readonly order: string;
  private width = 0;
  private planned = false;
  /** What is in the document now: first and end row, and which packing. */
  private shown = "";
  private packing = 0;

  constructor(readonly frame: HTMLElement) {
    this.list = frame.querySelector<HTMLElement>("[data-grid-list]") ?? frame;
    this.entries = [...this.list.querySelectorAll<HTMLElement>("[data-tile]")].map((item) => ({ item, tile: readTile(item) }));
    for (const image of this.list.querySelectorAll<HTMLImageElement>(".tile-image")) fadeIn(image);
    this.order = frame.dataset["order"] ?? "newest";
    this.list.classList.add("is-placed");
    this.more = new More(frame, (tiles) => this.append(tiles));
    this.fit();
    new ResizeObserver(() => this.fit()).observe(frame);
    addEventListener("scroll", () => this.plan(), { passive: true });
    addEventListener("resize", () => this.plan(), { passive: true });
    attachGridKeys(this);
  }

  get tiles(): readonly Tile[] {
    return this.entries.map((entry) => entry.tile);
  }

  get length(): number {
    return this.entries.length;
  }

  /** Whether there are pictures that are not fetched yet. */
  get hasMore(): boolean {
    return !this.more.isDone;
  }

  /** Call `watcher` for each tile now here and each that comes later. */
  eachTile(watcher: Watcher): void {
    this.watchers.push(watcher);
    for (const { item, tile } of this.entries) watcher(item, tile);
  }

  indexOf(id: string): number {
    return this.entries.findIndex((entry) => entry.tile.id === id);
  }

  itemAt(index: number): HTMLElement | null {
    return this.entries[index]?.item ?? null;
  }

  rowAt(index: number): number {
    return this.rowOf[index] ?? 0;
  }

  append(tiles: readonly Tile[]): void {
    const known = new Set(this.entries.map((entry) => entry.tile.id));
    const fresh = tiles.filter((tile) => !known.has(tile.id)).map((tile) => ({ tile, item: makeTile(tile) }));
    const from = this.entries.length;
    this.entries.push(...fresh);
    for (const { item, tile } of fresh) this.tell(item, tile);
    this.place(from);
  }

  /** Take in a picture that was just uploaded: first where one sees it, last where the order is made by hand. */
  welcome(tile: Tile): void {
    if (this.indexOf(tile.id) >= 0) return;
    if (this.order === "manual" && this.more.isDone) {
      this.append([tile]);
      return;
    }
    const entry = { tile, item: makeTile(tile) };
    this.entries.unshift(entry);
    this.tell(entry.item, tile);
    this.place(0);
  }

  /** Put what was welcomed where a reload would show it. With pictures still unfetched their places are not known here. */
  settle(): void {
    if (this.order === "manual" || !this.more.isDone) return;
    const sign = this.order === "oldest" ? 1 : -1;
    this.entries.sort((one, other) => sign * (momentOf(one.tile) - momentOf(other.tile)));
    this.place(0);
  }

  /** Take over what changed in a tile; its neighbours move when its proportions did. */
  update(id: string, changes: Partial<Tile>): void {
    const index = this.indexOf(id);
    const entry = this.entries[index];
    if (entry === undefined) return;
    const before = ratioOf(entry.tile);
    Object.assign(entry.tile, changes);
    fillTile(entry.item, entry.tile);
    if (ratioOf(entry.tile) !== before) this.place(index);
  }

  /** Let tiles go; those behind them move up, and more come where there are more. */
  remove(ids: ReadonlySet<string>): void {
    const first = this.entries.findIndex((entry) => ids.has(entry.tile.id));
    if (first < 0) return;
    for (const { item, tile } of this.entries) if (ids.has(tile.id)) item.remove();
    this.entries = this.entries.filter((entry) => !ids.has(entry.tile.id));
    this.place(first);
    this.more.look();
  }

  move(from: number, to: number): void {
    const [entry] = this.entries.splice(from, 1);
    if (entry === undefined) return;
    this.entries.splice(to, 0, entry);
    this.place(Math.min(from, to));
  }

  /** Bring a tile into the window and the document, and hand out its link. */
  reveal(index: number): HTMLAnchorElement | null {
    const row = this.rows[this.rowAt(index)];
    const item = this.itemAt(index);
    if (row === undefined || item === null) return null;
    const top = this.list.getBoundingClientRect().top + row.top;
    const head = document.querySelector(".bar")?.clientHeight ?? 0;
    if (top < head + GAP_PX) scrollBy({ top: top - head - GAP_PX, behavior: "instant" });
    else if (top + row.height > innerHeight) scrollBy({ top: top + row.height - innerHeight + GAP_PX, behavior: "instant" });
    this.show();
    return item.querySelector("a");
  }

  /** Fetch the next pictures now; resolves to whether any came. */
  async loadMore(): Promise<boolean> {
    const before = this.length;
    await this.more.load();
    return this.length > before;
  }

  private tell(item: HTMLElement, tile: Tile): void {
    for (const watcher of this.watchers) watcher(item, tile);
  }

  private fit(): void {
    const width = this.list.clientWidth;
    if (width === 0 || width === this.width) return;
    this.width = width;
    this.place(0);
  }

  /** Pack again from the row that holds `index`; rows above it keep their places. */
  private place(index: number): void {
    if (this.width === 0) return;
    const row = this.rows[this.rowAt(Math.max(0, index - 1))];
    // One row back: what follows may now fit better with the pictures just before.
    const from = index === 0 || row === undefined ? 0 : this.rowAt(row.first);
    const start = this.rows[from];
    const kept = start === undefined ? [] : this.rows.slice(0, from);
    const line = { width: this.width, gap: GAP_PX, height: Math.min(320, Math.max(130, 90 + innerWidth * 0.125)) };
    const ratios = this.entries.map((entry) => ratioOf(entry.tile));
    this.rows = [...kept, ...packRows(ratios, line, start?.first ?? 0, start?.top ?? 0)];
    this.packing += 1;
    this.rowOf.length = this.entries.length;
    this.rows.slice(kept.length).forEach((packed, offset) => {
      this.rowOf.fill(kept.length + offset, packed.first, packed.end);
    });
    const last = this.rows.at(-1);
    this.list.style.height = last === undefined ? "0" : `${last.top + last.height}px`;
    this.show();
  }

  private put(row: Row): void {
    let left = 0;
    row.widths.forEach((width, offset) => {
      const style = this.entries[row.first + offset]?.item.style;
      if (style === undefined) return;
      style.width = `${width}px`;
      style.height = `${row.height}px`;
      style.transform = `translate(${left}px, ${row.top}px)`;
      left += width + GAP_PX;
    });
  }

  private plan(): void {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      this.show();
    });
  }

  /** Keep in the document exactly the rows near the window, and the tile that has the focus. */
  private show(): void {
    const top = -this.list.getBoundingClientRect().top;
    const from = this.firstRowBelow(top - innerHeight * SPARE_SCREENS);
    const to = this.firstRowBelow(top + innerHeight * (1 + SPARE_SCREENS));
    const shown = `${from} ${to} ${this.packing}`;
    if (shown === this.shown) return;
    this.shown = shown;
    // Places are only written for what is shown: packing again costs the same arithmetic for ten pictures or ten thousand.
    for (const row of this.rows.slice(from, to)) this.put(row);
    const first = this.rows[from]?.first ?? this.entries.length;
    const end = this.rows[to]?.first ?? this.entries.length;
    const wanted = this.entries.slice(first, end).map((entry) => entry.item);
    const focused = document.activeElement?.closest<HTMLElement>("[data-tile]");
    if (focused && this.list.contains(focused) && !wanted.includes(focused)) {
      if (this.indexOf(focused.dataset["tile"] ?? "") < first) wanted.unshift(focused);
      else wanted.push(focused);
    }
    this.attach(wanted);
  }

  private attach(wanted: readonly HTMLElement[]): void {
    const keep = new Set<Element>(wanted);
    for (const child of [...this.list.children]) if (!keep.has(child)) child.remove();
    let next = this.list.firstElementChild;
    for (const item of wanted) {
      if (item === next) next = next.nextElementSibling;
      else this.list.insertBefore(item, next);
    }
  }

  private firstRowBelow(pixel: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = this.rows[middle];
      if (row !== undefined && row.top + row.height < pixel) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What has no time yet counts as just taken. */
function momentOf(tile: Tile): number {
  const moment = Date.parse(tile.shown_at ?? "");
  return Number.isNaN(moment) ? Number.MAX_SAFE_INTEGER : moment;
}
