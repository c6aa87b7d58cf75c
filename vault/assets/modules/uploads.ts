/** Uploading by picking or dropping: wires the queue, the tray, the grid and the poller together. */
import { announce } from "./announce";
import { refreshCounts } from "./counts";
import { attachDrop } from "./drop";
import { element } from "./elements";
import type { Grid } from "./grid";
import type { Poller } from "./poller";
import { Queue } from "./queue";
import type { Received, TransferFailed } from "./transfer";
import { Tray, type TrayLine } from "./tray";

const KINDS = "image/jpeg,image/png,image/webp,image/gif,image/avif";

export function attachUploads(poller: Poller, grids: readonly Grid[]): void {
  const url = document.body.dataset["uploadTo"];
  const form = document.querySelector<HTMLFormElement>("[data-upload-form]");
  const grid = grids.find((one) => one.frame.dataset["uploadHere"] !== undefined) ?? null;
  if (url === undefined || (form === null && grid === null)) return;
  const uploads = new Uploads(url, poller, grid);
  if (form !== null) attachForm(form, uploads);
  const album = form?.querySelector<HTMLSelectElement>("[data-upload-album]");
  const albumId = (): string => album?.value ?? grid?.frame.dataset["uploadHere"] ?? "";
  const name = grid?.frame.dataset["uploadName"];
  attachDrop(name ? `Drop to add to “${name}”` : "Drop to upload", (files) => uploads.add(files, albumId()));
  attachPickers(uploads, albumId);
}

function attachForm(form: HTMLFormElement, uploads: Uploads): void {
  const input = form.querySelector<HTMLInputElement>("[data-upload-files]");
  const album = form.querySelector<HTMLSelectElement>("[data-upload-album]");
  input?.addEventListener("change", () => {
    uploads.add([...(input.files ?? [])], album?.value ?? "");
    input.value = "";
  });
}

/** Links to the upload page open the file picker in place. */
function attachPickers(uploads: Uploads, albumId: () => string): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-upload-pick]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const input = element("input", "");
      input.type = "file";
      input.multiple = true;
      input.accept = KINDS;
      input.addEventListener("change", () => uploads.add([...(input.files ?? [])], albumId()));
      input.click();
    });
  }
}

class Uploads {
  private readonly queue: Queue;
  private readonly tray = new Tray(document.querySelector<HTMLElement>("[data-upload-list]"));
  private total = 0;
  private done = 0;
  private failed = 0;
  private processing = 0;

  constructor(
    url: string,
    private readonly poller: Poller,
    private readonly grid: Grid | null,
  ) {
    this.queue = new Queue(url, () => {
      this.say(true);
      void refreshCounts();
      this.settle();
    });
  }

  add(files: readonly File[], albumId: string): void {
    if (!this.queue.isBusy) [this.total, this.done, this.failed] = [0, 0, 0];
    for (const file of files) {
      this.total += 1;
      this.start(file, albumId, this.tray.add(file.name));
    }
    this.say(true);
  }

  private start(file: File, albumId: string, line: TrayLine): void {
    this.queue.add({
      file,
      fields: albumId === "" ? {} : { album_id: albumId },
      onProgress: (share) => line.progress(share),
      onReceived: (received) => this.received(received, file, line),
      onFailed: (failure) => this.refused(failure, file, albumId, line),
    });
  }

  private received(received: Received, file: File, line: TrayLine): void {
    this.done += 1;
    this.say(false);
    const page = `/media/${received.id}`;
    line.tell(received.duplicate ? "Already in your vault. Kept once." : "Processing…");
    this.grid?.welcome(newTile(received.id, page, file.name));
    this.hideEmptiness();
    this.processing += 1;
    this.poller.watch(received.id, (progress) => {
      this.processing -= 1;
      this.settle();
      if (progress === null) line.fail("The picture is no longer there.", null);
      else if (progress.state === "failed") line.fail(progress.failure ?? "This picture could not be read.", null);
      else {
        line.tell(received.duplicate ? "Already in your vault. Kept once." : "Ready");
        line.show(`${page}/thumb`, page);
      }
    });
  }

  private refused(failure: TransferFailed, file: File, albumId: string, line: TrayLine): void {
    this.failed += 1;
    this.say(false);
    const again = (): void => {
      this.failed -= 1;
      this.start(file, albumId, line);
      this.say(false);
    };
    line.fail(failure.message, failure.mayRetry ? again : null);
  }

  private say(aloud: boolean): void {
    const sentence = this.queue.isBusy ? `Uploading ${this.done + this.failed + 1} of ${this.total}` : this.summary();
    this.tray.say(sentence, this.queue.isBusy);
    if (aloud) announce(sentence);
  }

  private summary(): string {
    const sent = `${this.done} ${this.done === 1 ? "picture" : "pictures"} uploaded`;
    return this.failed === 0 ? sent : `${sent}, ${this.failed} failed`;
  }

  /** Pictures find their places once, when all of them are here: nothing jumps about while they come in. */
  private settle(): void {
    if (this.processing === 0 && !this.queue.isBusy) this.grid?.settle();
  }

  private hideEmptiness(): void {
    document.querySelector<HTMLElement>(".empty")?.remove();
  }
}

function newTile(id: string, page: string, name: string): Parameters<Grid["welcome"]>[0] {
  return {
    id,
    page,
    name,
    thumb: `${page}/thumb`,
    preview: `${page}/preview`,
    original: `${page}/original`,
    width: null,
    height: null,
    state: "pending",
    failure: null,
    caption: null,
    placeholder: null,
    mine: true,
  };
}
