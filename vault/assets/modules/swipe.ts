/** On the page of one picture, a finger goes to the previous and the next like the arrows do. */

const FAR_ENOUGH_PX = 48;

export function attachSwipe(): void {
  const stage = document.querySelector<HTMLElement>("[data-stage]");
  if (stage === null) return;
  let start: Touch | undefined;
  stage.addEventListener("touchstart", (event) => {
    // Two fingers zoom; that is the browser's own business.
    start = event.touches.length === 1 ? event.touches[0] : undefined;
  }, { passive: true });
  stage.addEventListener("touchend", (event) => {
    const end = event.changedTouches[0];
    if (start === undefined || end === undefined || (visualViewport?.scale ?? 1) > 1.05) return;
    const across = end.clientX - start.clientX;
    const down = end.clientY - start.clientY;
    start = undefined;
    if (Math.abs(across) < FAR_ENOUGH_PX || Math.abs(across) < 2 * Math.abs(down)) return;
    stage.querySelector<HTMLAnchorElement>(across < 0 ? 'a[rel="next"]' : 'a[rel="prev"]')?.click();
  }, { passive: true });
}
