/** Asks how pictures under way are doing: all of them in one question, soon at first, then ever more seldom. */
import type { Playback, State } from "./tiles";

export interface Progress {
  id: string;
  state: State;
  kind: "image" | "video";
  playback: Playback;
  duration_seconds: number | null;
  failure: string | null;
  width: number | null;
  height: number | null;
  placeholder: string | null;
  taken_at: string | null;
  uploaded_at: string;
}

/** Called on each change of state, and with null when the picture is no longer there. */
type Watcher = (progress: Progress | null) => void;

interface Watch {
  tell: Watcher;
  /** Whether there is nothing more to wait for. */
  isDone: (progress: Progress) => boolean;
}

const isDrawn = (progress: Progress): boolean => progress.state !== "pending";
/** A video that will not be drawn will not play either. */
const isPlayable = (progress: Progress): boolean => isDrawn(progress) && progress.playback !== "pending";

const FIRST_MS = 1000;
const LAST_MS = 10_000;
const SLOWER = 1.4;
/** As many ids as fit into the 4,094 bytes that web servers allow a request line. */
const AT_ONCE = 100;

export class Poller {
  private readonly watched = new Map<string, Watch[]>();
  private delay = FIRST_MS;
  private timer: number | undefined;

  constructor(private readonly url: string) {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.hurry();
    });
  }

  /** Tell when a picture is drawn, or never will be. */
  watch(id: string, tell: Watcher): void {
    this.add(id, { tell, isDone: isDrawn });
  }

  /** Tell when a video plays, or never will. */
  watchPlayback(id: string, tell: Watcher): void {
    this.add(id, { tell, isDone: isPlayable });
  }

  private add(id: string, watch: Watch): void {
    this.watched.set(id, [...(this.watched.get(id) ?? []), watch]);
    this.hurry();
  }

  private hurry(): void {
    this.delay = FIRST_MS;
    clearTimeout(this.timer);
    this.schedule();
  }

  private schedule(): void {
    if (this.watched.size === 0 || document.hidden) return;
    this.timer = setTimeout(() => void this.ask(), this.delay);
  }

  private async ask(): Promise<void> {
    const ids = [...this.watched.keys()].slice(0, AT_ONCE);
    this.delay = Math.min(LAST_MS, this.delay * SLOWER);
    try {
      const answer = await fetch(`${this.url}?ids=${ids.join(",")}&limit=${AT_ONCE}`, { headers: { Accept: "application/json" } });
      if (answer.ok) this.tell(ids, ((await answer.json()) as { items: Progress[] }).items);
    } catch {
      // No connection just now: the next question comes later anyway.
    }
    clearTimeout(this.timer);
    this.schedule();
  }

  private tell(ids: readonly string[], items: readonly Progress[]): void {
    const found = new Map(items.map((item) => [item.id, item]));
    for (const id of ids) {
      const progress = found.get(id) ?? null;
      const watches = this.watched.get(id) ?? [];
      this.watched.delete(id);
      const done = watches.filter((watch) => progress === null || watch.isDone(progress));
      // Still under way: back to the end of the line, so that more than one question's worth takes turns.
      if (done.length < watches.length) this.watched.set(id, watches.filter((watch) => !done.includes(watch)));
      if (done.length > 0) this.delay = FIRST_MS;
      for (const watch of done) watch.tell(progress);
    }
  }
}
