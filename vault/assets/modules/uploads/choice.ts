/** What was chosen or dropped, folders with all that lies in them. */

export interface Found {
  file: File;
  path: string;
  /** Whether it was found in a folder, and not pointed at by itself. */
  inFolder: boolean;
}

/** Return what a file or folder picker brought. */
export function ofList(files: Iterable<File>): Found[] {
  return [...files].map((file) => {
    const path = file.webkitRelativePath;
    return { file, path: path || file.name, inFolder: path !== "" };
  });
}

/**
 * Return what was dropped. Must be called while the event lasts: what it carries is gone afterwards. Folders are
 * read to their ends; `unreadable` counts what the browser was not let in to.
 */
export async function ofDrop(transfer: DataTransfer): Promise<{ found: Found[]; unreadable: number }> {
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found: Found[] = [];
  let unreadable = 0;
  let waiting: { entry: FileSystemEntry; inFolder: boolean }[] = [];
  for (const { entry, file } of entries) {
    if (entry !== null) waiting.push({ entry, inFolder: entry.isDirectory });
    else if (file !== null) found.push({ file, path: file.name, inFolder: false });
  }
  // A list and no recursion: folders may lie as deep as they like.
  while (waiting.length > 0) {
    const [{ entry, inFolder }] = waiting as [(typeof waiting)[number]];
    waiting.shift();
    try {
      if (entry.isDirectory) {
        const inside = await everyEntry((entry as FileSystemDirectoryEntry).createReader());
        waiting = [...inside.map((each) => ({ entry: each, inFolder: true })), ...waiting];
      } else {
        const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
        found.push({ file, path: entry.fullPath.replace(/^\//, ""), inFolder });
      }
    } catch {
      unreadable += 1;
    }
  }
  return { found, unreadable };
}

/** A reader hands out a hundred entries at a time, and an empty list at the end. */
export async function everyEntry(reader: Pick<FileSystemDirectoryReader, "readEntries">): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
