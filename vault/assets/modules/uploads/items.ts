/** What is to be uploaded: one item for each file, from being chosen to being kept. */

/**
 * offered: an archive that waits for a yes · waiting: nothing done yet · checking: hashed, and the vault asked whether it
 * has it · ready: may be sent · sending · arrived: kept, still being prepared · done · known: the vault had it ·
 * unread: kept, and nobody can make a picture of it · failed: not kept · lost: the page was loaded anew and the browser
 * did not keep the file itself.
 */
export type Stage = "offered" | "waiting" | "checking" | "ready" | "sending" | "arrived" | "done" | "known" | "unread" | "failed" | "lost";
export type Purpose = "media" | "archive";

/** What describes a picture and lies beside it: XMP, or the JSON of an archive of Google Photos. */
export interface Sidecar {
  name: string;
  file: Blob;
}

/** A file that somebody chose, with what was found beside it. */
export interface Chosen {
  file: File;
  /** Where it lay, from the chosen folder on; its name alone when it was chosen by itself. */
  path: string;
  sidecars: Sidecar[];
  purpose: Purpose;
}

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly type: string;
  readonly albumId: string;
  readonly purpose: Purpose;
  /** Counts up in the order of choosing. */
  readonly order: number;
  file: File | null;
  sidecars: Sidecar[];
  /** Whether the browser keeps the file itself across pages. */
  kept: boolean;
  /** In hexadecimal; empty while it is not known, or where it is never made. */
  sha256: string;
  stage: Stage;
  sent: number;
  /** Whether the vault did not have it before. */
  isNew: boolean;
  /** What there is to say of it, in a sentence. */
  note: string;
  mayRetry: boolean;
  tries: number;
  /** Counts up in the order in which they were done with; 0 before. */
  settled: number;
  mediaId: string;
  importId: string;
}

export function newItem(chosen: Chosen, albumId: string, order: number): Item {
  const { file, path, sidecars, purpose } = chosen;
  const facts = { id: newId(), name: file.name, path, size: file.size, modified: file.lastModified, type: file.type };
  return begun({ ...facts, albumId, purpose, order }, file, sidecars);
}

type Facts = Pick<Item, "id" | "name" | "path" | "size" | "modified" | "type" | "albumId" | "purpose" | "order">;

/** Return an item that nothing was done for yet. */
export function begun(facts: Facts, file: File | null, sidecars: Sidecar[]): Item {
  return {
    ...facts,
    file,
    sidecars,
    kept: false,
    sha256: "",
    stage: file === null ? "lost" : facts.purpose === "archive" ? "offered" : "waiting",
    sent: 0,
    isNew: false,
    note: "",
    mayRetry: false,
    tries: 0,
    settled: 0,
    mediaId: "",
    importId: "",
  };
}

/** What tells two choices of one file from two files, without reading them. */
export function likenessOf(item: Pick<Item, "path" | "size" | "modified">): string {
  return `${item.path}\n${item.size}\n${item.modified}`;
}

const OPEN: ReadonlySet<Stage> = new Set<Stage>(["waiting", "checking", "ready", "sending"]);

/** Whether there is still something to do for it that the page does by itself. */
export function isOpen(item: Item): boolean {
  return OPEN.has(item.stage);
}

/** Not `crypto.randomUUID`: pages on plain http do not have it. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("");
}
