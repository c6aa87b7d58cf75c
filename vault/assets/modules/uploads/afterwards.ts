/** What follows a file that is in the vault: its album, where it was there before, and what lay beside it. */
import { csrfToken } from "../csrf";
import type { Item } from "./items";
import { ask, Refusal } from "./refusals";

const TYPES: Readonly<Record<string, string>> = { xmp: "application/rdf+xml", json: "application/json" };
/** The vault takes no notes for this one: nobody has to hear of it. */
const UNTAKEN = "no";

export class Afterwards {
  constructor(private readonly api: string) {}

  /** Do what is left for a file that is in the vault; return what there is to say of it. Raises Refusal. */
  async follow(item: Item): Promise<string> {
    if (!item.isNew && item.albumId !== "") {
      await ask("PUT", `${this.api}/albums/${item.albumId}/media/${item.mediaId}`, { "X-CSRFToken": csrfToken() });
    }
    const unread: string[] = [];
    // The vault keeps what came last: XMP, which says more, after the lists of archives.
    const notes = item.sidecars.map((each) => ({ ...each, ending: each.name.slice(each.name.lastIndexOf(".") + 1).toLowerCase() }));
    notes.sort((one, other) => one.ending.localeCompare(other.ending));
    for (const { name, file, ending } of notes) {
      const headers = { "Content-Type": TYPES[ending] ?? "application/octet-stream", "X-CSRFToken": csrfToken() };
      try {
        await ask("PUT", `${this.api}/media/${item.mediaId}/sidecar`, headers, file);
      } catch (error) {
        if (!(error instanceof Refusal) || error.consequence !== UNTAKEN) throw error;
        if (error.status !== 403 && error.status !== 404) unread.push(`“${name}” beside it was not read: ${error.message}`);
      }
    }
    return unread.join(" ");
  }
}
