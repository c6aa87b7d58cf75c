/** Copies what is to be uploaded into the browser's store, behind the uploads themselves, as far as there is room. */
import { isOpen, type Item } from "./items";
import type { Store } from "./store";
import { noteLeftovers } from "./tabs";

const ITEMS_AT_ONCE = 500;
const FILES_AT_ONCE = 50;
const BYTES_AT_ONCE = 32 * 1024 ** 2;
const FORGET_AFTER_MS = 100;

export class Keeper {
  private readonly waiting: Item[] = [];
  private readonly behind: string[] = [];
  private forgetting = false;
  private running = false;

  constructor(
    private readonly store: Store,
    private readonly isEmpty: () => boolean,
  ) {}

  async add(items: readonly Item[]): Promise<void> {
    noteLeftovers(true);
    for (let at = 0; at < items.length; at += ITEMS_AT_ONCE) await this.store.keep(items.slice(at, at + ITEMS_AT_ONCE));
    for (const item of items) this.waiting.push(item);
    if (!this.running) void this.run();
  }

  /** It is done with, one way or another. Soon, and many at a time. */
  forget(item: Item): void {
    this.behind.push(item.id);
    if (this.forgetting) return;
    this.forgetting = true;
    setTimeout(() => {
      this.forgetting = false;
      const ids = this.behind.splice(0);
      void this.store.forget(ids).then(() => {
        if (this.isEmpty()) noteLeftovers(false);
      });
    }, FORGET_AFTER_MS);
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      let room = Math.min(BYTES_AT_ONCE, await this.store.room());
      const some: Item[] = [];
      // One larger than what is left of a helping goes alone, if there is room for it at all.
      while (some.length < FILES_AT_ONCE && this.waiting.length > 0) {
        const next = this.waiting[0];
        if (next === undefined || (some.length > 0 && next.size > room)) break;
        this.waiting.shift();
        if (next.kept || !isLeft(next) || !this.store.isKeepable(next)) continue;
        if (some.length === 0 && next.size > room && next.size > (await this.store.room())) continue;
        some.push(next);
        room -= next.size;
      }
      if (some.length > 0 && (await this.store.keepFiles(some))) for (const item of some) item.kept = true;
      // What was done with while it was being copied was forgotten too early.
      const late = some.filter((item) => !isLeft(item));
      if (late.length > 0) await this.store.forget(late.map((item) => item.id));
    }
    this.running = false;
  }
}

/** Whether something is left to do for it, now or when somebody says so. */
export function isLeft(item: Item): boolean {
  return isOpen(item) || item.stage === "offered" || item.stage === "lost" || (item.stage === "failed" && item.mayRetry);
}
