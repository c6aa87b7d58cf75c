/** The form by which the visitor of a link brings pictures; the uploader itself is fetched when something is chosen. */
import { attachDrop } from "./drop";
import { type Found, ofDrop, ofList } from "./uploads/choice";
import type { GuestUploader } from "./uploads/guest";

export function attachGuests(): void {
  const form = document.querySelector<HTMLFormElement>("[data-guest-form]");
  const input = form?.querySelector<HTMLInputElement>("[data-guest-files]");
  const data = form?.dataset;
  if (!form || !input || data?.["guestTo"] === undefined) return;
  const facts = {
    url: data["guestTo"],
    hasher: data["guestHasher"] ?? "",
    accept: input.accept,
    pieceBytes: Number(data["guestPieceBytes"]),
    maxBytes: Number(data["guestMaxBytes"]),
    name: () => form.querySelector<HTMLInputElement>('[name="guest_name"]')?.value ?? "",
  };
  let uploader: Promise<GuestUploader> | null = null;
  const choose = async (found: readonly Found[]): Promise<void> => {
    uploader ??= import("./uploads/guest").then((module) => new module.GuestUploader(facts, document.querySelector<HTMLElement>("[data-upload-list]")));
    (await uploader).choose(found);
  };
  input.addEventListener("change", () => {
    void choose(ofList(input.files ?? []));
    input.value = "";
  });
  attachDrop("Drop to add", (transfer) => void ofDrop(transfer).then(({ found }) => choose(found)));
}
