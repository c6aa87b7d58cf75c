/** The page of one picture, opened while that picture is still being processed. */
import { element } from "./elements";
import { fadeIn } from "./fade";
import type { Poller } from "./poller";

export function followStage(poller: Poller): void {
  const stage = document.querySelector<HTMLElement>("[data-stage]");
  const id = stage?.dataset["stage"];
  if (!stage || !id || stage.dataset["state"] !== "pending") return;
  poller.watch(id, (progress) => {
    const message = stage.querySelector<HTMLElement>(".stage-message");
    if (progress === null || message === null) return;
    if (progress.state === "failed") {
      message.replaceChildren(element("p", "", progress.failure ?? "This picture could not be read."));
      return;
    }
    const image = element("img", "stage-image");
    image.alt = document.querySelector("h1")?.textContent?.trim() ?? "";
    image.src = `/media/${id}/preview`;
    fadeIn(image);
    message.replaceWith(image);
  });
}
