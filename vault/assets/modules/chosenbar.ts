/** The bar below a page on which pictures are chosen: how many there are, and what can be done with them. */
import { announce } from "./announce";
import { Choosing } from "./choosing";
import { ask } from "./confirm";
import { refreshCounts } from "./counts";
import { type Deed, deedsFor, manyOf, type Task, type Whole } from "./deeds";
import { button, drawings, element, icon } from "./elements";
import { runAll, summaryOf } from "./errands";
import type { Shelf } from "./shelves";

export function attachChoosing(shelf: Shelf, frame: HTMLElement): void {
  const toggle = document.querySelector<HTMLButtonElement>("[data-choose-toggle]");
  if (toggle === null) return;
  const deeds = deedsFor(frame);
  const choosing = new Choosing(shelf, toggle, (picture) => deeds.some((deed) => deed.may(picture)));
  const bar = new ChosenBar(shelf, choosing, toggle, deeds);
  frame.before(bar.root);
}

class ChosenBar {
  readonly root = element("section", "chosen-bar");
  private readonly count = element("p", "chosen-count");
  private readonly note = element("p", "chosen-note");
  private readonly buttons = element("div", "chosen-deeds");
  private readonly doers: (readonly [Deed | Whole, HTMLButtonElement])[];
  private isBusy = false;

  constructor(
    private readonly shelf: Shelf,
    private readonly choosing: Choosing,
    private readonly toggle: HTMLButtonElement,
    deeds: readonly (Deed | Whole)[],
  ) {
    this.doers = deeds.map((deed) => [deed, this.buttonFor(deed)] as const);
    this.buttons.append(...this.doers.map(([, made]) => made));
    const close = button("Stop selecting", "button quiet square chosen-close", icon(...drawings.close));
    close.addEventListener("click", () => {
      choosing.turn(false);
      toggle.focus();
    });
    this.root.setAttribute("aria-label", "Selected pictures");
    this.root.tabIndex = -1;
    this.root.append(this.count, this.note, this.buttons, close);
    choosing.onChange(() => {
      this.note.textContent = "";
      this.draw();
    });
    this.draw();
  }

  private buttonFor(deed: Deed | Whole): HTMLButtonElement {
    const made = button("", `button${deed.isDangerous ? " danger" : ""}`);
    made.append(icon(...deed.drawing), element("span", "", deed.label));
    made.addEventListener("click", () => {
      if ("begin" in deed) this.say(deed.begin(this.choosing.chosen));
      else this.begin(deed);
    });
    return made;
  }

  private draw(): void {
    const chosen = this.choosing.chosen;
    this.root.hidden = !this.choosing.isOn;
    this.buttons.hidden = this.isBusy;
    this.count.textContent = chosen.length === 0 ? "Nothing selected" : `${chosen.length.toLocaleString("en")} selected`;
    for (const [deed, made] of this.doers) made.disabled = chosen.length === 0 || !chosen.every(deed.may);
    if (chosen.length > 0 && this.doers.some(([, made]) => made.disabled)) {
      this.note.textContent = chosen.length === 1 ? "It is not yours." : "Not all of them are yours.";
    }
  }

  private begin(deed: Deed): void {
    const count = manyOf(this.choosing.chosen.length);
    const go = (): void => {
      void deed.prepare(count).then((task) => (task === null ? undefined : this.perform(task)));
    };
    if (deed.question === undefined) go();
    else ask(deed.question(count), deed.label, go);
  }

  private async perform(task: Task): Promise<void> {
    const chosen = this.choosing.chosen;
    this.isBusy = true;
    this.draw();
    this.root.focus();
    announce(`Working on ${chosen.length}…`);
    const outcome = await runAll(chosen, task.errand, (count) => {
      this.count.textContent = `${count} of ${chosen.length}…`;
    });
    this.isBusy = false;
    const done = new Set(outcome.done.map((picture) => picture.id));
    if (task.leaves) this.shelf.takeAway(done);
    this.choosing.release(done);
    this.say(summaryOf(outcome, outcome.done.length === 1 ? `is ${task.done}` : `are ${task.done}`, task.undone));
    void refreshCounts();
  }

  private say(summary: string): void {
    announce(summary);
    this.note.textContent = summary;
    if (this.shelf.pictures().length > 0 || this.shelf.hasMore()) return;
    const empty = element("div", "empty");
    empty.append(element("h2", "", "Nothing is left here"), element("p", "", summary));
    this.root.before(empty);
    this.choosing.turn(false);
    this.toggle.hidden = true;
    document.querySelector<HTMLElement>("main")?.focus();
  }
}
