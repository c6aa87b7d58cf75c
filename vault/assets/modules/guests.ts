/** The visitor's uploader: sends what is chosen or dropped one by one, and says what became of it. */
import { announce } from "./announce";
import { attachDrop } from "./drop";
import { Queue } from "./queue";
import { Tray } from "./tray";

export function attachGuests(): void {
  const form = document.querySelector<HTMLFormElement>("[data-guest-form]");
  const input = form?.querySelector<HTMLInputElement>("[data-guest-files]");
  if (form === null || input === null || input === undefined) return;
  const tray = new Tray(document.querySelector<HTMLElement>("[data-upload-list]"));
  let sent = 0;
  // What was sent stands in the page's own list, with the way to take it back.
  const queue = new Queue(form.action, () => {
    tray.say(`${sent} ${sent === 1 ? "picture" : "pictures"} added. Thank you.`, false);
    announce("All pictures are sent.");
    if (document.querySelector(".sent.is-failed") === null) location.reload();
  });
  const add = (files: readonly File[]): void => {
    const name = form.querySelector<HTMLInputElement>('[name="guest_name"]')?.value ?? "";
    for (const file of files) start(file, name);
  };
  const start = (file: File, name: string): void => {
    const line = tray.add(file.name);
    tray.say("Sending…", true);
    queue.add({
      file,
      fields: { guest_name: name },
      onProgress: (share) => line.progress(share),
      onReceived: () => {
        sent += 1;
        line.tell("Added. Thank you.");
      },
      onFailed: (failure) => line.fail(failure.message, failure.mayRetry ? () => start(file, name) : null),
    });
  };
  input.addEventListener("change", () => {
    add([...(input.files ?? [])]);
    input.value = "";
  });
  attachDrop("Drop to add", (transfer) => add([...transfer.files]));
}
