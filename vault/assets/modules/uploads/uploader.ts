/** The uploader of a person's pages: what is chosen goes into the queue, what the queue does is shown and told. */
import { ask } from "../confirm";
import { refreshCounts } from "../counts";
import type { Grid } from "../grid";
import type { Poller } from "../poller";
import { Afterwards } from "./afterwards";
import { Checker } from "./checking";
import type { Found } from "./choice";
import type { UploadFacts } from "./facts";
import { begun, type Item, likenessOf, newItem } from "./items";
import { isLeft, Keeper } from "./keeping";
import { inBytes } from "./meter";
import { Panel } from "./panel";
import { Queue } from "./queue";
import { type Renewal, renew } from "./session";
import { sort, wordsFor } from "./sorting";
import { Store } from "./store";
import { nameThisTab, noteLeftovers, onSignedOut, whenClosed } from "./tabs";
import { Teller } from "./teller";
import { newTile } from "./tile";

const DRAW_MS = 200;

export class Uploader {
  private readonly queue: Queue;
  private readonly panel: Panel;
  private readonly keeper: Keeper;
  private readonly teller = new Teller();
  private leftOut = "";
  private order = Date.now();
  private drawing = false;
  private processing = 0;

  private constructor(
    private readonly facts: UploadFacts,
    private readonly store: Store,
    private readonly poller: Poller,
    private readonly grid: Grid | null,
    place: HTMLElement | null,
  ) {
    this.keeper = new Keeper(store, () => ![...this.queue.items.values()].some(isLeft));
    const where = { url: facts.url, pieceBytes: facts.pieceBytes, owner: facts.person, urls: store.urls(), fields: {} };
    this.queue = new Queue(where, new Checker(facts.hasher, `${facts.api}/media/known`), this.keeper, new Afterwards(facts.api), {
      changed: () => this.plan(),
      arrived: (item) => this.arrived(item),
      idle: () => this.idle(),
      renew: () => this.renew(),
    });
    this.panel = new Panel(place, facts.signIn, {
      cancel: (item) => this.queue.cancel([item]),
      retry: (item) => this.queue.restart(item),
      accept: (item) => this.queue.restart(item),
      pause: (isPaused) => this.queue.holds.pause(isPaused),
      close: () => this.close(),
      retryAll: () => this.all((item) => item.stage === "failed" && item.mayRetry).forEach((item) => this.queue.restart(item)),
      goOn: () => void this.goOn(),
      forgetLost: () => this.queue.cancel(this.all((item) => item.stage === "lost")),
    });
    this.listen();
  }

  /** Begin, and take over what pages that are closed by now have left. */
  static async start(facts: UploadFacts, poller: Poller, grid: Grid | null, place: HTMLElement | null): Promise<Uploader> {
    const store = new Store(facts.person, await nameThisTab());
    const uploader = new Uploader(facts, store, poller, grid, place);
    await store.tidy();
    const tabs = await store.tabs();
    if (tabs.size === 0) noteLeftovers(false);
    for (const tab of tabs) whenClosed(tab, () => uploader.adopt(tab));
    return uploader;
  }

  /** Take in what was chosen. `unreadable` files could not be opened at all. */
  choose(found: readonly Found[], unreadable: number, albumId: string): void {
    if (!this.queue.isBusy) this.queue.cancel(this.all((item) => item.settled > 0));
    const { chosen, leftOut } = sort(found, this.facts.accept);
    if (unreadable > 0) leftOut.set("could not be read", unreadable);
    const there = new Map(this.all(isLeft).map((item) => [likenessOf(item), item]));
    const fresh: Item[] = [];
    const back: Item[] = [];
    for (const one of chosen) {
      const item = newItem(one, albumId, ++this.order);
      const like = there.get(likenessOf(item));
      if (like?.stage === "lost") {
        [like.file, like.sidecars] = [item.file, item.sidecars];
        back.push(like);
      } else if (like !== undefined && like.albumId === albumId && like.stage !== "failed") leftOut.set("in the list already", (leftOut.get("in the list already") ?? 0) + 1);
      else fresh.push(this.measured(item));
    }
    this.leftOut = wordsFor(leftOut);
    void this.keeper.add([...fresh.filter(isLeft), ...back]);
    this.queue.add(fresh);
    for (const item of back) this.queue.restart(item);
    this.teller.begun(fresh.length + back.length, this.leftOut);
    this.plan();
  }

  private measured(item: Item): Item {
    if (item.size <= this.facts.maxBytes) return item;
    return Object.assign(item, { stage: "failed", note: `It is larger than ${inBytes(this.facts.maxBytes)}, the most that this vault takes.`, file: null });
  }

  private async adopt(tab: string): Promise<void> {
    const left = await this.store.adopt(tab).catch(() => []);
    const items = left.map(({ item: { offered, ...facts }, file }) => {
      const item = begun(facts, file?.file ?? null, file?.sidecars ?? []);
      if (item.stage === "offered" && !offered) item.stage = "waiting";
      item.kept = file !== null;
      return item;
    });
    if (items.length === 0) return;
    this.queue.add(items);
    this.teller.begun(items.length, "");
  }

  private arrived(item: Item): void {
    if (item.mediaId === "") return;
    const here = this.grid?.frame.dataset["uploadHere"];
    if (here === "" || here === item.albumId) this.grid?.welcome(newTile(item.mediaId, item.name));
    document.querySelector<HTMLElement>(".empty")?.remove();
    this.processing += 1;
    this.poller.watch(item.mediaId, (progress) => {
      this.processing -= 1;
      if (progress === null || progress.state === "failed") {
        item.stage = "unread";
        item.note = progress === null ? "It is no longer there." : (progress.failure ?? "It was kept, but could not be read.");
      } else if (item.stage === "arrived") item.stage = "done";
      this.settle();
      this.plan();
    });
  }

  private idle(): void {
    this.settle();
    void refreshCounts();
  }

  /** Pictures find their places once, when all of them are here: nothing jumps about while they come in. */
  private settle(): void {
    if (this.processing === 0 && !this.queue.isBusy) this.grid?.settle();
  }

  private close(): void {
    if (!this.queue.isBusy) return this.clear();
    ask("Stop uploading? What is not in the vault yet is left out.", "Stop uploading", () => this.clear());
  }

  private clear(): void {
    this.queue.cancel(this.all(() => true));
    this.queue.holds.pause(false);
    this.leftOut = "";
    this.plan();
  }

  /** Somebody says that what stood in the way is gone. */
  private async goOn(): Promise<void> {
    if (this.queue.holds.now?.cause === "signed-out" && !["same", "renewed"].includes(await this.renew())) return;
    this.queue.holds.release();
  }

  private async renew(): Promise<Renewal> {
    const found = await renew(this.facts.page, this.facts.person);
    if (found === "somebody-else") {
      this.queue.cancel(this.all(() => true));
      this.queue.holds.stop("somebody-else", "Somebody else is signed in now. What was waiting was let go.");
    }
    return found;
  }

  private listen(): void {
    onSignedOut(() => this.clear());
    // Who comes back from signing in in another tab finds it going on.
    addEventListener("focus", () => {
      if (this.queue.holds.now?.cause === "signed-out") void this.goOn();
    });
    addEventListener("beforeunload", (event) => {
      // What the browser has kept goes on with the next page; the rest would have to be chosen again.
      if (this.all((item) => isLeft(item) && item.stage !== "failed" && item.file !== null && !item.kept).length > 0) event.preventDefault();
    });
  }

  private all(which: (item: Item) => boolean): Item[] {
    return [...this.queue.items.values()].filter(which);
  }

  /** Draw soon: a few times a second is as often as anybody looks. */
  private plan(): void {
    if (this.drawing) return;
    this.drawing = true;
    setTimeout(() => {
      this.drawing = false;
      const { items, isBusy, holds, meter } = this.queue;
      this.panel.draw({ items, isBusy, hold: holds.now, isPaused: holds.isPaused, speed: meter.speed(), leftOut: this.leftOut });
      this.teller.look(items.values(), isBusy, holds.now);
    }, DRAW_MS);
  }
}
