/**
 * Lets a picture come up softly when it was not there yet, and stand at once when it was. One that does not come is
 * asked for again a few times: it may still be being drawn for a link, and then the server says "in a moment" (503).
 */

const PAUSES_MS: readonly number[] = [1000, 3000, 6000, 12000];

export function fadeIn(image: HTMLImageElement): void {
  if (image.complete && image.naturalWidth > 0) {
    image.classList.add("is-loaded");
    return;
  }
  image.classList.add("is-fading");
  const show = (): void => image.classList.add("is-loaded");
  let tries = 0;
  const failed = (): void => {
    const pause = PAUSES_MS[tries];
    if (pause === undefined) {
      show(); // a broken picture shows its alternative text instead of nothing
      return;
    }
    tries += 1;
    // Not all at the same moment: they would stand in each other's way again.
    setTimeout(
      () => {
        image.setAttribute("src", image.src);
      },
      pause * (0.5 + Math.random()),
    );
  };
  image.addEventListener("load", show, { once: true });
  image.addEventListener("error", failed);
  // What was refused before this script came tells nobody any more.
  if (image.complete && image.currentSrc !== "") failed();
}
