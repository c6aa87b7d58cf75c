/**
 * Choosing several pictures: while it is on, each picture is a checkbox. A click or Space turns one, with Shift all up to
 * it from the one before, Escape ends it.
 */
import { announce } from "./announce";
import type { Picture, Shelf } from "./shelves";

export class Choosing {
  private readonly ids = new Set<string>();
  private readonly watchers: (() => void)[] = [];
  private anchor: string | null = null;

  constructor(
    private readonly shelf: Shelf,
    private readonly toggle: HTMLButtonElement,
    private readonly may: (picture: Picture) => boolean,
  ) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => this.turn(!this.isOn));
    shelf.list.addEventListener("click", (event) => this.take(event, event.shiftKey), { capture: true });
    shelf.list.addEventListener("keydown", (event) => this.press(event), { capture: true });
    document.addEventListener("keydown", (event) => this.escape(event));
    shelf.eachItem((item) => {
      if (this.isOn) this.dressAll((picture) => picture.item === item);
    });
    this.giveWayToArranging();
  }

  get isOn(): boolean {
    return this.toggle.getAttribute("aria-pressed") === "true";
  }

  /** What is chosen, in the order in which it stands. */
  get chosen(): readonly Picture[] {
    return this.shelf.pictures().filter((picture) => this.ids.has(picture.id));
  }

  /** Call `watcher` after each change, of the mode too. */
  onChange(watcher: () => void): void {
    this.watchers.push(watcher);
  }

  turn(on: boolean): void {
    this.toggle.setAttribute("aria-pressed", String(on));
    document.documentElement.classList.toggle("is-choosing", on);
    this.ids.clear();
    this.anchor = null;
    if (on) document.querySelector<HTMLElement>('[data-arrange-toggle][aria-pressed="true"]')?.click();
    this.dressAll();
    this.tell();
  }

  /** Let some of the chosen go, because what was wanted of them is done. */
  release(ids: ReadonlySet<string>): void {
    for (const id of ids) this.ids.delete(id);
    this.dressAll((picture) => ids.has(picture.id));
    this.tell();
  }

  private take(event: MouseEvent | KeyboardEvent, isRange: boolean): void {
    if (!this.isOn || !(event.target instanceof Element)) return;
    const id = event.target.closest<HTMLElement>("[data-tile]")?.dataset["tile"];
    if (id === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const changed = isRange && this.anchor !== null ? this.range(this.anchor, id) : this.one(id);
    this.anchor = id;
    this.dressAll((picture) => changed.has(picture.id));
    this.tell();
  }

  private one(id: string): Set<string> {
    const picture = this.shelf.pictures().find((each) => each.id === id);
    if (picture === undefined || !this.may(picture)) return new Set();
    if (!this.ids.delete(id)) this.ids.add(id);
    return new Set([id]);
  }

  private range(from: string, to: string): Set<string> {
    const pictures = this.shelf.pictures();
    const ends = [from, to].map((id) => pictures.findIndex((picture) => picture.id === id));
    const between = pictures.slice(Math.max(0, Math.min(...ends)), Math.max(...ends) + 1).filter(this.may);
    for (const picture of between) this.ids.add(picture.id);
    announce(`${this.ids.size} selected`);
    return new Set(between.map((picture) => picture.id));
  }

  private press(event: KeyboardEvent): void {
    if (event.key === " " || event.key === "Enter") this.take(event, event.shiftKey);
  }

  private escape(event: KeyboardEvent): void {
    if (!this.isOn || event.key !== "Escape" || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") !== null) return;
    this.turn(false);
    this.toggle.focus();
  }

  private giveWayToArranging(): void {
    const other = document.querySelector<HTMLElement>("[data-arrange-toggle]");
    other?.addEventListener("click", () => {
      if (this.isOn && other.getAttribute("aria-pressed") === "true") this.turn(false);
    });
  }

  private dressAll(concerns: (picture: Picture) => boolean = () => true): void {
    for (const picture of this.shelf.pictures()) if (concerns(picture)) this.dress(picture);
  }

  private dress(picture: Picture): void {
    const box = picture.item.querySelector<HTMLElement>(this.shelf.box);
    picture.item.classList.toggle("is-chosen", this.ids.has(picture.id));
    picture.item.classList.toggle("is-barred", this.isOn && !this.may(picture));
    if (box === null) return;
    const isLink = box instanceof HTMLAnchorElement;
    if (!this.isOn) {
      for (const name of ["role", "aria-checked", "aria-disabled"]) box.removeAttribute(name);
      if (!isLink) for (const name of ["tabindex", "aria-label"]) box.removeAttribute(name);
      return;
    }
    box.setAttribute("role", "checkbox");
    box.setAttribute("aria-checked", String(this.ids.has(picture.id)));
    if (!this.may(picture)) box.setAttribute("aria-disabled", "true");
    if (isLink) return;
    box.tabIndex = 0;
    box.setAttribute("aria-label", picture.name);
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}
