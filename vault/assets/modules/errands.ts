/** Runs one errand per picture, a few at a time, and says in words how they went. */
import { csrfToken } from "./csrf";
import type { Picture } from "./shelves";

const AT_ONCE = 4;
/** How many names of what failed fit into a sentence. */
const MOST_NAMES = 3;

/** Method and address of what is asked of the server for one picture. */
export type Errand = (picture: Picture) => readonly [method: string, url: string];

export interface Outcome {
  done: Picture[];
  failed: Picture[];
  /** Why the first of them failed. */
  reason: string;
}

/** `progress` is called with how many are behind us. */
export async function runAll(pictures: readonly Picture[], errand: Errand, progress: (count: number) => void): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [], reason: "" };
  const waiting = [...pictures];
  const work = async (): Promise<void> => {
    for (let picture = waiting.shift(); picture !== undefined; picture = waiting.shift()) {
      const failure = await request(...errand(picture)).then(
        () => null,
        (error: unknown) => (error instanceof Refusal ? error.message : "The connection was lost."),
      );
      if (failure === null) outcome.done.push(picture);
      else {
        outcome.failed.push(picture);
        outcome.reason ||= failure;
      }
      progress(outcome.done.length + outcome.failed.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

/** What the server said no to, in its words. */
class Refusal extends Error {}

/** Ask the server for a change and return its answer. */
export async function request(method: string, url: string, body?: object): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  // A page that wants somebody signed in leads there instead of saying no.
  if (answer.status === 401 || answer.redirected) throw new Refusal("You have been signed out. Sign in in another tab, then try again.");
  if (answer.status === 403) throw new Refusal("It is gone, or you may not do this any more.");
  if (!answer.ok) throw new Refusal(await detailOf(answer));
  return answer;
}

/** Why a request failed, in words for people. */
export function reasonOf(error: unknown): string {
  return error instanceof Refusal ? error.message : "The connection was lost. Check it, then try again.";
}

export function countOf(count: number): string {
  return `${count.toLocaleString("en")} ${count === 1 ? "picture" : "pictures"}`;
}

/** One sentence for what was done, one for what was not. */
export function summaryOf(outcome: Outcome, done: string, undone: string): string {
  const said = outcome.done.length > 0 ? [`${countOf(outcome.done.length)} ${done}.`] : [];
  if (outcome.failed.length > 0) {
    const names = outcome.failed.slice(0, MOST_NAMES).map((picture) => `“${picture.name}”`);
    const others = outcome.failed.length - names.length;
    if (others > 0) names.push(`${others} more`);
    said.push(`${countOf(outcome.failed.length)} could not be ${undone}: ${names.join(", ")}. ${outcome.reason}`);
  }
  return said.join(" ");
}

async function detailOf(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as { detail?: unknown };
    if (typeof problem.detail === "string" && problem.detail !== "") return problem.detail;
  } catch {
    // Not from the vault itself, but from something in front of it.
  }
  return `The vault could not do it (error ${answer.status}). Try again later.`;
}
