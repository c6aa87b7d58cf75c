/** A video, played by the browser's own means; and what stands in its place until it can be. */
import { drawings, element, icon } from "./elements";
import type { Playback } from "./tiles";

export interface Film {
  preview: string;
  name: string;
  video: string | null;
  playback: Playback;
  playback_failure?: string | null;
  original: string | null;
  width: number | null;
  height: number | null;
}

export function player(film: Film, source: string): HTMLVideoElement {
  const video = element("video", "film-player");
  video.controls = true;
  video.playsInline = true;
  // Nothing is fetched before somebody plays it: what was played is counted.
  video.preload = "none";
  video.poster = film.preview;
  video.setAttribute("aria-label", film.name);
  if (film.width !== null && film.height !== null) {
    video.width = film.width;
    video.height = film.height;
  }
  video.src = source;
  return video;
}

/** Say why a video does not play yet, or never will. */
export function fillNote(note: HTMLElement, film: Film): void {
  const take = film.original === null ? "" : film.playback === "failed" ? " You can download the original." : " You can download the original meanwhile.";
  const words: Partial<Record<Playback, string>> = {
    failed: (film.playback_failure ?? "This video could not be prepared for browsers.") + take,
    withheld: "This link shows a still picture of this video, and does not play it.",
  };
  note.setAttribute("role", "status");
  note.replaceChildren(
    ...(film.playback === "failed" ? [icon(...drawings.warning)] : film.playback === "withheld" ? [] : [element("span", "spinner")]),
    element("span", "", words[film.playback] ?? `This video is being prepared for your browser.${take}`),
  );
}

/** Play the moving seconds of a picture over it, once. */
export function playLive(frame: HTMLElement, source: string): void {
  frame.querySelector(".film-live")?.remove();
  const video = element("video", "film-live");
  video.playsInline = true;
  video.setAttribute("aria-label", "Live photo");
  const end = (): void => video.remove();
  video.addEventListener("ended", end);
  video.addEventListener("error", end);
  video.src = source;
  frame.append(video);
  void video.play().catch(end);
}

export function lengthOf(seconds: number | null): string | null {
  if (seconds === null) return null;
  const whole = Math.max(1, Math.round(seconds));
  const two = (number: number): string => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
