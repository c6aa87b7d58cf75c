/** Says a sentence to people who listen instead of look. */

export function announce(sentence: string): void {
  const place = document.querySelector<HTMLElement>("[data-announce]");
  if (place === null) return;
  // The same words twice are only heard twice when the text really changes.
  place.textContent = place.textContent === sentence ? `${sentence}\u00a0` : sentence;
}
