/** A worker that reads files and answers with their SHA-256, so that the page stays free for whoever looks at it. */
import { hexOf, Sha256 } from "./modules/uploads/sha256";

export interface HashQuestion {
  id: string;
  file: File;
}

export interface HashAnswer {
  id: string;
  /** In hexadecimal; null where the file could not be read. */
  sha256: string | null;
}

/** Up to here the browser's own hashing is quickest; it wants the whole file in memory. */
const IN_ONE_BYTES = 32 * 1024 ** 2;
const PIECE_BYTES = 4 * 1024 ** 2;

addEventListener("message", (event: MessageEvent<HashQuestion>) => {
  const { id, file } = event.data;
  digest(file).then(
    (sha256) => answer({ id, sha256 }),
    () => answer({ id, sha256: null }),
  );
});

function answer(found: HashAnswer): void {
  postMessage(found);
}

async function digest(file: File): Promise<string> {
  // Only pages on https and on this very machine have it.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle !== undefined && file.size <= IN_ONE_BYTES) {
    return hexOf(new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer())));
  }
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    hash.update(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
  }
  return hash.hex();
}
