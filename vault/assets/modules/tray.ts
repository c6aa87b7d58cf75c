/** The list of uploads: in the corner of an album's page, or in its place on the upload page. */
import { button, drawings, element, icon } from "./elements";

export class Tray {
  private readonly root = element("section", "tray");
  private readonly title = element("p", "tray-title");
  private readonly list = element("ul", "tray-list");
  private readonly closer = button("Close the list of uploads", "button quiet square", icon(...drawings.close));

  constructor(private readonly place: HTMLElement | null) {
    const head = element("div", "tray-head");
    head.append(this.title);
    if (place === null) head.append(this.closer);
    this.root.setAttribute("aria-label", "Uploads");
    this.root.classList.toggle("is-inline", place !== null);
    this.root.append(head, this.list);
    this.closer.addEventListener("click", () => {
      this.root.remove();
      this.list.replaceChildren();
    });
  }

  add(name: string): TrayLine {
    if (!this.root.isConnected) (this.place ?? document.body).append(this.root);
    const line = new TrayLine(name);
    this.list.append(line.item);
    return line;
  }

  /** While files are on their way the list cannot be closed. */
  say(title: string, isBusy: boolean): void {
    this.title.textContent = title;
    this.closer.disabled = isBusy;
  }
}

export class TrayLine {
  readonly item = element("li", "sent");
  private readonly picture = element("span", "sent-picture");
  private readonly note = element("span", "sent-note", "Waiting…");
  private readonly bar = element("progress", "progress");

  constructor(private readonly name: string) {
    this.picture.append(icon(...drawings.picture));
    this.bar.max = 1;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", `Upload of ${name}`);
    this.item.append(this.picture, element("span", "sent-name", name), this.bar);
  }

  progress(share: number): void {
    this.bar.value = share;
    if (share >= 1) this.tell("Checking…");
  }

  /** Put a sentence where the progress bar was. */
  tell(words: string): void {
    this.item.classList.remove("is-failed");
    this.note.textContent = words;
    this.bar.replaceWith(this.note);
  }

  show(thumb: string, page: string): void {
    const image = element("img", "");
    image.alt = "";
    image.src = thumb;
    this.picture.replaceChildren(image);
    const link = element("a", "button quiet sent-action", "Open");
    link.href = page;
    link.setAttribute("aria-label", `Open ${this.name}`);
    this.item.append(link);
  }

  fail(words: string, retry: (() => void) | null): void {
    this.tell(words);
    this.item.classList.add("is-failed");
    // What needs a look comes first; the rest of a long list is as one hoped.
    this.item.parentElement?.prepend(this.item);
    if (retry === null) return;
    const again = button("Try again", "button sent-action");
    again.addEventListener("click", () => {
      again.remove();
      this.item.classList.remove("is-failed");
      this.note.replaceWith(this.bar);
      this.bar.value = 0;
      retry();
    });
    this.item.append(again);
  }
}
