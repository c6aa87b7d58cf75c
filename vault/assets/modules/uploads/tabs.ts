/** Which page of this browser sees to which part of the queue: a page's lock ends with the page, however it ends. */
import { newId } from "./items";

const LOCK = "vault-uploads:";
const CHANNEL = "vault-uploads";
const FLAG = "vault-uploads";

/** Return a new name for this page, held as long as the page lives. */
export async function nameThisTab(): Promise<string> {
  const tab = newId();
  const locks = navigator.locks as LockManager | undefined;
  if (locks === undefined) return tab; // only on plain http; two pages may then do one thing twice, which is kept once
  await new Promise<void>((held) => {
    void locks.request(LOCK + tab, () => {
      held();
      return new Promise(() => undefined);
    });
  });
  return tab;
}

/** Call `then` as soon as the page of that name is no more. */
export function whenClosed(tab: string, then: () => Promise<void>): void {
  const locks = navigator.locks as LockManager | undefined;
  if (locks === undefined) void then();
  else void locks.request(LOCK + tab, then);
}

/** Note whether anything is left to do, so that pages without uploads need not open the store to find out. */
export function noteLeftovers(isAny: boolean): void {
  try {
    if (isAny) localStorage.setItem(FLAG, "1");
    else localStorage.removeItem(FLAG);
  } catch {
    // Switched off: then nothing goes on by itself after a reload.
  }
}

export function hasLeftovers(): boolean {
  try {
    return localStorage.getItem(FLAG) !== null;
  } catch {
    return false;
  }
}

/** Tell the other pages that whoever was signed in has left. */
export function tellSignedOut(): void {
  new BroadcastChannel(CHANNEL).postMessage("signed-out");
}

export function onSignedOut(then: () => void): void {
  new BroadcastChannel(CHANNEL).addEventListener("message", then);
}
