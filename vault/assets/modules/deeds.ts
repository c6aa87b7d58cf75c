/** What can be done with chosen pictures, by the page they were chosen on. */
import { ALBUMS, chooseAlbum } from "./albumchoice";
import { csrfToken } from "./csrf";
import { drawings, element } from "./elements";
import { countOf, type Errand } from "./errands";
import type { Picture } from "./shelves";

/** A deed that is ready to be done: what to ask for each picture, and how to speak of it. */
export interface Task {
  errand: Errand;
  /** "12 pictures …" when it went well; "could not be …" when not. */
  done: string;
  undone: string;
  /** Whether the pictures are gone from this page afterwards. */
  leaves: boolean;
}

interface Offer {
  label: string;
  drawing: readonly string[];
  isDangerous: boolean;
  may: (picture: Picture) => boolean;
}

/** Something that is done with all of the pictures at once. */
export interface Whole extends Offer {
  /** Returns what to say of it. */
  begin: (pictures: readonly Picture[]) => string;
}

/** Something that is asked of the server for one picture after the other. */
export interface Deed extends Offer {
  /** What to ask before, if anything. */
  question?: (count: string) => string;
  /** Null when somebody thought better of it. */
  prepare: (count: string) => Promise<Task | null>;
}

const MEDIA = "/api/v1/media";
const mine = (picture: Picture): boolean => picture.mine;

export function deedsFor(frame: HTMLElement): (Deed | Whole)[] {
  const kind = frame.dataset["choose"];
  if (kind === undefined) return [restore, deleteForGood];
  if (kind === "download") return [download];
  const album = frame.dataset["album"] ?? "";
  const name = frame.dataset["albumName"] ?? "";
  const everybodys = frame.dataset["chooseAll"] !== undefined;
  const share = shareFrom(album, frame.dataset["share"] !== undefined);
  if (kind !== "album") return [share, download, putInto(""), throwAway];
  return [share, download, putInto(album), takeOut(album, name, everybodys), throwAway];
}

export function manyOf(count: number): string {
  return count === 1 ? "this picture" : `these ${countOf(count)}`;
}

const download: Whole = {
  label: "Download",
  drawing: drawings.download,
  isDangerous: false,
  may: (picture) => picture.takeable,
  begin: (pictures) => {
    // A form, and not a script's own request: the browser writes the archive to the disk while it comes.
    send("/media/zip", { ids: idsOf(pictures) });
    return `The download of ${countOf(pictures.length)} has begun.`;
  },
};

/** Pictures of others are shared out of an album that one manages. */
const shareFrom = (album: string, manages: boolean): Whole => ({
  label: "Share",
  drawing: drawings.link,
  isDangerous: false,
  may: (picture) => manages || picture.mine,
  begin: (pictures) => {
    // A form here too: so many ids fit into no address.
    send("/links/new", { ids: idsOf(pictures), album });
    return "";
  },
});

const putInto = (apart: string): Deed => ({
  label: "Put into album…",
  drawing: drawings.albums,
  isDangerous: false,
  may: mine,
  prepare: async (count) => {
    const album = await chooseAlbum(`Put ${count} into`, apart);
    if (album === null) return null;
    const errand: Errand = (picture) => ["PUT", `${ALBUMS}/${album.id}/media/${picture.id}`];
    return { errand, done: `now in “${album.title}”`, undone: `put into “${album.title}”`, leaves: false };
  },
});

const takeOut = (album: string, name: string, everybodys: boolean): Deed => ({
  label: "Take out of this album",
  drawing: drawings.close,
  isDangerous: false,
  may: (picture) => everybodys || picture.mine,
  question: (count) => `Take ${count} out of “${name}”? Nothing is deleted.`,
  prepare: ready((picture) => ["DELETE", `${ALBUMS}/${album}/media/${picture.id}`], "taken out of this album", "taken out"),
});

const throwAway: Deed = {
  label: "Move to trash",
  drawing: drawings.trash,
  isDangerous: true,
  may: mine,
  question: (count) => `Move ${count} to the trash, and out of every album? Everything can be restored from there.`,
  prepare: ready((picture) => ["DELETE", `${MEDIA}/${picture.id}`], "moved to the trash", "moved to the trash"),
};

const restore: Deed = {
  label: "Restore",
  drawing: drawings.restore,
  isDangerous: false,
  may: mine,
  prepare: ready((picture) => ["POST", `${MEDIA}/${picture.id}/restore`], "restored, with their places in albums", "restored"),
};

const deleteForGood: Deed = {
  label: "Delete for good",
  drawing: drawings.trash,
  isDangerous: true,
  may: mine,
  question: (count) => `Delete ${count} for good, with all that was uploaded? Nothing brings it back.`,
  prepare: ready((picture) => ["POST", `/media/${picture.id}/purge`], "deleted for good", "deleted"),
};

function idsOf(pictures: readonly Picture[]): string {
  return pictures.map(({ id }) => id).join(",");
}

/** Send a form as if somebody had pressed its button. */
function send(action: string, values: Record<string, string>): void {
  const form = element("form", "");
  form.method = "post";
  form.action = action;
  form.hidden = true;
  for (const [name, value] of Object.entries({ csrf_token: csrfToken(), ...values })) form.append(field(name, value));
  document.body.append(form);
  form.submit();
  form.remove();
}

function field(name: string, value: string): HTMLInputElement {
  const made = element("input", "");
  made.type = "hidden";
  made.name = name;
  made.value = value;
  return made;
}

function ready(errand: Errand, done: string, undone: string): Deed["prepare"] {
  return () => Promise.resolve({ errand, done, undone, leaves: true });
}
