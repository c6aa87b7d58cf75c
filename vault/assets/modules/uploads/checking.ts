/** Finds out which files the vault has already: hashes them in a worker, and asks for many at once. */
import type { HashAnswer, HashQuestion } from "../../hashing";
import { csrfToken } from "../csrf";
import type { Item } from "./items";
import { ask } from "./refusals";

/** Beyond this a file is read for sending only: to read it twice would take longer than it is worth. */
const LARGEST_HASHED = 1024 ** 3;
/** As many as the vault answers for at once. */
export const MOST_ASKED = 500;

export class Checker {
  private worker: Worker | null = null;
  private readonly questions = new Map<string, (sha256: string | null) => void>();

  constructor(
    private readonly workerUrl: string,
    /** Null where nobody is told what is there. */
    private readonly knownUrl: string | null,
  ) {}

  /** Return the SHA-256 in hexadecimal, "" where none is made, null where the file cannot be read. */
  hash(item: Item): Promise<string | null> {
    if (item.sha256 !== "" || item.file === null || item.size > LARGEST_HASHED) return Promise.resolve(item.sha256);
    const question: HashQuestion = { id: item.id, file: item.file };
    return new Promise((resolve) => {
      this.questions.set(item.id, resolve);
      this.started().postMessage(question);
    });
  }

  /** Return the ids of the asker's own pictures by their digests. Raises Refusal. */
  async known(digests: readonly string[]): Promise<Map<string, string>> {
    if (digests.length === 0 || this.knownUrl === null) return new Map();
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    const answer = await ask("POST", this.knownUrl, headers, JSON.stringify({ sha256: [...new Set(digests)] }));
    const { items } = (await answer.json()) as { items: { sha256: string; id: string }[] };
    return new Map(items.map((item) => [item.sha256, item.id]));
  }

  private started(): Worker {
    if (this.worker !== null) return this.worker;
    this.worker = new Worker(this.workerUrl, { type: "module" });
    this.worker.addEventListener("message", ({ data }: MessageEvent<HashAnswer>) => {
      this.questions.get(data.id)?.(data.sha256);
      this.questions.delete(data.id);
    });
    // Where no worker runs, files go unhashed: the vault finds out by itself what it has.
    this.worker.addEventListener("error", () => {
      for (const resolve of this.questions.values()) resolve("");
      this.questions.clear();
    });
    return this.worker;
  }
}
