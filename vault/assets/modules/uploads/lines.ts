/** One file in the list of uploads: what it is called, how far it is, and what can be done about it. */
import { button, drawings, element, icon } from "../elements";
import type { Item } from "./items";
import { inBytes } from "./meter";

export interface LineDeeds {
  cancel: (item: Item) => void;
  retry: (item: Item) => void;
  accept: (item: Item) => void;
}

export class Line {
  readonly element = element("li", "sent");
  private readonly picture = element("span", "sent-picture");
  private readonly note = element("span", "sent-note");
  private readonly bar = element("progress", "progress");
  private readonly actions = element("span", "sent-actions");
  private acted = "";
  private pictured = "";

  constructor(
    private readonly item: Item,
    private readonly deeds: LineDeeds,
  ) {
    const name = element("span", "sent-name", item.name);
    if (item.path !== item.name) name.title = item.path;
    this.picture.append(icon(...drawings.picture));
    this.bar.max = 1;
    this.bar.setAttribute("aria-label", `Upload of ${item.name}`);
    this.element.append(this.picture, name, this.note, this.actions);
  }

  draw(): void {
    const { item } = this;
    const words = wordsFor(item);
    if (this.note.textContent !== words) this.note.textContent = words;
    this.element.classList.toggle("is-failed", item.stage === "failed" || item.stage === "unread");
    this.element.classList.toggle("is-sending", item.stage === "sending");
    const isSending = item.stage === "sending" && item.mediaId === "";
    if (isSending) this.bar.value = item.size === 0 ? 1 : item.sent / item.size;
    if (isSending && !this.bar.isConnected) this.note.after(this.bar);
    else if (!isSending) this.bar.remove();
    this.depict();
    this.offer();
  }

  /** Show the picture itself once it is ready. */
  private depict(): void {
    const { mediaId, stage } = this.item;
    if (mediaId === "" || (stage !== "done" && stage !== "known") || this.pictured !== "") return;
    this.pictured = mediaId;
    const image = element("img", "");
    image.alt = "";
    // The vault may have had it without being done with it.
    image.addEventListener("error", () => this.picture.replaceChildren(icon(...drawings.picture)));
    image.src = `/media/${mediaId}/thumb`;
    this.picture.replaceChildren(image);
  }

  /** Offer what can be done now; made anew only when that is something else, so that nothing loses the focus. */
  private offer(): void {
    const { item } = this;
    const offered = `${item.stage} ${item.mayRetry} ${item.mediaId} ${item.importId}`;
    if (offered === this.acted) return;
    this.acted = offered;
    this.actions.replaceChildren(...this.made());
  }

  private made(): HTMLElement[] {
    const { item, deeds } = this;
    switch (item.stage) {
      case "done":
      case "known":
      case "arrived":
      case "unread":
        return item.importId !== "" ? [this.way("See the import", `/imports/${item.importId}`)] : this.open();
      case "failed":
        return item.mayRetry ? [this.act("Try again", `Try again to upload ${item.name}`, () => deeds.retry(item))] : [];
      case "offered":
        return [this.act("Import", `Import the pictures in ${item.name}`, () => deeds.accept(item)), this.canceller()];
      default:
        return [this.canceller()];
    }
  }

  private open(): HTMLElement[] {
    return this.item.mediaId === "" || this.item.stage === "arrived" ? [] : [this.way("Open", `/media/${this.item.mediaId}`)];
  }

  private way(words: string, address: string): HTMLElement {
    const link = element("a", "button quiet small", words);
    link.href = address;
    link.setAttribute("aria-label", `${words}: ${this.item.name}`);
    return link;
  }

  private act(words: string, label: string, deed: () => void): HTMLElement {
    const made = button(words, "button small");
    made.setAttribute("aria-label", label);
    made.addEventListener("click", deed);
    return made;
  }

  private canceller(): HTMLElement {
    const made = button(`Do not upload ${this.item.name}`, "button quiet square small", icon(...drawings.close));
    made.addEventListener("click", () => this.deeds.cancel(this.item));
    return made;
  }
}

function wordsFor(item: Item): string {
  switch (item.stage) {
    case "offered":
      return "An archive. The pictures in it can be imported.";
    case "waiting":
    case "ready":
      return item.sent > 0 ? `Waiting. ${inBytes(item.sent)} of ${inBytes(item.size)} are there.` : `Waiting · ${inBytes(item.size)}`;
    case "checking":
      return "Checking…";
    case "sending":
      return item.sent < item.size ? `${inBytes(item.sent)} of ${inBytes(item.size)}` : "Being kept…";
    case "arrived":
      return "Kept. Being prepared…";
    case "done":
      return item.note || (item.importId === "" ? "Ready" : "Here. The pictures in it are being taken out.");
    case "known":
      return item.note || "Already in your vault. Kept once.";
    case "lost":
      return "Choose it again to go on.";
    case "unread":
    case "failed":
      return item.note;
  }
}
