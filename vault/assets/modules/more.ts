/** Fetches the next page of pictures before its "More" link comes into sight; the link stays for when that fails. */
import type { Tile } from "./tiles";

interface Page {
  items: Tile[];
  next: string | null;
}

export class More {
  private next: string | null;
  private loading: Promise<void> | null = null;
  private readonly place: HTMLElement | null;
  private readonly observer: IntersectionObserver;

  constructor(
    frame: HTMLElement,
    private readonly take: (tiles: readonly Tile[]) => void,
  ) {
    this.next = frame.dataset["next"] ?? null;
    this.place = frame.querySelector<HTMLElement>("[data-grid-more]");
    this.observer = new IntersectionObserver(
      (seen) => {
        if (seen.some((one) => one.isIntersecting)) void this.load();
      },
      { rootMargin: "1600px 0px" },
    );
    if (this.place === null) return;
    this.observer.observe(this.place);
    this.place.querySelector("a")?.addEventListener("click", (event) => {
      event.preventDefault();
      void this.load();
    });
  }

  /** Whether there is nothing left to fetch. */
  get isDone(): boolean {
    return this.next === null;
  }

  /** Load one page; a second call while one is under way waits for that one. */
  load(): Promise<void> {
    if (this.next === null) return Promise.resolve();
    this.loading ??= this.fetchPage(this.next).finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  /** Look again: the observer only speaks when something changes, and the place may be in sight still. */
  look(): void {
    if (this.place === null || this.next === null) return;
    this.observer.unobserve(this.place);
    this.observer.observe(this.place);
  }

  private async fetchPage(url: string): Promise<void> {
    this.label("Loading more…");
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const page = (await answer.json()) as Page;
      this.next = page.next;
      this.take(page.items);
    } catch {
      this.label("Could not load more. Try again");
      return;
    }
    this.settle();
  }

  private settle(): void {
    if (this.place === null) return;
    if (this.next === null) {
      this.observer.disconnect();
      this.place.remove();
      return;
    }
    this.label("More pictures");
    this.place.querySelector("a")?.setAttribute("href", this.next);
    this.look();
  }

  private label(text: string): void {
    const link = this.place?.querySelector("a");
    if (link) link.textContent = text;
  }
}
