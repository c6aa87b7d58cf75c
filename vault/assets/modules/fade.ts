/** Lets a picture come up softly when it was not there yet, and stand at once when it was. */

export function fadeIn(image: HTMLImageElement): void {
  if (image.complete && image.naturalWidth > 0) {
    image.classList.add("is-loaded");
    return;
  }
  image.classList.add("is-fading");
  const show = (): void => image.classList.add("is-loaded");
  image.addEventListener("load", show, { once: true });
  // A broken picture shows its alternative text instead of nothing.
  image.addEventListener("error", show, { once: true });
}
