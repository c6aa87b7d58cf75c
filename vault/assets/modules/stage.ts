/** The page of one picture: opened while that is still being processed, a video that cannot play yet, and what moves. */
import { element } from "./elements";
import { fadeIn } from "./fade";
import { fillNote, player, playLive, type Film } from "./film";
import type { Poller, Progress } from "./poller";

export function followStage(poller: Poller): void {
  const stage = document.querySelector<HTMLElement>("[data-stage]");
  const id = stage?.dataset["stage"];
  if (!stage || !id) return;
  const film = stage.querySelector<HTMLElement>("[data-film]");
  if (film?.dataset["playback"] === "pending") followFilm(poller, film, id);
  if (stage.dataset["state"] !== "pending") return;
  poller.watch(id, (progress) => {
    const message = stage.querySelector<HTMLElement>(".stage-message");
    if (progress === null || message === null) return;
    if (progress.state === "failed") {
      message.replaceChildren(element("p", "", progress.failure ?? "This picture could not be read."));
      return;
    }
    if (progress.kind === "video") {
      const drawn = stillOf(id, progress);
      message.replaceWith(drawn);
      if (progress.playback === "pending") followFilm(poller, drawn, id);
      else settle(drawn, id, progress);
      return;
    }
    const image = element("img", "stage-image");
    image.alt = title();
    image.src = `/media/${id}/preview`;
    fadeIn(image);
    message.replaceWith(image);
  });
}

/** A picture that has moving seconds plays them where it stands, instead of on a page of their own. */
export function attachLive(): void {
  const button = document.querySelector<HTMLAnchorElement>("a[data-live]");
  const stage = button?.closest<HTMLElement>("[data-stage]");
  if (!button || !stage) return;
  button.setAttribute("role", "button");
  button.addEventListener("click", (event) => {
    event.preventDefault();
    playLive(stage, button.href);
  });
}

function followFilm(poller: Poller, film: HTMLElement, id: string): void {
  poller.watchPlayback(id, (progress) => {
    if (progress !== null) settle(film, id, progress);
  });
}

function settle(film: HTMLElement, id: string, progress: Progress): void {
  const shown = filmOf(id, progress);
  if (progress.playback === "ready") {
    const video = player(shown, `/media/${id}/video`);
    video.classList.add("stage-image");
    film.replaceChildren(video);
    return;
  }
  const note = film.querySelector<HTMLElement>(".film-note");
  if (note !== null) fillNote(note, shown);
}

function stillOf(id: string, progress: Progress): HTMLElement {
  const film = element("div", "stage-film");
  const image = element("img", "stage-image");
  image.alt = title();
  image.src = `/media/${id}/preview`;
  fadeIn(image);
  const note = element("p", "film-note");
  fillNote(note, filmOf(id, progress));
  film.append(image, note);
  return film;
}

function filmOf(id: string, { width, height, playback }: Progress): Film {
  const original = document.querySelector<HTMLAnchorElement>(".viewer-actions a[download]")?.href ?? null;
  return { preview: `/media/${id}/preview`, name: title(), video: null, playback, original, width, height };
}

function title(): string {
  return document.querySelector("h1")?.textContent?.trim() ?? "";
}
