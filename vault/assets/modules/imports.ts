/** The page of one import, while it goes on: fetched again and put in place of what is shown. */

const AGAIN_MS = 2500;

export function attachImport(): void {
  let timer: number | undefined;
  const shown = (): HTMLElement | null => document.querySelector<HTMLElement>('[data-import="alive"]');

  const ask = async (): Promise<void> => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const found = answer.ok && !answer.redirected ? fresh(await answer.text()) : null;
      // Not under the hands of somebody who is about to press something there.
      const old = shown();
      const isBusy = old?.contains(document.activeElement) === true || document.querySelector("dialog[open]") !== null;
      if (found !== null && !isBusy) old?.replaceWith(found);
    } catch {
      // No connection just now: the next question comes later anyway.
    }
    schedule();
  };
  const schedule = (): void => {
    clearTimeout(timer);
    if (!document.hidden && shown() !== null) timer = setTimeout(() => void ask(), AGAIN_MS);
  };
  document.addEventListener("visibilitychange", schedule);
  schedule();
}

function fresh(text: string): HTMLElement | null {
  return new DOMParser().parseFromString(text, "text/html").querySelector<HTMLElement>("[data-import]");
}
