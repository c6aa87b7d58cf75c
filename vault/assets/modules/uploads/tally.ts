/** Counts what is in the queue, and chooses which of it is worth a line: of ten thousand files only some are looked at. */
import type { Item } from "./items";

export interface Tally {
  /** All but what waits for a person. */
  total: number;
  open: number;
  brought: number;
  known: number;
  unread: number;
  failed: number;
  retriable: number;
  lost: number;
  bytes: number;
  bytesDone: number;
}

export function count(items: Iterable<Item>): Tally {
  const tally: Tally = { total: 0, open: 0, brought: 0, known: 0, unread: 0, failed: 0, retriable: 0, lost: 0, bytes: 0, bytesDone: 0 };
  for (const item of items) {
    if (item.stage === "offered") continue;
    if (item.stage === "lost") {
      tally.lost += 1;
      continue;
    }
    tally.total += 1;
    tally.bytes += item.size;
    tally.bytesDone += weight(item, tally);
  }
  return tally;
}

/** Count one, and return how many of its bytes are behind us. */
function weight(item: Item, tally: Tally): number {
  switch (item.stage) {
    case "arrived":
    case "done":
      tally.brought += 1;
      return item.size;
    case "known":
      tally.known += 1;
      return item.size;
    case "unread":
      tally.brought += 1;
      tally.unread += 1;
      return item.size;
    case "failed":
      tally.failed += 1;
      if (item.mayRetry) tally.retriable += 1;
      return item.size;
    default:
      tally.open += 1;
      return Math.min(item.sent, item.size);
  }
}

/** At most this many of those behind us are shown while others are still on their way. */
const LATEST = 10;

/** Return what to show, and how many that leaves out. What needs a look stands first. */
export function chosen(items: Iterable<Item>, most: number): { shown: Item[]; others: number } {
  const all = [...items];
  const urgent = all.filter(isUrgent);
  const rest = all.filter((item) => !isUrgent(item));
  if (all.length <= most) return { shown: [...urgent, ...rest], others: 0 };
  const moving = rest.filter((item) => item.stage === "sending");
  const settled = rest.filter((item) => item.settled > 0).sort((one, other) => other.settled - one.settled);
  const coming = rest.filter((item) => item.stage !== "sending" && item.settled === 0);
  const latest = settled.slice(0, coming.length + moving.length === 0 ? most : Math.max(LATEST, Math.floor(most / 2)));
  const shown = [...urgent.slice(0, Math.max(LATEST, most - 2 * LATEST)), ...moving, ...latest, ...coming].slice(0, most);
  return { shown, others: all.length - shown.length };
}

function isUrgent(item: Item): boolean {
  return item.stage === "failed" || item.stage === "unread" || item.stage === "offered";
}

/** Where it stands, in a few words: the head of the list. */
export function titleOf(tally: Tally, isBusy: boolean, isHeld: boolean): string {
  if (!isBusy) return summaryOf(tally);
  const at = Math.min(tally.total, tally.total - tally.open + 1);
  const of = tally.total.toLocaleString("en");
  return isHeld ? `${(tally.total - tally.open).toLocaleString("en")} of ${of} uploaded` : `Uploading ${at.toLocaleString("en")} of ${of}`;
}

/** What has become of all of them. */
export function summaryOf(tally: Tally): string {
  const said: string[] = [];
  if (tally.brought > 0 || tally.known + tally.failed === 0) said.push(`${tally.brought.toLocaleString("en")} uploaded`);
  if (tally.known > 0) said.push(`${tally.known.toLocaleString("en")} already in your vault`);
  if (tally.failed > 0) said.push(`${tally.failed.toLocaleString("en")} not uploaded`);
  if (tally.unread > 0) said.push(`${tally.unread.toLocaleString("en")} could not be read`);
  return said.join(", ");
}
