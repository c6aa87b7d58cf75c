/** What the page says of uploading here: addresses, limits, and for whom the page was made. */

export interface UploadFacts {
  url: string;
  api: string;
  /** The upload page, and where one signs in. */
  page: string;
  signIn: string;
  /** The worker that hashes. */
  hasher: string;
  person: string;
  /** Media types and endings of what is kept, with commas between them. */
  accept: string;
  pieceBytes: number;
  maxBytes: number;
}

/** Read it from the page; null where nobody uploads. */
export function readFacts(): UploadFacts | null {
  const data = document.body.dataset;
  const url = data["uploadTo"];
  const person = data["person"];
  if (url === undefined || person === undefined) return null;
  return {
    url,
    api: data["uploadApi"] ?? "",
    page: data["uploadPage"] ?? "",
    signIn: data["uploadSignIn"] ?? "",
    hasher: data["uploadHasher"] ?? "",
    person,
    accept: data["uploadAccept"] ?? "",
    pieceBytes: Number(data["uploadPieceBytes"]),
    maxBytes: Number(data["uploadMaxBytes"]),
  };
}
