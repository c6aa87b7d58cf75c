/** The visitor's uploader: the same queue, for a link; nothing of it outlives the page but where a file goes on. */
import { announce } from "../announce";
import { ask } from "../confirm";
import { Checker } from "./checking";
import type { Found } from "./choice";
import { type Item, newItem } from "./items";
import { inBytes } from "./meter";
import { Panel } from "./panel";
import { Queue } from "./queue";
import { sort, wordsFor } from "./sorting";
import { Store } from "./store";

const DRAW_MS = 200;

export interface GuestFacts {
  url: string;
  hasher: string;
  accept: string;
  pieceBytes: number;
  maxBytes: number;
  /** Who brings them, as the form says now. */
  name: () => string;
}

export class GuestUploader {
  private readonly queue: Queue;
  private readonly panel: Panel;
  private leftOut = "";
  private order = 0;
  private drawing = false;

  constructor(
    private readonly facts: GuestFacts,
    place: HTMLElement | null,
  ) {
    const where = {
      url: facts.url,
      pieceBytes: facts.pieceBytes,
      owner: facts.url,
      urls: new Store(facts.url, "").urls(),
      get fields() {
        return { guest_name: facts.name() };
      },
    };
    this.queue = new Queue(where, new Checker(facts.hasher, null), null, null, {
      changed: () => this.plan(),
      arrived: () => undefined,
      idle: () => this.idle(),
      renew: () => Promise.resolve("same"),
    });
    this.panel = new Panel(place, "", {
      cancel: (item) => this.queue.cancel([item]),
      retry: (item) => this.queue.restart(item),
      accept: () => undefined,
      pause: (isPaused) => this.queue.holds.pause(isPaused),
      close: () => this.close(),
      retryAll: () => this.all((item) => item.stage === "failed" && item.mayRetry).forEach((item) => this.queue.restart(item)),
      goOn: () => this.queue.holds.release(),
      forgetLost: () => undefined,
    });
    addEventListener("beforeunload", (event) => {
      if (this.queue.isBusy) event.preventDefault();
    });
  }

  choose(found: readonly Found[]): void {
    const { chosen, leftOut } = sort(found, this.facts.accept);
    this.leftOut = wordsFor(leftOut);
    // Who only brings pictures has nothing said of them, and no archive unpacked.
    const items = chosen.map((one) => this.measured(newItem({ ...one, sidecars: [], purpose: "media" }, "", ++this.order)));
    this.queue.add(items);
    announce(`Sending ${items.length.toLocaleString("en")} ${items.length === 1 ? "file" : "files"}. ${this.leftOut}`.trim());
  }

  private measured(item: Item): Item {
    if (item.size <= this.facts.maxBytes) return item;
    return Object.assign(item, { stage: "failed", note: `It is larger than ${inBytes(this.facts.maxBytes)}, the most that is taken here.`, file: null });
  }

  /** What was sent stands in the page's own list, with the way to take it back. */
  private idle(): void {
    announce("All of them are sent. Thank you.");
    if (this.all((item) => item.stage === "failed").length === 0 && this.all((item) => item.settled > 0).length > 0) location.reload();
  }

  private close(): void {
    const clear = (): void => this.queue.cancel(this.all(() => true));
    if (this.queue.isBusy) ask("Stop sending? What has not arrived yet is left out.", "Stop sending", clear);
    else if (this.all((item) => item.settled > 0).length > 0) location.reload();
    else {
      this.leftOut = "";
      clear();
    }
  }

  private all(which: (item: Item) => boolean): Item[] {
    return [...this.queue.items.values()].filter(which);
  }

  private plan(): void {
    if (this.drawing) return;
    this.drawing = true;
    setTimeout(() => {
      this.drawing = false;
      const { items, isBusy, holds, meter } = this.queue;
      this.panel.draw({ items, isBusy, hold: holds.now, isPaused: holds.isPaused, speed: meter.speed(), leftOut: this.leftOut });
    }, DRAW_MS);
  }
}
