/** Says how it goes to people who listen: the beginning, the end, what stands in the way, and seldom anything between. */
import { announce } from "../announce";
import type { Hold } from "./holds";
import type { Item } from "./items";
import { count, summaryOf } from "./tally";

const SELDOM_MS = 30_000;

export class Teller {
  private busy = false;
  private cause = "";
  private last = 0;

  begun(files: number, leftOut: string): void {
    const words = files === 0 ? "Nothing to upload." : `Uploading ${files.toLocaleString("en")} ${files === 1 ? "file" : "files"}.`;
    this.say(`${words} ${leftOut}`.trim());
  }

  look(items: Iterable<Item>, isBusy: boolean, hold: Hold | null): void {
    const cause = isBusy ? (hold?.cause ?? "") : "";
    if (cause !== this.cause) {
      this.cause = cause;
      this.say(hold !== null && cause !== "" ? hold.words : isBusy ? "The upload goes on." : "");
    }
    if (this.busy && !isBusy) this.say(`${summaryOf(count(items))}.`);
    else if (isBusy && cause === "" && performance.now() - this.last > SELDOM_MS) {
      const { total, open } = count(items);
      this.say(`${(total - open).toLocaleString("en")} of ${total.toLocaleString("en")} uploaded.`);
    }
    this.busy = isBusy;
  }

  private say(words: string): void {
    if (words === "") return;
    this.last = performance.now();
    announce(words);
  }
}
