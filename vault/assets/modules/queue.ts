/** Files on their way: a few at a time, with a second and third try when the connection is at fault. */
import { type Received, send, TransferFailed } from "./transfer";

const AT_ONCE = 3;
const TRIES = 3;

export interface Job {
  file: File;
  /** What is sent along with the file. */
  fields: Readonly<Record<string, string>>;
  /** A share from 0 to 1. */
  onProgress: (share: number) => void;
  onReceived: (received: Received) => void;
  onFailed: (failure: TransferFailed) => void;
}

export class Queue {
  private readonly waiting: Job[] = [];
  private running = 0;

  constructor(
    private readonly url: string,
    private readonly onIdle: () => void,
  ) {
    addEventListener("beforeunload", (event) => {
      if (this.isBusy) event.preventDefault();
    });
  }

  get isBusy(): boolean {
    return this.running + this.waiting.length > 0;
  }

  add(job: Job): void {
    this.waiting.push(job);
    this.next();
  }

  private next(): void {
    while (this.running < AT_ONCE) {
      const job = this.waiting.shift();
      if (job === undefined) break;
      this.running += 1;
      void this.run(job).finally(() => {
        this.running -= 1;
        this.next();
        if (!this.isBusy) this.onIdle();
      });
    }
  }

  private async run(job: Job): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        job.onReceived(await send(this.url, job.file, job.fields, job.onProgress));
        return;
      } catch (error) {
        const failure = error instanceof TransferFailed ? error : new TransferFailed("Something went wrong. Try again.", true, 0);
        if (!failure.mayRetry || attempt === TRIES) {
          job.onFailed(failure);
          return;
        }
        await pause(Math.max(failure.retryAfterSeconds * 1000, 1000 * 3 ** (attempt - 1)));
      }
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.min(milliseconds, 30_000)));
}
