/** Asks which album pictures are to go into: one of those that take them, or a new one. */
import { button, element } from "./elements";
import { reasonOf, request } from "./errands";

export interface Album {
  id: string;
  title: string;
}

interface Listed extends Album {
  role: string;
  owner_name: string;
}

export const ALBUMS = "/api/v1/albums";
const MAY_ADD = new Set(["contributor", "editor", "manager", "owner"]);

/** Resolves to the chosen album, or to null. `apart` is the id of an album that is no choice. */
export function chooseAlbum(question: string, apart: string): Promise<Album | null> {
  return new Promise((resolve) => {
    let answer: Album | null = null;
    const dialog = element("dialog", "ask");
    const heading = element("h2", "ask-text", question);
    heading.id = "choose-album";
    // Not the field for a new album, which would open a phone's keyboard over the list.
    [heading.tabIndex, heading.autofocus] = [-1, true];
    dialog.setAttribute("aria-labelledby", heading.id);
    const take = (album: Album): void => {
      answer = album;
      dialog.close();
    };
    const no = button("Cancel", "button");
    no.addEventListener("click", () => dialog.close());
    const actions = element("div", "ask-actions");
    actions.append(no);
    dialog.append(heading, listOf(apart, take), newAlbum(take), actions);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function listOf(apart: string, take: (album: Album) => void): HTMLElement {
  const place = element("div", "album-choice");
  const note = element("p", "page-note", "Looking for your albums…");
  note.setAttribute("role", "status");
  place.append(note);
  fetchAlbums().then(
    (albums) => {
      const list = element("ul", "");
      for (const album of albums) if (album.id !== apart) list.append(lineOf(album, take));
      if (list.childElementCount > 0) place.replaceChildren(list);
      else note.textContent = "There is no other album yet.";
    },
    (error: unknown) => {
      note.textContent = reasonOf(error);
    },
  );
  return place;
}

function lineOf(album: Listed, take: (album: Album) => void): HTMLElement {
  const line = element("li", "");
  const made = button(album.title, "button menu-item");
  if (album.role !== "owner") made.append(element("span", "quiet-word", album.owner_name));
  made.addEventListener("click", () => take(album));
  line.append(made);
  return line;
}

function newAlbum(take: (album: Album) => void): HTMLElement {
  const form = element("form", "album-new");
  const label = element("label", "field");
  const input = element("input", "input");
  const fault = element("p", "field-error");
  const make = button("Make it", "button");
  [input.required, input.maxLength, input.autocomplete, make.type] = [true, 200, "off", "submit"];
  fault.setAttribute("role", "alert");
  fault.hidden = true;
  label.append(element("span", "field-label", "Or into a new album"), input);
  form.append(label, make, fault);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    make.disabled = true;
    request("POST", ALBUMS, { title: input.value })
      .then(async (answer) => take((await answer.json()) as Album))
      .catch((error: unknown) => {
        fault.textContent = reasonOf(error);
        fault.hidden = false;
        make.disabled = false;
      });
  });
  return form;
}

async function fetchAlbums(): Promise<Listed[]> {
  const found: Listed[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = new URLSearchParams({ limit: "1000", ...(cursor === "" ? {} : { cursor }) });
    const answer = await request("GET", `${ALBUMS}?${query}`);
    const page = (await answer.json()) as { items: Listed[]; next_cursor: string | null };
    found.push(...page.items.filter((album) => MAY_ADD.has(album.role)));
    cursor = page.next_cursor;
  }
  return found.sort((one, other) => one.title.localeCompare(other.title));
}
