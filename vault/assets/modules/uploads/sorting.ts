/** Sorts what was chosen: what is sent, what goes along with it, and what is left out and why. */
import type { Found } from "./choice";
import type { Chosen } from "./items";
import { sidecarsOf } from "./sidecars";

export interface Sorted {
  chosen: Chosen[];
  /** How many were left out, by reason. */
  leftOut: Map<string, number>;
}

const NATURAL = new Intl.Collator("en", { numeric: true });
const HIDDEN = new Set(["thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"]);

/** `accept` is what HTML's attribute of the name may hold: media types and endings, with commas between them. */
export function sort(found: readonly Found[], accept: string): Sorted {
  const accepted = new Set(accept.toLowerCase().split(",").map((each) => each.trim()));
  const leftOut = new Map<string, number>();
  const leave = (reason: string): void => void leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  const kept: Found[] = [];
  const beside: Found[] = [];
  for (const one of found) {
    const ending = endingOf(one.file.name);
    // What somebody points at by itself is sent in any case: the vault says best what is wrong with it.
    if (one.inFolder && isHidden(one.path)) leave("hidden");
    else if (ending === ".xmp" || ending === ".json") beside.push(one);
    else if (one.inFolder && one.file.size === 0) leave("empty");
    else if (one.inFolder && ending !== ".zip" && !accepted.has(ending) && !accepted.has(one.file.type)) leave("of a kind that is not kept");
    else kept.push(one);
  }
  const partners = sidecarsOf(kept, beside);
  for (let unused = partners.unused; unused > 0; unused -= 1) leave("belonging to no picture here");
  // Browsers hand out what lies in a folder in any order.
  kept.sort((one, other) => NATURAL.compare(one.path, other.path));
  const chosen = kept.map((one): Chosen => {
    const purpose = endingOf(one.file.name) === ".zip" ? "archive" : "media";
    return { file: one.file, path: one.path, sidecars: partners.of.get(one) ?? [], purpose };
  });
  return { chosen, leftOut };
}

/** Say it in words; empty when nothing was left out. */
export function wordsFor(leftOut: ReadonlyMap<string, number>): string {
  const total = [...leftOut.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return "";
  const reasons = [...leftOut].map(([reason, count]) => `${count.toLocaleString("en")} ${reason}`);
  return `${total.toLocaleString("en")} ${total === 1 ? "file was" : "files were"} left out: ${reasons.join(", ")}.`;
}

function endingOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot).toLowerCase() : "";
}

function isHidden(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".") || HIDDEN.has(part.toLowerCase()));
}
