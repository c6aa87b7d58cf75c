/** Sends one file by the tus protocol, from where an earlier try left off. */
import { type HttpRequest, type HttpResponse, Upload, type UrlStorage } from "tus-js-client";
import { csrfToken } from "../csrf";
import type { Item } from "./items";
import { Refusal, refusalOf } from "./refusals";

/** Up to here a file goes along with the request that announces it: one way instead of two. */
const IN_ONE_BYTES = 4 * 1024 ** 2;
/** What is no longer at its address is begun anew. */
const GONE: ReadonlySet<number> = new Set([403, 404, 410]);

export interface Arrival {
  /** Empty when the upload was complete before, and the vault does not say again what became of it. */
  mediaId: string;
  importId: string;
  duplicate: boolean;
}

export interface Place {
  /** Where uploads are announced. */
  url: string;
  pieceBytes: number;
  /** Tells uploads of one person or visit from those of another. */
  owner: string;
  urls: UrlStorage;
  /** What is said of every file besides what it says of itself. */
  fields: Readonly<Record<string, string>>;
}

export class Sending {
  /** Resolves when all of it is kept, or with null when it was stopped; rejects with a Refusal. */
  readonly done: Promise<Arrival | null>;
  private readonly upload: Upload;
  private readonly fingerprint: string;
  private stopped = false;
  private succeed: (arrival: Arrival | null) => void = () => undefined;
  private fail: (refusal: Refusal) => void = () => undefined;

  constructor(
    private readonly place: Place,
    item: Item,
    private readonly file: File,
    onProgress: (bytes: number) => void,
  ) {
    this.fingerprint = [place.owner, item.sha256 || item.path, item.size, item.modified, item.albumId, item.purpose].join("\n");
    this.done = new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.fail = reject;
    });
    this.upload = new Upload(file, {
      endpoint: new URL(place.url, document.baseURI).href,
      chunkSize: place.pieceBytes,
      // The queue itself decides what is tried again and when: it knows of all that is under way.
      retryDelays: null,
      uploadDataDuringCreation: file.size <= Math.min(IN_ONE_BYTES, place.pieceBytes),
      removeFingerprintOnSuccess: true,
      urlStorage: place.urls,
      fingerprint: () => Promise.resolve(this.fingerprint),
      metadata: metadataOf(item, place.fields),
      onBeforeRequest: (request) => {
        request.setHeader("X-CSRFToken", csrfToken());
        request.setHeader("Accept", "application/json");
      },
      onAfterResponse: (request, response) => this.judge(request, response),
      onProgress,
      onSuccess: ({ lastResponse }) => this.succeed(arrivalOf(lastResponse)),
      onError: (error) => void this.explain(error),
    });
    void this.begin();
  }

  /** Stop; where `forGood`, the vault forgets what it has of it. */
  async stop(forGood: boolean): Promise<void> {
    this.stopped = true;
    this.succeed(null);
    try {
      await this.upload.abort(forGood);
    } catch {
      // It cannot be reached or has forgotten it already: it forgets by itself after a while.
    }
    if (forGood) await this.forget();
  }

  private async begin(): Promise<void> {
    const [previous] = await this.upload.findPreviousUploads();
    if (this.stopped) return;
    if (previous !== undefined) this.upload.resumeFromPreviousUpload(previous);
    this.upload.start();
  }

  private async judge(request: HttpRequest, response: HttpResponse): Promise<void> {
    const status = response.getStatus();
    if (status < 400) return;
    const isGone = GONE.has(status);
    // tus-js-client begins anew by itself when the first question says that there is nothing to go on with.
    if (isGone && request.getMethod() === "HEAD") return;
    const began = request.getMethod() === "POST";
    if (isGone && !began) {
      await this.forget();
      throw new Refusal("The vault has forgotten the first part of the file.", "again");
    }
    throw refusalOf({ status, text: response.getBody() ?? "", retryAfter: response.getHeader("Retry-After") ?? null });
  }

  private async explain(error: Error & { causingError?: Error | null }): Promise<void> {
    const cause = error.causingError;
    if (cause instanceof Refusal) return this.fail(cause);
    // The browser says the same of a connection that broke and of a file that it could not read.
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      return this.fail(new Refusal("The file was moved, changed or deleted since you chose it. Choose it again.", "no"));
    }
    return this.fail(refusalOf({ status: 0, text: "", retryAfter: null }));
  }

  private async forget(): Promise<void> {
    for (const each of await this.place.urls.findUploadsByFingerprint(this.fingerprint)) {
      await this.place.urls.removeUpload(each.urlStorageKey);
    }
  }
}

function metadataOf(item: Item, fields: Readonly<Record<string, string>>): Record<string, string> {
  const metadata: Record<string, string> = { ...fields, filename: item.name, lastmodified: String(item.modified) };
  if (item.type !== "") metadata["filetype"] = item.type;
  if (item.albumId !== "") metadata["album_id"] = item.albumId;
  if (item.sha256 !== "") metadata["sha256"] = item.sha256;
  if (item.purpose === "archive") metadata["purpose"] = "archive";
  return metadata;
}

function arrivalOf(response: HttpResponse): Arrival {
  return {
    mediaId: response.getHeader("Vault-Media") ?? "",
    importId: response.getHeader("Vault-Import") ?? "",
    duplicate: response.getHeader("Vault-Duplicate") === "true",
  };
}
