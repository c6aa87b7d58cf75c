/**
 * What survives a reload: the items of the queue, the files themselves as far as the browser has room, and where
 * uploads that were begun go on. One database for each browser; items say whose they are.
 */
import type { PreviousUpload, UrlStorage } from "tus-js-client";
import type { Item, Sidecar } from "./items";

const NAME = "vault-uploads";
/** A copy in the browser's own store costs as much disk as the file: more than this is not worth it for one file … */
const LARGEST_KEPT = 512 * 1024 ** 2;
/** … nor for all of them together, nor more than this share of what the browser grants. */
const MOST_KEPT = 8 * 1024 ** 3;
const SHARE = 0.4;

export type KeptItem = Pick<Item, "id" | "name" | "path" | "size" | "modified" | "type" | "albumId" | "purpose" | "order" | "sha256"> & {
  person: string;
  tab: string;
  /** An archive that nobody said yes to yet. */
  offered: boolean;
};

interface KeptFile {
  id: string;
  file: File;
  sidecars: Sidecar[];
}

type KeptUrl = PreviousUpload & { fingerprint: string };

export class Store {
  private readonly db: Promise<IDBDatabase | null> = opened();

  constructor(
    readonly person: string,
    readonly tab: string,
  ) {}

  /** Return the ids of the tabs that left something of this person's behind, or still have it under way. */
  async tabs(): Promise<Set<string>> {
    const items = (await this.read<KeptItem[]>("items", (store) => store.getAll())) ?? [];
    return new Set(items.filter((item) => item.person === this.person).map((item) => item.tab));
  }

  /** Make what another tab left behind this tab's own, and return it with the files that were kept. */
  async adopt(tab: string): Promise<{ item: KeptItem; file: KeptFile | null }[]> {
    const db = await this.db;
    if (db === null) return [];
    const transaction = db.transaction(["items", "files"], "readwrite");
    const items = await result<KeptItem[]>(transaction.objectStore("items").getAll());
    const mine = items.filter((item) => item.person === this.person && item.tab === tab).sort((one, other) => one.order - other.order);
    for (const item of mine) transaction.objectStore("items").put({ ...item, tab: this.tab });
    const files = await Promise.all(mine.map((item) => result<KeptFile | undefined>(transaction.objectStore("files").get(item.id))));
    return mine.map((item, index) => ({ item, file: files[index] ?? null }));
  }

  async keep(items: readonly Item[]): Promise<void> {
    await this.write("items", (store) => {
      for (const item of items) store.put(this.described(item));
    });
  }

  /** Keep the files themselves; return whether there was room. */
  async keepFiles(items: readonly Item[]): Promise<boolean> {
    return this.write("files", (store) => {
      for (const { id, file, sidecars } of items) if (file !== null) store.put({ id, file, sidecars });
    });
  }

  async forget(ids: readonly string[]): Promise<void> {
    for (const name of ["items", "files"]) {
      await this.write(name, (store) => {
        for (const id of ids) store.delete(id);
      });
    }
  }

  /** How many bytes of files may still be kept. */
  async room(): Promise<number> {
    if ((await this.db) === null) return 0;
    const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    return Math.max(0, Math.min(MOST_KEPT, quota * SHARE) - usage);
  }

  isKeepable(item: Item): boolean {
    return item.file !== null && item.size <= LARGEST_KEPT;
  }

  /** Forget everything, of whomever. */
  async clear(): Promise<void> {
    for (const name of ["items", "files", "urls"]) await this.write(name, (store) => store.clear());
  }

  /** Forget what belongs to other people, whose browser this is no more, also as a guest, and files that are done with. */
  async tidy(): Promise<void> {
    const items = (await this.read<KeptItem[]>("items", (store) => store.getAll())) ?? [];
    const files = (await this.read<string[]>("files", (store) => store.getAllKeys())) ?? [];
    const known = new Set(items.map((item) => item.id));
    const others = items.filter((item) => item.person !== this.person).map((item) => item.id);
    const gone = [...others, ...files.filter((id) => !known.has(id))];
    if (gone.length > 0) await this.forget(gone);
    const begun = (await this.read<KeptUrl[]>("urls", (store) => store.getAll())) ?? [];
    const strange = begun.filter((url) => !url.fingerprint.startsWith(`${this.person}\n`));
    if (strange.length === 0) return;
    await this.write("urls", (store) => {
      for (const url of strange) store.delete(url.urlStorageKey);
    });
  }

  /** Where uploads go on, as tus-js-client wants to be told. */
  urls(): UrlStorage {
    return {
      findAllUploads: async () => (await this.read<PreviousUpload[]>("urls", (store) => store.getAll())) ?? [],
      findUploadsByFingerprint: async (fingerprint) =>
        (await this.read<PreviousUpload[]>("urls", (store) => store.index("fingerprint").getAll(fingerprint))) ?? [],
      removeUpload: async (key) => void (await this.write("urls", (store) => store.delete(key))),
      addUpload: async (fingerprint, upload) => {
        const kept: KeptUrl = { ...upload, fingerprint, urlStorageKey: `${fingerprint}\n${Date.now()}` };
        await this.write("urls", (store) => store.put(kept));
        return kept.urlStorageKey;
      },
    };
  }

  private described(item: Item): KeptItem {
    const { id, name, path, size, modified, type, albumId, purpose, order, sha256 } = item;
    const offered = item.stage === "offered";
    return { id, name, path, size, modified, type, albumId, purpose, order, sha256, person: this.person, tab: this.tab, offered };
  }

  private async read<Value>(name: string, ask: (store: IDBObjectStore) => IDBRequest): Promise<Value | null> {
    const db = await this.db;
    if (db === null) return null;
    return result<Value>(ask(db.transaction(name).objectStore(name))).catch(() => null);
  }

  /** Write, and return whether it is there now. Without a store the queue lives as long as the page. */
  private async write(name: string, change: (store: IDBObjectStore) => unknown): Promise<boolean> {
    const db = await this.db;
    if (db === null) return false;
    return new Promise((resolve) => {
      try {
        const transaction = db.transaction(name, "readwrite");
        transaction.oncomplete = () => resolve(true);
        transaction.onabort = () => resolve(false);
        change(transaction.objectStore(name));
      } catch {
        resolve(false); // a file that is gone from its place cannot be copied
      }
    });
  }
}

function opened(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("items", { keyPath: "id" });
        request.result.createObjectStore("files", { keyPath: "id" });
        request.result.createObjectStore("urls", { keyPath: "urlStorageKey" }).createIndex("fingerprint", "fingerprint");
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null); // switched off by whoever set up this browser
    }
  });
}

function result<Value>(request: IDBRequest): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as Value);
    request.onerror = () => reject(request.error ?? new Error("The browser's store does not answer."));
  });
}
