/** Why nothing goes out just now, and when it is tried again: waiting is for all files, not for each by itself. */
import { type Refusal, UNREACHABLE } from "./refusals";

export type Cause = "paused" | "offline" | "unreachable" | "signed-out" | "somebody-else" | "full";

export interface Hold {
  cause: Cause;
  /** In sentences. */
  words: string;
}

const PAUSES_SECONDS: readonly number[] = [1, 2, 3, 5, 8, 15, 30];
const LONGEST_SECONDS = 300;

export class Holds {
  private found: Hold | null = null;
  private paused = false;
  private failures = 0;
  private timer: number | undefined;

  constructor(private readonly onChange: () => void) {
    addEventListener("online", () => {
      if (this.found?.cause === "unreachable") this.release();
      else this.onChange();
    });
    addEventListener("offline", this.onChange);
  }

  get now(): Hold | null {
    if (this.found !== null && this.found.cause !== "unreachable") return this.found;
    if (this.paused) return { cause: "paused", words: "Paused." };
    if (!navigator.onLine) return { cause: "offline", words: "You are offline. It goes on as soon as you are back." };
    return this.found;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  pause(isPaused: boolean): void {
    this.paused = isPaused;
    this.onChange();
  }

  /** Take in what stops everything. */
  add(refusal: Refusal): void {
    if (refusal.consequence === "hold") this.wait(refusal);
    else if (refusal.consequence === "signed-out") this.stop("signed-out", `${refusal.message} Sign in again, and it goes on.`);
    else this.stop("full", refusal.message);
  }

  stop(cause: Cause, words: string): void {
    clearTimeout(this.timer);
    this.found = { cause, words };
    this.onChange();
  }

  /** Something went through: the next failure is the first one again. */
  succeeded(): void {
    this.failures = 0;
  }

  release(): void {
    clearTimeout(this.timer);
    this.found = null;
    this.onChange();
  }

  private wait(refusal: Refusal): void {
    // Several that were under way fail together: that is one failure, and what is worse than waiting stays.
    if (this.found !== null) return;
    const own = PAUSES_SECONDS[Math.min(this.failures, PAUSES_SECONDS.length - 1)] ?? 0;
    this.failures += 1;
    const seconds = Math.min(LONGEST_SECONDS, Math.max(refusal.seconds, own));
    const soon = refusal.message === UNREACHABLE ? " It is tried again by itself; nothing is lost." : " It goes on by itself.";
    this.stop("unreachable", refusal.message + soon);
    // Not every browser at the same moment.
    this.timer = setTimeout(() => this.release(), seconds * 1000 * (1 + 0.25 * Math.random()));
  }
}
