/** Sends one file and says how far it is. XMLHttpRequest, because fetch does not tell the progress of an upload. */
import { csrfToken } from "./csrf";

export interface Received {
  id: string;
  state: string;
  duplicate?: boolean;
}

/** A refusal in words for people; `mayRetry` when the same file could go through later. */
export class TransferFailed extends Error {
  constructor(
    message: string,
    readonly mayRetry: boolean,
    readonly retryAfterSeconds: number,
  ) {
    super(message);
  }
}

/** `fields` go along with the file; `progress` is called with a share from 0 to 1. */
export function send(url: string, file: File, fields: Readonly<Record<string, string>>, progress: (share: number) => void): Promise<Received> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append("file", file, file.name);
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const received = request.status < 300 ? readReceived(request.responseText) : null;
      if (received === null) reject(failureOf(request));
      else resolve(received);
    });
    request.addEventListener("error", () => reject(failureOf(request)));
    request.send(body);
  });
}

function readReceived(text: string): Received | null {
  try {
    const answer = JSON.parse(text) as Partial<Received>;
    return typeof answer.id === "string" ? { state: "pending", ...answer, id: answer.id } : null;
  } catch {
    return null;
  }
}

function failureOf(request: XMLHttpRequest): TransferFailed {
  const status = request.status;
  const seconds = Number(request.getResponseHeader("Retry-After")) || 0;
  if (status === 0) return new TransferFailed("The connection was lost. Check it, then try again.", true, seconds);
  if (status === 401) return new TransferFailed("You have been signed out. Sign in in another tab, then try again.", true, seconds);
  const mayRetry = status === 408 || status === 429 || status >= 500;
  return new TransferFailed(detailOf(request.responseText) ?? wordsFor(status), mayRetry, seconds);
}

function detailOf(text: string): string | null {
  try {
    const problem = JSON.parse(text) as { detail?: unknown; title?: unknown };
    const words = problem.detail ?? problem.title;
    return typeof words === "string" && words !== "" ? words : null;
  } catch {
    return null;
  }
}

function wordsFor(status: number): string {
  if (status === 403) return "You may not add pictures here.";
  if (status === 413) return "The file is too large for this vault.";
  if (status === 415) return "This kind of file is not accepted. JPEG, PNG, WebP, GIF and AVIF are.";
  if (status === 429) return "Too many at once. Wait a moment, then try again.";
  if (status === 507) return "The vault's disk is full. Tell the person who runs it.";
  return `The vault could not take the file (error ${status}). Try again later.`;
}
