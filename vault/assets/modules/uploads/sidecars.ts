/** Finds which pictures the notes beside them belong to: XMP, and the JSON files of Google Photos' archives. */
import type { Found } from "./choice";
import type { Sidecar } from "./items";

export interface Partners {
  of: Map<Found, Sidecar[]>;
  /** How many notes belong to no picture here. */
  unused: number;
}

/** From this length on a note's name may be the cut-off name of its picture, with the ending or without. */
const LONG = 41;
const SAID_BEHIND = "supplemental-metadata";

/** A name without the number in parentheses that tells apart what would have been called the same. */
interface Plain {
  name: string;
  number: string;
}

export function sidecarsOf(pictures: readonly Found[], notes: readonly Found[]): Partners {
  const of = new Map<Found, Sidecar[]>();
  const folders = new Map<string, Folder>();
  for (const picture of pictures) {
    const path = folderOf(picture.path);
    const folder = folders.get(path) ?? new Folder();
    folder.add(picture);
    folders.set(path, folder);
  }
  let unused = 0;
  for (const note of notes) {
    const partners = folders.get(folderOf(note.path))?.partnersOf(note.file.name.toLowerCase()) ?? [];
    if (partners.length === 0) unused += 1;
    for (const picture of partners) put(of, picture, { name: note.file.name, file: note.file });
  }
  return { of, unused };
}

/** The pictures of one folder, by what notes may call them. */
class Folder {
  private readonly named = new Map<string, Found[]>();
  private readonly stems = new Map<string, Found[]>();
  /** Without their numbers; and all of those whose names are long enough to be cut off in a note's. */
  private readonly plainly = new Map<string, Found[]>();
  private readonly long: { plain: Plain; picture: Found }[] = [];

  add(picture: Found): void {
    const name = picture.file.name.toLowerCase();
    put(this.named, name, picture);
    put(this.stems, stemOf(name), picture);
    const found = plainPicture(name);
    put(this.plainly, keyOf(found), picture);
    if (found.name.length >= LONG) this.long.push({ plain: found, picture });
  }

  partnersOf(note: string): Found[] {
    const base = stemOf(note);
    const exact = this.named.get(base);
    // "a.jpg.xmp" speaks of one file, "a.xmp" of all that is called "a".
    if (note.endsWith(".xmp")) return exact ?? this.stems.get(base) ?? [];
    const wanted = plain(base);
    const found = exact ?? this.plainly.get(keyOf(wanted));
    if (found !== undefined || wanted.name.length < LONG) return found ?? [];
    return this.long
      .filter((each) => each.plain.number === wanted.number && each.plain.name.startsWith(wanted.name))
      .map((each) => each.picture);
  }
}

function put<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const there = map.get(key);
  if (there === undefined) map.set(key, [value]);
  else there.push(value);
}

function keyOf(plain: Plain): string {
  return `${plain.name}\n${plain.number}`;
}

/** "a.jpg.supplemental-meta(2)" speaks of "a(2).jpg". */
function plain(base: string): Plain {
  const { name, number } = unnumbered(base);
  const dot = name.lastIndexOf(".");
  const behind = name.slice(dot + 1);
  const isSaid = dot > 0 && behind !== "" && SAID_BEHIND.startsWith(behind);
  return { name: isSaid ? name.slice(0, dot) : name, number };
}

function plainPicture(picture: string): Plain {
  const { name, number } = unnumbered(stemOf(picture));
  return { name: name + picture.slice(stemOf(picture).length), number };
}

function unnumbered(text: string): Plain {
  const found = /^(.*)\((\d+)\)$/.exec(text);
  return { name: found?.[1] ?? text, number: found?.[2] ?? "" };
}

function stemOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
