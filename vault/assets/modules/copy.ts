/** Buttons that copy the address beside them, and say that they did. */
import { announce } from "./announce";

const SAID_MS = 2000;

export function attachCopyButtons(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-copy]")) {
    const field = place.querySelector<HTMLInputElement>("[data-copy-text]");
    const button = place.querySelector<HTMLButtonElement>("[data-copy-button]");
    const label = place.querySelector<HTMLElement>("[data-copy-label]");
    if (field === null || button === null || label === null) continue;
    const words = label.textContent ?? "";
    button.hidden = false;
    field.addEventListener("focus", () => field.select());
    button.addEventListener("click", () => {
      void copy(field).then((done) => {
        label.textContent = done ? "Copied" : "Press Ctrl+C";
        announce(done ? "Copied." : "Could not copy. The address is selected: press Control and C.");
        setTimeout(() => {
          label.textContent = words;
        }, SAID_MS);
      });
    });
  }
}

/** The clipboard is only there on https and loopback; elsewhere the selection's own copy command still works. */
async function copy(field: HTMLInputElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand("copy");
  }
}
