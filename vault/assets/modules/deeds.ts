/** What can be done with chosen pictures, by the page they were chosen on. */
import { ALBUMS, chooseAlbum } from "./albumchoice";
import { drawings } from "./elements";
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

export interface Deed {
  label: string;
  drawing: readonly string[];
  isDangerous: boolean;
  may: (picture: Picture) => boolean;
  /** What to ask before, if anything. */
  question?: (count: string) => string;
  /** Null when somebody thought better of it. */
  prepare: (count: string) => Promise<Task | null>;
}

const MEDIA = "/api/v1/media";
const mine = (picture: Picture): boolean => picture.mine;

export function deedsFor(frame: HTMLElement): Deed[] {
  const kind = frame.dataset["choose"];
  if (kind === undefined) return [restore, deleteForGood];
  const album = frame.dataset["album"] ?? "";
  const name = frame.dataset["albumName"] ?? "";
  const everybodys = frame.dataset["chooseAll"] !== undefined;
  return kind === "album" ? [putInto(album), takeOut(album, name, everybodys), throwAway] : [putInto(""), throwAway];
}

export function manyOf(count: number): string {
  return count === 1 ? "this picture" : `these ${countOf(count)}`;
}

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

function ready(errand: Errand, done: string, undone: string): Deed["prepare"] {
  return () => Promise.resolve({ errand, done, undone, leaves: true });
}
