/** The whole page takes files that are dropped on it, and says so while they hover. */
import { drawings, element, icon } from "./elements";

export function attachDrop(sentence: string, take: (transfer: DataTransfer) => void): void {
  const veil = element("div", "drop-veil");
  veil.append(icon(...drawings.upload), element("span", "", sentence));
  let depth = 0;
  const leave = (): void => {
    depth = 0;
    veil.remove();
  };
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    document.body.append(veil);
  });
  addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth -= 1;
    if (depth <= 0) leave();
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    leave();
    if (event.dataTransfer !== null) take(event.dataTransfer);
  });
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
