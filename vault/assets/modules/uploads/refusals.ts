/** What a vault, or what stands before it, may say instead of yes, and what follows from it. */

/**
 * no: this file will not go through · again: this file may go through at once · hold: nothing goes through just now ·
 * signed-out: whoever was signed in is no more · stale: the page is older than the session · full: there is no room
 */
export type Consequence = "no" | "again" | "hold" | "signed-out" | "stale" | "full";

export class Refusal extends Error {
  constructor(
    message: string,
    readonly consequence: Consequence,
    /** Seconds the vault asks to wait; 0 when it does not say. */
    readonly seconds = 0,
    /** Of HTTP; 0 where there was no answer. */
    readonly status = 0,
  ) {
    super(message);
  }
}

export interface Answered {
  status: number;
  text: string;
  retryAfter: string | null;
}

export const UNREACHABLE = "The vault cannot be reached.";
export const SIGNED_OUT = "You have been signed out.";

/** Return what an answer that is no yes means. Status 0 is no answer at all. */
export function refusalOf({ status, text, retryAfter }: Answered): Refusal {
  const seconds = Number(retryAfter) || 0;
  const detail = detailOf(text);
  switch (status) {
    case 0:
    case 502:
    case 504:
      return new Refusal(UNREACHABLE, "hold", seconds);
    case 400:
      return new Refusal(detail ?? wordsFor(status), "stale");
    case 401:
      return new Refusal(SIGNED_OUT, "signed-out");
    case 408:
    case 429:
    case 503:
      return new Refusal(detail ?? "The vault has much to do at this moment.", "hold", seconds);
    case 409:
    case 423:
    case 460:
      return new Refusal(detail ?? "The vault and this page do not agree on what has arrived.", "again", 1, status);
    case 413:
      return new Refusal(detail ?? "Something between this page and the vault takes no pieces of this size. Tell the person who runs the vault.", "full");
    case 507:
      return new Refusal(detail ?? "The vault's disk is full. Tell the person who runs it.", "full");
    default:
      return new Refusal(detail ?? wordsFor(status), status >= 500 ? "again" : "no", seconds, status);
  }
}

function detailOf(text: string): string | null {
  try {
    const problem = JSON.parse(text) as { detail?: unknown; title?: unknown };
    const words = problem.detail ?? problem.title;
    return typeof words === "string" && words !== "" ? words : null;
  } catch {
    return null; // not from the vault itself, but from something in front of it
  }
}

function wordsFor(status: number): string {
  if (status === 403) return "You may not add pictures here.";
  if (status === 415) return "This kind of file is not kept.";
  return `The vault could not take the file (error ${status}). Try again later.`;
}

/** Ask the vault for something beside the bytes. Raises Refusal. */
export async function ask(method: string, url: string, headers: Readonly<Record<string, string>>, body?: BodyInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { method, headers: { Accept: "application/json", ...headers }, ...(body === undefined ? {} : { body }) });
  } catch {
    throw new Refusal(UNREACHABLE, "hold");
  }
  if (answer.redirected) throw new Refusal(SIGNED_OUT, "signed-out");
  if (answer.ok) return answer;
  throw refusalOf({ status: answer.status, text: await answer.text(), retryAfter: answer.headers.get("Retry-After") });
}
