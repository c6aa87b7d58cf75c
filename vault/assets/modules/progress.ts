/** The one line on what is still being made of one's pictures: asks again, soon while there is something to wait for. */

const BUSY_MS = 4000;
const IDLE_MS = 20_000;

interface Words {
  busy: string;
  failed: string;
}

export function attachProgress(): void {
  const line = document.querySelector<HTMLElement>("[data-progress]");
  const url = line?.dataset["progress"];
  const busy = line?.querySelector<HTMLElement>("[data-progress-busy]");
  const failed = line?.querySelector<HTMLElement>("[data-progress-failed]");
  if (!line || !url || !busy || !failed) return;
  let timer: number | undefined;

  const show = (words: Words): void => {
    if (busy.textContent !== words.busy) busy.textContent = words.busy;
    if (failed.textContent !== words.failed) failed.textContent = words.failed;
    failed.hidden = words.failed === "";
    line.hidden = words.busy === "" && words.failed === "";
  };
  const ask = async (): Promise<void> => {
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (answer.ok) show((await answer.json()) as Words);
    } catch {
      // No connection just now: the next question comes later anyway.
    }
    schedule();
  };
  const schedule = (): void => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(() => void ask(), busy.textContent === "" ? IDLE_MS : BUSY_MS);
  };
  document.addEventListener("visibilitychange", schedule);
  schedule();
}
