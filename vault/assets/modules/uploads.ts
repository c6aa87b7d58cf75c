/** Uploading by picking or dropping: what stands on every page. The uploader itself is fetched when it is needed. */
import { attachDrop } from "./drop";
import { element } from "./elements";
import type { Grid } from "./grid";
import type { Poller } from "./poller";
import { type Found, ofDrop, ofList } from "./uploads/choice";
import { readFacts, type UploadFacts } from "./uploads/facts";
import { hasLeftovers, noteLeftovers, tellSignedOut } from "./uploads/tabs";
import type { Uploader } from "./uploads/uploader";

export function attachUploads(poller: Poller, grids: readonly Grid[]): void {
  const facts = readFacts();
  if (facts === null) return;
  const form = document.querySelector<HTMLFormElement>("[data-upload-form]");
  const grid = grids.find((one) => one.frame.dataset["uploadHere"] !== undefined) ?? null;
  const place = document.querySelector<HTMLElement>("[data-upload-list]");
  let uploader: Promise<Uploader> | null = null;
  const started = (): Promise<Uploader> => {
    uploader ??= import("./uploads/uploader").then((found) => found.Uploader.start(facts, poller, grid, place));
    return uploader;
  };
  const album = form?.querySelector<HTMLSelectElement>("[data-upload-album]");
  const albumId = (): string => album?.value ?? grid?.frame.dataset["uploadHere"] ?? "";
  const choose = async (found: readonly Found[], unreadable = 0): Promise<void> => {
    // The album that was chosen with the files, however long they take to be read.
    const into = albumId();
    (await started()).choose(found, unreadable, into);
  };
  if (hasLeftovers()) void started();
  attachSignOut();
  if (form === null && grid === null) return;
  const name = grid?.frame.dataset["uploadName"];
  attachDrop(name ? `Drop to add to “${name}”` : "Drop to upload", (transfer) => {
    void ofDrop(transfer).then(({ found, unreadable }) => choose(found, unreadable));
  });
  for (const input of form?.querySelectorAll<HTMLInputElement>("[data-upload-files], [data-upload-folder]") ?? []) {
    // More than the plain form takes: an archive is only imported from here.
    if (!input.webkitdirectory) input.accept = facts.accept;
    attachInput(input, choose);
  }
  attachPickers(facts, choose);
}

type Choose = (found: readonly Found[]) => Promise<void>;

function attachInput(input: HTMLInputElement, choose: Choose): void {
  input.addEventListener("change", () => {
    void choose(ofList(input.files ?? []));
    input.value = "";
  });
}

/** Links to the upload page open the file picker in place. */
function attachPickers(facts: UploadFacts, choose: Choose): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-upload-pick]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const input = element("input", "");
      input.type = "file";
      input.multiple = true;
      input.accept = facts.accept;
      attachInput(input, choose);
      input.click();
    });
  }
}

/** What is in the queue belongs to whoever signs out, and to nobody who comes after. */
function attachSignOut(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-sign-out]");
  form?.addEventListener("submit", (event) => {
    if (!hasLeftovers()) return;
    event.preventDefault();
    void import("./uploads/store")
      .then(({ Store }) => new Store("", "").clear())
      .finally(() => {
        noteLeftovers(false);
        tellSignedOut();
        form.submit();
      });
  });
}
