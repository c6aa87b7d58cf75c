/**
 * Files on their way: each is hashed, asked for, sent if the vault does not have it, and followed by what lies beside
 * it. A few at a time, from wherever an earlier try left off.
 */
import type { Afterwards } from "./afterwards";
import { type Checker, MOST_ASKED } from "./checking";
import { Holds } from "./holds";
import type { Item, Stage } from "./items";
import type { Keeper } from "./keeping";
import { Meter } from "./meter";
import { Refusal, SIGNED_OUT, UNREACHABLE } from "./refusals";
import { type Arrival, type Place, Sending } from "./sending";
import type { Renewal } from "./session";

const AT_ONCE = 3;
/** How many files are hashed before their turn comes. */
const AHEAD = 600;
const ENOUGH_TO_ASK = 100;
const TRIES = 4;
/** The status by which the tus protocol says that a checksum does not hold. */
const ALTERED = 460;

export interface Listener {
  /** Called whenever anything is not as it was. */
  changed: () => void;
  /** It is in the vault now, or was before. */
  arrived: (item: Item) => void;
  /** Nothing is left that the page could do. */
  idle: () => void;
  /** The page may be older than the session: find out, and mend it where that can be done. */
  renew: () => Promise<Renewal>;
}

export class Queue {
  readonly items = new Map<string, Item>();
  readonly meter = new Meter();
  readonly holds = new Holds(() => this.heldOrNot());
  private waiting: Item[] = [];
  private unasked: Item[] = [];
  private ready: Item[] = [];
  private readonly sendings = new Map<string, Sending>();
  private hashing = false;
  private asking = false;
  private busy = 0;
  private delayed = 0;
  private settled = 0;
  private wasBusy = false;

  constructor(
    private readonly place: Place,
    private readonly checker: Checker | null,
    private readonly keeper: Keeper | null,
    private readonly afterwards: Afterwards | null,
    private readonly listener: Listener,
  ) {}

  get isBusy(): boolean {
    const lines = this.waiting.length + this.unasked.length + this.ready.length;
    return lines + this.busy + this.delayed > 0 || this.hashing || this.asking;
  }

  add(items: readonly Item[]): void {
    for (const item of items) {
      this.items.set(item.id, item);
      if (item.stage === "waiting") this.waiting.push(item);
    }
    this.pump();
  }

  /** Try again what failed, go on with what waited for a yes, or for its file. */
  restart(item: Item, tries = 0): void {
    item.tries = tries;
    item.note = "";
    item.stage = "waiting";
    this.waiting.push(item);
    this.holds.succeeded();
    this.pump();
  }

  /** Let some go; the vault forgets what it has of them. */
  cancel(items: readonly Item[]): void {
    const gone = new Set(items);
    for (const item of gone) {
      this.items.delete(item.id);
      void this.sendings.get(item.id)?.stop(true);
      this.sendings.delete(item.id);
      this.keeper?.forget(item);
    }
    const isLeft = (item: Item): boolean => !gone.has(item);
    [this.waiting, this.unasked, this.ready] = [this.waiting.filter(isLeft), this.unasked.filter(isLeft), this.ready.filter(isLeft)];
    this.pump();
  }

  private heldOrNot(): void {
    // What is under way stops at the offset it has reached; only a vault that cannot be reached ends it by itself.
    if (this.holds.now !== null && this.holds.now.cause !== "unreachable") {
      for (const id of [...this.sendings.keys()]) {
        const item = this.items.get(id);
        void this.sendings.get(id)?.stop(false);
        if (item !== undefined) {
          this.sendings.delete(item.id);
          item.stage = "ready";
          this.ready.unshift(item);
        }
      }
      this.meter.reset();
    }
    this.pump();
  }

  private pump(): void {
    if (this.holds.now === null) {
      if (!this.hashing && this.ready.length + this.unasked.length < AHEAD) void this.hashNext();
      const isStarving = this.ready.length < AT_ONCE || this.unasked.length >= ENOUGH_TO_ASK || this.waiting.length === 0;
      if (!this.asking && this.unasked.length > 0 && isStarving) void this.askNext();
      while (this.busy < AT_ONCE) {
        const item = this.next(this.ready, "ready");
        if (item === undefined) break;
        void this.run(item);
      }
    }
    this.listener.changed();
    const isBusy = this.isBusy;
    if (this.wasBusy && !isBusy) this.listener.idle();
    this.wasBusy = isBusy;
  }

  /** Take the first of a line that is still what the line is for: others were let go meanwhile. */
  private next(line: Item[], stage: Stage): Item | undefined {
    for (let item = line.shift(); item !== undefined; item = line.shift()) {
      if (this.items.get(item.id) === item && item.stage === stage) return item;
    }
    return undefined;
  }

  private async hashNext(): Promise<void> {
    const item = this.next(this.waiting, "waiting");
    if (item === undefined) return;
    this.hashing = true;
    item.stage = "checking";
    const sha256 = this.checker === null ? "" : await this.checker.hash(item);
    this.hashing = false;
    if (sha256 === null) this.fail(item, "The file could not be read. It was moved, changed or deleted since you chose it.", false);
    else {
      item.sha256 = sha256;
      if (this.checker !== null && sha256 !== "" && item.purpose === "media") this.unasked.push(item);
      else this.makeReady(item);
    }
    this.pump();
  }

  private async askNext(): Promise<void> {
    if (this.checker === null) return;
    const items = this.unasked.splice(0, MOST_ASKED).filter((item) => this.items.has(item.id));
    this.asking = true;
    try {
      const known = await this.checker.known(items.map((item) => item.sha256));
      for (const item of items) {
        item.mediaId = known.get(item.sha256) ?? "";
        this.makeReady(item);
      }
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal("", "no");
      // A vault that does not answer this question is sent everything, and finds out by itself.
      if (refusal.consequence === "no" || refusal.consequence === "again") items.forEach((item) => this.makeReady(item));
      else {
        this.unasked.unshift(...items);
        if (!(await this.mended(refusal))) this.unasked.splice(0).forEach((item) => this.makeReady(item));
      }
    }
    this.asking = false;
    this.pump();
  }

  private makeReady(item: Item): void {
    if (this.items.get(item.id) !== item) return;
    item.stage = "ready";
    this.ready.push(item);
  }

  private async run(item: Item): Promise<void> {
    this.busy += 1;
    item.stage = "sending";
    try {
      const isThere = item.mediaId !== "";
      const arrival = isThere ? { mediaId: item.mediaId, importId: "", duplicate: true } : await this.send(item);
      if (arrival === null) return; // stopped meanwhile; whoever stopped it has put it where it belongs
      await this.settle(item, arrival);
      this.holds.succeeded();
    } catch (error) {
      this.sendings.delete(item.id);
      await this.refused(item, error instanceof Refusal ? error : new Refusal("Something went wrong. Try again.", "again"));
    } finally {
      this.busy -= 1;
      this.pump();
    }
  }

  private async send(item: Item): Promise<Arrival | null> {
    if (item.file === null) throw new Refusal("The file is no longer here. Choose it again.", "no");
    let before: number | null = null;
    const sending = new Sending(this.place, item, item.file, (bytes) => {
      // Where it goes on from was sent before: that is progress and no speed.
      if (before !== null) this.meter.add(Math.max(0, bytes - before));
      before = bytes;
      item.sent = bytes;
      this.listener.changed();
    });
    this.sendings.set(item.id, sending);
    const arrival = await sending.done;
    if (arrival !== null) {
      this.sendings.delete(item.id);
      item.isNew = !arrival.duplicate;
    }
    return arrival;
  }

  private async settle(item: Item, arrival: Arrival): Promise<void> {
    // Whoever only brings files is shown nothing of what they become, nor whether they were there.
    if (this.afterwards === null) {
      item.note = "Arrived. Thank you.";
      return this.finish(item, "done");
    }
    item.importId = arrival.importId;
    item.mediaId = arrival.mediaId;
    // Complete already, and nobody told this page what became of it.
    if (item.mediaId === "" && item.importId === "" && item.sha256 !== "" && this.checker !== null) {
      item.mediaId = (await this.checker.known([item.sha256])).get(item.sha256) ?? "";
    }
    if (item.mediaId !== "") item.note = await this.afterwards.follow(item);
    this.finish(item, !item.isNew ? "known" : item.mediaId !== "" ? "arrived" : "done");
  }

  private finish(item: Item, stage: Stage): void {
    item.sent = item.size;
    item.stage = stage;
    item.file = null;
    item.sidecars = [];
    item.settled = ++this.settled;
    this.keeper?.forget(item);
    if (this.items.get(item.id) === item) this.listener.arrived(item);
  }

  private async refused(item: Item, refusal: Refusal): Promise<void> {
    if (this.items.get(item.id) !== item) return;
    const { consequence } = refusal;
    if (consequence === "no") return this.fail(item, refusal.message, false);
    if (consequence === "again") return this.later(item, refusal);
    if (!(await this.mended(refusal))) return this.fail(item, refusal.message, false);
    item.stage = "ready";
    this.ready.unshift(item);
  }

  /** Hold everything until what stands in the way is gone, and return whether anything can come of that. */
  private async mended(refusal: Refusal): Promise<boolean> {
    if (refusal.consequence !== "stale") {
      this.holds.add(refusal);
      return true;
    }
    const found = await this.listener.renew();
    if (found === "signed-out") this.holds.add(new Refusal(SIGNED_OUT, "signed-out"));
    if (found === "unreachable") this.holds.add(new Refusal(UNREACHABLE, "hold"));
    return found !== "same";
  }

  /** Try once more in a while, ever longer; after a few times only when somebody says so. */
  private later(item: Item, refusal: Refusal): void {
    item.tries += 1;
    if (item.tries >= TRIES) return this.fail(item, refusal.message, true);
    item.stage = "ready";
    // What arrived is not what was hashed: perhaps the file was written to in between.
    if (refusal.status === ALTERED) item.sha256 = "";
    const seconds = Math.max(refusal.seconds, 2 ** (item.tries - 1));
    this.delayed += 1;
    setTimeout(() => {
      this.delayed -= 1;
      if (item.sha256 === "" && this.items.has(item.id)) this.restart(item, item.tries);
      else this.makeReady(item);
      this.pump();
    }, seconds * 1000);
  }

  private fail(item: Item, words: string, mayRetry: boolean): void {
    item.stage = "failed";
    item.note = words;
    item.mayRetry = mayRetry;
    item.sent = 0;
    if (!mayRetry) this.keeper?.forget(item);
  }
}
