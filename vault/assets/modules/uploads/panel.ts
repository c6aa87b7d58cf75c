/** The list of uploads with its head: one bar for all of it, in the corner of a page or in its place on the upload page. */
import { button, drawings, element, icon } from "../elements";
import type { Hold } from "./holds";
import type { Item } from "./items";
import { Line, type LineDeeds } from "./lines";
import { inBytes, inTime } from "./meter";
import { chosen, count, titleOf } from "./tally";

const LINES = 20;
const MORE_LINES = 100;

export interface PanelDeeds extends LineDeeds {
  pause: (isPaused: boolean) => void;
  /** Put it away; what is not uploaded yet is let go. */
  close: () => void;
  retryAll: () => void;
  goOn: () => void;
  forgetLost: () => void;
}

export interface View {
  items: ReadonlyMap<string, Item>;
  isBusy: boolean;
  hold: Hold | null;
  isPaused: boolean;
  /** Bytes a second; null while nobody knows. */
  speed: number | null;
  leftOut: string;
}

export class Panel {
  private readonly root = element("section", "tray");
  private readonly title = element("p", "tray-title");
  private readonly bar = element("progress", "progress tray-bar");
  private readonly meta = element("p", "tray-meta");
  private readonly held = element("div", "tray-held");
  private readonly leftOut = element("p", "tray-left-out");
  private readonly list = element("ul", "tray-list");
  private readonly rest = element("p", "tray-rest");
  private readonly pauser = button("Pause", "button quiet square", icon(...drawings.pause));
  private readonly folder = button("Hide the files", "button quiet square", icon(...drawings.below));
  private readonly closer = button("Close the list of uploads", "button quiet square", icon(...drawings.close));
  private readonly body = element("div", "tray-body");
  private readonly lines = new Map<string, Line>();
  private most = LINES;
  private heldAs = "";
  private view: View | null = null;

  constructor(
    private readonly place: HTMLElement | null,
    private readonly signIn: string,
    private readonly deeds: PanelDeeds,
  ) {
    const tools = element("div", "tray-tools");
    tools.append(this.pauser, ...(place === null ? [this.folder] : []), this.closer);
    const head = element("div", "tray-head");
    head.append(this.title, tools);
    this.root.setAttribute("aria-label", "Uploads");
    this.root.classList.toggle("is-inline", place !== null);
    this.title.tabIndex = -1;
    this.bar.max = 1;
    this.bar.setAttribute("aria-label", "All uploads together");
    this.list.tabIndex = place === null ? 0 : -1;
    this.list.setAttribute("aria-label", "Files");
    this.body.append(this.list, this.rest);
    this.root.append(head, this.bar, this.meta, this.held, this.leftOut, this.body);
    this.pauser.addEventListener("click", () => deeds.pause(!(this.view?.isPaused ?? false)));
    this.folder.addEventListener("click", () => this.fold(!this.body.hidden));
    this.closer.addEventListener("click", () => deeds.close());
    // A phone's page would lie under it.
    if (place === null && innerWidth < 720) this.fold(true);
  }

  draw(view: View): void {
    this.view = view;
    if (view.items.size === 0 && view.leftOut === "") return this.close();
    if (!this.root.isConnected) (this.place ?? document.body).append(this.root);
    const tally = count(view.items.values());
    const isHeld = view.hold !== null;
    say(this.title, titleOf(tally, view.isBusy, isHeld));
    this.bar.hidden = !view.isBusy;
    this.bar.value = tally.bytes === 0 ? 0 : tally.bytesDone / tally.bytes;
    this.root.classList.toggle("is-held", isHeld && view.isBusy);
    say(this.meta, view.isBusy ? metaOf(tally.bytesDone, tally.bytes, isHeld ? null : view.speed) : "");
    say(this.leftOut, view.leftOut);
    this.tools(view);
    this.hold(view, tally.lost, tally.retriable);
    this.drawLines(view.items);
  }

  /** Take it off the page. */
  close(): void {
    this.root.remove();
    this.lines.clear();
    this.list.replaceChildren();
    this.most = LINES;
  }

  private tools(view: View): void {
    this.pauser.hidden = !view.isBusy;
    rename(this.pauser, view.isPaused ? "Go on" : "Pause", view.isPaused ? drawings.go : drawings.pause);
    rename(this.closer, view.isBusy ? "Stop all uploads" : "Close the list of uploads", drawings.close);
  }

  private hold(view: View, lost: number, retriable: number): void {
    const cause = view.isBusy ? view.hold?.cause : undefined;
    const heldAs = `${cause} ${view.hold?.words} ${lost} ${view.isBusy ? 0 : retriable}`;
    if (heldAs === this.heldAs) return;
    this.heldAs = heldAs;
    this.held.replaceChildren();
    if (cause !== undefined && cause !== "paused") this.held.append(this.why(view.hold as Hold));
    if (lost > 0) {
      const words = `${lost.toLocaleString("en")} ${lost === 1 ? "file waits" : "files wait"} to be chosen again: your browser had no room to keep them. Drop the same folder once more; what is uploaded already is skipped.`;
      this.held.append(this.box(words, this.act("Forget them", () => this.deeds.forgetLost())));
    }
    if (retriable > 0 && !view.isBusy) this.held.append(this.box("Some may go through at a second try.", this.act("Try all again", () => this.deeds.retryAll())));
  }

  private why(hold: Hold): HTMLElement {
    const again = this.act("Go on", () => this.deeds.goOn());
    if (hold.cause === "signed-out") {
      const link = element("a", "button small primary", "Sign in");
      link.href = this.signIn;
      link.target = "_blank";
      return this.box(hold.words, link, again);
    }
    if (hold.cause === "full") return this.box(hold.words, this.act("Try again", () => this.deeds.goOn()));
    if (hold.cause === "unreachable") return this.box(hold.words, this.act("Try now", () => this.deeds.goOn()));
    return this.box(hold.words);
  }

  private box(words: string, ...actions: HTMLElement[]): HTMLElement {
    const made = element("div", "tray-note");
    made.append(element("p", "", words), ...actions);
    return made;
  }

  private act(words: string, deed: () => void): HTMLElement {
    const made = button(words, "button small");
    made.addEventListener("click", deed);
    return made;
  }

  private drawLines(items: ReadonlyMap<string, Item>): void {
    const { shown, others } = chosen(items.values(), this.most);
    const wanted = new Set(shown.map((item) => item.id));
    for (const [id, line] of this.lines) {
      if (wanted.has(id)) continue;
      if (line.element.contains(document.activeElement)) this.title.focus();
      line.element.remove();
      this.lines.delete(id);
    }
    let next = this.list.firstElementChild;
    for (const item of shown) {
      const line = this.lines.get(item.id) ?? new Line(item, this.deeds);
      this.lines.set(item.id, line);
      line.draw();
      if (line.element === next) next = next.nextElementSibling;
      else this.list.insertBefore(line.element, next);
    }
    if (others === 0) this.rest.replaceChildren();
    else if (this.rest.firstChild === null) {
      const more = button("Show more", "button quiet small");
      more.addEventListener("click", () => {
        this.most += MORE_LINES;
        if (this.view !== null) this.draw(this.view);
      });
      this.rest.append(element("span", ""), more);
    }
    if (others > 0 && this.rest.firstElementChild !== null) say(this.rest.firstElementChild, `and ${others.toLocaleString("en")} more`);
  }

  private fold(isFolded: boolean): void {
    this.body.hidden = isFolded;
    this.folder.setAttribute("aria-expanded", String(!isFolded));
    rename(this.folder, isFolded ? "Show the files" : "Hide the files", isFolded ? drawings.above : drawings.below);
  }
}

function metaOf(done: number, all: number, speed: number | null): string {
  const said = [`${inBytes(done)} of ${inBytes(all)}`];
  if (speed !== null && speed > 0) said.push(`${inBytes(speed)}/s`, `${inTime((all - done) / speed)} left`);
  return said.join(" · ");
}

function say(place: Element, words: string): void {
  if (place.textContent !== words) place.textContent = words;
}

function rename(made: HTMLButtonElement, label: string, drawing: readonly string[]): void {
  if (made.title === label) return;
  made.title = label;
  made.setAttribute("aria-label", label);
  made.replaceChildren(icon(...drawing));
}
